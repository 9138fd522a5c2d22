package source

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"barrow/econt"
	"barrow/model"
	"barrow/nn"
)

// A program is a model as a list of operations, the same for all languages.
type program struct {
	name  string // of the files: "encoder", "emd" or "potential"
	about string
	parts []*part
	// Of an autoencoder: where cells are, and what images are divided by.
	contract *model.Contract
	chip     *econt.Weights // of the precision asic: the encoder is this
	kept     [16]int        // of the chip's outputs: the bits that are sent
}

// A part is one function.
type part struct {
	model.Part
	ops     []op
	outcome span
}

// An op is a layer with all that its computation needs.
type op struct {
	nn.LayerShape
	x, y      string // the values that it takes and makes
	from      string // add: the other summand
	kernel    *array
	bias      *array // nil: none
	mean      *array // batch_norm: (x − mean)·scale + bias
	scale     *array
	top, left int        // rows and columns before the image: padding, or what is cut away
	grid      model.Grid // quantised
}

// An array is a constant.
type array struct {
	name, about string
	shape       []int
	value       []float32
}

// maxWeights is more than any model has that is to be compiled as constants.
const maxWeights = 1 << 21

// programOf lists the operations of a model, or names the layer that has none here.
func programOf(m *model.Model) (*program, error) {
	p := &program{name: m.Parts()[0].Name, about: m.String()}
	if e := m.Encoder(); e != nil {
		c := e.Contract
		p.contract, p.chip = &c, e.Chip
		if p.chip != nil {
			for j, bits := range c.Architecture.Widths() {
				p.kept[j] = 511 >> (9 - bits) << (9 - bits)
			}
		}
		if _, ok := scales[c.Normalisation]; !ok {
			return nil, fmt.Errorf("source: images are normalised by %q, which is not written", c.Normalisation)
		}
	}
	count := 0
	for _, of := range m.Parts() {
		if of.Name == "whole" { // encode, then decode
			continue
		}
		w := &walk{part: &part{Part: of}, prefix: of.Name, at: map[string]string{}}
		if of.Name == "encoder" && p.chip != nil {
			w.part.outcome = span{step: 1. / 256, exact: true}
		} else if err := w.network(of.Network); err != nil {
			return nil, err
		}
		p.parts = append(p.parts, w.part)
		for _, a := range w.part.arrays() {
			count += len(a.value)
		}
	}
	if count > maxWeights {
		return nil, fmt.Errorf("source: the model has %d weights; as constants of a program at most %d are written: take another format", count, maxWeights)
	}
	return p, nil
}

// mask lists the bits of the chip's outputs that are sent.
func (p *program) mask() string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(p.kept)), ", "), "[]")
}

// find is the part of that name, or nil.
func (p *program) find(name string) *part {
	for _, part := range p.parts {
		if part.Name == name {
			return part
		}
	}
	return nil
}

// has reports whether a part has an operation of one of the kinds.
func (p *program) has(kinds ...string) bool {
	for _, part := range p.parts {
		for _, o := range part.ops {
			if slices.Contains(kinds, o.Kind) {
				return true
			}
		}
	}
	return false
}

// whole reports whether there are both, and encoder and decoder, one after the other, give the vectors: not
// where the encoder's outputs may be a step off.
func (p *program) whole() bool {
	return p.find("encoder") != nil && p.find("decoder") != nil && (p.find("encoder").outcome.exact || p.find("encoder").outcome.step == 0)
}

func (p *part) arrays() []*array {
	var out []*array
	for _, o := range p.ops {
		for _, a := range []*array{o.kernel, o.mean, o.scale, o.bias} {
			if a != nil {
				out = append(out, a)
			}
		}
	}
	return out
}

// A walk goes through the layers of one part.
type walk struct {
	part   *part
	prefix string
	at     map[string]string // layers' values
	pair   string            // the value that opened a pair, "" outside
}

func (w *walk) network(net *nn.Network) error {
	x, value := "x", span{exact: true}
	for i, l := range net.Layers() {
		o := op{LayerShape: l, x: x, y: fmt.Sprintf("a%d", i+1)}
		if err := w.layer(net, &o, i+1); err != nil {
			return err
		}
		w.part.ops = append(w.part.ops, o)
		w.at[l.Name] = o.y
		value = value.after(&o)
		x = o.y
	}
	if w.pair != "" {
		return fmt.Errorf("source: the network ends within the pair that layer %q opens", w.pair)
	}
	w.part.outcome = value
	return nil
}

// layer fills in an operation, the i-th.
func (w *walk) layer(net *nn.Network, o *op, i int) error {
	refuse := func(why string) error { return fmt.Errorf("source: layer %q (%s): %s", o.Name, o.Kind, why) }
	get := func(what, letter string) (*array, error) {
		p := net.Param(o.Name + "/" + what)
		if p == nil {
			return nil, refuse("its array " + what + " is not there")
		}
		a := &array{fmt.Sprintf("%s_%s%d", w.prefix, letter, i), clean(p.Name), p.Shape, slices.Clone(p.Value)}
		for k, v := range a.value {
			if o.Bits > 0 {
				a.value[k] = model.GridOf(o.Layer).Round(v)
			}
			if v-v != 0 {
				return nil, refuse(fmt.Sprintf("its %s has the value %v", what, v))
			}
		}
		return a, nil
	}
	var err error
	switch o.Kind {
	case nn.KindConv2D, nn.KindConv2DTranspose, nn.KindDense:
		if o.kernel, err = get("kernel", "w"); err == nil && !o.NoBias {
			o.bias, err = get("bias", "b")
		}
		o.pad()
	case nn.KindBatchNorm:
		if err = w.norm(o, get); err != nil {
			return err
		}
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		o.grid = model.GridOf(o.Layer)
	case nn.KindCrop:
		o.top, o.left = o.Top, o.Left
	case nn.KindAdd:
		if o.from = w.at[o.From]; o.from == "" {
			return refuse("it adds a layer of another pair")
		}
	case nn.KindSwapPair, nn.KindNegatePair:
		w.pair = o.Name
	case nn.KindPairMean, nn.KindPairDifference:
		for name := range w.at { // what is within the pair is not seen from outside
			if name == w.pair || net.LayerIndex(name) > net.LayerIndex(w.pair) {
				delete(w.at, name)
			}
		}
		w.pair = ""
	case nn.KindReLU, nn.KindSigmoid, nn.KindTanh, nn.KindSiLU, nn.KindSquare, nn.KindFlatten, nn.KindReshape:
	default:
		return refuse("layers of this kind are not written")
	}
	return err
}

// pad sets how many rows and columns of zeros a convolution has before the image, or
// how many a transposed one cuts away, as TensorFlow does.
func (o *op) pad() {
	if o.Padding != nn.PaddingSame {
		return
	}
	if o.Kind == nn.KindConv2D {
		o.top = max((o.Out.H-1)*o.Stride+o.Kernel-o.In.H, 0) / 2
		o.left = max((o.Out.W-1)*o.Stride+o.Kernel-o.In.W, 0) / 2
		return
	}
	o.top = max(o.Kernel-o.Stride, 0) / 2
	o.left = o.top
}

// norm makes (x − mean)·scale + beta of a normalisation.
func (w *walk) norm(o *op, get func(what, letter string) (*array, error)) (err error) {
	var variance *array
	for _, a := range []struct {
		to           **array
		name, letter string
	}{{&o.mean, "moving_mean", "m"}, {&variance, "moving_variance", "v"}, {&o.scale, "gamma", "s"}, {&o.bias, "beta", "b"}} {
		if *a.to, err = get(a.name, a.letter); err != nil {
			return err
		}
	}
	o.scale.about = clean(o.Name + "/gamma over the root of moving_variance + epsilon")
	for i, v := range variance.value {
		o.scale.value[i] = float32(float64(o.scale.value[i]) / math.Sqrt(float64(v)+o.Epsilon))
	}
	return nil
}

// clean is a name that can stand in a comment of any language.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= ' ' && r < 127 && r != 92 && r != '"' {
			return r
		}
		return '_'
	}, name)
}

// title describes an operation in a comment.
func (o *op) title() string {
	what := strings.ReplaceAll(o.Kind, "_", " ")
	switch o.Kind {
	case nn.KindConv2D, nn.KindConv2DTranspose:
		what += fmt.Sprintf(" %dx%d, stride %d", o.Kernel, o.Kernel, o.Stride)
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		what += fmt.Sprintf(", multiples of %v from %v to %v", o.grid.Step, o.grid.Low*o.grid.Step, o.grid.High*o.grid.Step)
	}
	return fmt.Sprintf("%s: %s, %s", clean(o.Name), what, extent(o.Out))
}

// extent is a shape as in 4x4x8, and 16 of a vector.
func extent(s nn.Shape) string {
	if s.H*s.W == 1 {
		return fmt.Sprint(s.C)
	}
	return fmt.Sprintf("%dx%dx%d", s.H, s.W, s.C)
}

// A span says what is known of the numbers that a layer makes.
type span struct {
	step  float64 // they are multiples of it; 0 if of nothing
	top   float64 // none is larger, where step is not 0
	exact bool    // no rounding of a sum has a part in them
}

// after is the span behind an operation.
func (s span) after(o *op) span {
	switch o.Kind {
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		g := o.grid
		return span{float64(g.Step), float64(max(-g.Low, g.High) * g.Step), s.exact}
	case nn.KindConv2D, nn.KindConv2DTranspose, nn.KindDense:
		return s.sum(o)
	case nn.KindReLU, nn.KindFlatten, nn.KindReshape, nn.KindCrop, nn.KindSwapPair, nn.KindNegatePair:
		return s
	}
	return span{}
}

// sum is the span of sums of products. They are exact in any order and in 32 bits if
// the largest that could be has no more than 24 bits.
func (s span) sum(o *op) span {
	if s.step == 0 || o.Bits == 0 {
		return span{}
	}
	w := float64(model.GridOf(o.Layer).Step)
	top, most := 0.0, 0.0
	for _, v := range o.kernel.value {
		top += math.Abs(float64(v)) * s.top
	}
	if o.Kind == nn.KindDense || o.Kind == nn.KindConv2D { // of one output at most
		perOutput := make([]float64, o.Out.C)
		for i, v := range o.kernel.value {
			perOutput[i%o.Out.C] += math.Abs(float64(v)) * s.top
		}
		top = slices.Max(perOutput)
	}
	if o.bias != nil {
		for _, v := range o.bias.value {
			most = max(most, math.Abs(float64(v)))
		}
	}
	step := min(s.step*w, w)
	return span{step, top + most, s.exact && (top+most)/step < 1<<24}
}

// scales say what an image is divided by, in the words of the functions below.
var scales = map[string]string{
	"sumlog2":           "the largest power of two that is not above its sum",
	"sumlog2-without-0": "the largest power of two that is not above its sum without cell 0",
	"sum":               "its sum",
	"max":               "its largest charge",
}

// A check is what a test compares: a function on vectors with vectors.
type check struct {
	call  string // of the functions: "image", "encode", "decode", …
	in    []string
	sizes []int // of the inputs
	out   string
	size  int
	exact bool
	step  float64 // of rounded outputs that may fall to the other side, or 0
}

// functions are the parts' names as verbs.
var functions = map[string]string{"encoder": "encode", "decoder": "decode", "emd": "emd", "potential": "potential", "gap": "gap", "shares": "share"}

func (p *program) checks() []check {
	var out []check
	if p.contract != nil {
		out = append(out, check{call: "image", in: []string{"charge"}, sizes: []int{48}, out: "x", size: p.contract.Shape.Size(), exact: true})
	}
	for _, part := range p.parts {
		c := check{call: functions[part.Name], out: part.Output, size: part.Network.OutputShape().Size(), exact: part.outcome.exact, step: part.outcome.step}
		for _, in := range part.Inputs {
			c.in, c.sizes = append(c.in, in.Name), append(c.sizes, in.Shape.Size())
		}
		out = append(out, c)
	}
	if p.whole() {
		e, d := p.find("encoder"), p.find("decoder")
		c := check{call: "autoencode", in: []string{"x"}, sizes: []int{e.Inputs[0].Shape.Size()}, out: "y", size: d.Network.OutputShape().Size()}
		for _, in := range d.Inputs[1:] {
			c.in, c.sizes = append(c.in, in.Name), append(c.sizes, in.Shape.Size())
		}
		out = append(out, c)
	}
	return out
}
