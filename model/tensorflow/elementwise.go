package tensorflow

import (
	"errors"
	"fmt"
	"math"
)

// unary are the operations on single floating-point numbers. As TensorFlow's, they
// round to 32 bits what they compute.
var unary = map[string]func(x float64) float64{
	"Neg":        func(x float64) float64 { return -x },
	"Abs":        math.Abs,
	"Sign":       func(x float64) float64 { return float64(number(x > 0) - number(x < 0)) },
	"Round":      math.RoundToEven,
	"Rint":       math.RoundToEven,
	"Floor":      math.Floor,
	"Ceil":       math.Ceil,
	"Sqrt":       math.Sqrt,
	"Rsqrt":      func(x float64) float64 { return 1 / math.Sqrt(x) },
	"Exp":        math.Exp,
	"Expm1":      math.Expm1,
	"Log":        math.Log,
	"Log1p":      math.Log1p,
	"Square":     func(x float64) float64 { return x * x },
	"Reciprocal": func(x float64) float64 { return 1 / x },
	"Inv":        func(x float64) float64 { return 1 / x },
	"Relu":       relu,
	"Relu6":      func(x float64) float64 { return min(relu(x), 6) },
	"Elu":        func(x float64) float64 { return pieces(x, x, math.Expm1(x)) },
	"Selu": func(x float64) float64 {
		const scale, alpha = 1.0507009873554805, 1.6732632423543772
		return scale * pieces(x, x, alpha*math.Expm1(x))
	},
	"Sigmoid":    func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	"Tanh":       math.Tanh,
	"Softplus":   func(x float64) float64 { return relu(x) + math.Log1p(math.Exp(-math.Abs(x))) },
	"OnesLike":   func(float64) float64 { return 1 },
	"ZerosLike":  func(float64) float64 { return 0 },
	"LogicalNot": func(x float64) float64 { return 1 - x },
	"Softsign":   func(x float64) float64 { return x / (1 + math.Abs(x)) },
}

func relu(x float64) float64 { return pieces(x, x, 0) }

// pieces is above for positive numbers, else below; not a number stays.
func pieces(x, above, below float64) float64 {
	if x > 0 || x != x {
		return above
	}
	return below
}

// pairwise are the operations on two floating-point numbers. Sums, products and
// quotients of 32-bit numbers are the same rounded once from 64 bits.
var pairwise = map[string]func(x, y float64) float64{
	"Add":               func(x, y float64) float64 { return x + y },
	"AddV2":             func(x, y float64) float64 { return x + y },
	"Sub":               func(x, y float64) float64 { return x - y },
	"Mul":               func(x, y float64) float64 { return x * y },
	"RealDiv":           func(x, y float64) float64 { return x / y },
	"Div":               func(x, y float64) float64 { return x / y },
	"FloorDiv":          func(x, y float64) float64 { return math.Floor(x / y) },
	"Maximum":           func(x, y float64) float64 { return max(x, y) },
	"Minimum":           func(x, y float64) float64 { return min(x, y) },
	"Pow":               math.Pow,
	"SquaredDifference": func(x, y float64) float64 { d := float64(float32(x - y)); return d * d },
	"DivNoNan": func(x, y float64) float64 {
		if y == 0 {
			return 0
		}
		return x / y
	},
}

// wholeBinary are those of pairwise on whole numbers.
var wholeBinary = map[string]func(x, y int64) (int64, error){
	"Add":     func(x, y int64) (int64, error) { return x + y, nil },
	"AddV2":   func(x, y int64) (int64, error) { return x + y, nil },
	"Sub":     func(x, y int64) (int64, error) { return x - y, nil },
	"Mul":     func(x, y int64) (int64, error) { return x * y, nil },
	"Maximum": func(x, y int64) (int64, error) { return max(x, y), nil },
	"Minimum": func(x, y int64) (int64, error) { return min(x, y), nil },
	"FloorDiv": func(x, y int64) (int64, error) {
		if y == 0 {
			return 0, errors.New("a whole number divided by 0")
		}
		return int64(math.Floor(float64(x) / float64(y))), nil
	},
	"Pow": func(x, y int64) (int64, error) {
		v := math.Pow(float64(x), float64(y))
		if y < 0 || math.Abs(v) > 1<<53 {
			return 0, fmt.Errorf("%d to the power %d", x, y)
		}
		return int64(v), nil
	},
	"LogicalAnd": func(x, y int64) (int64, error) { return x & y, nil },
	"LogicalOr":  func(x, y int64) (int64, error) { return x | y, nil },
}

// compare are the operations whose results are truth values.
var compare = map[string]func(x, y float64) bool{
	"Less":         func(x, y float64) bool { return x < y },
	"LessEqual":    func(x, y float64) bool { return x <= y },
	"Greater":      func(x, y float64) bool { return x > y },
	"GreaterEqual": func(x, y float64) bool { return x >= y },
	"Equal":        func(x, y float64) bool { return x == y },
	"NotEqual":     func(x, y float64) bool { return x != y },
}

// elementwise computes the operations above; ok says whether the node is one.
func elementwise(n *node, in []*tensor) (out *tensor, ok bool, err error) {
	if f := unary[n.Op]; f != nil {
		out, err = single(n, in, f)
		return out, true, err
	}
	switch {
	case pairwise[n.Op] != nil, wholeBinary[n.Op] != nil, compare[n.Op] != nil:
		if err := takes(in, 2); err != nil {
			return nil, true, err
		}
		out, err = double(n.Op, in[0], in[1])
		return out, true, err
	}
	return nil, false, nil
}

func takes(in []*tensor, n int) error {
	if len(in) != n {
		return fmt.Errorf("it has %d inputs, not %d", len(in), n)
	}
	return nil
}

func single(n *node, in []*tensor, f func(float64) float64) (*tensor, error) {
	if err := takes(in, 1); err != nil {
		return nil, err
	}
	out, err := newTensor(in[0].kind, in[0].shape)
	if err != nil {
		return nil, err
	}
	for k, v := range in[0].f {
		out.f[k] = float32(f(float64(v)))
	}
	for k, v := range in[0].i {
		switch n.Op {
		case "Neg":
			out.i[k] = -v
		case "Abs":
			out.i[k] = max(v, -v)
		case "Sign", "Square", "Relu", "OnesLike", "ZerosLike", "LogicalNot":
			out.i[k] = int64(f(float64(v)))
		default:
			return nil, fmt.Errorf("it takes floating-point numbers, not %v", in[0].kind)
		}
	}
	return out, nil
}

func double(op string, x, y *tensor) (*tensor, error) {
	if x.kind != y.kind {
		return nil, fmt.Errorf("its inputs are %v and %v", x.kind, y.kind)
	}
	kind := x.kind
	if compare[op] != nil {
		kind = boolean
	}
	shape, err := joint(x.shape, y.shape)
	if err != nil {
		return nil, err
	}
	out, err := newTensor(kind, shape)
	if err != nil {
		return nil, err
	}
	c, f, w := compare[op], pairwise[op], wholeBinary[op]
	switch {
	case c != nil:
		pairs(shape, x.shape, y.shape, func(k, a, b int) { out.i[k] = number(c(x.at(a), y.at(b))) })
	case x.kind == float && f != nil:
		pairs(shape, x.shape, y.shape, func(k, a, b int) { out.f[k] = float32(f(float64(x.f[a]), float64(y.f[b]))) })
	case x.kind != float && w != nil:
		pairs(shape, x.shape, y.shape, func(k, a, b int) {
			v, e := w(x.i[a], y.i[b])
			if e != nil {
				err = e
			}
			out.i[k] = v
		})
	default:
		err = fmt.Errorf("not on %v", x.kind)
	}
	return out, err
}

func (t *tensor) at(k int) float64 {
	if t.kind == float {
		return float64(t.f[k])
	}
	return float64(t.i[k])
}

// joint is the shape of two tensors spread over one another.
func joint(x, y []int) ([]int, error) {
	out := make([]int, max(len(x), len(y)))
	for k := range out {
		a, b := 1, 1
		if d := len(x) - len(out) + k; d >= 0 {
			a = x[d]
		}
		if d := len(y) - len(out) + k; d >= 0 {
			b = y[d]
		}
		switch {
		case a == b || b == 1:
			out[k] = a
		case a == 1:
			out[k] = b
		default:
			return nil, fmt.Errorf("its inputs, of the shapes %v and %v, do not fit together", x, y)
		}
	}
	return out, nil
}

// pairs calls do for every number of a joint shape with its place in both tensors.
func pairs(shape, x, y []int, do func(k, a, b int)) {
	n := 1
	for _, d := range shape {
		n *= d
	}
	sx, sy := spreadSteps(shape, x), spreadSteps(shape, y)
	index := make([]int, len(shape))
	a, b := 0, 0
	for k := range n {
		do(k, a, b)
		for d := len(shape) - 1; d >= 0; d-- {
			index[d]++
			a, b = a+sx[d], b+sy[d]
			if index[d] < shape[d] {
				break
			}
			a, b = a-sx[d]*shape[d], b-sy[d]*shape[d]
			index[d] = 0
		}
	}
}

// spreadSteps are a tensor's steps along the dimensions of a larger shape: 0 where it
// is spread.
func spreadSteps(shape, x []int) []int {
	out, own := make([]int, len(shape)), steps(x)
	for d := range x {
		if x[d] != 1 {
			out[len(shape)-len(x)+d] = own[d]
		}
	}
	return out
}

// choose is Select and SelectV2.
func choose(_ *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 3); err != nil {
		return nil, err
	}
	c, x, y := in[0], in[1], in[2]
	if x.kind != y.kind || c.kind != boolean {
		return nil, fmt.Errorf("it chooses by %v between %v and %v", c.kind, x.kind, y.kind)
	}
	both, err := joint(x.shape, y.shape)
	if err != nil {
		return nil, err
	}
	shape, err := joint(both, c.shape)
	if err != nil {
		return nil, err
	}
	out, err := newTensor(x.kind, shape)
	if err != nil {
		return nil, err
	}
	from := make([]int, out.size())
	pairs(shape, c.shape, x.shape, func(k, a, b int) { from[k] = b - b*int(1-c.i[a]) - int(1-c.i[a]) })
	pairs(shape, c.shape, y.shape, func(k, _, b int) {
		t, at := x, from[k]
		if at < 0 {
			t, at = y, b
		}
		if t.kind == float {
			out.f[k] = t.f[at]
		} else {
			out.i[k] = t.i[at]
		}
	})
	return out, nil
}

// cast changes the type.
func cast(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 1); err != nil {
		return nil, err
	}
	x := in[0]
	out, err := newTensor(n.attr("DstT").GetType(), x.shape)
	if err != nil {
		return nil, err
	}
	for k := range x.size() {
		switch {
		case out.kind == float:
			out.f[k] = float32(x.at(k))
		case out.kind == boolean:
			out.i[k] = number(x.at(k) != 0)
		case x.kind == float:
			v := math.Trunc(x.at(k))
			if math.IsNaN(v) || math.Abs(v) > math.MaxInt32 {
				return nil, fmt.Errorf("%v as a whole number", x.f[k])
			}
			out.i[k] = int64(v)
		default:
			out.i[k] = x.i[k]
		}
	}
	return out, nil
}

// clip is ClipByValue.
func clip(_ *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 3); err != nil {
		return nil, err
	}
	x, err := double("Minimum", in[0], in[2])
	if err != nil {
		return nil, err
	}
	return double("Maximum", x, in[1])
}

// leaky is LeakyRelu.
func leaky(n *node, in []*tensor) (*tensor, error) {
	slope := 0.2
	if a := n.attr("alpha"); a != nil {
		slope = float64(a.GetF())
	}
	return single(n, in, func(x float64) float64 { return pieces(x, x, slope*x) })
}

// fakeQuant is FakeQuantWithMinMaxArgs and …Vars: rounding to 2^num_bits numbers
// between two, moved a little so that 0 is one of them.
func fakeQuant(n *node, in []*tensor) (*tensor, error) {
	lo, hi := float32(-6), float32(6)
	if n.Op == "FakeQuantWithMinMaxVars" {
		if err := takes(in, 3); err != nil {
			return nil, err
		}
		if len(in[1].f) != 1 || len(in[2].f) != 1 {
			return nil, errors.New("its limits are no numbers")
		}
		lo, hi = in[1].f[0], in[2].f[0]
	} else {
		if err := takes(in, 1); err != nil {
			return nil, err
		}
		if a := n.attr("min"); a != nil {
			lo = a.GetF()
		}
		if a := n.attr("max"); a != nil {
			hi = a.GetF()
		}
	}
	bits := n.attr("num_bits").GetI()
	if n.attr("num_bits") == nil {
		bits = 8
	}
	if bits < 2 || bits > 16 || !(lo < hi) || lo > 0 || hi < 0 {
		return nil, fmt.Errorf("%d bits from %v to %v", bits, lo, hi)
	}
	first, last := float32(number(n.attr("narrow_range").GetB())), float32(int(1)<<bits-1)
	scale := (hi - lo) / (last - first)
	zero := float32(math.Round(float64(max(min(first-lo/scale, last), first))))
	low, high := (first-zero)*scale, (last-zero)*scale
	inverse := 1 / scale
	shift := float32(math.Floor(float64(-low*inverse + 0.5)))
	return single(n, in[:1], func(x float64) float64 {
		v := max(min(float32(x), high), low)
		moved := float32(v - low)
		r := float32(math.Floor(float64(float32(moved*inverse) - shift + shift + 0.5)))
		return float64(float32((r - shift) * scale))
	})
}
