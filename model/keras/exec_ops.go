package keras

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
)

// isOperation reports whether a layer is an operation of TensorFlow or of Keras 3, which
// says so in .keras alone. Some bear a layer's name, but have neither trainable nor dtype.
func (c *layerConfig) isOperation() bool {
	if c.class == "TFOpLambda" || c.class == "SlicingOpLambda" || strings.Contains(c.module, ".ops") {
		return true
	}
	if !c.keras3 || c.nested != nil || c.class == "InputLayer" {
		return false
	}
	return layerRuns[c.class] == nil || !bytes.Contains(c.raw, []byte(`"trainable"`)) && !bytes.Contains(c.raw, []byte(`"dtype"`))
}

var binaryOps = map[string]func(x, y float64) float64{
	"add": func(x, y float64) float64 { return x + y }, "subtract": func(x, y float64) float64 { return x - y },
	"multiply": func(x, y float64) float64 { return x * y }, "truediv": func(x, y float64) float64 { return x / y },
	"floordiv": func(x, y float64) float64 { return math.Floor(x / y) },
	"minimum":  math.Min, "maximum": math.Max, "power": math.Pow,
	"squareddifference": func(x, y float64) float64 { return (x - y) * (x - y) },
}

// synonyms are other names of operations, without underscores.
var synonyms = map[string]string{
	"addv2": "add", "sub": "subtract", "mul": "multiply", "divide": "truediv", "truedivide": "truediv", "realdiv": "truediv", "div": "truediv", "pow": "power",
	"floordivide": "floordiv", "neg": "negative", "abs": "absolute", "concatenate": "concat", "clip": "clipbyvalue", "reducesum": "sum", "reducemean": "mean",
	"reducemax": "max", "amax": "max", "reducemin": "min", "amin": "min", "reduceprod": "prod", "swish": "silu", "permutedimensions": "transpose",
	"stridedslice": "getitem", "identity": "linear", "stopgradient": "linear", "cast": "linear", "take": "gather", "reverse": "flip", "batchflatten": "flatten",
	"converttotensor": "linear", "softmaxv2": "softmax",
}

var unaries = map[string]func(v float64) float64{
	"negative": func(v float64) float64 { return -v }, "absolute": math.Abs, "square": func(v float64) float64 { return v * v },
	"sqrt": math.Sqrt, "rsqrt": func(v float64) float64 { return 1 / math.Sqrt(v) }, "exp": math.Exp, "log": math.Log, "log1p": math.Log1p, "expm1": math.Expm1,
	"floor": math.Floor, "ceil": math.Ceil, "round": math.RoundToEven, "rint": math.RoundToEven, "reciprocal": func(v float64) float64 { return 1 / v },
	"sin": math.Sin, "cos": math.Cos, "erf": math.Erf,
	"sign": func(v float64) float64 {
		switch {
		case v > 0:
			return 1
		case v < 0:
			return -1
		}
		return v
	},
	"zeroslike": func(float64) float64 { return 0 }, "oneslike": func(float64) float64 { return 1 },
}

var reductions = map[string]func(b *block, axes []int, keep bool) (*block, error){
	"sum": func(b *block, axes []int, keep bool) (*block, error) {
		return b.reduce(axes, keep, 0, func(a, v float64) float64 { return a + v }, nil)
	},
	"mean": func(b *block, axes []int, keep bool) (*block, error) {
		return b.reduce(axes, keep, 0, func(a, v float64) float64 { return a + v }, func(a float64, n int) float64 { return a / float64(n) })
	},
	"max": func(b *block, axes []int, keep bool) (*block, error) {
		return b.reduce(axes, keep, math.Inf(-1), math.Max, nil)
	},
	"min": func(b *block, axes []int, keep bool) (*block, error) {
		return b.reduce(axes, keep, math.Inf(1), math.Min, nil)
	},
	"prod": func(b *block, axes []int, keep bool) (*block, error) {
		return b.reduce(axes, keep, 1, binaryOps["multiply"], nil)
	},
}

// operationLayer runs TensorFlow's or Keras 3's operation.
func operationLayer(r *layerRun) ([]*block, error) {
	name := r.l.class
	if name == "TFOpLambda" || name == "SlicingOpLambda" {
		name = r.text("function", "")
	}
	for k, v := range r.cfg { // Keras 3 keeps constants here
		if _, given := r.a.named[k]; !given && k != "name" && k != "dtype" {
			r.a.named[k] = v
		}
	}
	return r.l.operation(name, r.a)
}

// operation runs an operation of a name such as "nn.relu", "__operators__.add" or
// "ExpandDims".
func (c *layerConfig) operation(name string, a arguments) ([]*block, error) {
	short := strings.ToLower(strings.ReplaceAll(name[strings.LastIndexByte(name, '.')+1:], "_", ""))
	if s, ok := synonyms[short]; ok {
		short = s
	}
	o := &op{c: c, name: short, a: a}
	out, err := o.run()
	if err == nil && out == nil {
		err = fmt.Errorf("is not supported; %s", runAdvice)
	}
	if err != nil {
		return nil, fmt.Errorf("operation %s: %w", name, err)
	}
	return out, nil
}

// An op is an operation being run.
type op struct {
	c    *layerConfig
	name string
	a    arguments
}

// get finds an argument by position or by one of its names.
func (o *op) get(k int, names ...string) any {
	for _, n := range names {
		if v, ok := o.a.named[n]; ok && v != nil {
			return v
		}
	}
	if k >= 0 && k < len(o.a.args) {
		return o.a.args[k]
	}
	return nil
}

// asBlock makes an array of a number or a list of them.
func asBlock(v any) (*block, error) {
	switch v := v.(type) {
	case *block:
		return v, nil
	case float64:
		return scalar(v), nil
	case []any:
		var parts []*block
		for _, x := range v {
			b, err := asBlock(x)
			if err != nil {
				return nil, err
			}
			parts = append(parts, &block{append([]int{1}, b.shape...), b.data})
		}
		if len(parts) == 0 {
			return nil, fmt.Errorf("an empty list where an array is wanted")
		}
		return concat(parts, 0)
	}
	return nil, fmt.Errorf("an array is wanted, not %v", v)
}

func (o *op) array(k int, names ...string) (*block, error) {
	return asBlock(o.get(k, names...))
}

func (o *op) ints(k int, names ...string) ([]int, bool) { return ints(o.get(k, names...)) }

func (o *op) run() ([]*block, error) {
	if f := binaryOps[o.name]; f != nil {
		return o.binary(f)
	}
	if o.name == "addn" || o.name == "concat" || o.name == "stack" {
		return o.join()
	}
	x, err := o.array(0, "x", "input", "inputs", "tensor", "features", "a", "input_tensor", "t", "x1", "values", "value", "logits", "params", "input_")
	if err != nil {
		return nil, err
	}
	if f := unaries[o.name]; f != nil {
		return one(x.each(f), nil)
	}
	if f := reductions[o.name]; f != nil {
		axes, ok := o.ints(1, "axis")
		if !ok {
			return nil, fmt.Errorf("what joins samples (no axis) is not supported")
		}
		keep, _ := o.get(2, "keepdims", "keep_dims").(bool)
		return one(f(x, axes, keep))
	}
	switch o.name {
	case "reshape", "transpose", "expanddims", "squeeze", "flatten", "tile", "repeat", "flip", "broadcastto", "shape":
		return o.form(x)
	case "getitem", "slice", "pad", "gather", "split":
		return o.part(x)
	case "clipbyvalue":
		low, err := o.array(1, "clip_value_min", "min_value", "x_min")
		if err != nil {
			return nil, err
		}
		high, err := o.array(2, "clip_value_max", "max_value", "x_max")
		if err != nil {
			return nil, err
		}
		if x, err = broadcast(x, low, math.Max); err != nil {
			return nil, err
		}
		return one(broadcast(x, high, math.Min))
	case "softmax":
		axis := -1
		if k, ok := whole64(o.get(1, "axis")); ok {
			axis = k
		}
		return one(x.softmax(axis))
	case "matmul", "dot":
		y, err := o.array(1, "b", "y", "x2")
		if err != nil {
			return nil, err
		}
		return one(matmul(x, y, o.a.named["transpose_b"] == true, o.a.named["transpose_a"] == true))
	case "leakyrelu":
		slope := 0.2
		if v, ok := o.get(1, "alpha", "negative_slope").(float64); ok {
			slope = v
		}
		return one(x.each(func(v float64) float64 { return max(v, 0) + slope*min(v, 0) }), nil)
	case "hardsigmoid":
		return one(x.each(o.c.hardSigmoid), nil)
	case "relu":
		limit, slope, threshold := math.Inf(1), 0.0, 0.0
		for name, into := range map[string]*float64{"max_value": &limit, "alpha": &slope, "negative_slope": &slope, "threshold": &threshold} {
			if v, ok := o.a.named[name].(float64); ok {
				*into = v
			}
		}
		return one(x.each(func(v float64) float64 {
			if v < threshold {
				return slope * (v - threshold)
			}
			return min(v, limit)
		}), nil)
	case "gelu":
		approximate, given := o.get(1, "approximate").(bool)
		if approximate || !given && o.c.keras3 {
			return one(x.each(func(v float64) float64 {
				return v / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
			}), nil)
		}
	}
	for name, f := range activations {
		if strings.ReplaceAll(name, "_", "") == o.name {
			return one(x.each(f), nil)
		}
	}
	return nil, nil
}

func one(b *block, err error) ([]*block, error) {
	if err != nil {
		return nil, err
	}
	return []*block{b}, nil
}

func (o *op) binary(f func(x, y float64) float64) ([]*block, error) {
	x, err := o.array(0, "x", "x1", "a")
	if err != nil {
		return nil, err
	}
	y, err := o.array(1, "y", "x2", "b", "1")
	if err != nil {
		return nil, err
	}
	return one(broadcast(x, y, f))
}

func (o *op) join() ([]*block, error) {
	list, ok := o.get(0, "values", "tensors", "xs", "inputs", "x").([]any)
	if !ok {
		return nil, fmt.Errorf("a list of arrays is wanted")
	}
	var parts []*block
	for _, v := range list {
		b, err := asBlock(v)
		if err != nil {
			return nil, err
		}
		parts = append(parts, b)
	}
	axis, given := whole64(o.get(1, "axis"))
	switch {
	case len(parts) == 0:
		return nil, fmt.Errorf("nothing to join")
	case o.name == "addn":
		y := parts[0]
		for _, x := range parts[1:] {
			var err error
			if y, err = broadcast(y, x, binaryOps["add"]); err != nil {
				return nil, err
			}
		}
		return one(y, nil)
	case o.name == "concat":
		if !given {
			axis = -1
		}
		return one(concat(parts, axis))
	}
	if axis < 0 {
		axis += len(parts[0].shape) + 1
	}
	for i, p := range parts {
		if axis < 0 || axis > len(p.shape) {
			return nil, fmt.Errorf("axis %d", axis)
		}
		parts[i] = &block{slices.Insert(slices.Clone(p.shape), axis, 1), p.data}
	}
	return one(concat(parts, axis))
}

// form changes the shape of an array.
func (o *op) form(x *block) ([]*block, error) {
	rank := len(x.shape)
	switch o.name {
	case "shape":
		out := &block{shape: []int{rank}}
		for _, d := range x.shape {
			out.data = append(out.data, float64(d))
		}
		return one(out, nil)
	case "reshape":
		shape, ok := o.ints(1, "shape", "newshape")
		if v, list := o.get(1, "shape", "newshape").([]any); list && len(v) > 0 && v[0] == nil {
			shape, ok = ints(append([]any{-1.0}, v[1:]...)) // of Keras 3, whose batch is open
		}
		if !ok {
			return nil, fmt.Errorf("shape %v", o.get(1, "shape", "newshape"))
		}
		return one(x.reshape(shape))
	case "flatten":
		if rank == 0 {
			return nil, fmt.Errorf("an array of no dimension")
		}
		return one(x.reshape([]int{x.shape[0], len(x.data) / max(1, x.shape[0])}))
	case "transpose":
		order, ok := o.ints(1, "perm", "axes", "pattern")
		if !ok {
			for i := range rank {
				order = append([]int{i}, order...)
			}
		}
		return one(x.transpose(order))
	case "expanddims":
		axis, ok := whole64(o.get(1, "axis"))
		if axis < 0 {
			axis += rank + 1
		}
		if !ok || axis < 0 || axis > rank {
			return nil, fmt.Errorf("axis %v", o.get(1, "axis"))
		}
		return one(&block{slices.Insert(slices.Clone(x.shape), axis, 1), x.data}, nil)
	case "squeeze":
		axes, given := o.ints(1, "axis")
		var shape []int
		for i, d := range x.shape {
			gone := slices.Contains(axes, i) || slices.Contains(axes, i-rank) || !given && d == 1 && i > 0
			if !gone {
				shape = append(shape, d)
			} else if d != 1 {
				return nil, fmt.Errorf("axis %d of %v", i, x.shape)
			}
		}
		return one(&block{shape, x.data}, nil)
	case "tile":
		times, ok := o.ints(1, "multiples", "repeats", "n")
		if !ok || len(times) != rank {
			return nil, fmt.Errorf("multiples %v of %v", times, x.shape)
		}
		for axis, n := range times {
			if n < 1 || n > 1<<12 {
				return nil, fmt.Errorf("multiples %v of %v", times, x.shape)
			}
			var err error
			if x, err = concat(slices.Repeat([]*block{x}, n), axis); err != nil {
				return nil, err
			}
		}
		return one(x, nil)
	case "repeat":
		n, ok := whole64(o.get(1, "repeats", "rep"))
		axis, ok2 := whole64(o.get(2, "axis"))
		axis, err := x.axis(axis)
		if !ok || !ok2 || n < 1 || err != nil {
			return nil, fmt.Errorf("repeats %v", o.get(1, "repeats"))
		}
		s := strides(x.shape)
		shape, step := slices.Insert(slices.Clone(x.shape), axis+1, n), slices.Insert(s, axis+1, 0)
		y, err := x.view(shape, step, 0)
		if err != nil {
			return nil, err
		}
		final := slices.Clone(x.shape)
		final[axis] *= n
		return one(y.reshape(final))
	case "broadcastto":
		shape, ok := o.ints(1, "shape")
		if !ok {
			return nil, fmt.Errorf("shape %v", o.get(1, "shape"))
		}
		zero, err := newBlock(shape...)
		if err != nil {
			return nil, err
		}
		return one(broadcast(zero, x, binaryOps["add"]))
	}
	axes, ok := o.ints(1, "axis")
	if !ok {
		return nil, fmt.Errorf("axis %v", o.get(1, "axis"))
	}
	spec := make([]any, rank)
	for i := range spec {
		spec[i] = slice{}
		if slices.Contains(axes, i) || slices.Contains(axes, i-rank) {
			spec[i] = slice{step: -1.0}
		}
	}
	return one(x.index(spec))
}
