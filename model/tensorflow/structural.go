package tensorflow

import (
	"errors"
	"fmt"
	"slices"

	"barrow/nn"
)

// structural are the operations that are layers by themselves, or part of one.
var structural = map[string]func(l *lowering, n *node) error{
	"Conv2D": (*lowering).convolve, "Conv2DBackpropInput": (*lowering).deconvolve, "MatMul": (*lowering).dense,
	"BiasAdd": (*lowering).biased, "FusedBatchNorm": (*lowering).batchNorm, "FusedBatchNormV2": (*lowering).batchNorm, "FusedBatchNormV3": (*lowering).batchNorm,
	"Reshape": (*lowering).reshaped, "Squeeze": (*lowering).reshaped, "ExpandDims": (*lowering).reshaped,
	"Pad": (*lowering).padded, "PadV2": (*lowering).padded, "StridedSlice": (*lowering).cropped, "Slice": (*lowering).cropped, "ConcatV2": (*lowering).joined,
}

// array is a constant of a node, and what it was before the graph rounded it.
func (l *lowering) array(n *node) (array, error) {
	t := l.fixed[n]
	if t == nil || t.kind != float {
		return array{}, fmt.Errorf("its weights, node %q (%s), are no constants of DT_FLOAT", n.Name, n.Op)
	}
	a := array{value: slices.Clone(t.f), raw: slices.Clone(t.f)}
	var source *node
	needed := map[*node]bool{n: true}
	for _, m := range slices.Backward(l.nodes) {
		if !needed[m] {
			continue
		}
		if m.Op == "Const" && slices.Equal(l.fixed[m].shape, t.shape) && l.fixed[m].kind == float {
			if source != nil {
				return a, nil
			}
			source = m
		}
		for _, from := range m.in {
			needed[from] = true
		}
	}
	if source == nil || source == n {
		return a, nil
	}
	// Of these, the nodes that depend on the source.
	var between []*node
	on := map[*node]bool{source: true}
	for _, m := range l.nodes {
		if !needed[m] || m == source || !slices.ContainsFunc(m.in, func(from *node) bool { return on[from] }) {
			continue
		}
		for _, from := range m.in {
			if !on[from] && l.fixed[from].size() != 1 {
				return a, nil
			}
		}
		if !m.pointwise() || len(between) == maxStretch {
			return a, nil
		}
		on[m] = true
		between = append(between, m)
	}
	if x, _, ok := fit(l.function(source, between), anything); ok && x.Kind == nn.KindQuantizedBits {
		a.raw, a.rounding = slices.Clone(l.fixed[source].f), x
	}
	return a, nil
}

// linear adds a layer of weights, the kernel being a node's input of index k.
func (l *lowering) linear(n *node, k int, x nn.Layer, transposed bool) error {
	kernel, err := l.array(n.in[k])
	if err != nil {
		return n.failed(err)
	}
	if transposed {
		rows, columns := l.fixed[n.in[k]].shape[0], l.fixed[n.in[k]].shape[1]
		for _, v := range []*[]float32{&kernel.value, &kernel.raw} {
			out := make([]float32, len(*v))
			for i := range out {
				out[i] = (*v)[i%rows*columns+i/rows]
			}
			*v = out
		}
	}
	x.NoBias = true
	l.domain = anything
	return l.push(n, layer{Layer: x, kernel: kernel})
}

// window reads a convolution's settings; its operation has checked the rest.
func (l *lowering) window(n *node, kind string, filters int) (nn.Layer, error) {
	shape := l.trial[n.in[1]].shape
	strides := n.attr("strides").GetList().GetI()
	x := nn.Layer{Kind: kind, Filters: filters}
	if len(shape) != 4 || shape[0] != shape[1] {
		return x, fmt.Errorf("a kernel of the shape %v; layers have square ones", shape)
	}
	if len(strides) != 4 || strides[1] != strides[2] || strides[1] < 1 || strides[1] > 64 {
		return x, fmt.Errorf("strides %v; layers have one for both directions", strides)
	}
	for _, d := range n.attr("dilations").GetList().GetI() {
		if d != 1 {
			return x, errors.New("its dilations are not 1; layers have none")
		}
	}
	x.Kernel, x.Stride = shape[0], int(strides[1])
	switch p := string(n.attr("padding").GetS()); p {
	case "SAME":
		x.Padding = nn.PaddingSame
	case "VALID":
		x.Padding = nn.PaddingValid
	default:
		return x, fmt.Errorf("its padding is %q; layers have VALID and SAME", p)
	}
	return x, nil
}

func (l *lowering) convolve(n *node) error {
	t := l.trial[n.in[1]]
	x, err := l.window(n, nn.KindConv2D, t.shape[len(t.shape)-1])
	if err != nil {
		return n.failed(err)
	}
	if in := t.shape[2]; in != l.shape.C {
		return n.failed(fmt.Errorf("a kernel for %d of %d channels, a convolution in groups", in, l.shape.C))
	}
	if l.pads != nil {
		same := func(size, stride int) [2]int { // as TensorFlow puts them
			all := max((ceil(size, stride)-1)*stride+x.Kernel-size, 0)
			return [2]int{all / 2, all - all/2}
		}
		h, w := same(l.shape.H, x.Stride), same(l.shape.W, x.Stride)
		if x.Padding != nn.PaddingValid || *l.pads != [4]int{h[0], h[1], w[0], w[1]} {
			return n.failed(fmt.Errorf("%v zeros are put around its input (top, bottom, left, right); layers have none, or those of SAME", *l.pads))
		}
		x.Padding = nn.PaddingSame
	}
	if err := l.linear(n, 1, x, false); err != nil {
		return err
	}
	l.pads = nil
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }

func (l *lowering) deconvolve(n *node) error {
	t := l.trial[n.in[1]]
	x, err := l.window(n, nn.KindConv2DTranspose, t.shape[min(2, len(t.shape)-1)])
	if err != nil {
		return n.failed(err)
	}
	return l.linear(n, 1, x, false)
}

func (l *lowering) dense(n *node) error {
	if n.in[0] != l.at || n.attr("transpose_a").GetB() {
		return n.failed(errors.New("it multiplies by the value from the left, which no layer does"))
	}
	shape := l.trial[n.in[1]].shape
	transposed := n.attr("transpose_b").GetB()
	units := shape[1]
	if transposed {
		units = shape[0]
	}
	return l.linear(n, 1, nn.Layer{Kind: nn.KindDense, Units: units}, transposed)
}

// weighted is the last layer if it is one of weights: its output, then, is the value
// reached.
func (l *lowering) weighted() *layer {
	if len(l.layers) == 0 || l.layers[len(l.layers)-1].kernel.value == nil {
		return nil
	}
	return &l.layers[len(l.layers)-1]
}

func (l *lowering) biased(n *node) error {
	if !l.addBias(n, n.in[1]) {
		return n.failed(errors.New("a bias that does not follow a convolution or a dense layer"))
	}
	return nil
}

// addBias gives the last layer the bias that a node adds, if it can.
func (l *lowering) addBias(n, from *node) bool {
	x := l.weighted()
	if x == nil {
		return false
	}
	b, err := l.array(from)
	if shape, failed := l.shapeOf(n); err != nil || failed != nil || shape != l.shape || len(b.value) != l.shape.C {
		return false
	}
	if !x.NoBias {
		sum := slices.Clone(x.bias.value)
		for i := range sum {
			sum[i] += b.value[i]
		}
		b = array{value: sum, raw: sum}
	}
	x.NoBias, x.bias = false, b
	l.reach(n)
	return true
}

// affine takes a vector that is added to the last layer's output for its bias, and one
// that multiplies it into its weights, as batch norms have them.
func (l *lowering) affine(n *node) bool {
	x := l.weighted()
	if x == nil || len(n.in) != 2 {
		return false
	}
	from := n.in[1]
	if from == l.at {
		from = n.in[0]
	}
	t, channels := l.fixed[from], l.shape.C
	if t == nil || t.kind != float || t.size() != channels || len(t.shape) == 0 || t.shape[len(t.shape)-1] != channels {
		return false
	}
	switch n.Op {
	case "Add", "AddV2":
		return l.addBias(n, from)
	case "Mul":
		if channels == 1 {
			return false
		}
		per := 1 // how many weights in a row are of one channel
		if x.Kind == nn.KindConv2DTranspose {
			per = len(x.kernel.value) / (x.Kernel * x.Kernel * channels)
		}
		k := slices.Clone(x.kernel.value)
		for i := range k {
			k[i] *= t.f[i/per%channels]
		}
		x.kernel = array{value: k, raw: k}
		if !x.NoBias {
			b := slices.Clone(x.bias.value)
			for i := range b {
				b[i] *= t.f[i]
			}
			x.bias = array{value: b, raw: b}
		}
		l.reach(n)
		return true
	}
	return false
}

func (l *lowering) batchNorm(n *node) error {
	norm := map[string][]float32{}
	for k, name := range []string{"gamma", "beta", "moving_mean", "moving_variance"} {
		a, err := l.array(n.in[k+1])
		if err != nil {
			return n.failed(err)
		}
		norm[name] = a.value
	}
	epsilon := float64(n.attr("epsilon").GetF())
	if n.attr("epsilon") == nil {
		epsilon = 1e-4
	}
	if epsilon == 0 {
		return n.failed(errors.New("its epsilon is 0; layers have one"))
	}
	l.domain = anything
	return l.push(n, layer{Layer: nn.Layer{Kind: nn.KindBatchNorm, Epsilon: epsilon}, norm: norm})
}

func (l *lowering) reshaped(n *node) error {
	shape, err := l.shapeOf(n)
	if err != nil {
		return n.failed(err)
	}
	switch {
	case shape == l.shape:
		l.reach(n)
		return nil
	case shape == nn.Vector(shape.C):
		return l.push(n, layer{Layer: nn.Layer{Kind: nn.KindFlatten}})
	}
	return l.push(n, layer{Layer: nn.Layer{Kind: nn.KindReshape, Height: shape.H, Width: shape.W, Channels: shape.C}})
}

// padded keeps the zeros until their convolution comes.
func (l *lowering) padded(n *node) error {
	t := l.fixed[n.in[1]]
	if t == nil || len(t.i) != 8 || t.i[0]+t.i[1]+t.i[6]+t.i[7] != 0 || l.pads != nil {
		return n.failed(errors.New("it puts other than constant numbers of zeros around images, as exports do that move cells to the arrangement that the model does not have: take the graph of the other one, or run this one as it stands (model run)"))
	}
	if len(n.in) > 2 {
		if v := l.fixed[n.in[2]]; v == nil || v.kind != float || v.size() != 1 || v.f[0] != 0 {
			return n.failed(errors.New("it puts other numbers than 0 around images"))
		}
	}
	l.pads = &[4]int{int(t.i[2]), int(t.i[3]), int(t.i[4]), int(t.i[5])}
	l.reach(n)
	return nil
}

// cropped finds which pixels a slice keeps, by slicing an image of the pixels' numbers.
func (l *lowering) cropped(n *node) error {
	x, err := newTensor(float, l.trial[l.at].shape)
	if err != nil {
		return n.failed(err)
	}
	for k := range x.f {
		x.f[k] = float32(k)
	}
	in := inputsOf(n, l.trial)
	in[0] = x
	y, err := n.compute(in)
	if err != nil {
		return n.failed(err)
	}
	shape, err := l.shapeOf(n)
	if err != nil || y.size() == 0 {
		return n.failed(errors.New("it keeps no part of an image"))
	}
	from := int(y.f[0])
	crop := nn.Layer{Kind: nn.KindCrop, Height: shape.H, Width: shape.W, Top: from / l.shape.C / l.shape.W, Left: from / l.shape.C % l.shape.W}
	for k, v := range y.f {
		c, w := k%shape.C, k/shape.C
		at := k / shape.Size() * l.shape.Size()
		at += ((w/shape.W%shape.H+crop.Top)*l.shape.W+w%shape.W+crop.Left)*l.shape.C + c
		if shape.C != l.shape.C || v != x.f[min(at, len(x.f)-1)] {
			return n.failed(errors.New("it keeps other than a rectangle of the pixels"))
		}
	}
	if shape == l.shape {
		l.reach(n)
		return nil
	}
	return l.push(n, layer{Layer: crop})
}

// joined appends a second input of the graph to the channels.
func (l *lowering) joined(n *node) error {
	axis, err := l.trial[n.in[len(n.in)-1]].whole()
	last := len(l.trial[n].shape) - 1
	if err != nil || len(axis) != 1 || axis[0] != -1 && axis[0] != last || len(n.in) != 3 || n.in[0] != l.at {
		return n.failed(errors.New("supported is an input of the graph that is appended to the channels"))
	}
	other := n.in[1]
	for other.Op == "Identity" {
		l.done[other] = true
		other = other.in[0]
	}
	if other.Op != "Placeholder" || other == l.at || l.done[other] {
		return n.failed(errors.New("supported is an input of the graph that is appended to the channels, once"))
	}
	shape, err := l.shapeOf(other)
	if err != nil || shape.H != l.shape.H || shape.W != l.shape.W {
		return n.failed(fmt.Errorf("what it appends to %v does not fit", l.shape))
	}
	l.done[other] = true
	l.domain = anything
	if len(l.layers) > 0 {
		return l.push(n, layer{Layer: nn.Layer{Kind: nn.KindConcat, Channels: shape.C}})
	}
	l.shape.C += shape.C
	l.input = l.shape
	l.reach(n)
	return nil
}
