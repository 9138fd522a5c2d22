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
	poolKinds    = 3 // means, maxima and minima
	features     = 32
	projection   = 32
	maxBatch     = 512 // views at a time
	relative     = 5   // of the mean charge, in ln(1 + relative·q/mean)
	agreeScale   = 3
	levelScale   = 0.3
	smallestSide = 10
)

// A brain is a network that tells images apart: convolutions, of whose outputs the mean, the maximum or
// the minimum over the cells is taken, so that it matters little where on a wafer something is, then
// two dense layers to the features and two more, the projection that is trained on and then left.
//
// For nn it is one chain: a crop to one pixel stands where the pooling is done here, which gives the same
// shape. (The encoder of the chip has no pooling.)
type brain struct {
	net, low, high *nn.Network // all; before and behind the pooling
	toFeatures     *nn.Network // of what is pooled
	grid           *grid
	level          bool
	channels       int
	pool           bool
	cells          []int // pixels that are pooled
	in, pooled     *nn.Tensor
	back           *nn.Tensor
	from           []int32 // pixel of each maximum and minimum
}

// layers of a network for images of a grid.
func layers(kind string, height, width int) (list []nn.Layer, poolAt, featuresAt int) {
	conv := func(filters, stride int) {
		list = append(list, nn.Layer{Kind: nn.KindConv2D, Filters: filters, Kernel: 3, Stride: stride, Padding: nn.PaddingSame}, nn.Layer{Kind: nn.KindReLU})
	}
	dense := func(units int) { list = append(list, nn.Layer{Kind: nn.KindDense, Units: units}) }
	relu := func() { list = append(list, nn.Layer{Kind: nn.KindReLU}) }
	if kind == networkEncoder {
		conv(8, 2)
		dense(16)
		relu()
		featuresAt = len(list)
	} else {
		conv(16, 1)
		for side := min(height, width); side > smallestSide; side = (side + 1) / 2 {
			conv(32, 2)
		}
		conv(48, 1)
		poolAt = len(list)
		list = append(list, nn.Layer{Kind: nn.KindCrop, Height: 1, Width: 1})
		dense(64)
		relu()
		dense(features)
		featuresAt = len(list)
		relu()
	}
	dense(projection)
	if kind == networkEncoder {
		relu()
		dense(projection)
	}
	return list, poolAt, featuresAt
}

// newBrain makes a network for rows, with random weights.
func newBrain(kind string, r *rows, level bool, seed uint64, threads int) (*brain, error) {
	b := &brain{grid: r.grid, level: level, channels: 2, pool: kind == networkSmall}
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
	list, poolAt, featuresAt := layers(kind, b.grid.height, b.grid.width)
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
	return b, b.cut(poolAt, featuresAt, len(list), s)
}

// cut makes the parts of the network.
func (b *brain) cut(poolAt, featuresAt, end int, s nn.Settings) (err error) {
	view := func(to **nn.Network, from, until int) {
		if err == nil {
			*to, err = b.net.View(from, until, s)
		}
	}
	if !b.pool {
		view(&b.toFeatures, 0, featuresAt)
		return err
	}
	view(&b.low, 0, poolAt)
	view(&b.high, poolAt+1, end)
	view(&b.toFeatures, poolAt+1, featuresAt)
	if err != nil {
		return err
	}
	shape := b.low.OutputShape()
	if b.grid.rectangle {
		for p := range shape.H * shape.W {
			b.cells = append(b.cells, p)
		}
	} else {
		b.cells = b.grid.at
	}
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
			for _, p := range b.cells {
				v := y.Data[(p*n+s)*channels+c]
				switch {
				case c < part:
					value += v
				case from < 0, c < 2*part && v > value, c >= 2*part && v < value:
					value, from = v, int32(p)
				}
			}
			if c < part {
				value /= float32(len(b.cells))
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
			g /= float32(len(b.cells))
			for _, p := range b.cells {
				b.back.Data[(p*n+s)*channels+c] = g
			}
		}
	}
	return b.low.BackwardWeights(b.back)
}

// embed is the features of the batch, a row an image, and what the convolutions say of every cell that
// is pooled, nil for a network without.
func (b *brain) embed() (*nn.Tensor, *nn.Tensor, error) {
	if !b.pool {
		f, err := b.toFeatures.Forward(b.in, nn.Inference)
		return f, nil, err
	}
	y, err := b.low.Forward(b.in, nn.Inference)
	if err != nil {
		return nil, nil, err
	}
	b.poolOf(y)
	f, err := b.toFeatures.Forward(b.pooled, nn.Inference)
	return f, y, err
}
