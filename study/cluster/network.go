package cluster

import (
	"fmt"
	"math"

	"barrow/hgcal"
	"barrow/nn"
)

// Networks that can be trained.
const (
	networkSmall   = "small"
	networkEncoder = "encoder"
)

// What the networks are made of.
const (
	poolKinds   = 3 // means, maxima and minima
	features    = 32
	projection  = 32
	maxBatch    = 512 // views at a time
	relative    = 5   // of the mean charge, in ln(1 + relative·q/mean)
	agreeScale  = 3
	levelScale  = 0.3
	largestSide = 8 // of what goes into the dense layers
)

// A brain is a network that tells images apart: convolutions, two dense layers to the features and one
// more, the projection that is trained on and then left. Of wafers the mean, the maximum or the minimum
// of the convolutions' outputs over the cells is taken in between, so that it matters little where on a
// wafer something is; in pictures it matters.
//
// For nn a wafer's is one chain, too: a crop to one pixel stands where the pooling is done here, which
// gives the same shape. The encoder of the chip has no pooling.
type brain struct {
	net, low, high *nn.Network // all; before and behind the pooling
	toFeatures     *nn.Network // of what is pooled
	grid           *grid
	level          bool
	channels       int
	pool           bool
	in, pooled     *nn.Tensor
	back           *nn.Tensor
	from           []int32 // pixel of each maximum and minimum
}

// layers of a network for images of a grid: where the convolutions end, and the features.
func layers(kind string, g *grid) (list []nn.Layer, dense, featuresAt int) {
	conv := func(filters, stride int) {
		list = append(list, nn.Layer{Kind: nn.KindConv2D, Filters: filters, Kernel: 3, Stride: stride, Padding: nn.PaddingSame}, nn.Layer{Kind: nn.KindReLU})
	}
	units := func(n int, behind ...nn.Layer) {
		list = append(append(list, nn.Layer{Kind: nn.KindDense, Units: n}), behind...)
	}
	relu := nn.Layer{Kind: nn.KindReLU}
	if kind == networkEncoder {
		conv(8, 2)
		dense = len(list)
		units(16, relu)
		featuresAt = len(list)
		units(projection, relu)
		units(projection)
		return list, dense, featuresAt
	}
	conv(16, 1)
	if g.rectangle {
		for side := max(g.height, g.width); side > largestSide; side = (side + 1) / 2 {
			conv(24, 2)
		}
		conv(24, 1)
		dense = len(list)
	} else {
		conv(48, 1)
		dense = len(list)
		list = append(list, nn.Layer{Kind: nn.KindCrop, Height: 1, Width: 1})
	}
	units(64, relu)
	units(features)
	featuresAt = len(list)
	list = append(list, relu)
	units(projection)
	return list, dense, featuresAt
}

// newBrain makes a network for rows, with random weights.
func newBrain(kind string, r *rows, level bool, seed uint64, threads int) (*brain, error) {
	b := &brain{grid: r.grid, level: level, channels: 2, pool: kind == networkSmall && !r.grid.rectangle}
	if r.agreement != nil {
		b.channels++
	}
	if level {
		b.channels++
	}
	if kind == networkEncoder {
		if r.grid.cells != hgcal.Cells || r.grid.rectangle {
			return nil, fmt.Errorf("cluster: network = %q: the chip's encoder sees wafers alone: choose %s", kind, networkSmall)
		}
		b.grid, b.channels, b.level = encoderGrid(), 1, false
	}
	list, dense, featuresAt := layers(kind, b.grid)
	spec := nn.Spec{Name: "cluster " + kind, Input: nn.Shape{H: b.grid.height, W: b.grid.width, C: b.channels}, Layers: list}
	if err := spec.CheckMemory(maxBatch); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	s := nn.Settings{Seed: seed, Threads: threads, MaxBatch: maxBatch}
	var err error
	if b.net, err = nn.New(spec, s); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	b.in = nn.NewTensor(maxBatch, spec.Input)
	return b, b.cut(dense, featuresAt, len(list), s)
}

// cut makes the parts of the network.
func (b *brain) cut(dense, featuresAt, end int, s nn.Settings) (err error) {
	view := func(to **nn.Network, from, until int) {
		if err == nil {
			*to, err = b.net.View(from, until, s)
		}
	}
	view(&b.low, 0, dense)
	if b.pool {
		dense++ // the crop
	}
	view(&b.high, dense, end)
	view(&b.toFeatures, dense, featuresAt)
	if err != nil || !b.pool {
		return err
	}
	shape := b.low.OutputShape()
	b.pooled, b.back = nn.NewTensor(maxBatch, nn.Vector(shape.C)), nn.NewTensor(maxBatch, shape)
	b.from = make([]int32, maxBatch*shape.C)
	return nil
}

// begin makes room for n images.
func (b *brain) begin(n int) {
	b.in.Resize(n)
	clear(b.in.Data)
}

// see puts an image in place n of the batch: ln(1 + 5q/mean)/2, so that its total does not matter, a 1
// for every cell, Fisher's z of the agreement and, if wanted, the logarithm of the mean charge.
func (b *brain) see(n int, charge, agreement []float64) {
	mean := 0.0
	for _, q := range charge {
		mean += q / float64(len(charge))
	}
	none := math.Log1p(relative) / 2
	for i, q := range charge {
		to := b.in.Data[(b.grid.at[i]*b.in.N+n)*b.channels:][:b.channels]
		x := 0.0
		if mean > 0 {
			x = math.Log1p(relative*q/mean) / 2
		}
		if b.channels == 1 { // the encoder: nothing is nothing
			to[0] = float32(x)
			continue
		}
		to[0], to[1] = float32(x-none), 1
		if agreement != nil {
			to[2] = float32(agreeScale * fisher(agreement[i]))
		}
		if b.level {
			to[b.channels-1] = float32(levelScale * math.Log(mean+math.SmallestNonzeroFloat32))
		}
	}
}

// forward is the projections of the batch.
func (b *brain) forward(mode nn.Mode) (*nn.Tensor, error) {
	if !b.pool {
		return b.net.Forward(b.in, mode)
	}
	y, err := b.low.Forward(b.in, mode)
	if err != nil {
		return nil, err
	}
	b.poolOf(y)
	return b.high.Forward(b.pooled, mode)
}

// poolOf takes the mean of the first third of the channels, the maximum of the second, the minimum of the
// last over the cells.
func (b *brain) poolOf(y *nn.Tensor) {
	n, channels := y.N, y.Shape.C
	b.pooled.Resize(n)
	part := channels / poolKinds
	for s := range n {
		for c := range channels {
			value, from := float32(0), int32(-1)
			for _, p := range b.grid.at {
				v := y.Data[(p*n+s)*channels+c]
				switch {
				case c < part:
					value += v
				case from < 0, c < 2*part && v > value, c >= 2*part && v < value:
					value, from = v, int32(p)
				}
			}
			if c < part {
				value /= float32(len(b.grid.at))
			}
			b.pooled.Data[s*channels+c], b.from[s*channels+c] = value, from
		}
	}
}

// backward adds the weights' gradients, of the gradient of the projections.
func (b *brain) backward(dz *nn.Tensor) error {
	if !b.pool {
		return b.net.BackwardWeights(dz)
	}
	d, err := b.high.Backward(dz)
	if err != nil {
		return err
	}
	n, channels := d.N, d.Shape.C
	b.back.Resize(n)
	clear(b.back.Data)
	for s := range n {
		for c := range channels {
			g := d.Data[s*channels+c]
			if p := b.from[s*channels+c]; p >= 0 {
				b.back.Data[(int(p)*n+s)*channels+c] = g
				continue
			}
			g /= float32(len(b.grid.at))
			for _, p := range b.grid.at {
				b.back.Data[(p*n+s)*channels+c] = g
			}
		}
	}
	return b.low.BackwardWeights(b.back)
}

// embed is the features of the batch, a row an image, and what the convolutions make of every pixel.
func (b *brain) embed() (features, convolved *nn.Tensor, err error) {
	y, err := b.low.Forward(b.in, nn.Inference)
	if err != nil {
		return nil, nil, err
	}
	x := y
	if b.pool {
		b.poolOf(y)
		x = b.pooled
	}
	f, err := b.toFeatures.Forward(x, nn.Inference)
	return f, y, err
}
