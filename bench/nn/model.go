package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
)

// emdCNN is N1 of the networks measured: convs convolutions 5×5, one hidden
// dense layer, symmetrised.
func emdCNN(filters, convs, dense int) nn.Spec {
	s := nn.Spec{Name: "emd-cnn", Input: nn.Shape{H: 4, W: 4, C: 6}, Layers: []nn.Layer{{Kind: nn.KindSwapPair}}}
	for range convs {
		s.Layers = append(s.Layers,
			nn.Layer{Kind: nn.KindConv2D, Filters: filters, Kernel: 5, Padding: nn.PaddingSame, L2: 1e-4},
			nn.Layer{Kind: nn.KindBatchNorm}, nn.Layer{Kind: nn.KindReLU})
	}
	s.Layers = append(s.Layers, nn.Layer{Kind: nn.KindFlatten},
		nn.Layer{Kind: nn.KindDense, Units: dense, L2: 1e-4}, nn.Layer{Kind: nn.KindBatchNorm}, nn.Layer{Kind: nn.KindReLU},
		nn.Layer{Kind: nn.KindDense, Units: 1}, nn.Layer{Kind: nn.KindPairMean})
	return s
}

// autoencoder is N2, or with fake quantisation N2q: input 8 bits, weights 6,
// accumulator 8, latent 9.
func autoencoder(quantise bool) nn.Spec {
	conv := nn.Layer{Kind: nn.KindConv2D, Filters: 8, Kernel: 3, Stride: 2, Padding: nn.PaddingSame}
	latent := nn.Layer{Kind: nn.KindDense, Units: 16}
	relu := nn.Layer{Kind: nn.KindReLU}
	encoder := []nn.Layer{conv, relu, {Kind: nn.KindFlatten}, latent, relu}
	if quantise {
		conv.Bits, latent.Bits = 6, 6
		encoder = []nn.Layer{
			{Kind: nn.KindQuantizedBits, Bits: 8, Integer: 1, Unsigned: true},
			conv, {Kind: nn.KindQuantizedReLU, Bits: 8, Integer: 1}, {Kind: nn.KindFlatten},
			latent, {Kind: nn.KindQuantizedReLU, Bits: 9, Integer: 1},
		}
	}
	return nn.Spec{Name: "autoencoder", Input: nn.Shape{H: 8, W: 8, C: 1}, Layers: append(encoder,
		nn.Layer{Kind: nn.KindDense, Units: 128}, relu, nn.Layer{Kind: nn.KindReshape, Height: 4, Width: 4, Channels: 8},
		nn.Layer{Kind: nn.KindConv2DTranspose, Filters: 8, Kernel: 3, Stride: 2, Padding: nn.PaddingSame}, relu,
		nn.Layer{Kind: nn.KindConv2DTranspose, Filters: 1, Kernel: 3, Padding: nn.PaddingSame}, nn.Layer{Kind: nn.KindSigmoid})}
}

// A bench is one model ready to run.
type bench struct {
	batch         int
	forward, step func() error
}

func newBench(model string, s nn.Settings) (*bench, error) {
	switch model {
	case "N1a":
		return pairBench(emdCNN(32, 3, 256), s)
	case "N1b":
		return pairBench(emdCNN(128, 4, 64), s)
	case "N2", "N2q":
		return imageBench(autoencoder(model == "N2q"), s)
	case "N3":
		return throughBench(s)
	}
	return nil, fmt.Errorf("unknown model %q", model)
}

func random(n int, s nn.Shape, scale float32) *nn.Tensor {
	t, rng := nn.NewTensor(n, s), rand.New(rand.NewPCG(1, 2))
	for i := range t.Data {
		t.Data[i] = rng.Float32() * scale
	}
	return t
}

// frozen is net for inference with its weights packed once, as PyTorch's are in the
// settings that freeze them.
func frozen(net *nn.Network) (*nn.Network, error) {
	ready, err := net.View(0, len(net.Layers()), nn.Settings{})
	if err == nil {
		ready.Lock()
	}
	return ready, err
}

// pairBench trains on random pairs with the Huber loss.
func pairBench(spec nn.Spec, s nn.Settings) (*bench, error) {
	const batch = 256
	s.Seed, s.MaxBatch = 1, batch
	net, err := nn.New(spec, s)
	if err != nil {
		return nil, err
	}
	x, target, dy := random(batch, spec.Input, 1./48), random(batch, nn.Vector(1), 5), nn.NewTensor(batch, nn.Vector(1))
	adam := &nn.Adam{}
	ready, err := frozen(net)
	if err != nil {
		return nil, err
	}
	return &bench{batch, func() error {
		_, err := ready.Forward(x, nn.Inference)
		return err
	}, func() error {
		net.ZeroGrad()
		y, err := net.Forward(x, nn.Training)
		if err != nil {
			return err
		}
		if _, err := (nn.Huber{}).Eval(target.Data, y.Data, dy.Data); err != nil {
			return err
		}
		if err := net.BackwardWeights(dy); err != nil {
			return err
		}
		net.Penalty()
		adam.Update(net.Params(), 1e-3)
		return nil
	}}, nil
}

// images are random 8×8 images, masked as wafers are, and their cells.
func images(batch int) (x *nn.Tensor, cells []float32) {
	x, cells = nn.NewTensor(batch, nn.Shape{H: 8, W: 8, C: 1}), make([]float32, batch*hgcal.Cells)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range cells {
		cells[i] = rng.Float32() / 16
	}
	spread(x, cells)
	return x, cells
}

var pixels = hgcal.Arrange8x8()

// spread writes cells, batch×48, into the 8×8 images of x.
func spread(x *nn.Tensor, cells []float32) {
	for pixel, cell := range pixels {
		if cell < 0 {
			continue
		}
		row := x.Data[pixel*x.N : (pixel+1)*x.N]
		for n := range row {
			row[n] = cells[n*hgcal.Cells+cell]
		}
	}
}

// collect is the reverse of spread.
func collect(cells []float32, x *nn.Tensor) {
	for pixel, cell := range pixels {
		if cell < 0 {
			continue
		}
		for n, v := range x.Data[pixel*x.N : (pixel+1)*x.N] {
			cells[n*hgcal.Cells+cell] = v
		}
	}
}

// imageBench trains the autoencoder with the telescope MSE.
func imageBench(spec nn.Spec, s nn.Settings) (*bench, error) {
	const batch = 500
	s.Seed, s.MaxBatch = 1, batch
	net, err := nn.New(spec, s)
	if err != nil {
		return nil, err
	}
	x, target := images(batch)
	pred, grad := make([]float32, len(target)), make([]float32, len(target))
	dy, adam, telescope := nn.NewTensor(batch, spec.Input), &nn.Adam{}, loss.Telescope(hgcal.Published)
	ready, err := frozen(net)
	if err != nil {
		return nil, err
	}
	return &bench{batch, func() error {
		_, err := ready.Forward(x, nn.Inference)
		return err
	}, func() error {
		net.ZeroGrad()
		y, err := net.Forward(x, nn.Training)
		if err != nil {
			return err
		}
		collect(pred, y)
		if _, err := telescope.Eval(context.Background(), target, pred, grad); err != nil {
			return err
		}
		spread(dy, grad)
		if err := net.BackwardWeights(dy); err != nil {
			return err
		}
		adam.Update(net.Params(), 1e-3)
		return nil
	}}, nil
}

// throughBench trains the autoencoder on the output of a frozen N1a.
func throughBench(s nn.Settings) (*bench, error) {
	const batch = 500
	s.Seed, s.MaxBatch = 1, batch
	net, err := nn.New(autoencoder(false), s)
	if err != nil {
		return nil, err
	}
	judge, err := nn.New(emdCNN(32, 3, 256), s)
	if err != nil {
		return nil, err
	}
	judge.Lock()
	x, target := images(batch)
	pred, sums := make([]float32, len(target)), make([]float32, batch)
	pair, adam := nn.NewTensor(batch, judge.InputShape()), &nn.Adam{}
	dy, one := nn.NewTensor(batch, net.OutputShape()), nn.NewTensor(batch, nn.Vector(1))
	for i := range one.Data {
		one.Data[i] = 1. / batch
	}
	toPair(pair, 0, target, sums)
	forward := func(mode, judging nn.Mode) error {
		y, err := net.Forward(x, mode)
		if err != nil {
			return err
		}
		collect(pred, y)
		toPair(pair, 3, pred, sums)
		_, err = judge.Forward(pair, judging)
		return err
	}
	return &bench{batch, func() error { return forward(nn.Inference, nn.Inference) }, func() error {
		net.ZeroGrad()
		if err := forward(nn.Training, nn.Frozen); err != nil {
			return err
		}
		dp, err := judge.Backward(one)
		if err != nil {
			return err
		}
		fromPair(pred, dp, pair, sums)
		spread(dy, pred)
		if err := net.BackwardWeights(dy); err != nil {
			return err
		}
		adam.Update(net.Params(), 1e-3)
		return nil
	}}, nil
}

// toPair writes images of sum 1 into channels from to from+2; sums receives
// what they were divided by.
func toPair(pair *nn.Tensor, from int, cells, sums []float32) {
	for n := range sums {
		image, sum := cells[n*hgcal.Cells:(n+1)*hgcal.Cells], float32(1e-9)
		for _, v := range image {
			sum += v
		}
		sums[n] = sum
		for i, v := range image {
			pair.Data[(i%16*pair.N+n)*6+from+i/16] = v / sum
		}
	}
}

// fromPair turns the gradient of the second image's channels into that of the
// cells before their division by the sum.
func fromPair(cells []float32, dp, pair *nn.Tensor, sums []float32) {
	for n, sum := range sums {
		dot := float32(0)
		for i := range hgcal.Cells {
			k := (i%16*pair.N+n)*6 + 3 + i/16
			dot += dp.Data[k] * pair.Data[k]
		}
		for i := range hgcal.Cells {
			cells[n*hgcal.Cells+i] = (dp.Data[(i%16*pair.N+n)*6+3+i/16] - dot) / sum
		}
	}
}
