package onnx

import (
	"fmt"
	"math"
)

// each applies a function to every number.
func each(t *tensor, f func(float64) float64) *tensor {
	if t == nil {
		return nil
	}
	out := &tensor{t.dtype, t.shape, make([]float64, len(t.data))}
	for i, v := range t.data {
		out.data[i] = settle(t.dtype, f(v))
	}
	return out
}

func sigmoid(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

func softplus(v float64) float64 {
	return max(v, 0) + math.Log1p(math.Exp(-math.Abs(v)))
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return v
}

// relu keeps a NaN, as the operator does.
func relu(v float64) float64 {
	if v < 0 {
		return 0
	}
	return v
}

// functions are the operators of one number without attributes.
var functions = map[string]func(float64) float64{
	"Abs": math.Abs, "Neg": func(v float64) float64 { return -v }, "Exp": math.Exp, "Log": math.Log, "Sqrt": math.Sqrt,
	"Reciprocal": func(v float64) float64 { return 1 / v }, "Floor": math.Floor, "Ceil": math.Ceil, "Round": math.RoundToEven,
	"Relu": relu, "Sigmoid": sigmoid, "Tanh": math.Tanh, "Softplus": softplus,
	"Softsign": func(v float64) float64 { return v / (1 + math.Abs(v)) }, "Sign": sign, "Erf": math.Erf,
	"Sin": math.Sin, "Cos": math.Cos, "Tan": math.Tan, "Asin": math.Asin, "Acos": math.Acos, "Atan": math.Atan,
	"Sinh": math.Sinh, "Cosh": math.Cosh, "Asinh": math.Asinh, "Acosh": math.Acosh, "Atanh": math.Atanh,
	"HardSwish": func(v float64) float64 { return v * max(0, min(1, v/6+0.5)) },
	"Mish":      func(v float64) float64 { return v * math.Tanh(softplus(v)) },
	"Not": func(v float64) float64 {
		if v == 0 {
			return 1
		}
		return 0
	},
}

// A parametric1 is an operator of one number with attributes.
type parametric1 struct {
	attrs string
	make  func(c *call) func(float64) float64
}

func (p parametric1) run(c *call) (*tensor, error) {
	f := p.make(c)
	if c.err != nil {
		return nil, c.err
	}
	return each(c.in[0], f), nil
}

func expm1Below(v, a, b float64) float64 {
	if v < 0 {
		return a * math.Expm1(v/b)
	}
	return v
}

var parametric = map[string]parametric1{
	"LeakyRelu": {"alpha", func(c *call) func(float64) float64 {
		a := c.float("alpha", float64(float32(0.01)))
		return func(v float64) float64 {
			if v < 0 {
				return a * v
			}
			return v
		}
	}},
	"ThresholdedRelu": {"alpha", func(c *call) func(float64) float64 {
		a := c.float("alpha", 1)
		return func(v float64) float64 {
			if v > a {
				return v
			}
			return 0
		}
	}},
	"Elu": {"alpha", func(c *call) func(float64) float64 {
		a := c.float("alpha", 1)
		return func(v float64) float64 { return expm1Below(v, a, 1) }
	}},
	"Celu": {"alpha", func(c *call) func(float64) float64 {
		a := c.float("alpha", 1)
		return func(v float64) float64 { return expm1Below(v, a, a) }
	}},
	"Selu": {"alpha gamma", func(c *call) func(float64) float64 {
		a, g := 1.67326319217681884765625, 1.05070102214813232421875
		if c.opset < 6 {
			a, g = 1.6732, 1.0507
		}
		a, g = c.float("alpha", a), c.float("gamma", g)
		return func(v float64) float64 { return g * expm1Below(v, a, 1) }
	}},
	"HardSigmoid": {"alpha beta", func(c *call) func(float64) float64 {
		a, b := c.float("alpha", float64(float32(0.2))), c.float("beta", 0.5)
		return func(v float64) float64 { return max(0, min(1, a*v+b)) }
	}},
	"Shrink": {"lambd bias", func(c *call) func(float64) float64 {
		l, b := c.float("lambd", 0.5), c.float("bias", 0)
		return func(v float64) float64 {
			switch {
			case v < -l:
				return v + b
			case v > l:
				return v - b
			}
			return 0
		}
	}},
	"Gelu": {"approximate", func(c *call) func(float64) float64 {
		switch how := c.text("approximate", "none"); how {
		case "none":
			return func(v float64) float64 { return v / 2 * (1 + math.Erf(v/math.Sqrt2)) }
		case "tanh":
			return func(v float64) float64 {
				return v / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
			}
		default:
			c.err = fmt.Errorf("approximate is %q, want none or tanh", how)
			return nil
		}
	}},
	"Swish": {"alpha", func(c *call) func(float64) float64 {
		a := c.float("alpha", 1)
		return func(v float64) float64 { return v * sigmoid(a*v) }
	}},
}

// pairs are the operators of two numbers.
var pairs = map[string]func(whole bool, a, b float64) float64{
	"Add": func(_ bool, a, b float64) float64 { return a + b },
	"Sub": func(_ bool, a, b float64) float64 { return a - b },
	"Mul": func(_ bool, a, b float64) float64 { return a * b },
	"Div": func(whole bool, a, b float64) float64 {
		if whole {
			return math.Trunc(a / b)
		}
		return a / b
	},
	"Pow": func(_ bool, a, b float64) float64 { return math.Pow(a, b) },
	"And": func(_ bool, a, b float64) float64 { return truth(a != 0 && b != 0) },
	"Or":  func(_ bool, a, b float64) float64 { return truth(a != 0 || b != 0) },
	"Xor": func(_ bool, a, b float64) float64 { return truth((a != 0) != (b != 0)) },
}

func truth(v bool) float64 {
	if v {
		return 1
	}
	return 0
}

var comparisons = map[string]func(a, b float64) bool{
	"Equal":   func(a, b float64) bool { return a == b },
	"Greater": func(a, b float64) bool { return a > b }, "GreaterOrEqual": func(a, b float64) bool { return a >= b },
	"Less": func(a, b float64) bool { return a < b }, "LessOrEqual": func(a, b float64) bool { return a <= b },
}

// aligned gives the second of two inputs the dimensions that operators before opset 7
// gave it by their attributes broadcast and axis.
func aligned(c *call) (a, b *tensor, err error) {
	a, b = c.in[0], c.in[1]
	if c.opset >= 7 || len(a.shape) == len(b.shape) || c.int("broadcast", 0) == 0 {
		return a, b, c.err
	}
	at := c.int("axis", len(a.shape)-len(b.shape))
	if at < 0 {
		at += len(a.shape)
	}
	if at < 0 || at+len(b.shape) > len(a.shape) {
		return nil, nil, fmt.Errorf("the shape %v does not fit into %v at the axis %d", b.shape, a.shape, at)
	}
	shape := append([]int(nil), b.shape...)
	for len(shape) < len(a.shape)-at {
		shape = append(shape, 1)
	}
	return a, b.as(shape), c.err
}

// combine computes a number of each two, the shapes broadcast.
func combine(a, b *tensor, dtype int64, f func(a, b float64) float64) (*tensor, error) {
	shape, err := broadcast(a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	out, err := newTensor(dtype, shape...)
	if err != nil {
		return nil, err
	}
	walk(shape, [][]int{spread(a.shape, shape), spread(b.shape, shape)}, func(i int, at []int) {
		out.data[i] = settle(dtype, f(a.data[at[0]], b.data[at[1]]))
	})
	return out, nil
}

func pairwise(c *call, f func(bool, float64, float64) float64) (*tensor, error) {
	a, b, err := aligned(c)
	if err != nil {
		return nil, err
	}
	if a.dtype != b.dtype && c.op != "Pow" {
		return nil, fmt.Errorf("its inputs are of %s and %s, want one type", numerics[a.dtype].name, numerics[b.dtype].name)
	}
	whole := a.whole()
	if whole && c.op == "Div" {
		for _, v := range b.data {
			if v == 0 {
				return nil, fmt.Errorf("a whole number divided by 0")
			}
		}
	}
	return combine(a, b, a.dtype, func(a, b float64) float64 { return f(whole, a, b) })
}

func compare(c *call, f func(a, b float64) bool) (*tensor, error) {
	a, b, err := aligned(c)
	if err != nil {
		return nil, err
	}
	return combine(a, b, typeBool, func(a, b float64) float64 { return truth(f(a, b)) })
}

func modulo(c *call) (*tensor, error) {
	a, b := c.in[0], c.in[1]
	like := c.int("fmod", 0) != 0
	for _, v := range b.data {
		if v == 0 && b.whole() {
			return nil, fmt.Errorf("a whole number divided by 0")
		}
	}
	return combine(a, b, a.dtype, func(a, b float64) float64 {
		m := math.Mod(a, b)
		if !like && m != 0 && (m < 0) != (b < 0) {
			m += b
		}
		return m
	})
}

// folds are the operators of any number of tensors.
var folds = map[string]func(a, b float64) float64{
	"Max": math.Max, "Min": math.Min,
	"Sum": func(a, b float64) float64 { return a + b }, "Mean": func(a, b float64) float64 { return a + b },
}

func fold(c *call, f func(a, b float64) float64) (*tensor, error) {
	if len(c.in) < 1 {
		return nil, fmt.Errorf("no inputs")
	}
	out := &tensor{c.in[0].dtype, c.in[0].shape, append([]float64(nil), c.in[0].data...)}
	for i, t := range c.in[1:] {
		if t == nil || t.dtype != out.dtype {
			return nil, fmt.Errorf("its input %d is left out or of another type than the first", i+1)
		}
		shape, err := broadcast(out.shape, t.shape)
		if err != nil {
			return nil, err
		}
		next, err := newTensor(out.dtype, shape...)
		if err != nil {
			return nil, err
		}
		walk(shape, [][]int{spread(out.shape, shape), spread(t.shape, shape)}, func(i int, at []int) { next.data[i] = f(out.data[at[0]], t.data[at[1]]) })
		out = next
	}
	if c.op == "Mean" {
		for i := range out.data {
			out.data[i] /= float64(len(c.in))
		}
	}
	return out.settle(), nil
}

func clip(c *call) (*tensor, error) {
	low, high := math.Inf(-1), math.Inf(1)
	if c.opset < 11 {
		low, high = c.float("min", -math.MaxFloat32), c.float("max", math.MaxFloat32)
	} else if c.attr("min") != nil || c.attr("max") != nil {
		return nil, fmt.Errorf("min and max are attributes, which they are only before opset 11")
	}
	for i, to := range []*float64{&low, &high} {
		t := c.input(i + 1)
		if t == nil {
			continue
		}
		if len(t.data) != 1 {
			return nil, fmt.Errorf("its input %d has the shape %v, want one number", i+1, t.shape)
		}
		*to = t.data[0]
	}
	return each(c.in[0], func(v float64) float64 {
		if v < low {
			v = low
		}
		if v > high {
			v = high
		}
		return v
	}), nil
}

func prelu(c *call) (*tensor, error) {
	x, slope := c.in[0], c.in[1]
	if c.opset < 7 && len(slope.data) > 1 && len(x.shape) > 2 && len(slope.shape) == 1 { // one a channel
		shape := []int{len(slope.data)}
		for range x.shape[2:] {
			shape = append(shape, 1)
		}
		slope = slope.as(shape)
	}
	out, err := combine(x, slope, x.dtype, func(v, s float64) float64 {
		if v < 0 {
			return s * v
		}
		return v
	})
	if err == nil && len(out.data) != len(x.data) {
		err = fmt.Errorf("the slopes' shape %v does not fit into %v", slope.shape, x.shape)
	}
	return out, err
}

func where(c *call) (*tensor, error) {
	a, b := c.in[1], c.in[2]
	if a.dtype != b.dtype {
		return nil, fmt.Errorf("its inputs are of %s and %s, want one type", numerics[a.dtype].name, numerics[b.dtype].name)
	}
	shape, err := broadcast(c.in[0].shape, a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	out, err := newTensor(a.dtype, shape...)
	if err != nil {
		return nil, err
	}
	walk(shape, [][]int{spread(c.in[0].shape, shape), spread(a.shape, shape), spread(b.shape, shape)}, func(i int, at []int) {
		if c.in[0].data[at[0]] != 0 {
			out.data[i] = a.data[at[1]]
		} else {
			out.data[i] = b.data[at[2]]
		}
	})
	return out, nil
}

// rows splits a tensor into outer × n × inner for an operator along an axis; before
// opset 13 softmax and its kin took all from the axis on as one.
func (c *call) rows(t *tensor) (outer, n, inner int, err error) {
	or := -1
	if c.opset < 13 {
		or = 1
	}
	at, err := axis(c.int("axis", or), max(len(t.shape), 1))
	if err != nil {
		return 0, 0, 0, err
	}
	outer, n, inner = 1, 1, 1
	for i, d := range t.shape {
		switch {
		case i < at:
			outer *= d
		case i == at || c.opset < 13:
			n *= d
		default:
			inner *= d
		}
	}
	return outer, n, inner, nil
}

func softmax(c *call) (*tensor, error) {
	return c.along(func(row []float64) {
		top, sum := math.Inf(-1), 0.0
		for _, v := range row {
			top = max(top, v)
		}
		for i, v := range row {
			row[i] = v - top
			sum += math.Exp(row[i])
		}
		for i := range row {
			if c.op == "LogSoftmax" {
				row[i] -= math.Log(sum)
			} else {
				row[i] = math.Exp(row[i]) / sum
			}
		}
	})
}

func hardmax(c *call) (*tensor, error) {
	return c.along(func(row []float64) {
		at := 0
		for i, v := range row {
			if v > row[at] {
				at = i
			}
		}
		for i := range row {
			row[i] = truth(i == at)
		}
	})
}

// along applies f to every row along the axis.
func (c *call) along(f func(row []float64)) (*tensor, error) {
	t := c.in[0]
	outer, n, inner, err := c.rows(t)
	if err != nil {
		return nil, err
	}
	out := &tensor{t.dtype, t.shape, make([]float64, len(t.data))}
	if len(t.data) == 0 {
		return out, nil
	}
	row := make([]float64, n)
	for o := range outer {
		for i := range inner {
			for k := range row {
				row[k] = t.data[(o*n+k)*inner+i]
			}
			f(row)
			for k, v := range row {
				out.data[(o*n+k)*inner+i] = v
			}
		}
	}
	return out.settle(), nil
}
