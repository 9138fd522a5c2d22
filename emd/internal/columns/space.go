// Package columns solves transport problems between points, the costs of which are computed
// where they are needed: by column generation, with package sparse's network simplex on
// the arcs found so far. Memory is in proportion to the points.
//
// The points are grouped, by halving boxes, from one group to the points themselves. The
// optimal tree of one level becomes a tree of the next, finer one: the flow between
// two groups is shared out to their members, source by source and sink by sink (the rule of
// the north-west corner), which makes as many arcs as a tree has. From there, arcs are
// added wherever a look at all pairs finds one that would lower the cost, and the simplex
// goes on, until there is none: P. C. Gilmore and R. E. Gomory, Oper. Res. 9 (1961) 849,
// for the method; F. Glover, D. Karney, D. Klingman, A. Napier, Management Science 20
// (1974) 793, for lists of candidates; for coarse solutions as a start, B. Schmitzer, J.
// Math. Imaging Vision 56 (2016) 238.
package columns

import "math"

// A Norm combines the differences along the axes.
type Norm int

const (
	L1 Norm = iota
	LInf
	L2
	// Square is the square of L2.
	Square
)

// A Space says what it costs to move a unit from one place to another.
type Space struct {
	Dim  int
	Norm Norm
	// Periods are the lengths after which an axis repeats, +Inf where it does not; places
	// are within [0, period) then. Nil where no axis repeats.
	Periods []float64
	// Power, if neither 0 nor 1, is what the norm is raised to.
	Power float64
	// Func, if not nil, is asked instead.
	Func func(x, y []float64) float64
	// Kernel is what looks at all pairs.
	Kernel Kernel
}

// general says that there is no kernel for the costs.
func (s *Space) general() bool { return s.Func != nil || s.Power != 0 && s.Power != 1 }

// Cost is that between two places.
func (s *Space) Cost(x, y []float64) float64 {
	if s.Func != nil {
		return s.Func(x, y)
	}
	sum := 0.0
	for a, xa := range x[:s.Dim] {
		d := math.Abs(xa - y[a])
		if s.Periods != nil {
			d = min(d, s.Periods[a]-d)
		}
		sum = s.Norm.add(sum, d)
	}
	sum = s.Norm.finish(sum)
	if s.Power != 0 && s.Power != 1 {
		return math.Pow(sum, s.Power)
	}
	return sum
}

// add takes one more axis into account.
func (n Norm) add(sum, d float64) float64 {
	switch n {
	case L1:
		return sum + d
	case LInf:
		return max(sum, d)
	}
	return sum + float64(d*d)
}

func (n Norm) finish(sum float64) float64 {
	if n == L2 {
		return math.Sqrt(sum)
	}
	return sum
}

// A Side is places with a number each, packed for the kernels: axis by axis, in a
// multiple of block.
type Side struct {
	n, stride int
	at        []float64 // of axis a of place j: at[a·stride+j]
	w         []float64
}

// block is how many places the kernels look at in one go.
const block = 64

// Pack makes room for n places. The numbers of those beyond are infinite.
func (b *Side) Pack(dim, n int) {
	b.n, b.stride = n, (n+block-1)/block*block
	b.at, b.w = grow(b.at, dim*b.stride), grow(b.w, b.stride)
	for k := n; k < b.stride; k++ {
		b.w[k] = math.Inf(1)
		for a := range dim {
			b.at[a*b.stride+k] = 0
		}
	}
}

// Put sets place j.
func (b *Side) Put(j int, x []float64, w float64) {
	for a, y := range x {
		b.at[a*b.stride+j] = y
	}
	b.w[j] = w
}

// place copies place j into x.
func (b *Side) place(j int, x []float64) []float64 {
	for a := range x {
		x[a] = b.at[a*b.stride+j]
	}
	return x
}

func grow[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	return v[:n]
}
