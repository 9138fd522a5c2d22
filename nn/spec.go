package nn

import (
	"fmt"
	"math"
)

// The kinds of layer. Shapes are height×width×channels of one sample.
const (
	// KindConv2D is a convolution: Filters, Kernel, Stride, Padding ("same"
	// or "valid" as TensorFlow defines them), Bias unless NoBias.
	KindConv2D = "conv2d"
	// KindConv2DTranspose is a transposed convolution with the same fields.
	KindConv2DTranspose = "conv2d_transpose"
	// KindDense maps a vector to Units values; an image in front of it is
	// read in (y, x, channel) order.
	KindDense = "dense"
	// KindBatchNorm normalises each channel by the batch's mean and variance
	// in training and by running ones in inference: Momentum, Epsilon.
	KindBatchNorm = "batch_norm"
	// KindReLU is max(0, x).
	KindReLU = "relu"
	// KindSigmoid is 1/(1+exp(−x)).
	KindSigmoid = "sigmoid"
	// KindTanh is the hyperbolic tangent.
	KindTanh = "tanh"
	// KindSiLU is x/(1+exp(−x)), also called swish.
	KindSiLU = "silu"
	// KindSquare is x². As a last layer it gives values from 0 up whose gradient
	// dies with the root of the value, not with the value as a sigmoid's.
	KindSquare = "square"
	// KindFlatten makes a vector in (y, x, channel) order.
	KindFlatten = "flatten"
	// KindReshape makes Height×Width×Channels, in (y, x, channel) order.
	KindReshape = "reshape"
	// KindCrop keeps Height×Width pixels starting at row Top, column Left.
	KindCrop = "crop"
	// KindConcat appends Channels values a pixel, given by SetSide under the
	// layer's name, to the channels.
	KindConcat = "concat"
	// KindAdd adds the output of the earlier layer From, of the same shape: the
	// end of a residual block.
	KindAdd = "add"
	// KindSwapPair doubles the batch: each sample, and after all of them each
	// sample again with the two halves of its channels exchanged.
	KindSwapPair = "swap_pair"
	// KindNegatePair doubles the batch: each sample, then each one negated.
	KindNegatePair = "negate_pair"
	// KindPairMean ends a pair: the mean of a sample's two results.
	KindPairMean = "pair_mean"
	// KindPairDifference ends a pair: the first result less the second. After
	// KindNegatePair it makes the network odd, g(x) − g(−x).
	KindPairDifference = "pair_difference"
	// KindQuantizedBits rounds to Bits bits, Integer of them before the point
	// and one for the sign (none if Unsigned), like QKeras' quantized_bits
	// with alpha = 1. Its gradient is passed straight through.
	KindQuantizedBits = "quantized_bits"
	// KindQuantizedReLU is ReLU, rounded to Bits bits, Integer of them before
	// the point, like QKeras' quantized_relu. Its gradient is that of a ReLU
	// that saturates at the largest value.
	KindQuantizedReLU = "quantized_relu"
)

// Padding of convolutions.
const (
	PaddingValid = "valid" // the default
	PaddingSame  = "same"
)

// Rounding of the quantised layers.
const (
	RoundNearest = "round" // to the nearest, ties to even; the default
	RoundFloor   = "floor" // towards −∞, as truncating hardware does
)

// A Layer describes one layer as data. Which fields count depends on Kind; the
// others must be zero.
type Layer struct {
	Kind string `json:"kind"`
	// Name is unique in its network; empty, it becomes kind_k with k counting
	// from 1 the layers of that kind.
	Name string `json:"name,omitempty"`

	Filters int    `json:"filters,omitempty"` // conv2d, conv2d_transpose: channels made
	Kernel  int    `json:"kernel,omitempty"`  // conv2d, conv2d_transpose: side of the square kernel
	Stride  int    `json:"stride,omitempty"`  // conv2d, conv2d_transpose: 0 means 1
	Padding string `json:"padding,omitempty"` // conv2d, conv2d_transpose
	Units   int    `json:"units,omitempty"`   // dense
	NoBias  bool   `json:"no_bias,omitempty"` // conv2d, conv2d_transpose, dense

	// L2 adds L2·Σw² over the kernel (not the bias) to the loss.
	L2 float64 `json:"l2,omitempty"`

	// Bits and Integer: of a quantised layer, its values; of conv2d,
	// conv2d_transpose and dense with Bits > 0, the weights' and the bias's
	// fake quantisation in the forward pass. Integer does not count the sign.
	Bits     int    `json:"bits,omitempty"`
	Integer  int    `json:"integer,omitempty"`
	Rounding string `json:"rounding,omitempty"`
	Unsigned bool   `json:"unsigned,omitempty"` // quantized_bits

	Momentum float64 `json:"momentum,omitempty"` // batch_norm: 0 means 0.99
	Epsilon  float64 `json:"epsilon,omitempty"`  // batch_norm: 0 means 1e-3

	// From is the name of the layer whose output an add layer adds.
	From string `json:"from,omitempty"`

	Height   int `json:"height,omitempty"`   // reshape, crop
	Width    int `json:"width,omitempty"`    // reshape, crop
	Channels int `json:"channels,omitempty"` // reshape, concat
	Top      int `json:"top,omitempty"`      // crop
	Left     int `json:"left,omitempty"`     // crop
}

// A Spec describes a network as data: it is saved in checkpoints, printed as
// JSON, and can be mapped to other backends.
type Spec struct {
	Name   string  `json:"name"`
	Input  Shape   `json:"input"`
	Layers []Layer `json:"layers"`
}

// A LayerShape is a checked layer with its defaults and name filled in and the
// shapes of one sample before and after it.
type LayerShape struct {
	Layer
	In, Out Shape
	Doubled bool // whether the layer's output is a pair batch of 2N rows
}

// Check validates the spec and returns its layers with the shapes between
// them. Errors name the layer and the shapes.
func (s Spec) Check() ([]LayerShape, error) {
	if !s.Input.valid() {
		return nil, fmt.Errorf("nn: %s: input shape %v is not positive", s.title(), s.Input)
	}
	if len(s.Layers) == 0 {
		return nil, fmt.Errorf("nn: %s: no layers", s.title())
	}
	out := make([]LayerShape, len(s.Layers))
	seen, count := map[string]LayerShape{}, map[string]int{}
	shape, doubled := s.Input, false
	for i, l := range s.Layers {
		count[l.Kind]++
		if l.Name == "" {
			l.Name = fmt.Sprintf("%s_%d", l.Kind, count[l.Kind])
		}
		fail := func(format string, a ...any) error {
			return fmt.Errorf("nn: %s: layer %d %q (%s) after shape %v: %s",
				s.title(), i, l.Name, l.Kind, shape, fmt.Sprintf(format, a...))
		}
		if _, twice := seen[l.Name]; twice {
			return nil, fail("the name is used twice")
		}
		next, err := l.outShape(shape)
		if err != nil {
			return nil, fail("%v", err)
		}
		if !next.valid() {
			return nil, fail("its output would be %v", next)
		}
		switch l.Kind {
		case KindSwapPair, KindNegatePair:
			if doubled {
				return nil, fail("a pair inside a pair")
			}
			doubled = true
		case KindPairMean, KindPairDifference:
			if !doubled {
				return nil, fail("no pair was opened before")
			}
			doubled = false
		case KindAdd:
			if from, ok := seen[l.From]; !ok {
				return nil, fail("it adds the output of %q, which is no layer before it", l.From)
			} else if from.Out != shape || from.Doubled != doubled {
				return nil, fail("it adds the output of %q, which has shape %v and may lie outside this pair", l.From, from.Out)
			}
		}
		l.fillDefaults()
		out[i] = LayerShape{Layer: l, In: shape, Out: next, Doubled: doubled}
		seen[l.Name] = out[i]
		shape = next
	}
	return out, nil
}

func (s Spec) title() string {
	if s.Name == "" {
		return "network"
	}
	return fmt.Sprintf("network %q", s.Name)
}

func (l *Layer) fillDefaults() {
	switch l.Kind {
	case KindConv2D, KindConv2DTranspose:
		if l.Stride == 0 {
			l.Stride = 1
		}
		if l.Padding == "" {
			l.Padding = PaddingValid
		}
	case KindBatchNorm:
		if l.Momentum == 0 {
			l.Momentum = 0.99
		}
		if l.Epsilon == 0 {
			l.Epsilon = 1e-3
		}
	}
	if l.Bits > 0 && l.Rounding == "" {
		l.Rounding = RoundNearest
	}
}

// outShape checks the layer's own fields and gives the shape that it makes of
// in.
func (l Layer) outShape(in Shape) (Shape, error) {
	if err := l.checkFields(); err != nil {
		return Shape{}, err
	}
	switch l.Kind {
	case KindConv2D, KindConv2DTranspose:
		return l.convShape(in)
	case KindDense:
		return Vector(l.Units), nil
	case KindFlatten:
		return Vector(in.Size()), nil
	case KindReshape:
		out := Shape{l.Height, l.Width, l.Channels}
		if out.Size() != in.Size() {
			return out, fmt.Errorf("%d values cannot become %v", in.Size(), out)
		}
		return out, nil
	case KindCrop:
		if l.Top+l.Height > in.H || l.Left+l.Width > in.W {
			return in, fmt.Errorf("the %d×%d crop at (%d,%d) does not fit", l.Height, l.Width, l.Top, l.Left)
		}
		return Shape{l.Height, l.Width, in.C}, nil
	case KindConcat:
		return Shape{in.H, in.W, in.C + l.Channels}, nil
	case KindSwapPair:
		if in.C%2 != 0 {
			return in, fmt.Errorf("%d channels have no two halves", in.C)
		}
	}
	return in, nil
}

func (l Layer) convShape(in Shape) (Shape, error) {
	k, s := l.Kernel, max(l.Stride, 1)
	out := Shape{C: l.Filters}
	switch {
	case l.Kind == KindConv2D && l.Padding == PaddingSame:
		out.H, out.W = (in.H+s-1)/s, (in.W+s-1)/s
	case l.Kind == KindConv2D:
		if k > in.H || k > in.W {
			return out, fmt.Errorf("a valid %d×%d kernel does not fit", k, k)
		}
		out.H, out.W = (in.H-k)/s+1, (in.W-k)/s+1
	case l.Padding == PaddingSame:
		out.H, out.W = in.H*s, in.W*s
	default:
		out.H, out.W = in.H*s+max(k-s, 0), in.W*s+max(k-s, 0)
	}
	return out, nil
}

// checkFields validates what can be said of a layer without its input.
func (l Layer) checkFields() error {
	need := func(name string, v int) error {
		if v < 1 || v > 1<<20 {
			return fmt.Errorf("%s is %d, want 1 to %d", name, v, 1<<20)
		}
		return nil
	}
	var err error
	switch l.Kind {
	case KindConv2D, KindConv2DTranspose:
		if err = need("filters", l.Filters); err == nil {
			err = need("kernel", l.Kernel)
		}
		switch {
		case err != nil:
		case l.Kernel > 64:
			err = fmt.Errorf("kernel is %d, want at most 64", l.Kernel)
		case l.Stride < 0 || l.Stride > 64:
			err = fmt.Errorf("stride is %d, want 1 to 64", l.Stride)
		case l.Padding != "" && l.Padding != PaddingSame && l.Padding != PaddingValid:
			err = fmt.Errorf("padding is %q, want %q or %q", l.Padding, PaddingSame, PaddingValid)
		}
	case KindDense:
		err = need("units", l.Units)
	case KindReshape:
		if err = need("height", l.Height); err == nil {
			err = need("width", l.Width)
		}
		if err == nil {
			err = need("channels", l.Channels)
		}
	case KindCrop:
		if err = need("height", l.Height); err == nil {
			err = need("width", l.Width)
		}
		if err == nil && (l.Top < 0 || l.Left < 0) {
			err = fmt.Errorf("crop starts at (%d,%d)", l.Top, l.Left)
		}
	case KindConcat:
		err = need("channels", l.Channels)
	case KindQuantizedBits, KindQuantizedReLU:
		err = need("bits", l.Bits)
	case KindBatchNorm:
		if !(l.Momentum >= 0 && l.Momentum < 1) || !(l.Epsilon >= 0) || math.IsInf(l.Epsilon, 0) {
			err = fmt.Errorf("momentum %v and epsilon %v, want [0,1) and ≥ 0", l.Momentum, l.Epsilon)
		}
	case KindAdd:
		if l.From == "" {
			err = fmt.Errorf("from is empty: want the name of the layer whose output it adds")
		}
	case KindReLU, KindSigmoid, KindTanh, KindSiLU, KindSquare, KindFlatten, KindSwapPair, KindNegatePair, KindPairMean, KindPairDifference:
	case "":
		err = fmt.Errorf("no kind is given")
	default:
		err = fmt.Errorf("unknown kind")
	}
	if err != nil {
		return err
	}
	return l.checkNumbers()
}

func (l Layer) checkNumbers() error {
	switch {
	case l.From != "" && l.Kind != KindAdd:
		return fmt.Errorf("from is %q, which only an add layer has", l.From)
	case !(l.L2 >= 0) || math.IsInf(l.L2, 0):
		return fmt.Errorf("l2 is %v, want ≥ 0", l.L2)
	case l.Bits < 0 || l.Bits > 20:
		return fmt.Errorf("bits is %d, want 1 to 20", l.Bits)
	case l.Integer < -20 || l.Integer > 20:
		return fmt.Errorf("integer is %d, want −20 to 20", l.Integer)
	case l.Rounding != "" && l.Rounding != RoundNearest && l.Rounding != RoundFloor:
		return fmt.Errorf("rounding is %q, want %q or %q", l.Rounding, RoundNearest, RoundFloor)
	}
	return nil
}
