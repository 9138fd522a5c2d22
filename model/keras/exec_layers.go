package keras

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A layerRun is a layer at work: its configuration, arrays and arguments.
type layerRun struct {
	l   *layerConfig
	cfg map[string]any
	w   map[string]*block
	a   arguments

	steps int // of a Lambda's function
}

// layerRuns are the layers that are run, by their classes.
var layerRuns map[string]func(r *layerRun) ([]*block, error)

func init() { // not a literal: an error names what is in the table
	one := func(f func(r *layerRun, x *block) (*block, error)) func(r *layerRun) ([]*block, error) {
		return func(r *layerRun) ([]*block, error) {
			in := r.a.blocks()
			if len(in) != 1 {
				return nil, fmt.Errorf("has %d inputs; supported is one", len(in))
			}
			y, err := f(r, in[0])
			return []*block{y}, err
		}
	}
	same := one(func(_ *layerRun, x *block) (*block, error) { return x, nil })
	layerRuns = map[string]func(r *layerRun) ([]*block, error){
		"BatchNormalization": one((*layerRun).batchNorm), "LayerNormalization": one((*layerRun).layerNorm),
		"Normalization": one((*layerRun).normalise), "Rescaling": one((*layerRun).rescale),
		"ReLU": one((*layerRun).relu), "LeakyReLU": one((*layerRun).leaky), "PReLU": one((*layerRun).prelu), "ELU": one((*layerRun).elu),
		"ThresholdedReLU": one((*layerRun).thresholded), "Softmax": one((*layerRun).softmax),
		"Flatten": one((*layerRun).flatten), "Reshape": one((*layerRun).reshape), "Permute": one((*layerRun).permute), "RepeatVector": one((*layerRun).repeat),
		"keras_pad":     one(func(_ *layerRun, x *block) (*block, error) { return x.pad([][2]int{{}, {0, 1}, {0, 1}, {}}, nil, 0) }),
		"keras_floor":   one(func(_ *layerRun, x *block) (*block, error) { return x.each(math.Floor), nil }),
		"keras_minimum": one((*layerRun).kerasMinimum),
		"Concatenate":   (*layerRun).concatenate, "Dot": (*layerRun).dot,
		"Add": fold("add"), "Subtract": fold("subtract"), "Multiply": fold("multiply"), "Average": fold("average"), "Maximum": fold("maximum"), "Minimum": fold("minimum"),
		"Lambda": (*layerRun).runLambda,
	}
	for _, q := range []string{"", "Q"} {
		for _, d := range []string{"1D", "2D"} {
			layerRuns[q+"Conv"+d] = one((*layerRun).conv)
			layerRuns[q+"Conv"+d+"Transpose"] = one((*layerRun).convTranspose)
			layerRuns[q+"SeparableConv"+d] = one((*layerRun).separable)
			layerRuns[q+"DepthwiseConv"+d] = one((*layerRun).conv)
		}
		layerRuns[q+"Dense"], layerRuns[q+"Activation"] = one((*layerRun).dense), one((*layerRun).activation)
		layerRuns[q+"AveragePooling2D"], layerRuns[q+"GlobalAveragePooling2D"] = one((*layerRun).pool), one((*layerRun).globalPool)
	}
	layerRuns["QBatchNormalization"] = layerRuns["BatchNormalization"]
	layerRuns["QConv2DBatchnorm"], layerRuns["QDepthwiseConv2DBatchnorm"], layerRuns["QDenseBatchnorm"] = one((*layerRun).conv), one((*layerRun).conv), one((*layerRun).dense)
	for _, d := range []string{"1D", "2D"} {
		layerRuns["ZeroPadding"+d], layerRuns["Cropping"+d], layerRuns["UpSampling"+d] = one((*layerRun).zeroPad), one((*layerRun).crop), one((*layerRun).upSample)
		layerRuns["MaxPooling"+d], layerRuns["AveragePooling"+d] = one((*layerRun).pool), one((*layerRun).pool)
		layerRuns["GlobalMaxPooling"+d], layerRuns["GlobalAveragePooling"+d] = one((*layerRun).globalPool), one((*layerRun).globalPool)
		layerRuns["SpatialDropout"+d] = same
	}
	for _, name := range []string{"Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization", "Identity"} {
		layerRuns[name] = same
	}
}

// fold joins arrays one by one.
func fold(op string) func(r *layerRun) ([]*block, error) {
	return func(r *layerRun) ([]*block, error) {
		in := r.a.blocks()
		if len(in) < 2 {
			return nil, fmt.Errorf("has %d inputs; it wants two or more", len(in))
		}
		name := op
		if name == "average" {
			name = "add"
		}
		y := in[0]
		for _, x := range in[1:] {
			var err error
			if len(x.shape) != len(y.shape) {
				return nil, fmt.Errorf("shapes %v and %v do not fit", y.shape, x.shape)
			}
			if y, err = broadcast(y, x, binaryOps[name]); err != nil {
				return nil, err
			}
		}
		if op == "average" {
			n := float64(len(in))
			y = y.each(func(v float64) float64 { return v / n })
		}
		return []*block{y}, nil
	}
}

func (r *layerRun) number(name string, def float64) float64 {
	if v, ok := r.cfg[name].(float64); ok {
		return v
	}
	return def
}

func (r *layerRun) flag(name string, def bool) bool {
	if v, ok := r.cfg[name].(bool); ok {
		return v
	}
	return def
}

func (r *layerRun) text(name, def string) string {
	if v, ok := r.cfg[name].(string); ok {
		return v
	}
	return def
}

// ints are the whole numbers of a configuration: one, or a list of them.
func ints(v any) ([]int, bool) {
	switch v := v.(type) {
	case float64, *block:
		if b, ok := v.(*block); ok && len(b.shape) == 1 {
			out := []int{}
			for _, x := range b.data {
				out = append(out, int(x))
			}
			return out, true
		}
		k, ok := whole64(v)
		return []int{k}, ok
	case []any:
		out := []int{}
		for _, x := range v {
			k, ok := whole64(x)
			if !ok {
				return nil, false
			}
			out = append(out, k)
		}
		return out, true
	}
	return nil, false
}

// spatial are a setting's two numbers; of a series the first is 1.
func (r *layerRun) spatial(name string, def int) ([2]int, error) {
	v, ok := ints(r.cfg[name])
	if !ok {
		if r.cfg[name] != nil {
			return [2]int{}, fmt.Errorf("%s is %v, no whole numbers", name, r.cfg[name])
		}
		v = []int{def}
	}
	two := [2]int{v[0], v[0]}
	switch {
	case r.series():
		two = [2]int{1, v[0]}
	case len(v) == 2:
		two = [2]int{v[0], v[1]}
	}
	if len(v) > 2 || two[0] < 1 || two[1] < 1 || two[0] > 1<<12 || two[1] > 1<<12 {
		return two, fmt.Errorf("%s %v is not supported", name, v)
	}
	return two, nil
}

// series reports whether the layer is one of one dimension.
func (r *layerRun) series() bool { return strings.Contains(r.l.class, "1D") }

// image gives a series a height of 1.
func (r *layerRun) image(x *block) (*block, error) {
	want := 4
	if r.series() {
		want = 3
	}
	if len(x.shape) != want {
		return nil, fmt.Errorf("an input of the shape %v; it wants %d dimensions", x.shape, want)
	}
	if r.series() {
		return &block{[]int{x.shape[0], 1, x.shape[1], x.shape[2]}, x.data}, nil
	}
	return x, nil
}

func (r *layerRun) plain(y *block) *block {
	if r.series() {
		return &block{[]int{y.shape[0], y.shape[2], y.shape[3]}, y.data}
	}
	return y
}

// kernel is a kernel for two dimensions.
func (r *layerRun) kernel(name string, k *block) (*block, error) {
	if k == nil {
		return nil, fmt.Errorf("has no %s", name)
	}
	want := 4
	if r.series() {
		want = 3
	}
	if len(k.shape) != want {
		return nil, fmt.Errorf("its %s has the shape %v", name, k.shape)
	}
	if r.series() {
		k = &block{append([]int{1}, k.shape...), k.data}
	}
	return k, nil
}

// quantised applies the quantiser of a setting to an array; nil stays.
func (r *layerRun) quantised(setting string, b *block) (*block, error) {
	if b == nil || r.cfg[setting] == nil || !strings.HasPrefix(r.l.class, "Q") {
		return b, nil
	}
	q, err := quantiserOf(r.cfg[setting], r.l, !strings.Contains(setting, "bias"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return q(b), nil
}

// linear finishes what a kernel has made: the bias and the activation.
func (r *layerRun) linear(y, bias *block) (*block, error) {
	if bias != nil {
		if len(bias.data) != y.shape[len(y.shape)-1] {
			return nil, fmt.Errorf("a bias of %v for %v", bias.shape, y.shape)
		}
		n := len(bias.data)
		for i := range y.data {
			y.data[i] += bias.data[i%n]
		}
	}
	rounded32(y.data)
	return r.activate(r.cfg["activation"], y)
}

// folded gives kernel and bias, of layers with a batch normalisation within with that.
func (r *layerRun) folded(name string) (kernel, bias *block, err error) {
	kernel, bias = r.w[name], r.w["bias"]
	if strings.HasSuffix(r.l.class, "Batchnorm") {
		if kernel, bias, err = r.foldNorm(kernel, bias); err != nil {
			return nil, nil, err
		}
	}
	setting := "kernel_quantizer"
	if name == "depthwise_kernel" || name == "pointwise_kernel" {
		setting = strings.TrimSuffix(name, "kernel") + "quantizer"
	}
	if kernel, err = r.quantised(setting, kernel); err != nil {
		return nil, nil, err
	}
	bias, err = r.quantised("bias_quantizer", bias)
	return kernel, bias, err
}

func (r *layerRun) dense(x *block) (*block, error) {
	if len(x.shape) < 2 {
		return nil, fmt.Errorf("an input of the shape %v", x.shape)
	}
	kernel, bias, err := r.folded("kernel")
	if err != nil {
		return nil, err
	}
	last := x.shape[len(x.shape)-1]
	if kernel == nil || len(kernel.shape) != 2 || kernel.shape[0] != last {
		return nil, fmt.Errorf("its kernel does not fit an input of the shape %v", x.shape)
	}
	units := kernel.shape[1]
	y, err := newBlock(append(slices.Clone(x.shape[:len(x.shape)-1]), units)...)
	if err != nil {
		return nil, err
	}
	for i := range len(x.data) / max(1, last) {
		row := y.data[i*units : (i+1)*units]
		for j, v := range x.data[i*last : (i+1)*last] {
			if v != 0 {
				for k, w := range kernel.data[j*units : (j+1)*units] {
					row[k] += v * w
				}
			}
		}
	}
	return r.linear(y, bias)
}

func (r *layerRun) flatten(x *block) (*block, error) {
	if len(x.shape) == 0 {
		return nil, fmt.Errorf("an input of no dimension")
	}
	return x.reshape([]int{x.shape[0], len(x.data) / max(1, x.shape[0])})
}

func (r *layerRun) reshape(x *block) (*block, error) {
	target, ok := ints(r.cfg["target_shape"])
	if !ok || len(x.shape) == 0 {
		return nil, fmt.Errorf("target_shape %v", r.cfg["target_shape"])
	}
	y, err := x.reshape(append([]int{x.shape[0]}, target...))
	if err != nil {
		return nil, fmt.Errorf("target_shape %v does not fit %v", target, x.shape)
	}
	return y, nil
}

func (r *layerRun) permute(x *block) (*block, error) {
	dims, ok := ints(r.cfg["dims"])
	if !ok {
		return nil, fmt.Errorf("dims %v", r.cfg["dims"])
	}
	return x.transpose(append([]int{0}, dims...))
}

func (r *layerRun) repeat(x *block) (*block, error) {
	n, ok := whole64(r.cfg["n"])
	if !ok || n < 1 || len(x.shape) != 2 {
		return nil, fmt.Errorf("n %v of an input of the shape %v", r.cfg["n"], x.shape)
	}
	return x.view([]int{x.shape[0], n, x.shape[1]}, []int{x.shape[1], 0, 1}, 0)
}

func (r *layerRun) kerasMinimum(x *block) (*block, error) {
	limit := r.cfg["sat_val"]
	if v, ok := r.a.named["sat_val"]; ok {
		limit = v
	}
	b, err := asBlock(limit)
	if err != nil {
		return nil, fmt.Errorf("sat_val: %w", err)
	}
	return broadcast(x, b, math.Min)
}

func (r *layerRun) concatenate() ([]*block, error) {
	axis := -1
	if k, ok := whole64(r.cfg["axis"]); ok {
		axis = k
	}
	y, err := concat(r.a.blocks(), axis)
	return []*block{y}, err
}

// dot multiplies vectors, sample by sample.
func (r *layerRun) dot() ([]*block, error) {
	in := r.a.blocks()
	if len(in) != 2 || len(in[0].shape) != 2 || !slices.Equal(in[0].shape, in[1].shape) || r.flag("normalize", false) {
		return nil, fmt.Errorf("supported is the product of two vectors of one length, not normalised")
	}
	p, err := broadcast(in[0], in[1], func(x, y float64) float64 { return x * y })
	if err != nil {
		return nil, err
	}
	y, err := p.reduce([]int{1}, true, 0, func(a, v float64) float64 { return a + v }, nil)
	return []*block{y}, err
}
