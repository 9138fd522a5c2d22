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
// it takes about 8·n² steps if the points turn out to lie in a Euclidean space of
// up to eight dimensions, and n³/2 on all processors otherwise; and nothing
// afterwards, or for the metrics made by [Euclidean] and [Periodic].
func (m *Metric) Check() error { return m.check(0) }

// check is Check on so many threads, 0 meaning all processors.
func (m *Metric) check(threads int) error {
	m.once.Do(func() {
		if m.n > directPoints && m.inSpace() {
			return
		}
		if threads == 0 {
			threads = runtime.GOMAXPROCS(0)
		}
		m.findTriangle(threads)
	})
	if m.tri != nil {
		return m.tri
	}
	return nil
}

// directPoints is up to how many points looking at all triples takes no time.
const directPoints = 64

// findTriangle looks at all triples until one violates the inequality.
func (m *Metric) findTriangle(threads int) {
	var next atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	var stop atomic.Bool
	for range min(threads, m.n/directPoints+1) {
		wg.Go(func() {
			// Rows are handed out in order, so that all below one with a violation
			// are looked at.
			for !stop.Load() {
				j := int(next.Add(1)) - 1
				if j >= m.n {
					return
				}
				if e := m.rowTriangle(j); e != nil {
					stop.Store(true)
					mu.Lock()
					if m.tri == nil || e.J < m.tri.J {
						m.tri = e
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
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
// are compared. False says nothing.
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
	for i := range n {
		for j, x := range m.row(i)[:i] {
			sum := 0.0
			for _, a := range axes {
				sum += (a[i] - a[j]) * (a[i] - a[j])
			}
			if math.Abs(math.Sqrt(sum)-x*unit) > spaceTolerance {
				return false
			}
		}
	}
	return true
}
