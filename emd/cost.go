package emd

import (
	"errors"
	"fmt"
	"math"
)

// A Ground says what it costs to move a unit of mass from a cell of p to a cell of
// q. It is a [*Metric] or a [*Grid], where both are the same cells, or a [*Cost] or
// [*Points], where they need not be.
type Ground interface {
	// Dims is the number of cells of p and of q.
	Dims() (p, q int)
	// At is the cost from cell i of p to cell j of q.
	At(i, j int) float64
	// Max is the largest absolute value of a cost.
	Max() float64

	view() (view, error)
}

// A view is what Solvers and certificates see of a Ground.
type view struct {
	rows, cols int
	c          []float64 // rows×cols, nil for a grid and for points
	max        float64   // the largest absolute value
	least      float64   // the most negative cost, or 0
	tiny       float64   // the smallest positive cost, 0 where it is not known
	fast       *fastTable
	grid       *Grid
	points     *Points
}

func (v *view) row(i int) []float64 { return v.c[i*v.cols : (i+1)*v.cols] }

// A Cost holds the costs between n cells of p and m cells of q, two sets that may
// be different or have costs of any sign: what other programs call a cost matrix
// M, as in POT's ot.emd(a, b, M). All of both masses is moved, also between a cell
// and itself where the sets are the same, and each side has potentials of its own.
//
// It is immutable and may be shared by any number of Solvers and goroutines.
type Cost struct {
	n, m int
	c    []float64
	v    view
	fast fastTable
}

// NewCost takes the costs, n×m in row-major order: finite, of any sign, and at most
// 10²⁰⁰ in absolute value. For a move that must not happen, give a cost far above
// the others, such as 10³⁰: it does not cost the others digits. c is copied.
func NewCost(n, m int, c []float64) (*Cost, error) {
	if n < 1 || m < 1 {
		return nil, fmt.Errorf("emd: costs between %d and %d cells: each side needs at least one", n, m)
	}
	if len(c)/n != m || len(c)%n != 0 {
		return nil, fmt.Errorf("emd: %d costs between %d and %d cells: one is needed for each pair", len(c), n, m)
	}
	k := &Cost{n: n, m: m, c: append([]float64(nil), c...)}
	for at, x := range c {
		if !(math.Abs(x) <= MaxDistance) {
			return nil, fmt.Errorf("emd: cost [%d][%d] = %v: must be finite, at most %g; for a move that must not happen, a cost far above the others will do", at/m, at%m, x, MaxDistance)
		}
	}
	k.v = newView(n, m, k.c, &k.fast)
	return k, nil
}

// newView finds the extremes of the costs.
func newView(rows, cols int, c []float64, fast *fastTable) view {
	v := view{rows: rows, cols: cols, c: c, tiny: math.Inf(1), fast: fast}
	for _, x := range c {
		if a := math.Abs(x); a > v.max {
			v.max = a
		}
		if x < v.least {
			v.least = x
		}
		if x > 0 && x < v.tiny {
			v.tiny = x
		}
	}
	return v
}

// Dims is the number of cells of p and of q.
func (k *Cost) Dims() (p, q int) { return k.n, k.m }

// At is the cost from cell i of p to cell j of q.
func (k *Cost) At(i, j int) float64 { return k.c[i*k.m+j] }

// Max is the largest absolute value of a cost.
func (k *Cost) Max() float64 { return k.v.max }

func (k *Cost) view() (view, error) {
	if k == nil {
		return view{}, errors.New("emd: no cost")
	}
	return k.v, nil
}
