package tensorflow

import (
	"math"
	"math/bits"

	"barrow/model"
	"barrow/model/tensorflow/internal/graphpb"
	"barrow/nn"
)

// pointwise are, beside arithmetic, the operations that make each number of one.
var pointwise = map[string]bool{
	"Identity": true, "IdentityN": true, "StopGradient": true, "PreventGradient": true, "Snapshot": true, "Cast": true,
	"ClipByValue": true, "Select": true, "SelectV2": true, "LeakyRelu": true, "FakeQuantWithMinMaxArgs": true, "FakeQuantWithMinMaxVars": true,
}

func (n *node) pointwise() bool {
	return pointwise[n.Op] || unary[n.Op] != nil || pairwise[n.Op] != nil || compare[n.Op] != nil
}

// A domain is what the numbers can be that a function is asked for: none below low,
// and where there is a grid, its numbers alone.
type domain struct {
	low  float64
	grid *model.Grid
}

var anything = domain{low: math.Inf(-1)}

// within leaves out what cannot come, and numbers so small that products of them vanish.
func (d domain) within(x []float32) []float32 {
	out := x[:0]
	for _, v := range x {
		tiny := v != 0 && math.Abs(float64(v)) < 1e-30
		if float64(v) >= d.low && !math.IsInf(float64(v), 0) && !tiny {
			out = append(out, v)
		}
	}
	return out
}

// every are the numbers of a grid, of which nn has at most 2^20.
func every(g model.Grid) []float32 {
	var out []float32
	for k := g.Low; k <= g.High; k++ {
		out = append(out, k*g.Step)
	}
	return out
}

// A function is what nodes make of one number.
type function func(x []float32) ([]float32, error)

// function is what the nodes in their order make of from, the last being its result.
// Others' values are fixed, and single numbers.
func (l *lowering) function(from *node, between []*node) function {
	return func(x []float32) ([]float32, error) {
		values := map[*node]*tensor{from: {kind: graphpb.DataType_DT_FLOAT, shape: []int{len(x)}, f: x}}
		for _, n := range between {
			in := make([]*tensor, len(n.in))
			for k, f := range n.in {
				if in[k] = values[f]; in[k] == nil {
					in[k] = l.fixed[f].with(nil)
				}
			}
			v, err := n.compute(in)
			if err != nil {
				return nil, n.failed(err)
			}
			values[n] = v
		}
		return values[between[len(between)-1]].f, nil
	}
}

// activations are the layers without settings that a function may be; the first is
// none at all.
var activations = []struct {
	kind  string
	exact bool
	f     func(x float64) float64
	low   float64 // of the results
}{
	{"", true, func(x float64) float64 { return x }, math.Inf(-1)},
	{nn.KindReLU, true, func(x float64) float64 { return max(x, 0) }, 0},
	{nn.KindSquare, true, func(x float64) float64 { return float64(float32(x * x)) }, 0},
	{nn.KindSigmoid, false, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 0},
	{nn.KindTanh, false, math.Tanh, -1},
	{nn.KindSiLU, false, func(x float64) float64 { return x / (1 + math.Exp(-x)) }, -1},
}

// fit finds the layer that a function is, of all that it can be asked for: one of kind
// "" where it changes nothing. It gives what results can be.
func fit(f function, d domain) (l nn.Layer, out domain, ok bool) {
	x := d.probes(1.0 / 64)
	y, err := f(x)
	if err != nil || len(y) != len(x) {
		return l, d, false
	}
	for _, a := range activations {
		if agree(x, y, a.f, a.exact) {
			if a.kind != "" {
				d = domain{low: a.low}
			}
			return nn.Layer{Kind: a.kind}, d, true
		}
	}
	// Where a quantiser's ends are is seen far out; but further out, one that is
	// written as a difference added to the number itself loses its digits.
	for _, far := range []float32{1 << 20, 1 << 14, 1 << 10, 1 << 6, 1 << 4, 1 << 2} {
		if l, ok := quantiser(f, d, far); ok {
			g := model.GridOf(l)
			return l, domain{low: math.Inf(-1), grid: &g}, true
		}
	}
	return l, d, false
}

// probes are numbers to ask for: a grid of which 0 is one and ties are others, their
// neighbours in floating point, and more and more distant ones.
func (d domain) probes(step float32) []float32 {
	if d.grid != nil {
		return every(*d.grid)
	}
	var out []float32
	add := func(v float32) {
		out = append(out, v, math.Nextafter32(v, float32(math.Inf(-1))), math.Nextafter32(v, float32(math.Inf(1))))
	}
	for k := -1024; k <= 1024; k++ {
		add(float32(k) * step / 2)
		add(float32(k) * step * (0.37 + 0.001*float32(k%17)))
	}
	for k := float32(1); k < 1<<20; k *= 1.7 {
		add(k * step)
		add(-k * step)
	}
	return d.within(out)
}

// agree reports whether y is what f makes of x.
func agree(x, y []float32, f func(float64) float64, exact bool) bool {
	for i, v := range x {
		w := f(float64(v))
		off := math.Abs(float64(y[i]) - w)
		if math.IsNaN(off) || exact && off != 0 || off > 1e-6*max(1, math.Abs(w)) {
			return false
		}
	}
	return true
}

// quantiser finds the quantised layer that a function is, by its values at both ends.
func quantiser(f function, d domain, far float32) (l nn.Layer, ok bool) {
	ends := []float32{-far, far}
	switch {
	case d.grid != nil:
		ends = []float32{d.grid.Low * d.grid.Step, d.grid.High * d.grid.Step}
	case d.low > -math.MaxFloat32:
		ends[0] = float32(d.low)
	}
	y, err := f(ends)
	if err != nil || len(y) != 2 || !(y[1] > 0) || math.IsInf(float64(y[1]), 0) {
		return l, false
	}
	// The largest number is one less than a power of two, in steps.
	fraction, exponent := math.Frexp(float64(y[1]))
	most := uint64(math.Ldexp(fraction, 24))
	exponent -= 24
	zeros := bits.TrailingZeros64(most)
	most, exponent = most>>zeros, exponent+zeros
	n := bits.Len64(most)
	if most != 1<<n-1 {
		return l, false
	}
	switch float64(y[0]) {
	case 0:
		l = nn.Layer{Kind: nn.KindQuantizedReLU, Bits: n, Integer: n + exponent}
	case -math.Ldexp(float64(most+1), exponent):
		l = nn.Layer{Kind: nn.KindQuantizedBits, Bits: n + 1, Integer: n + exponent}
	default:
		return l, false
	}
	if l.Bits > 20 || l.Integer < -20 || l.Integer > 20 { // as nn has them
		return l, false
	}
	for _, l.Rounding = range []string{nn.RoundNearest, nn.RoundFloor} {
		if sameGrid(f, d, model.GridOf(l), far) {
			return l, true
		}
	}
	return l, false
}

// sameGrid reports whether a function brings numbers onto a grid: asked for are all
// that the domain has, or all of the grid, ties, neighbours in floating point and what
// lies beyond the ends, of large grids a share.
func sameGrid(f function, d domain, g model.Grid, far float32) bool {
	x := d.probes(g.Step)
	if d.grid == nil {
		by := max(1, (g.High-g.Low)/4096)
		for k := g.Low - 64; k <= g.High+64; k += by {
			k := float32(math.Floor(float64(k)))
			for _, v := range []float32{k * g.Step, (k + 0.5) * g.Step, (k + 0.25) * g.Step} {
				x = append(x, v, math.Nextafter32(v, -far), math.Nextafter32(v, far))
			}
		}
		for k := float32(1); k < 64; k++ {
			for _, end := range []float32{g.Low, g.High} {
				x = append(x, (end+k-32)*g.Step, (end+k-31.5)*g.Step)
			}
		}
		x = append(x, -far, far)
		x = d.within(x)
	}
	y, err := f(x)
	if err != nil || len(y) != len(x) {
		return false
	}
	for i, v := range x {
		if y[i] != g.Round(v) {
			return false
		}
	}
	return true
}
