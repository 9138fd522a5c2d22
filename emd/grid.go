package emd

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"barrow/emd/internal/sparse"
	"barrow/internal/limit"
)

// A Norm measures the way between two cells of a [Grid], or two [Points].
type Norm int

const (
	// L1 is the sum of the steps along the axes.
	L1 Norm = iota
	// LInf is the largest number of steps along one axis.
	LInf
	// L2 is the length of the straight line.
	L2
)

// A Grid is the cells of an image, or of an array of any dimension, a unit of distance
// apart along each axis, in row-major order. Their distances are those of the graph of
// neighbours (four in an image for [L1], eight for [LInf]), so that mass need only
// move from neighbour to neighbour: problems have O(n) arcs and there is no matrix of n²
// distances. H. Ling and K. Okada, "An efficient Earth mover's distance algorithm for
// robust histogram comparison", IEEE TPAMI 29 (2007) 840. For [L2] the cells are [Points], but for those along a single axis,
// on which all norms are the same.
//
// It is immutable and may be shared by any number of Solvers and goroutines.
type Grid struct {
	norm     Norm
	shape    []int
	periodic []bool
	levels   []level // from the cells themselves to a single one
	max      float64
	points   *Points // for L2

	once  sync.Once
	small *Metric
}

// A level is a grid of which every cell stands for two cells along each axis of the one
// before it.
type level struct {
	cells int
	arcs  []sparse.Arc // between neighbours
	// For the next level: the cell there that a cell belongs to, the arcs that
	// connect the cells of one cell there, and for each arc there one of this level between
	// the same cells.
	above  []int32
	within []int32
	cross  []int32
	corner []int32 // the first cell of each cell there
}

// NewGrid makes a grid of the given numbers of cells along the axes, the last of which
// varies fastest. Along periodic axes, of which nil means none, the last cell and the
// first one are neighbours.
func NewGrid(shape []int, norm Norm, periodic []bool) (*Grid, error) {
	if len(shape) == 0 {
		return nil, errors.New("emd: a grid without axes")
	}
	if periodic != nil && len(periodic) != len(shape) {
		return nil, fmt.Errorf("emd: %d axes of a grid, but %d say whether they are periodic", len(shape), len(periodic))
	}
	if norm < L1 || norm > L2 {
		return nil, fmt.Errorf("emd: the norm %d of a grid is unknown", norm)
	}
	cells, ways, neighbours := 1.0, 0.0, 1.0
	for axis, k := range shape {
		if k < 1 {
			return nil, fmt.Errorf("emd: %d cells along axis %d of a grid: must be at least 1", k, axis)
		}
		cells *= float64(k)
		if k > 1 {
			ways, neighbours = ways+1, 3*neighbours
		}
	}
	if ways <= 1 {
		norm = L1 // as all norms along a line, and the fastest
	}
	if norm == LInf {
		ways = (neighbours - 1) / 2
	}
	if cells*max(1, ways) > math.MaxInt32/8 {
		return nil, fmt.Errorf("emd: a grid of %v cells has %g arcs between neighbours: too many", shape, cells*ways)
	}
	// What the levels take, and what a Solver does.
	if err := limit.Fits("a grid of so many cells:", int(cells), 100+50*ways); err != nil {
		return nil, fmt.Errorf("emd: %w", err)
	}
	g := &Grid{norm: norm, shape: append([]int(nil), shape...), periodic: make([]bool, len(shape))}
	copy(g.periodic, periodic)
	for axis, k := range shape {
		reach := float64(k - 1)
		if g.periodic[axis] {
			reach = float64(k / 2)
		}
		switch norm {
		case L1:
			g.max += reach
		case L2:
			g.max += reach * reach
		default:
			g.max = max(g.max, reach)
		}
	}
	if norm == L2 {
		g.max = math.Sqrt(g.max)
		return g, g.asPoints()
	}
	g.build()
	return g, nil
}

// asPoints makes the cells points.
func (g *Grid) asPoints() (err error) {
	n, dim := 1, len(g.shape)
	for _, k := range g.shape {
		n *= k
	}
	g.levels = []level{{cells: n}}
	at, places := make([]int, dim), make([]float64, 0, n*dim)
	for range n {
		for _, x := range at {
			places = append(places, float64(x))
		}
		advance(at, g.shape)
	}
	periods := make([]float64, dim)
	for axis, k := range g.shape {
		if g.periodic[axis] {
			periods[axis] = float64(k)
		}
	}
	if !slices.Contains(g.periodic, true) {
		periods = nil
	}
	if n > 1 {
		g.points, err = NewPoints(dim, places, Space{Norm: L2, Periods: periods})
	}
	return err
}

// Dims is the number of cells twice: both images are on the same cells.
func (g *Grid) Dims() (p, q int) { return g.levels[0].cells, g.levels[0].cells }

// Shape is the number of cells along each axis.
func (g *Grid) Shape() []int { return append([]int(nil), g.shape...) }

// Max is the largest distance.
func (g *Grid) Max() float64 { return g.max }

// At is the distance between cells i and j.
func (g *Grid) At(i, j int) float64 {
	var room [2][8]int
	a, b := room[0][:0], room[1][:0]
	for axis := len(g.shape) - 1; axis >= 0; axis-- {
		k := g.shape[axis]
		a, b = append(a, i%k), append(b, j%k)
		i, j = i/k, j/k
	}
	slices.Reverse(a)
	slices.Reverse(b)
	return g.between(a, b)
}

// between is the distance between cells of the given coordinates.
func (g *Grid) between(a, b []int) float64 {
	total, squares, largest := 0, 0, 0
	for axis, k := range g.shape {
		d := a[axis] - b[axis]
		d = max(d, -d)
		if g.periodic[axis] {
			d = min(d, k-d)
		}
		total += d
		squares += d * d
		largest = max(largest, d)
	}
	switch g.norm {
	case L1:
		return float64(total)
	case L2:
		return math.Sqrt(float64(squares))
	}
	return float64(largest)
}

func (g *Grid) view() (view, error) {
	if g == nil {
		return view{}, errors.New("emd: no grid")
	}
	if g.points != nil {
		return g.points.view()
	}
	n := g.levels[0].cells
	return view{rows: n, cols: n, max: g.max, grid: g}, nil
}

// metric is the matrix of distances, for as few cells as the masks have bits.
func (g *Grid) metric() *Metric {
	g.once.Do(func() {
		n := g.levels[0].cells
		m := &Metric{n: n, d: make([]float64, n*n), max: g.max}
		at := make([]int, n*len(g.shape)) // the cells' coordinates
		for x := 1; x < n; x++ {
			copy(at[x*len(g.shape):], at[(x-1)*len(g.shape):x*len(g.shape)])
			advance(at[x*len(g.shape):][:len(g.shape)], g.shape)
		}
		for i := range n {
			for j := range i {
				d := g.between(at[i*len(g.shape):], at[j*len(g.shape):])
				m.d[i*n+j], m.d[j*n+i] = d, d
			}
		}
		m.once.Do(func() {}) // a metric by construction
		g.small = m
	})
	return g.small
}

// violation is that of a view: the largest f_i − D_ij of all i is found for every j from
// neighbour to neighbour.
func (g *Grid) violation(f, h []float64) float64 {
	most := append([]float64(nil), f...)
	g.reach(most, 1)
	worst := 0.0
	for j, x := range most {
		if h == nil {
			worst = max(worst, x-f[j])
		} else {
			worst = max(worst, x+h[j])
		}
	}
	return worst
}

// advance sets the coordinates of a cell to those of the next one.
func advance(at, shape []int) {
	for axis := len(shape) - 1; axis >= 0; axis-- {
		if at[axis]++; at[axis] < shape[axis] {
			return
		}
		at[axis] = 0
	}
}
