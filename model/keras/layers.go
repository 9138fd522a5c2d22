package keras

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"barrow/nn"
)

// supportedLayers is what errors about a class of layer say.
const supportedLayers = "supported are InputLayer, Conv2D, Conv2DTranspose, Dense, BatchNormalization, ReLU, Activation, Flatten, Reshape, Cropping2D, ZeroPadding2D and tf.pad before a convolution, Dropout and other layers of training alone, Concatenate of inputs, Add of a layer to what comes after it, Average and Subtract of a model called twice, QConv2D, QConv2DTranspose, QDense, QActivation, and nested Functional or Sequential models"

// A step is a TensorFlow operation that has been applied to every value and
// waits for its fellows: multiply by 2^f, floor, divide by 2^f, minimum
// together round down to f fractional bits and saturate.
type step struct {
	op  string // "multiply", "floor", "truediv"
	arg float64
}

// settled says whether a value is complete: no padding and no TensorFlow
// operation waits for the layers that would make it something nn has.
func (v value) settled() error {
	if v.pad != (padding{}) {
		return fmt.Errorf("zero padding is supported only directly before a convolution that reads all of it")
	}
	if v.half != [2]int{} {
		return fmt.Errorf("a slice of channels is supported only where the two halves of an input are joined again")
	}
	if len(v.steps) > 0 {
		return fmt.Errorf("TensorFlow operation %q on its own is not supported; %s", v.steps[len(v.steps)-1].op, supportedSteps)
	}
	return nil
}

const supportedSteps = "supported is the sequence multiply by 2^f, floor, truediv by 2^f, minimum (2^i − 2^−f) that rounds a quantised value down, and slicing of height and width, or of channels"

// read decodes the layer's configuration, strictly as to types.
func (c *layerConfig) read(into any) error {
	if err := json.Unmarshal(c.raw, into); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}

// A layerFunc maps one layer of a class onto nn layers.
type layerFunc func(c *layerConfig, v value, refs node) (value, error)

var layerFuncs map[string]layerFunc

func init() { // not a literal: the functions refer to the table's errors
	layerFuncs = map[string]layerFunc{
		"Conv2D":             (*layerConfig).conv,
		"QConv2D":            (*layerConfig).conv,
		"Conv2DTranspose":    (*layerConfig).conv,
		"Dense":              (*layerConfig).dense,
		"QConv2DTranspose":   (*layerConfig).conv,
		"QDense":             (*layerConfig).dense,
		"BatchNormalization": (*layerConfig).batchNorm,
		"Activation":         (*layerConfig).activation,
		"QActivation":        (*layerConfig).activation,
		"ReLU":               (*layerConfig).relu,
		"Flatten":            (*layerConfig).flatten,
		"Reshape":            (*layerConfig).reshape,
		"Cropping2D":         (*layerConfig).crop,
		"ZeroPadding2D":      (*layerConfig).zeroPad,
		"Pad":                (*layerConfig).tensorPad, // an operation of Keras 3
		// these do something in training alone
		"Dropout":                (*layerConfig).nothing,
		"SpatialDropout2D":       (*layerConfig).nothing,
		"AlphaDropout":           (*layerConfig).nothing,
		"GaussianDropout":        (*layerConfig).nothing,
		"GaussianNoise":          (*layerConfig).nothing,
		"ActivityRegularization": (*layerConfig).nothing,
		"TFOpLambda":             (*layerConfig).tensorOp,
		"SlicingOpLambda":        (*layerConfig).slice,
		"Lambda":                 (*layerConfig).slice, // of a function that slices
		"GetItem":                (*layerConfig).slice, // of Keras 3, as Negative
		"Negative":               (*layerConfig).tensorOp,
		// custom layers of nswood/ECON_QAE
		"keras_pad":     (*layerConfig).zeroPad,
		"keras_floor":   (*layerConfig).tensorOp,
		"keras_minimum": (*layerConfig).tensorOp,
	}
}

// layer gives the value after this layer; the shape is worked out by the
// caller.
func (c *layerConfig) layer(v value, refs node) (value, error) {
	f := layerFuncs[c.class]
	if strings.Contains(c.module, ".ops") && c.class != "Pad" && c.class != "GetItem" && c.class != "Negative" {
		return v, fmt.Errorf("the operation %s of Keras 3 (%s) is not supported; %s", c.class, c.module, supportedLayers)
	}
	if f == nil {
		return v, fmt.Errorf("layers of class %q are not supported; %s", c.class, supportedLayers)
	}
	var common struct {
		Format string          `json:"data_format"`
		DType  json.RawMessage `json:"dtype"`
	}
	if err := c.read(&common); err != nil {
		return v, err
	}
	if common.Format != "" && common.Format != "channels_last" {
		return v, fmt.Errorf("data_format %q is not supported; supported is \"channels_last\"", common.Format)
	}
	if d := dtype(common.DType); d != "float32" {
		return v, fmt.Errorf("dtype %s is not supported; supported is \"float32\"", d)
	}
	if len(refs) > 0 && string(refs[0].kwargs["training"]) == "true" {
		return v, fmt.Errorf("called with training=True, it does in use what it does in training, which is not supported")
	}
	waits := c.class == "TFOpLambda" || strings.HasPrefix(c.class, "keras_")
	if v.half != [2]int{} || len(v.steps) > 0 && !waits || v.pad != (padding{}) && !strings.Contains(c.class, "Conv2D") {
		return v, v.settled()
	}
	return f(c, v, refs)
}

// dtype is the number format of a layer: its name, or that of a policy, which
// Keras 3 always writes and Keras 2 where it is not the default.
func dtype(raw json.RawMessage) string {
	var policy struct {
		Config struct {
			Name string `json:"name"`
		} `json:"config"`
	}
	var name string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "float32"
	case json.Unmarshal(raw, &name) == nil:
		return name
	case json.Unmarshal(raw, &policy) == nil && policy.Config.Name != "":
		return policy.Config.Name
	}
	return string(raw)
}

// inputShape is what an input layer takes.
func (c *layerConfig) inputShape() (nn.Shape, error) {
	var cfg struct {
		Batch  []*int `json:"batch_input_shape"`
		Batch2 []*int `json:"batch_shape"`
	}
	if err := c.read(&cfg); err != nil {
		return nn.Shape{}, err
	}
	dims := cfg.Batch
	if dims == nil {
		dims = cfg.Batch2
	}
	if dims == nil {
		return nn.Shape{}, fmt.Errorf("does not say its input shape (batch_input_shape): save the model after it is built")
	}
	var size []int
	for _, d := range dims[min(1, len(dims)):] {
		if d == nil || *d < 1 || *d > 1<<20 {
			return nn.Shape{}, fmt.Errorf("an input of unknown or impossible size is not supported; supported are fixed sizes")
		}
		size = append(size, *d)
	}
	switch len(size) {
	case 1:
		return nn.Vector(size[0]), nil
	case 3:
		return nn.Shape{H: size[0], W: size[1], C: size[2]}, nil
	}
	return nn.Shape{}, fmt.Errorf("inputs of %d dimensions are not supported; supported are vectors and height×width×channels", len(size))
}

// weighted is the part of the configuration that layers with a kernel share.
type weighted struct {
	Bias        *bool           `json:"use_bias"`
	Activation  json.RawMessage `json:"activation"`
	Regularizer json.RawMessage `json:"kernel_regularizer"`
	KernelQ     json.RawMessage `json:"kernel_quantizer"`
	BiasQ       json.RawMessage `json:"bias_quantizer"`
}

// finish fills in what weighted says, and appends the layer and its activation.
func (c *layerConfig) finish(v value, w weighted, l nn.Layer) (value, error) {
	l.NoBias = w.Bias != nil && !*w.Bias
	l.L2 = penalty(w.Regularizer)
	if strings.HasPrefix(c.class, "Q") {
		c.withoutBias = l.NoBias
		if err := c.quantise(&l, w); err != nil {
			return v, err
		}
	}
	after, err := c.activationLayers(w.Activation, l.Name+"_activation")
	if err != nil {
		return v, err
	}
	return v.with(append([]nn.Layer{l}, after...)...), nil
}

// penalty is the L2 part of a regulariser. The others that there are, L1 and
// custom ones among them, change a training and not what is computed; nn has
// none of them.
func penalty(raw json.RawMessage) float64 {
	var r struct {
		Class  string `json:"class_name"`
		Config struct {
			L2 float64 `json:"l2"`
		} `json:"config"`
	}
	if json.Unmarshal(raw, &r) != nil || r.Class != "L2" && r.Class != "L1L2" || !(r.Config.L2 >= 0) {
		return 0
	}
	return r.Config.L2
}

// nothing is a layer that does nothing but in training.
func (c *layerConfig) nothing(v value, _ node) (value, error) { return v, nil }

func (c *layerConfig) conv(v value, _ node) (value, error) {
	var cfg struct {
		weighted
		Filters  int    `json:"filters"`
		Kernel   []int  `json:"kernel_size"`
		Strides  []int  `json:"strides"`
		Padding  string `json:"padding"`
		Dilation []int  `json:"dilation_rate"`
		Groups   *int   `json:"groups"`
		OutPad   *[]int `json:"output_padding"`
	}
	if err := c.read(&cfg); err != nil {
		return v, err
	}
	square := func(name string, v []int) (int, error) {
		if len(v) != 2 || v[0] != v[1] {
			return 0, fmt.Errorf("%s %v is not supported; supported are two equal numbers", name, v)
		}
		return v[0], nil
	}
	l := nn.Layer{Kind: nn.KindConv2D, Name: c.id, Filters: cfg.Filters, Padding: cfg.Padding}
	if strings.HasSuffix(c.class, "Transpose") {
		l.Kind = nn.KindConv2DTranspose
	}
	var err error
	if l.Kernel, err = square("kernel_size", cfg.Kernel); err != nil {
		return v, err
	}
	if l.Stride, err = square("strides", cfg.Strides); err != nil {
		return v, err
	}
	if d, err := square("dilation_rate", append(cfg.Dilation, 1, 1)[:2]); err != nil || d != 1 {
		return v, fmt.Errorf("dilation_rate %v is not supported; supported is 1", cfg.Dilation)
	}
	if cfg.Groups != nil && *cfg.Groups != 1 {
		return v, fmt.Errorf("groups %d is not supported; supported is 1", *cfg.Groups)
	}
	if cfg.OutPad != nil {
		return v, fmt.Errorf("output_padding %v is not supported; supported is none", *cfg.OutPad)
	}
	if l.Padding != nn.PaddingSame && l.Padding != nn.PaddingValid {
		return v, fmt.Errorf("padding %q is not supported; supported are \"same\" and \"valid\"", l.Padding)
	}
	if v.pad != (padding{}) {
		if err := absorb(&l, v); err != nil {
			return v, err
		}
		v.pad = padding{}
	}
	return c.finish(v, cfg.weighted, l)
}

func (c *layerConfig) dense(v value, _ node) (value, error) {
	var cfg struct {
		weighted
		Units int `json:"units"`
	}
	if err := c.read(&cfg); err != nil {
		return v, err
	}
	if v.shape.H != 1 || v.shape.W != 1 {
		return v, fmt.Errorf("a dense layer on an image (%v) is not supported; supported are vectors: put a Flatten before it", v.shape)
	}
	return c.finish(v, cfg.weighted, nn.Layer{Kind: nn.KindDense, Name: c.id, Units: cfg.Units})
}

func (c *layerConfig) batchNorm(v value, _ node) (value, error) {
	var cfg struct {
		Axis     json.RawMessage `json:"axis"`
		Momentum float64         `json:"momentum"`
		Epsilon  float64         `json:"epsilon"`
	}
	if err := c.read(&cfg); err != nil {
		return v, err
	}
	switch axis := strings.Trim(string(cfg.Axis), "[] \n"); {
	case axis == "-1", axis == "", axis == "3", axis == "1" && v.shape.H == 1 && v.shape.W == 1:
	default:
		return v, fmt.Errorf("axis %s is not supported; supported is the last one, the channels", axis)
	}
	if cfg.Momentum == 0 || cfg.Epsilon == 0 {
		return v, fmt.Errorf("momentum %g and epsilon %g are not supported; supported are numbers above 0", cfg.Momentum, cfg.Epsilon)
	}
	return v.with(nn.Layer{Kind: nn.KindBatchNorm, Name: c.id, Momentum: cfg.Momentum, Epsilon: cfg.Epsilon}), nil
}

func (c *layerConfig) relu(v value, _ node) (value, error) {
	var cfg struct {
		Max       *float64 `json:"max_value"`
		Slope     float64  `json:"negative_slope"`
		Threshold float64  `json:"threshold"`
	}
	if err := c.read(&cfg); err != nil {
		return v, err
	}
	if cfg.Max != nil || cfg.Slope != 0 || cfg.Threshold != 0 {
		return v, fmt.Errorf("max_value, negative_slope and threshold are not supported; supported is the plain ReLU")
	}
	return v.with(nn.Layer{Kind: nn.KindReLU, Name: c.id}), nil
}

func (c *layerConfig) flatten(v value, _ node) (value, error) {
	return v.with(nn.Layer{Kind: nn.KindFlatten, Name: c.id}), nil
}

func (c *layerConfig) reshape(v value, _ node) (value, error) {
	var cfg struct {
		Target []int `json:"target_shape"`
	}
	if err := c.read(&cfg); err != nil {
		return v, err
	}
	t := append([]int(nil), cfg.Target...)
	known, open := 1, -1
	for i, d := range t {
		switch {
		case d == -1 && open < 0:
			open = i
		case d < 1 || d > v.shape.Size():
			return v, fmt.Errorf("target_shape %v does not fit %v", cfg.Target, v.shape)
		default:
			known *= d
		}
		if known > v.shape.Size() {
			return v, fmt.Errorf("target_shape %v does not fit %v", cfg.Target, v.shape)
		}
	}
	if open >= 0 {
		t[open] = v.shape.Size() / known
	}
	switch len(t) {
	case 1:
		t = []int{1, 1, t[0]}
	case 3:
	default:
		return v, fmt.Errorf("target_shape %v is not supported; supported are vectors and height×width×channels", cfg.Target)
	}
	return v.with(nn.Layer{Kind: nn.KindReshape, Name: c.id, Height: t[0], Width: t[1], Channels: t[2]}), nil
}

func (c *layerConfig) crop(v value, _ node) (value, error) {
	var cfg struct {
		Cropping [2][2]int `json:"cropping"`
	}
	if err := c.read(&cfg); err != nil {
		return v, err
	}
	k := cfg.Cropping
	return v.with(nn.Layer{
		Kind: nn.KindCrop, Name: c.id, Top: k[0][0], Left: k[1][0],
		Height: v.shape.H - k[0][0] - k[0][1], Width: v.shape.W - k[1][0] - k[1][1],
	}), nil
}

// tensorOp takes one TensorFlow operation of the rounding sequence.
func (c *layerConfig) tensorOp(v value, refs node) (value, error) {
	var cfg struct {
		Function string `json:"function"`
	}
	if err := c.read(&cfg); err != nil {
		return v, err
	}
	op := strings.TrimPrefix(cfg.Function, "math.")
	if c.class == "Negative" {
		op = "negative"
	} else if c.class != "TFOpLambda" {
		op = strings.TrimPrefix(c.class, "keras_")
	}
	arg := math.NaN()
	if len(refs) == 1 {
		for _, name := range []string{"y", "sat_val"} {
			if raw, ok := refs[0].kwargs[name]; ok {
				if err := json.Unmarshal(raw, &arg); err != nil {
					return v, fmt.Errorf("operation %s: argument %s: %w", op, name, err)
				}
			}
		}
	}
	if name := op[strings.LastIndexByte(op, '.')+1:]; c.class == "TFOpLambda" && name == "pad" {
		return c.tensorPad(v, refs)
	}
	if op == "negative" && len(v.layers) == 0 && len(v.steps) == 0 {
		v.negated = !v.negated
		return v, nil
	}
	want := [...]string{"multiply", "floor", "truediv", "minimum"}
	if at := len(v.steps); op != want[at] {
		return v, fmt.Errorf("TensorFlow operation %q here is not supported; %s", op, supportedSteps)
	}
	v.steps = append(v.steps[:len(v.steps):len(v.steps)], step{op, arg})
	if op != "minimum" {
		return v, nil
	}
	return c.roundDown(v)
}

// roundDown makes the completed rounding sequence a quantiser.
func (c *layerConfig) roundDown(v value) (value, error) {
	scale, limit := v.steps[0].arg, v.steps[3].arg
	fail := fmt.Errorf("multiply by %g, floor, truediv by %g, minimum %g is not supported; %s", scale, v.steps[2].arg, limit, supportedSteps)
	fraction, integer := math.Log2(scale), math.Log2(limit+1/scale)
	if v.steps[2].arg != scale || fraction != math.Trunc(fraction) || integer != math.Trunc(integer) || !(fraction >= 0 && fraction <= 16) || !(integer >= 0 && integer <= 3) {
		return v, fail
	}
	l := nn.Layer{Kind: nn.KindQuantizedBits, Name: c.id, Bits: int(fraction) + int(integer) + 1, Integer: int(integer), Rounding: nn.RoundFloor}
	v.steps = nil
	// A quantiser also saturates below; the values must not reach that far.
	if n := len(v.layers); n > 0 {
		switch last := v.layers[n-1]; {
		case last.Kind == nn.KindReLU, last.Kind == nn.KindQuantizedReLU, last.Kind == nn.KindQuantizedBits && last.Integer <= l.Integer:
			return v.with(l), nil
		}
	}
	return v, fmt.Errorf("%w: before it a QActivation with at most as many integer bits, or a ReLU", fail)
}
