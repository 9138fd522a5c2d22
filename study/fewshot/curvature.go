package fewshot

import (
	"context"
	"fmt"
	"math"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/nn"
)

// A curvature computes gradients of the exact EMD with their derivatives along a direction in the space of
// weights: products of the loss's Hessian with vectors, by carrying a tangent along with every number of the
// forward and of the backward pass (Pearlmutter, Neural Computation 6, 1994). In float64, one goroutine's.
//
// Roundings and truncations pass tangents straight through, as they pass gradients; with the chip's, the values
// are the chip's. Between kinks the EMD of shapes is linear in the decoded shape, so that all of its Hessian with respect to
// a decoded image p is in the scaling to sum 1: with the gradient g and S = Σp it takes dp to −(g·ΣΔp + 1·(g·Δp))/S.
type curvature struct {
	ops  []*curved
	emd  *emd.Batch
	at   [autoencoder.Cells]int // the cells' places in a network's image
	size int                    // of the vector of weights
	// floor is added to every decoded cell: see autoencoder.
	floor float64

	weights, direction []float64 // as the layers use them
	p, q, e, g         []float64 // of a batch
	pred, dpred        []float64 // N×output
}

// A curved is one layer: what it made of an image and of the tangent, and what came back.
type curved struct {
	l        nn.LayerShape
	links    []wire
	kernel   int // offsets in the vector of weights
	bias     int
	unit     float64 // products are rounded down to its multiples; 0 leaves them
	top      float64 // of a quantised ReLU, beyond which no gradient passes
	step     float64 // of a quantiser
	high     float64 // its largest multiple
	low      float64
	x, dx    []float64 // input: the layer's before it
	y, dy    []float64
	gx, dgx  []float64 // gradient with respect to the input, and its tangent
	inPlace  bool      // flatten, reshape: y is x
	backward bool      // whether anything in front of it has weights
}

// A wire joins channels of an input pixel with those of an output pixel through a tap of the kernel.
type wire struct{ in, out, tap int }

// newCurvature is that of an architecture's network, if its layers are among those that are known here.
func newCurvature(a autoencoder.Architecture, metric *emd.Metric) (*curvature, error) {
	spec, err := a.Spec()
	if err != nil {
		return nil, err
	}
	layers, err := spec.Check()
	if err != nil {
		return nil, fmt.Errorf("fewshot: %w", err)
	}
	formats, err := a.Formats()
	if err != nil {
		return nil, err
	}
	c := &curvature{at: autoencoder.Arrangement(layers[0].In)}
	if metric != nil { // else it is only asked whether the layers are known
		if c.emd, err = emd.NewBatch(metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1}); err != nil {
			return nil, fmt.Errorf("fewshot: %w", err)
		}
	}
	if a.Output == autoencoder.OutputSquare {
		c.floor = 1.0 / (1 << 20)
	}
	trained := false
	for _, l := range layers {
		o := &curved{l: l, backward: trained}
		if err := o.prepare(&c.size, formats); err != nil {
			return nil, err
		}
		trained = trained || len(o.links) > 0
		c.ops = append(c.ops, o)
	}
	c.weights, c.direction = make([]float64, c.size), make([]float64, c.size)
	return c, nil
}

// The chip's products: in units of 1/128 in the convolution, of 1/256 behind it; its outputs end at 511/256.
const (
	chipConvUnit  = 1.0 / 128
	chipDenseUnit = 1.0 / 256
	chipTop       = 511.0 / 256
)

func (o *curved) prepare(size *int, f autoencoder.Precision) error {
	l := o.l
	chip := f.Chip
	switch l.Kind {
	case nn.KindConv2D, nn.KindConv2DTranspose, nn.KindDense:
		o.links = wires(l)
		weights := l.Kernel * l.Kernel * l.In.C * l.Out.C
		if l.Kind == nn.KindDense {
			weights = l.In.Size() * l.Units
		}
		o.kernel, o.bias = *size, *size+weights
		*size += weights + l.Out.C
		if l.NoBias {
			return fmt.Errorf("fewshot: layer %s has no bias", l.Name)
		}
		if l.Bits > 0 {
			o.step = math.Exp2(float64(l.Integer + 1 - l.Bits))
			o.high = math.Exp2(float64(l.Bits-1)) - 1
			o.low = -o.high - 1
		}
		if chip && l.Bits > 0 {
			o.unit = chipConvUnit
			if l.Kind == nn.KindDense {
				o.unit = chipDenseUnit
			}
		}
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		if l.Kind == nn.KindQuantizedBits && !l.Unsigned {
			return fmt.Errorf("fewshot: layer %s: signed values are not known here", l.Name)
		}
		o.step = math.Exp2(float64(l.Integer - l.Bits))
		o.high = math.Exp2(float64(l.Bits)) - 1
		o.top = o.high * o.step
		if chip {
			o.top = chipTop
		}
	case nn.KindReLU, nn.KindSigmoid, nn.KindSquare, nn.KindSiLU:
	case nn.KindFlatten, nn.KindReshape:
		o.inPlace = true
	default:
		return fmt.Errorf("fewshot: the second order does not know layers of the kind %s (%s): the decoder paper or dense, or another method", l.Kind, l.Name)
	}
	if !o.inPlace {
		o.y, o.dy = make([]float64, l.Out.Size()), make([]float64, l.Out.Size())
	}
	o.gx, o.dgx = make([]float64, l.In.Size()), make([]float64, l.In.Size())
	return nil
}

// wires lists which pixels a layer joins, as in nn.
func wires(l nn.LayerShape) (list []wire) {
	if l.Kind == nn.KindDense {
		for p := range l.In.Positions() {
			list = append(list, wire{p, 0, p})
		}
		return list
	}
	small, big := l.Out, l.In
	if l.Kind == nn.KindConv2DTranspose {
		small, big = l.In, l.Out
	}
	pad := 0
	if l.Padding == nn.PaddingSame {
		pad = max((small.H-1)*l.Stride+l.Kernel-big.H, 0) / 2
	}
	for y := range small.H {
		for x := range small.W {
			for k := range l.Kernel * l.Kernel {
				by, bx := y*l.Stride+k/l.Kernel-pad, x*l.Stride+k%l.Kernel-pad
				if by < 0 || by >= big.H || bx < 0 || bx >= big.W {
					continue
				}
				w := wire{by*big.W + bx, y*small.W + x, k}
				if l.Kind == nn.KindConv2DTranspose {
					w.in, w.out = w.out, w.in
				}
				list = append(list, w)
			}
		}
	}
	return list
}

// hessian is the mean EMD of the images with these numbers at the weights; grad gets its gradient, and product the
// derivative of that along the direction. Both are overwritten.
func (c *curvature) hessian(ctx context.Context, weights, direction []float64, images *autoencoder.Prepared, index []int, grad, product []float64) (float64, error) {
	c.load(weights, direction)
	n, cells := len(index), images.Cells()
	last := c.ops[len(c.ops)-1]
	size := last.l.Out.Size()
	for _, s := range []*[]float64{&c.p, &c.q, &c.g} {
		*s = grown(*s, n*autoencoder.Cells)
	}
	c.e = grown(c.e, n)
	c.pred, c.dpred = grown(c.pred, n*size), grown(c.dpred, n*size)
	for k, i := range index {
		for j := range autoencoder.Cells {
			c.p[k*autoencoder.Cells+j] = float64(cells[i*autoencoder.Cells+j])
		}
		y, dy := c.forward(c.p[k*autoencoder.Cells:][:autoencoder.Cells])
		copy(c.pred[k*size:], y)
		copy(c.dpred[k*size:], dy)
		for j, at := range c.at {
			c.q[k*autoencoder.Cells+j] = y[at] + c.floor
		}
	}
	if err := c.emd.Gradient(ctx, c.p, c.q, c.e, nil, c.g); err != nil {
		return 0, fmt.Errorf("fewshot: %w", err)
	}
	clear(grad)
	clear(product)
	sum := 0.0
	g, dg := make([]float64, size), make([]float64, size)
	for k := range index {
		sum += c.e[k]
		c.forward(c.p[k*autoencoder.Cells:][:autoencoder.Cells])
		c.curve(k, size, g, dg, 1/float64(n))
		c.back(g, dg, grad, product)
	}
	return sum / float64(n), nil
}

// curve sets the gradient of image k's part of the loss with respect to the network's image, and its tangent.
func (c *curvature) curve(k, size int, g, dg []float64, scale float64) {
	clear(g)
	clear(dg)
	s, ds, along := 0.0, 0.0, 0.0
	own, dp := c.g[k*autoencoder.Cells:][:autoencoder.Cells], c.dpred[k*size:]
	for j, at := range c.at {
		s += c.q[k*autoencoder.Cells+j]
		ds += dp[at]
		along += own[j] * dp[at]
	}
	for j, at := range c.at {
		g[at] = own[j] * scale
		dg[at] = -(own[j]*ds + along) / s * scale
	}
}

// load takes weights and direction as the layers use them: quantised ones at their values, with the direction
// straight through.
func (c *curvature) load(weights, direction []float64) {
	copy(c.weights, weights)
	copy(c.direction, direction)
	for _, o := range c.ops {
		if len(o.links) == 0 || o.step == 0 {
			continue
		}
		own := c.weights[o.kernel : o.bias+o.l.Out.C]
		for i, v := range own {
			own[i] = o.step * min(max(math.RoundToEven(v/o.step), o.low), o.high)
		}
	}
}

// forward takes one image, with no tangent, through the network.
func (c *curvature) forward(cells []float64) (y, dy []float64) {
	in := c.ops[0]
	if len(in.x) == 0 {
		in.x, in.dx = make([]float64, in.l.In.Size()), make([]float64, in.l.In.Size())
	}
	for j, at := range c.at {
		in.x[at] = cells[j]
	}
	y, dy = in.x, in.dx
	for _, o := range c.ops {
		o.x, o.dx = y, dy
		o.forward(c.weights, c.direction)
		y, dy = o.y, o.dy
	}
	return y, dy
}

func (o *curved) forward(w, v []float64) {
	x, dx, y, dy := o.x, o.dx, o.y, o.dy
	switch o.l.Kind {
	case nn.KindFlatten, nn.KindReshape:
		o.y, o.dy = x, dx
	case nn.KindReLU:
		for i, a := range x {
			y[i], dy[i] = 0, 0
			if a > 0 {
				y[i], dy[i] = a, dx[i]
			}
		}
	case nn.KindSigmoid:
		for i, a := range x {
			s := 1 / (1 + math.Exp(-a))
			y[i], dy[i] = s, s*(1-s)*dx[i]
		}
	case nn.KindSquare:
		for i, a := range x {
			y[i], dy[i] = a*a, 2*a*dx[i]
		}
	case nn.KindSiLU:
		for i, a := range x {
			s := 1 / (1 + math.Exp(-a))
			y[i], dy[i] = a*s, s*(1+a*(1-s))*dx[i]
		}
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		for i, a := range x {
			r := a / o.step
			if o.l.Rounding == nn.RoundFloor {
				r = math.Floor(r)
			} else {
				r = math.RoundToEven(r)
			}
			y[i], dy[i] = o.step*min(max(r, 0), o.high), 0
			if o.passes(a) {
				dy[i] = dx[i]
			}
		}
	default:
		o.linear(w, v)
	}
}

// passes tells whether a quantiser lets gradients through at an input.
func (o *curved) passes(x float64) bool {
	return o.l.Kind == nn.KindQuantizedBits || x > 0 && x <= o.top
}

// linear is the forward pass of a layer with weights.
func (o *curved) linear(w, v []float64) {
	x, dx, y, dy := o.x, o.dx, o.y, o.dy
	ci, co := o.l.In.C, o.l.Out.C
	for i := range y {
		y[i], dy[i] = w[o.bias+i%co], v[o.bias+i%co]
	}
	for _, l := range o.links {
		to, dto := y[l.out*co:][:co], dy[l.out*co:][:co]
		for i, a := range x[l.in*ci:][:ci] {
			da := dx[l.in*ci+i]
			if a == 0 && da == 0 {
				continue
			}
			at, next := o.index(l.tap, i)
			for j := range to {
				b := w[at]
				if o.unit > 0 {
					to[j] += math.Floor(a*b/o.unit) * o.unit
				} else {
					to[j] += a * b
				}
				dto[j] += da*b + a*v[at]
				at += next
			}
		}
	}
}

// index is where the weight from input channel i to the first output channel is, and how far the next is from it.
func (o *curved) index(tap, i int) (at, next int) {
	ci, co := o.l.In.C, o.l.Out.C
	if o.l.Kind == nn.KindConv2DTranspose {
		return o.kernel + tap*co*ci + i, ci
	}
	return o.kernel + (tap*ci+i)*co, 1
}

// back takes the gradient of the network's output, and its tangent, back to the weights.
func (c *curvature) back(g, dg, grad, product []float64) {
	for k := len(c.ops) - 1; k >= 0; k-- {
		o := c.ops[k]
		o.back(g, dg, c.weights, c.direction, grad, product)
		if !o.inPlace {
			g, dg = o.gx, o.dgx
		}
	}
}

func (o *curved) back(g, dg, w, v, grad, product []float64) {
	x, dx, y, dy, to, dto := o.x, o.dx, o.y, o.dy, o.gx, o.dgx
	switch o.l.Kind {
	case nn.KindFlatten, nn.KindReshape:
	case nn.KindReLU:
		for i, a := range x {
			to[i], dto[i] = 0, 0
			if a > 0 {
				to[i], dto[i] = g[i], dg[i]
			}
		}
	case nn.KindSigmoid:
		for i, s := range y {
			slope := s * (1 - s)
			to[i], dto[i] = slope*g[i], slope*dg[i]+(1-2*s)*dy[i]*g[i]
		}
	case nn.KindSquare:
		for i, a := range x {
			to[i], dto[i] = 2*a*g[i], 2*(a*dg[i]+dx[i]*g[i])
		}
	case nn.KindSiLU:
		for i, a := range x {
			s := 1 / (1 + math.Exp(-a))
			slope, bend := s*(1+a*(1-s)), s*(1-s)*(2+a*(1-2*s))
			to[i], dto[i] = slope*g[i], slope*dg[i]+bend*dx[i]*g[i]
		}
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		for i, a := range x {
			to[i], dto[i] = 0, 0
			if o.passes(a) {
				to[i], dto[i] = g[i], dg[i]
			}
		}
	default:
		o.linearBack(g, dg, w, v, grad, product)
	}
}

// linearBack is the backward pass of a layer with weights.
func (o *curved) linearBack(g, dg, w, v, grad, product []float64) {
	x, dx := o.x, o.dx
	ci, co := o.l.In.C, o.l.Out.C
	for i, a := range g {
		grad[o.bias+i%co] += a
		product[o.bias+i%co] += dg[i]
	}
	clear(o.gx)
	clear(o.dgx)
	for _, l := range o.links {
		from, dfrom := g[l.out*co:][:co], dg[l.out*co:][:co]
		for i, a := range x[l.in*ci:][:ci] {
			da := dx[l.in*ci+i]
			idle := a == 0 && da == 0
			if idle && !o.backward {
				continue
			}
			at, next := o.index(l.tap, i)
			s, ds := 0.0, 0.0
			for j, b := range from {
				db := dfrom[j]
				grad[at] += a * b
				product[at] += a*db + da*b
				s += b * w[at]
				ds += db*w[at] + b*v[at]
				at += next
			}
			o.gx[l.in*ci+i] += s
			o.dgx[l.in*ci+i] += ds
		}
	}
}

func grown(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}
