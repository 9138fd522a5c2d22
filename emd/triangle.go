package emd

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// A TriangleError says that a matrix is not a metric: going from I to J by way
// of K is shorter by Excess than the direct distance.
type TriangleError struct {
	I, J, K int
	Excess  float64
}

func (e *TriangleError) Error() string {
	return fmt.Sprintf("emd: not a metric: the distance from %d to %d exceeds the way over %d by %g; for costs as they are, see NonMetricSolve and NewCost", e.I, e.J, e.K, e.Excess)
}

// Check reports a violation of the triangle inequality as a [*TriangleError], the
// one of the lowest J and then I, or nil where there is none beyond rounding
// (10⁻¹² of the largest distance). It ends with the first; where there is none,
// it takes some n² steps if the points turn out to lie in a Euclidean space of
// up to eight dimensions, some more if most distances are sums of shorter ones, as
// on grids and graphs, and n³/2 on all processors otherwise; and nothing
// afterwards, or for the metrics made by [Euclidean] and [Periodic].
func (m *Metric) Check() error { return m.check(0) }

// check is Check on so many threads, 0 meaning all processors.
func (m *Metric) check(threads int) error {
	m.once.Do(func() {
		if threads == 0 {
			threads = runtime.GOMAXPROCS(0)
		}
		if m.n > directPoints && (m.inSpace() || m.ofPaths(threads)) {
			return
		}
		m.findTriangle(threads)
	})
	if m.tri != nil {
		return m.tri
	}
	return nil
}

// Obvious says that the triangle inequality holds where that is found out in less time
// than solving a pair takes: up to some hundred points as [Metric.Check] does, and beyond
// for distances in a Euclidean space of up to eight dimensions. False says nothing.
func (m *Metric) Obvious() bool {
	const few = 128
	if m.n <= few {
		return m.check(1) == nil
	}
	return m.inSpace()
}

// directPoints is up to how many points looking at all triples takes no time.
const directPoints = 64

// findTriangle looks at all triples until one violates the inequality.
func (m *Metric) findTriangle(threads int) {
	var mu sync.Mutex
	eachRow(m.n, threads, func(j int) bool {
		e := m.rowTriangle(j)
		if e == nil {
			return true
		}
		mu.Lock()
		defer mu.Unlock()
		if m.tri == nil || e.J < m.tri.J {
			m.tri = e
		}
		return false
	})
}

// eachRow calls f with 0 … n−1 on some threads until it returns false. Rows are
// handed out in order, so all below that one are finished. It reports whether
// all returned true.
func eachRow(n, threads int, f func(i int) bool) bool {
	var next atomic.Int64
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range min(threads, n/directPoints+1) {
		wg.Go(func() {
			for !stop.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if !f(i) {
					stop.Store(true)
				}
			}
		})
	}
	wg.Wait()
	return !stop.Load()
}

// rowTriangle finds a violation of the distances from point j to earlier ones.
func (m *Metric) rowTriangle(j int) *TriangleError {
	dj := m.row(j)
	for i, direct := range dj[:j] {
		if !detour(m.row(i), dj, direct-symmetryTolerance*m.max) {
			continue
		}
		least, at := math.Inf(1), 0
		for k, x := range m.row(i) {
			if y := x + dj[k]; y < least {
				least, at = y, k
			}
		}
		return &TriangleError{I: i, J: j, K: at, Excess: direct - least}
	}
	return nil
}

// detour says that some a_k + b_k is below the bound. Four are looked at at a time:
// branches that are never taken cost least.
func detour(a, b []float64, bound float64) bool {
	b = b[:len(a)]
	for ; len(a) >= 4; a, b = a[4:], b[4:] {
		if a[0]+b[0] < bound || a[1]+b[1] < bound || a[2]+b[2] < bound || a[3]+b[3] < bound {
			return true
		}
	}
	for k, x := range a {
		if x+b[k] < bound {
			return true
		}
	}
	return false
}

const (
	// spaceDimensions is how many dimensions inSpace looks for.
	spaceDimensions = 8
	// spaceRest is the squared extent, of the largest squared distance, below which
	// a further dimension is rounding.
	spaceRest = 1e-13
	// spaceTolerance is how far distances may differ from those of points, of the
	// largest distance: three of them stay within that on the triangle inequality.
	spaceTolerance = symmetryTolerance / 3
)

// inSpace says that the distances are those between some points of a Euclidean
// space, which makes them a metric. The points are found from the products of
// their vectors from point 0, G_ij = (d_0i² + d_0j² − d_ij²)/2, by a Cholesky
// decomposition that takes the longest remaining vector each time (classical
// scaling: W. S. Torgerson, Psychometrika 17 (1952) 401), and then all distances
// are compared; triangles with one of a few that are off are looked at. False says nothing.
func (m *Metric) inSpace() bool {
	n, unit := m.n, 1/m.max
	rest := make([]float64, n)
	for j, x := range m.row(0) {
		rest[j] = x * unit * x * unit
	}
	first := append([]float64(nil), rest...)
	var axes [][]float64
	for {
		i := 0
		for j, x := range rest {
			if x > rest[i] {
				i = j
			}
		}
		if rest[i] <= spaceRest {
			break
		}
		if len(axes) == spaceDimensions {
			return false
		}
		axis, scale := make([]float64, n), 1/math.Sqrt(rest[i])
		for j, x := range m.row(i) {
			g := (first[i] + first[j] - x*unit*x*unit) / 2
			for _, a := range axes {
				g -= a[i] * a[j]
			}
			axis[j] = g * scale
			rest[j] -= axis[j] * axis[j]
		}
		axes = append(axes, axis)
	}
	off := 0
	for i := range n {
		for j, x := range m.row(i)[:i] {
			sum := 0.0
			for _, a := range axes {
				sum += (a[i] - a[j]) * (a[i] - a[j])
			}
			if math.Abs(math.Sqrt(sum)-x*unit) <= spaceTolerance {
				continue
			}
			if off++; off > n || !m.allTriangles(i, j) {
				return false
			}
		}
	}
	return true
}

// allTriangles says that the inequality holds in all triangles with the side ij. Near
// points have distances with an error far above rounding where squares were subtracted.
func (m *Metric) allTriangles(i, j int) bool {
	a, b := m.row(i), m.row(j)
	x, slack := a[j], symmetryTolerance*m.max
	for k, y := range a {
		if z := b[k]; x > y+z+slack || y > x+z+slack || z > x+y+slack {
			return false
		}
	}
	return true
}

// nearPoints is how many of a point's nearest others ofPaths tries as stops.
const nearPoints = 24

// ofPaths says that the distances are a metric, looking at few triples where
// most distances are sums of shorter ones. Let R_ik = max_j |d_ij − d_kj|; the
// triangle inequality is R_ik ≤ d_ik for all pairs. R is the distance of the rows in
// the maximum norm, so if it holds for (i, l) and (l, k), and d_il + d_lk = d_ik,
// then for (i, k): only pairs without such a stop l have to be looked at.
// False says nothing.
func (m *Metric) ofPaths(threads int) bool {
	n := m.n
	// What rounding leaves is added up along a path, of at most n stops.
	slack := max(symmetryTolerance/float64(2*n), 2e-16) * m.max
	direct := make([]bool, n*n)
	var left atomic.Int64
	eachRow(n, threads, func(i int) bool {
		left.Add(int64(m.stops(i, slack, direct[i*n:][:n])))
		return true
	})
	if left.Load() > int64(n)*int64(n)/2 {
		return false // no gain
	}
	return eachRow(n, threads, func(i int) bool {
		a := m.row(i)
		for k := range i {
			if direct[i*n+k] && direct[k*n+i] && apart(a, m.row(k), a[k]+slack) {
				return false
			}
		}
		return true
	})
}

// stops marks the points to which no way from i leads by way of one of its nearest
// points, and counts them. Both parts of a way are shorter than all of it.
func (m *Metric) stops(i int, slack float64, direct []bool) int {
	var near [nearPoints]int
	di, have := m.row(i), 0
	for l, x := range di {
		if !(x > 2*slack) || have == nearPoints && x >= di[near[have-1]] {
			continue
		}
		have = min(have+1, nearPoints)
		at := have - 1
		for ; at > 0 && di[near[at-1]] > x; at-- {
			near[at] = near[at-1]
		}
		near[at] = l
	}
	for k := range direct {
		direct[k] = true
	}
	for _, l := range near[:have] {
		first := di[l] - slack
		for k, x := range m.row(l) {
			if first+x <= di[k] && x > 2*slack {
				direct[k] = false
			}
		}
	}
	count := 0
	for _, x := range direct {
		if x {
			count++
		}
	}
	return count
}

// apart says that two entries differ by more than the bound.
func apart(a, b []float64, bound float64) bool {
	b = b[:len(a)]
	for k, x := range a {
		if math.Abs(x-b[k]) > bound {
			return true
		}
	}
	return false
}
