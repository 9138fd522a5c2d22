package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"barrow/model"
	"barrow/nn"
)

// largestKernel is that of package nn.
const largestKernel = 64

// each adds a layer that does the same to every element.
func (l *lowering) each(n *node, v *flow, kind string) (*flow, error) {
	if v.padded() && kind == nn.KindSigmoid {
		return nil, errors.New("zeros that pad an image come before it: supported is padding before a convolution")
	}
	return v.with(&layer{Layer: nn.Layer{Kind: kind, Name: l.named(n)}})
}

// constant is an input of a node that must be known; nil if it is left out.
func (l *lowering) constant(n *node, i int) *tensor { return n.inputOf(l.constants, i) }

func float32s(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// settle gives a layer its weights, and their number format where kernel and bias have
// the same.
func (l *lowering) settle(n *node, out *layer, kernel, bias []float32) *layer {
	out.weights = map[string][]float32{"kernel": kernel}
	out.NoBias = bias == nil
	if bias != nil {
		out.weights["bias"] = bias
	}
	g, ok := l.grids[n.in[1]]
	if ok {
		ok = g.Signed && (bias == nil || len(n.in) > 2 && l.grids[n.in[2]] == g)
	} else {
		g, ok = formatOf(n)
	}
	if ok && holds(g, kernel) && holds(g, bias) {
		out.format(g)
	}
	return out
}

// holds is whether all numbers lie on a grid.
func holds(g model.Grid, v []float32) bool {
	return !slices.ContainsFunc(v, func(x float32) bool { return g.Round(x) != x })
}

// noted is what the documentation of a node says of its weights, which are in the file as
// they are rounded.
const noted = "kernel and bias are rounded: %d bits, %d of them before the point, rounding %s"

// formatOf reads it.
func formatOf(n *node) (g model.Grid, ok bool) {
	var integer int
	var how string
	if k, err := fmt.Sscanf(n.doc, noted, &g.Bits, &integer, &how); err != nil || k != 3 || g.Bits < 1 || g.Bits > 20 || integer < -20 || integer > 20 {
		return g, false
	}
	return model.GridOf(nn.Layer{Kind: nn.KindDense, Bits: g.Bits, Integer: integer, Rounding: how}), true
}

func (y *layer) format(g model.Grid) {
	y.Bits, y.Integer, y.Rounding = g.Bits, integerBits(g), nn.RoundNearest
	if g.Floor {
		y.Rounding = nn.RoundFloor
	}
}

// dense is MatMul or Gemm with constant weights.
func (l *lowering) dense(n *node, v *flow) (*flow, error) {
	c := &call{node: n}
	w := l.constant(n, 1)
	s := v.order.shape
	if w == nil || len(w.shape) != 2 || len(s) != 2 || s[0] != 1 {
		return nil, fmt.Errorf("it multiplies a tensor of the shape %v by weights of %v: supported are vectors of one sample each, by a matrix", s, shapeOrNil(w))
	}
	alpha, beta := 1.0, 1.0
	if n.op == "Gemm" {
		alpha, beta = c.float("alpha", 1), c.float("beta", 1)
		if c.int("transA", 0) != 0 {
			return nil, errors.New("transA is not supported")
		}
		if c.int("transB", 0) != 0 {
			w = w.transpose([]int{1, 0})
		}
	}
	if w.shape[0] != s[1] {
		return nil, fmt.Errorf("%d numbers are multiplied by a matrix of %v", s[1], w.shape)
	}
	units := w.shape[1]
	if _, err := sizeOf([]int{v.shape.Size(), units}); err != nil {
		return nil, err
	}
	kernel := make([]float32, v.shape.Size()*units)
	for i, p := range v.order.data {
		if p > 0 {
			for k := range units {
				kernel[(int(p)-1)*units+k] += float32(alpha * w.data[i*units+k])
			}
		}
	}
	var bias []float32
	if b := l.constant(n, 2); b != nil {
		full, err := (&flow{shape: nn.Vector(units), order: counted(1, units)}).spreadTo(b, 0)
		if err != nil {
			return nil, err
		}
		for i := range full {
			full[i] *= float32(beta)
		}
		bias = full
	}
	in, err := l.reshape(v, nn.Vector(v.shape.Size()), n.name)
	if err != nil {
		return nil, err
	}
	y := l.settle(n, &layer{Layer: nn.Layer{Kind: nn.KindDense, Name: l.named(n), Units: units}}, kernel, bias)
	out, err := in.with(y)
	if err != nil {
		return nil, err
	}
	out.order = counted(1, units)
	return out, nil
}

func shapeOrNil(t *tensor) []int {
	if t == nil {
		return nil
	}
	return t.shape
}

// A placed kernel is how a file's kernel lies in a square one of a layer.
type placed struct {
	side       int
	padding    string
	at, crop   [2]int // where its first element lies, and the rows and columns cut off
	out, whole [2]int // the lengths that come out, after and before that
}

// fitConv finds a layer that does what the file's does, with the smallest kernel, and
// without a crop if it can be. whole tells what a layer of that kernel pads before an
// image, or cuts off, and what comes out; origin, where the file's kernel lies in the
// layer's where that and so many rows are cut off.
func fitConv(kernel, out [2]int, whole func(side int, how string) (before, size [2]int), origin func(d, before, crop int) int) (placed, bool) {
	for side := max(kernel[0], kernel[1]); side <= largestKernel; side++ {
		for _, crop := range []bool{false, true} {
			for _, how := range []string{nn.PaddingValid, nn.PaddingSame} {
				p := placed{side: side, padding: how, out: out}
				var before [2]int
				before, p.whole = whole(side, how)
				if (crop || p.whole == out) && p.fit(kernel, before, origin) {
					return p, true
				}
			}
		}
	}
	return placed{}, false
}

func (p *placed) fit(kernel, before [2]int, origin func(d, before, crop int) int) bool {
	for d := range kernel {
		found := false
		for t := 0; t+p.out[d] <= p.whole[d] && !found; t++ {
			o := origin(d, before[d], t)
			if found = o >= 0 && o+kernel[d] <= p.side; found {
				p.at[d], p.crop[d] = o, t
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// cropTo cuts off what a layer makes around what the file's does.
func (l *lowering) cropTo(v *flow, p placed, name string) (*flow, error) {
	if p.whole == p.out {
		return v, nil
	}
	return v.with(&layer{Layer: nn.Layer{Kind: nn.KindCrop, Name: l.name(name + "_crop"), Top: p.crop[0], Left: p.crop[1], Height: p.out[0], Width: p.out[1]}})
}

// convolution reads what convolutions have alike that convolutions have.
func (l *lowering) convolution(n *node, v *flow) (in *flow, c *call, w *tensor, stride int, err error) {
	c = &call{node: n}
	channelsLast := n.domain == domainLast
	if channelsLast {
		moved := *v
		if len(v.order.shape) == 4 {
			moved.order = v.order.transpose([]int{0, 3, 1, 2})
		}
		v = &moved
	}
	w = l.constant(n, 1)
	if w == nil || len(w.shape) != 4 {
		return nil, nil, nil, 0, fmt.Errorf("weights of the shape %v: supported are those of images, of four dimensions", shapeOrNil(w))
	}
	if channelsLast {
		w = w.transpose([]int{0, 3, 1, 2})
	}
	strides := c.list("strides")
	if strides == nil {
		strides = []int{1, 1}
	}
	if len(strides) != 2 || strides[0] != strides[1] || strides[0] < 1 {
		return nil, nil, nil, 0, fmt.Errorf("strides %v: supported are two of the same", strides)
	}
	return v, c, w, strides[0], nil
}

// taken is the image that a convolution takes. What else takes it has it in the same
// order.
func (l *lowering) taken(n *node, v *flow, name string) (*flow, padding, error) {
	out, around, err := l.image(v, name)
	if err == nil && around == (padding{}) && n.domain != domainLast {
		l.values[n.in[0]] = out
	}
	return out, around, err
}

// conv is a convolution.
func (l *lowering) conv(n *node, v *flow) (*flow, error) {
	v, c, w, stride, err := l.convolution(n, v)
	if err != nil {
		return nil, err
	}
	name := l.named(n)
	fileShape := v.order.shape
	v, around, err := l.taken(n, v, name)
	if err != nil {
		return nil, err
	}
	win, err := c.window(fileShape[2:], w.shape[2:], false)
	if err != nil {
		return nil, err
	}
	group := c.int("group", 1)
	if group < 1 || w.shape[1]*group != v.shape.C || w.shape[0]%group != 0 {
		return nil, fmt.Errorf("%d groups of %d channels, of an image of %d", group, w.shape[1], v.shape.C)
	}
	kernel := [2]int{}
	for d := range kernel {
		kernel[d] = (w.shape[2+d]-1)*win.step[d] + 1
	}
	in := [2]int{v.shape.H, v.shape.W}
	out := [2]int{win.out[0], win.out[1]}
	whole := func(side int, how string) (before, size [2]int) {
		for d := range in {
			if how == nn.PaddingSame {
				size[d] = (in[d] + stride - 1) / stride
				before[d] = max((size[d]-1)*stride+side-in[d], 0) / 2
			} else if side <= in[d] {
				size[d] = (in[d]-side)/stride + 1
			}
		}
		return before, size
	}
	pads := [2]int{win.before[0] + around[0][0], win.before[1] + around[1][0]}
	p, ok := fitConv(kernel, out, whole, func(d, before, t int) int { return before - pads[d] - t*stride })
	if !ok {
		return nil, fmt.Errorf("its padding, %d rows above and %d columns before an image of %d×%d of which it makes %d×%d, is none that a layer has", pads[0], pads[1], in[0], in[1], out[0], out[1])
	}
	filters := w.shape[0]
	if _, err := sizeOf([]int{p.side, p.side, v.shape.C, filters}); err != nil {
		return nil, err
	}
	weights := make([]float32, p.side*p.side*v.shape.C*filters)
	per, ins := filters/group, w.shape[1]
	walk(w.shape, [][]int{strides(w.shape)}, func(i int, at []int) {
		x := i % w.shape[3]
		y := i / w.shape[3] % w.shape[2]
		k := i / w.shape[3] / w.shape[2] % ins
		f := i / w.shape[3] / w.shape[2] / ins
		row, col := p.at[0]+y*win.step[0], p.at[1]+x*win.step[1]
		weights[((row*p.side+col)*v.shape.C+f/per*ins+k)*filters+f] = float32(w.data[at[0]])
	})
	var bias []float32
	if b := l.constant(n, 2); b != nil {
		bias = float32s(b.data)
	}
	y := &layer{Layer: nn.Layer{Kind: nn.KindConv2D, Name: name, Filters: filters, Kernel: p.side, Stride: stride, Padding: p.padding}}
	return l.convolved(n, v, y, p, weights, bias)
}

// convolved adds the layer of a convolution, and what is cut off behind it.
func (l *lowering) convolved(n *node, v *flow, y *layer, p placed, weights, bias []float32) (*flow, error) {
	if bias != nil && len(bias) != y.Filters {
		return nil, fmt.Errorf("a bias of %d numbers for %d filters", len(bias), y.Filters)
	}
	out, err := v.with(l.settle(n, y, weights, bias))
	if err == nil {
		out, err = l.cropTo(out, p, y.Name)
	}
	if err != nil {
		return nil, err
	}
	s := out.shape
	if _, err := sizeOf([]int{s.H, s.W, s.C}); err != nil {
		return nil, err
	}
	out.order = counted(1, s.H, s.W, s.C)
	if n.domain != domainLast {
		out.order = out.order.transpose([]int{0, 3, 1, 2})
	}
	return out, nil
}

// transposed is a transposed convolution.
func (l *lowering) transposed(n *node, v *flow) (*flow, error) {
	v, c, w, stride, err := l.convolution(n, v)
	if err != nil {
		return nil, err
	}
	name := l.named(n)
	v, around, err := l.taken(n, v, name)
	if err != nil {
		return nil, err
	}
	if around != (padding{}) {
		return nil, errors.New("zeros that pad an image come before it: supported is padding before a convolution")
	}
	if c.int("group", 1) != 1 {
		return nil, errors.New("groups are not supported")
	}
	in := [2]int{v.shape.H, v.shape.W}
	win, err := c.transposed(in[:], w.shape[2:])
	if err != nil {
		return nil, err
	}
	if w.shape[0] != v.shape.C {
		return nil, fmt.Errorf("weights for %d channels, of an image of %d", w.shape[0], v.shape.C)
	}
	// As the operator is run: of an image the other way round.
	kernel := [2]int{(w.shape[2]-1)*win.step[0] + 1, (w.shape[3]-1)*win.step[1] + 1}
	out := [2]int{win.in[0], win.in[1]}
	whole := func(side int, how string) (before, size [2]int) {
		for d := range in {
			size[d] = in[d]*stride + max(side-stride, 0)
			if how == nn.PaddingSame {
				size[d] = in[d] * stride
				before[d] = max(side-stride, 0) / 2
			}
		}
		return before, size
	}
	p, ok := fitConv(kernel, out, whole, func(d, before, t int) int { return before + t - win.before[d] })
	if !ok {
		return nil, fmt.Errorf("its padding, of an image of %d×%d to one of %d×%d, is none that a layer has", in[0], in[1], out[0], out[1])
	}
	filters := w.shape[1]
	if _, err := sizeOf([]int{p.side, p.side, v.shape.C, filters}); err != nil {
		return nil, err
	}
	weights := make([]float32, p.side*p.side*filters*v.shape.C)
	walk(w.shape, [][]int{strides(w.shape)}, func(i int, at []int) {
		x := i % w.shape[3]
		y := i / w.shape[3] % w.shape[2]
		f := i / w.shape[3] / w.shape[2] % filters
		k := i / w.shape[3] / w.shape[2] / filters
		row, col := p.at[0]+y*win.step[0], p.at[1]+x*win.step[1]
		weights[((row*p.side+col)*filters+f)*v.shape.C+k] = float32(w.data[at[0]])
	})
	var bias []float32
	if b := l.constant(n, 2); b != nil {
		bias = float32s(b.data)
	}
	y := &layer{Layer: nn.Layer{Kind: nn.KindConv2DTranspose, Name: name, Filters: filters, Kernel: p.side, Stride: stride, Padding: p.padding}}
	return l.convolved(n, v, y, p, weights, bias)
}

// leastEpsilon stands for 0, which nn takes for its default.
const leastEpsilon = 1e-12

// decimal is the number that was meant by one of 32 bits: 0.001 has none.
func decimal(v float64) float64 {
	d, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 32), 64)
	if err != nil {
		return v
	}
	return d
}

// norm is BatchNormalization as in inference.
func (l *lowering) norm(n *node, v *flow) (*flow, error) {
	c := &call{node: n}
	if c.int("training_mode", 0) != 0 {
		return nil, errors.New("training is not supported: export the model for inference")
	}
	if len(v.order.shape) == 2 && v.shape.Positions() > 1 {
		var err error
		if v, err = l.vector(v); err != nil {
			return nil, err
		}
	}
	of, err := v.channels(1)
	if err != nil {
		return nil, err
	}
	eps := c.float("epsilon", float64(float32(1e-5)))
	y := &layer{Layer: nn.Layer{Kind: nn.KindBatchNorm, Name: l.named(n), Epsilon: max(decimal(eps), leastEpsilon)}, weights: map[string][]float32{}}
	for i, name := range []string{"gamma", "beta", "moving_mean", "moving_variance"} {
		t := l.constant(n, i+1)
		if t == nil || len(t.data) != len(of) {
			return nil, fmt.Errorf("its input %d has the shape %v: wanted is a number for each of %d channels", i+1, shapeOrNil(t), len(of))
		}
		w := make([]float32, v.shape.C)
		if i == 3 {
			w = slices.Repeat([]float32{1}, v.shape.C)
		}
		for k, to := range of {
			w[to] = float32(t.data[k])
		}
		y.weights[name] = w
	}
	return v.with(y)
}
