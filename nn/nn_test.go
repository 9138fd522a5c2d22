package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// N1 is the EMD CNN of docs/nn.md.
func n1(filters, kernel, convs, dense int) Spec {
	s := Spec{Name: "n1", Input: Shape{4, 4, 6}, Layers: []Layer{{Kind: KindSwapPair}}}
	for range convs {
		s.Layers = append(s.Layers,
			Layer{Kind: KindConv2D, Filters: filters, Kernel: kernel, Padding: PaddingSame, L2: 1e-4},
			Layer{Kind: KindBatchNorm}, Layer{Kind: KindReLU})
	}
	s.Layers = append(s.Layers, Layer{Kind: KindFlatten},
		Layer{Kind: KindDense, Units: dense, L2: 1e-4}, Layer{Kind: KindBatchNorm}, Layer{Kind: KindReLU},
		Layer{Kind: KindDense, Units: 1}, Layer{Kind: KindPairMean})
	return s
}

// N2 is the autoencoder of docs/nn.md.
func n2() Spec {
	return Spec{Name: "n2", Input: Shape{8, 8, 1}, Layers: []Layer{
		{Kind: KindConv2D, Filters: 8, Kernel: 3, Stride: 2, Padding: PaddingSame}, {Kind: KindReLU},
		{Kind: KindFlatten}, {Kind: KindDense, Units: 16, Name: "latent"}, {Kind: KindReLU},
		{Kind: KindDense, Units: 128}, {Kind: KindReLU}, {Kind: KindReshape, Height: 4, Width: 4, Channels: 8},
		{Kind: KindConv2DTranspose, Filters: 8, Kernel: 3, Stride: 2, Padding: PaddingSame}, {Kind: KindReLU},
		{Kind: KindConv2DTranspose, Filters: 1, Kernel: 3, Padding: PaddingSame}, {Kind: KindSigmoid},
	}}
}

func randomTensor(n int, s Shape, seed uint64) *Tensor {
	t, rng := NewTensor(n, s), rand.New(rand.NewPCG(seed, 1))
	for i := range t.Data {
		t.Data[i] = float32(rng.NormFloat64())
	}
	return t
}

func TestQuickGradients(t *testing.T) {
	for _, spec := range []Spec{n1(8, 5, 2, 8), n1(32, 3, 1, 16), n2()} {
		net, err := New(spec, Settings{Seed: 1, Threads: 2, MaxBatch: 16})
		if err != nil {
			t.Fatal(err)
		}
		x := randomTensor(9, spec.Input, 2)
		proj := randomTensor(9, net.OutputShape(), 3)
		value := func() float64 {
			y, err := net.Forward(x, Training)
			if err != nil {
				t.Fatal(err)
			}
			s := 0.0
			for i, v := range y.Data {
				s += float64(v) * float64(proj.Data[i])
			}
			return s
		}
		value()
		dx, err := net.Backward(proj)
		if err != nil {
			t.Fatal(err)
		}
		dxs := append([]float32(nil), dx.Data...)
		check := func(name string, v []float32, g []float32, i int) {
			const h = 1e-3
			old := v[i]
			v[i] = old + h
			up := value()
			v[i] = old - h
			down := value()
			v[i] = old
			num := (up - down) / (2 * h)
			if math.Abs(num-float64(g[i])) > 0.03*(math.Abs(num)+math.Abs(float64(g[i]))+0.3) {
				t.Errorf("%s %s[%d]: %v, numerically %v", spec.Name, name, i, g[i], num)
			}
		}
		for _, p := range net.Params() {
			if !p.Trainable {
				continue
			}
			for k := range 4 {
				check(p.Name, p.Value, p.Grad, (k*7919)%len(p.Value))
			}
		}
		for k := range 6 {
			check("x", x.Data, dxs, (k*7919)%len(x.Data))
		}
	}
}

func ExampleNew() {
	net, err := New(Spec{Input: Shape{8, 8, 1}, Layers: []Layer{
		{Kind: KindConv2D, Filters: 8, Kernel: 3, Stride: 2, Padding: PaddingSame},
		{Kind: KindReLU},
		{Kind: KindDense, Units: 16},
	}}, Settings{Seed: 7})
	fmt.Println(err)
	for _, p := range net.Params() {
		fmt.Println(p.Name, p.Shape)
	}
	y, err := net.Forward(NewTensor(10, net.InputShape()), Inference)
	fmt.Println(y.N, y.Shape, err)
	// Output:
	// <nil>
	// conv2d_1/kernel [3 3 1 8]
	// conv2d_1/bias [8]
	// dense_1/kernel [128 16]
	// dense_1/bias [16]
	// 10 1×1×16 <nil>
}
