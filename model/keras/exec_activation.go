package keras

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

func (r *layerRun) activation(x *block) (*block, error) { return r.activate(r.cfg["activation"], x) }

// activations are Keras' functions of one number.
var activations = map[string]func(v float64) float64{
	"linear": func(v float64) float64 { return v }, "relu": func(v float64) float64 { return max(v, 0) },
	"relu6": func(v float64) float64 { return min(max(v, 0), 6) }, "sigmoid": sigmoid, "tanh": math.Tanh,
	"swish": silu, "silu": silu, "softplus": softplus, "softsign": func(v float64) float64 { return v / (1 + math.Abs(v)) },
	"elu": func(v float64) float64 { return elu(v, 1) }, "exponential": math.Exp,
	"selu": func(v float64) float64 {
		return 1.0507009873554804934193349852946 * elu(v, 1.6732632423543772848170429916717)
	},
	"gelu":       func(v float64) float64 { return v / 2 * math.Erfc(-v/math.Sqrt2) },
	"leaky_relu": func(v float64) float64 { return max(v, 0) + 0.2*min(v, 0) },
	"mish":       func(v float64) float64 { return v * math.Tanh(softplus(v)) },
}

func sigmoid(v float64) float64 {
	if v < 0 {
		e := math.Exp(v)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-v))
}
func silu(v float64) float64     { return v * sigmoid(v) }
func softplus(v float64) float64 { return max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))) }
func elu(v, alpha float64) float64 {
	if v < 0 {
		return alpha * math.Expm1(v)
	}
	return v
}

// hardSigmoid is another function in Keras 2 than in Keras 3.
func (c *layerConfig) hardSigmoid(v float64) float64 {
	if c.keras3 || bytes.Contains(c.raw, []byte(`"DTypePolicy"`)) {
		return min(max(v/6+0.5, 0), 1)
	}
	return min(max(0.2*v+0.5, 0), 1)
}

// activate applies an activation, given by its name, as Keras 3 has it, or as a
// quantiser.
func (r *layerRun) activate(setting any, x *block) (*block, error) {
	if m, ok := setting.(map[string]any); ok {
		switch m["class_name"] {
		case "function":
			setting = m["config"]
		case "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "ThresholdedReLU":
			class := m["class_name"].(string)
			cfg, _ := m["config"].(map[string]any)
			out, err := layerRuns[class](&layerRun{l: r.l, cfg: cfg, w: map[string]*block{}, a: arguments{args: []any{x}}})
			if err != nil {
				return nil, fmt.Errorf("activation: %w", err)
			}
			return out[0], nil
		}
	}
	if setting == nil {
		return x, nil
	}
	if name, ok := setting.(string); ok {
		if f := activations[name]; f != nil {
			if name == "linear" {
				return x, nil
			}
			return x.each(f), nil
		}
		switch name {
		case "softmax":
			return x.softmax(-1)
		case "log_softmax":
			y, err := x.softmax(-1)
			if err != nil {
				return nil, err
			}
			return y.each(math.Log), nil
		case "hard_sigmoid":
			if !strings.HasPrefix(r.l.class, "Q") {
				return x.each(r.l.hardSigmoid), nil
			}
		case "hard_silu", "hard_swish":
			return x.each(func(v float64) float64 { return v * min(max(v/6+0.5, 0), 1) }), nil
		}
		if !strings.HasPrefix(r.l.class, "Q") && !strings.Contains(name, "(") && parameters[name] == nil {
			return nil, fmt.Errorf("activation %q is not supported; supported are %s, softmax, log_softmax, hard_sigmoid and hard_silu: a function of your own is to be built of Keras' operations", name, strings.Join(slices.Sorted(maps.Keys(activations)), ", "))
		}
	}
	q, err := quantiserOf(setting, r.l, false)
	if err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	return q(x), nil
}

func (b *block) softmax(axis int) (*block, error) {
	top, err := reductions["max"](b, []int{axis}, true)
	if err != nil {
		return nil, err
	}
	y, err := broadcast(b, top, func(v, t float64) float64 { return math.Exp(v - t) })
	if err != nil {
		return nil, err
	}
	sum, err := reductions["sum"](y, []int{axis}, true)
	if err != nil {
		return nil, err
	}
	return broadcast(y, sum, func(v, s float64) float64 { return v / s })
}

func (r *layerRun) softmax(x *block) (*block, error) {
	axes, ok := ints(r.cfg["axis"])
	if !ok {
		axes = []int{-1}
	}
	if len(axes) != 1 {
		return nil, fmt.Errorf("axis %v is not supported; supported is one", axes)
	}
	return x.softmax(axes[0])
}

func (r *layerRun) relu(x *block) (*block, error) {
	slope, threshold, limit := float32(r.number("negative_slope", 0)), r.number("threshold", 0), r.number("max_value", math.Inf(1))
	return x.each(func(v float64) float64 {
		if v < threshold {
			return float64(slope) * (v - threshold)
		}
		return min(v, limit)
	}), nil
}

func (r *layerRun) leaky(x *block) (*block, error) {
	slope := r.number("alpha", r.number("negative_slope", 0.3))
	return x.each(func(v float64) float64 {
		if v < 0 {
			return slope * v
		}
		return v
	}), nil
}

func (r *layerRun) prelu(x *block) (*block, error) {
	alpha := r.w["alpha"]
	if alpha == nil {
		return nil, fmt.Errorf("has no alpha")
	}
	return broadcast(x, alpha, func(v, a float64) float64 {
		if v < 0 {
			return a * v
		}
		return v
	})
}

func (r *layerRun) elu(x *block) (*block, error) {
	alpha := r.number("alpha", 1)
	return x.each(func(v float64) float64 { return elu(v, alpha) }), nil
}

func (r *layerRun) thresholded(x *block) (*block, error) {
	theta := r.number("theta", 1)
	return x.each(func(v float64) float64 {
		if v > theta {
			return v
		}
		return 0
	}), nil
}

// A quantise rounds an array as a quantiser of QKeras does, in its own single
// precision: x + (q(x) − x), for that is how it lets gradients through.
type quantise func(x *block) *block

const runQuantizers = "run are quantized_bits, quantized_relu, quantized_tanh, quantized_sigmoid, quantized_hswish, quantized_ulaw, binary and ternary without a scale or with a number as alpha, without stochastic rounding; give alpha=1 and save the model again"

// quantiserOf reads a quantiser. Of a kernel alpha None is an automatic scale.
func quantiserOf(setting any, l *layerConfig, kernel bool) (quantise, error) {
	var class string
	var args map[string]any
	switch v := setting.(type) {
	case string:
		name, raw, err := parseCall(v)
		if err != nil {
			return nil, err
		}
		class, args = name, map[string]any{}
		for k, text := range raw {
			args[k] = pythonValue(string(text))
		}
	case map[string]any:
		class, _ = v["class_name"].(string)
		args, _ = v["config"].(map[string]any)
		if class == "" {
			class, _ = v["registered_name"].(string)
		}
	default:
		return nil, fmt.Errorf("%v is not supported; %s", setting, runQuantizers)
	}
	q := &qargs{class: class, args: args, kernel: kernel}
	f := q.function()
	if q.err != nil {
		return nil, fmt.Errorf("%s: %w", class, q.err)
	}
	if f == nil {
		return nil, fmt.Errorf("%q is not supported; %s", class, runQuantizers)
	}
	return func(x *block) *block {
		return x.each(func(v float64) float64 { return float64(f(float32(v))) })
	}, nil
}

func pythonValue(text string) any {
	switch text {
	case "None":
		return nil
	case "True":
		return true
	case "False":
		return false
	}
	var f float64
	if json.Unmarshal([]byte(text), &f) == nil {
		return f
	}
	return text
}

// qargs are a quantiser's arguments, and what is wrong with them.
type qargs struct {
	class  string
	args   map[string]any
	kernel bool
	err    error
}

func (q *qargs) num(name string, def float64) float64 {
	switch v := q.args[name].(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	case nil:
		if _, given := q.args[name]; !given || name == "integer" || name == "bits" {
			return def
		}
	case map[string]any:
		c, _ := v["config"].(map[string]any)
		if f, ok := c["value"].(float64); ok {
			return f
		}
	case []any:
		if len(v) == 1 {
			if f, ok := v[0].(float64); ok {
				return f
			}
		}
	}
	if q.args[name] != nil && q.err == nil {
		q.err = fmt.Errorf("%s %v is not supported; %s", name, q.args[name], runQuantizers)
	}
	return def
}

// through is what x + stop_gradient(q − x) is in single precision.
func through(x, q float32) float32 {
	d := float32(q - x)
	return float32(x + d)
}

func roundThrough(p float32) float32 { return through(p, float32(math.RoundToEven(float64(p)))) }

func clip32(v, low, high float32) float32 { return min(max(v, low), high) }

func hard32(x float32) float32 { return clip32(float32(float32(0.5*x)+0.5), 0, 1) }

func pow2(n float64) float32 { return float32(math.Exp2(n)) }

func (q *qargs) function() func(x float32) float32 {
	for _, name := range []string{"use_stochastic_rounding", "use_sigmoid"} {
		if v := q.num(name, 0); v != 0 && (name != "use_sigmoid" || q.class == "quantized_relu") {
			q.err = fmt.Errorf("%s is not supported; %s", name, runQuantizers)
			return nil
		}
	}
	if v := q.num("qnoise_factor", 1); v != 1 {
		q.err = fmt.Errorf("qnoise_factor %v is not supported; set it to 1 and save the model again", v)
		return nil
	}
	bits := q.num("bits", 8)
	if bits != math.Trunc(bits) || bits < 1 || bits > 32 {
		q.err = fmt.Errorf("bits %v is not supported; supported are 1 to 32", bits)
		return nil
	}
	symmetric := float32(q.num("symmetric", 0))
	switch q.class {
	case "quantized_bits", "quantized_linear":
		return q.bits(bits, symmetric)
	case "quantized_relu":
		return q.relu(bits)
	case "quantized_hswish":
		shift, upper := float32(q.num("relu_shift", 3)), float32(q.num("relu_upper_bound", 6))
		inner := q.bits(bits, symmetric)
		if inner == nil {
			return nil
		}
		return func(x float32) float32 {
			return inner(float32(float32(x*clip32(x+shift, 0, upper)) / upper))
		}
	case "quantized_tanh":
		m, real := pow2(bits-1), q.num("use_real_tanh", 0) != 0
		return func(x float32) float32 {
			p := float32(float32(2*hard32(x)) - 1)
			if real {
				p = float32(math.Tanh(float64(x)))
			}
			return clip32(roundThrough(float32(p*m))/m, -1+symmetric/m, 1-1/m)
		}
	case "quantized_sigmoid":
		m, real := pow2(bits), q.num("use_real_sigmoid", 0) != 0
		return func(x float32) float32 {
			p := hard32(x)
			if real {
				p = float32(sigmoid(float64(x)))
			}
			return clip32(roundThrough(float32(p*m))/m, symmetric/m, 1-1/m)
		}
	case "quantized_ulaw":
		m, mi, u := pow2(bits-1), pow2(q.num("integer", 0)), q.num("u", 255)
		return func(x float32) float32 {
			rp := float32(2*float32(roundThrough(float32(hard32(x/mi)*m))/m)) - 1
			law := math.Copysign(math.Log1p(u*math.Abs(float64(rp)))/math.Log1p(u), float64(rp))
			return mi * clip32(float32(law), -1+symmetric/m, 1-1/m)
		}
	case "binary", "ternary":
		return q.few()
	case "hard_sigmoid":
		return hard32
	case "hard_tanh":
		return func(x float32) float32 { return float32(2*hard32(x)) - 1 }
	case "binary_sigmoid":
		return func(x float32) float32 { return roundThrough(hard32(x)) }
	case "binary_tanh":
		return func(x float32) float32 { return 2*roundThrough(hard32(x)) - 1 }
	case "smooth_sigmoid", "smooth_tanh":
		smooth := func(x float32) float32 { return clip32(float32(float32(0.1875)*x)+0.5, 0, 1) }
		if q.class == "smooth_sigmoid" {
			return smooth
		}
		return func(x float32) float32 { return float32(2*smooth(x)) - 1 }
	}
	return nil
}

// alpha is a quantiser's scale: 1 or another number.
func (q *qargs) alpha() float32 {
	if a := q.args["alpha"]; a == nil && q.kernel {
		q.err = fmt.Errorf("alpha None (an automatic scale of a kernel) is not supported; %s", runQuantizers)
	} else if a != nil {
		return float32(q.num("alpha", 1))
	}
	return 1
}

func (q *qargs) bits(bits float64, symmetric float32) func(x float32) float32 {
	keep := float32(q.num("keep_negative", 1))
	unsigned := bits - float64(keep)
	m, mi, scale := pow2(unsigned), pow2(q.num("integer", 0)), q.alpha()
	return func(x float32) float32 {
		var xq float32
		if unsigned > 0 {
			p := float32(float32(x*m) / mi)
			xq = float32(mi*clip32(roundThrough(p), keep*(-m+symmetric), m-1)) / m
		} else {
			xq = 1
			if x < 0 {
				xq = -1
			}
			if keep == 0 {
				xq = (xq + 1) / 2
			}
		}
		return through(x, float32(scale*xq))
	}
}

func (q *qargs) relu(bits float64) func(x float32) float32 {
	slope := float32(q.num("negative_slope", 0))
	integer := q.num("integer", 0)
	if slope != 0 {
		bits--
	}
	m, mi, mf := pow2(bits), pow2(integer), pow2(integer-bits)
	quantizedClip := q.num("is_quantized_clip", 1) != 0
	upper := float32(math.Inf(1))
	if q.args["relu_upper_bound"] != nil {
		upper = float32(q.num("relu_upper_bound", 0))
	}
	if quantizedClip {
		upper = mi - mf
	}
	return func(x float32) float32 {
		plain := x
		if x < 0 {
			plain = float32(slope * x)
		}
		if x > upper {
			plain = upper
		}
		p := float32(float32(x*m) / mi)
		xq := mi * clip32(roundThrough(p)/m, 0, 1-1/m)
		if slope > 0 {
			factor := 1 / float32(slope*m)
			xq += float32(float32(mi*slope) * clip32(float32(roundThrough(float32(p*slope))*factor), -1, 0))
		}
		if upper != 0 && !quantizedClip {
			xq = min(xq, upper)
		}
		return through(plain, xq)
	}
}

// few are the quantisers to two and three numbers.
func (q *qargs) few() func(x float32) float32 {
	scale := q.alpha()
	threshold, zeroOne := float32(0), q.num("use_01", 0) != 0
	if q.class == "ternary" {
		threshold = 0.33
		if q.args["threshold"] != nil {
			threshold = float32(q.num("threshold", 0.33))
		}
	}
	smooth := q.args["alpha"] == nil
	return func(x float32) float32 {
		v := float32(1)
		switch {
		case q.class == "ternary" && float32(math.Abs(float64(x))) < threshold:
			v = 0
		case x < 0:
			v = -1
		case x == 0 && q.class == "ternary":
			v = 0
		}
		if zeroOne && q.class == "binary" {
			v = (v + 1) / 2
		}
		if smooth {
			x = float32(math.Tanh(float64(x)))
		}
		return through(x, float32(scale*v))
	}
}
