package emd

import (
	"fmt"
	"math"
	"sync"
)

// A Metric holds the distances between n points. It is immutable and may be
// shared by any number of Solvers and goroutines.
type Metric struct {
	n    int
	d    []float64 // n×n row-major, exactly symmetric, zero diagonal
	max  float64
	once sync.Once
	tri  *TriangleError // the worst violation found by Check, nil if none
	fast fastTable
}

// symmetryTolerance is how far d_ij and d_ji may lie apart, in units of the
// largest distance, and still count as one distance computed twice. The same
// tolerance is allowed on the triangle inequality.
const symmetryTolerance = 1e-12

// NewMetric takes a matrix of distances, n×n in row-major order. The entries
// must be finite and not negative, the diagonal zero, and the matrix symmetric
// up to rounding (10⁻¹² of the largest distance); d_ij and d_ji are replaced by
// their mean. Zero distances between different points are allowed. The triangle
// inequality is not needed here: see [Metric.Check] and [Settings].NonMetric.
// d is copied.
func NewMetric(n int, d []float64) (*Metric, error) {
	if n < 1 {
		return nil, fmt.Errorf("emd: a metric needs at least one point, not %d", n)
	}
	if len(d) != n*n {
		return nil, fmt.Errorf("emd: a metric on %d points needs %d distances, not %d", n, n*n, len(d))
	}
	m := &Metric{n: n, d: make([]float64, n*n)}
	for k, x := range d {
		if !(x >= 0) || math.IsInf(x, 1) {
			return nil, fmt.Errorf("emd: distance [%d][%d] = %v: must be finite and not negative", k/n, k%n, x)
		}
		m.max = max(m.max, x)
	}
	for i := range n {
		if x := d[i*n+i]; x != 0 {
			return nil, fmt.Errorf("emd: distance [%d][%d] = %v: a point is at distance 0 from itself", i, i, x)
		}
		for j := range i {
			a, b := d[i*n+j], d[j*n+i]
			if math.Abs(a-b) > symmetryTolerance*m.max {
				return nil, fmt.Errorf("emd: distances [%d][%d] = %v and [%d][%d] = %v differ: a metric is symmetric", i, j, a, j, i, b)
			}
			x := a/2 + b/2
			m.d[i*n+j], m.d[j*n+i] = x, x
		}
	}
	return m, nil
}

// Euclidean is the straight-line distance between points of the plane, in the
// unit of their coordinates. A metric by construction: it is not checked again.
func Euclidean(points [][2]float64) (*Metric, error) {
	return fromPoints(points, func(a, b [2]float64) (dx, dy float64) {
		return a[0] - b[0], a[1] - b[1]
	})
}

// Periodic is the Euclidean distance on a torus: the plane repeated with the
// given period along x and along y, in the unit of the coordinates. A period of
// 0 means that the coordinate does not repeat (an azimuth beside a length:
// Periodic(points, 2π, 0)). The distance to the nearest copy is a metric on the
// cells, being that of the quotient space.
func Periodic(points [][2]float64, periodX, periodY float64) (*Metric, error) {
	for _, p := range []float64{periodX, periodY} {
		if !(p >= 0) || math.IsInf(p, 1) {
			return nil, fmt.Errorf("emd: period %v: must be finite and not negative", p)
		}
	}
	wrap := func(x, period float64) float64 {
		if period == 0 {
			return x
		}
		return math.Remainder(x, period)
	}
	return fromPoints(points, func(a, b [2]float64) (dx, dy float64) {
		return wrap(a[0]-b[0], periodX), wrap(a[1]-b[1], periodY)
	})
}

// fromPoints fills a matrix that is a metric by construction.
func fromPoints(points [][2]float64, diff func(a, b [2]float64) (dx, dy float64)) (*Metric, error) {
	n := len(points)
	if n < 1 {
		return nil, fmt.Errorf("emd: a metric needs at least one point, not %d", n)
	}
	m := &Metric{n: n, d: make([]float64, n*n)}
	for i, a := range points {
		for c, x := range a {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("emd: point %d: coordinate %d is %v", i, c, x)
			}
		}
		for j := range i {
			x := length(diff(a, points[j]))
			if math.IsInf(x, 1) {
				return nil, fmt.Errorf("emd: points %d and %d are too far apart: the distance overflows", j, i)
			}
			m.d[i*n+j], m.d[j*n+i] = x, x
			m.max = max(m.max, x)
		}
	}
	m.once.Do(func() {})
	return m, nil
}

// length is the Euclidean norm. The plain formula is correctly rounded in its
// parts and the same on every machine (the conversions forbid fused
// multiply-adds); Hypot takes over where squares would overflow or underflow.
func length(x, y float64) float64 {
	r := math.Sqrt(float64(x*x) + float64(y*y))
	if r > 1e-140 && r < 1e140 {
		return r
	}
	return math.Hypot(x, y)
}

// Len is the number of points.
func (m *Metric) Len() int { return m.n }

// At is the distance between points i and j, both in [0, Len).
func (m *Metric) At(i, j int) float64 { return m.d[i*m.n+j] }

// Max is the largest distance.
func (m *Metric) Max() float64 { return m.max }

// row is the i-th row of the matrix.
func (m *Metric) row(i int) []float64 { return m.d[i*m.n : (i+1)*m.n] }

// A TriangleError says that a matrix is not a metric: going from I to J by way
// of K is shorter by Excess than the direct distance.
type TriangleError struct {
	I, J, K int
	Excess  float64
}

func (e *TriangleError) Error() string {
	return fmt.Sprintf("emd: not a metric: the distance from %d to %d exceeds the way over %d by %g", e.I, e.J, e.K, e.Excess)
}

// Check reports the largest violation of the triangle inequality as a
// [*TriangleError], or nil where there is none beyond rounding (10⁻¹² of the
// largest distance). It takes n³/2 steps the first time, and nothing afterwards
// or for the metrics made by [Euclidean] and [Periodic].
func (m *Metric) Check() error {
	m.once.Do(m.findTriangle)
	if m.tri != nil {
		return m.tri
	}
	return nil
}

func (m *Metric) findTriangle() {
	worst := TriangleError{Excess: symmetryTolerance * m.max}
	found := false
	for i := range m.n {
		di := m.row(i)
		for j := range i {
			dj := m.row(j)
			least, at := math.Inf(1), 0
			for k, x := range di {
				if y := x + dj[k]; y < least {
					least, at = y, k
				}
			}
			if excess := di[j] - least; excess > worst.Excess {
				worst, found = TriangleError{I: j, J: i, K: at, Excess: excess}, true
			}
		}
	}
	if found {
		m.tri = &worst
	}
}
