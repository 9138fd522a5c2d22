package emd

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"barrow/internal/limit"
)

// A Metric holds the distances between n points. It is immutable and may be
// shared by any number of Solvers and goroutines.
type Metric struct {
	n    int
	d    []float64 // n×n row-major, exactly symmetric, zero diagonal
	max  float64
	once sync.Once
	tri  *TriangleError // the violation found by Check, nil if none
	fast fastTable
	full fastTable // for costs that are no metric
}

// symmetryTolerance is how far d_ij and d_ji may lie apart, in units of the
// largest distance, and still count as one distance computed twice. The same
// tolerance is allowed on the triangle inequality.
const symmetryTolerance = 1e-12

// MaxDistance bounds distances, coordinates, costs and penalties, so that neither
// their squares nor their products with masses leave float64: an image's plan adds up
// 2⁵² units of mass, times 10⁴⁰ of theirs.
const MaxDistance = 1e200

// leastDistance is what the largest distance of a metric is at least.
const leastDistance = 1 / MaxDistance

// NewMetric takes a matrix of distances, n×n in row-major order. The entries
// must be finite and not negative, the diagonal zero, and the matrix symmetric
// up to rounding (10⁻¹² of the largest distance); d_ij and d_ji are replaced by
// their mean. The largest is between 10⁻²⁰⁰ and 10²⁰⁰. Zero distances between
// different points are allowed, but not all zero: every EMD would be. The triangle
// inequality is not needed here: see [Metric.Check] and [Settings].NonMetric, and
// [NewCost] for costs that are no distances. d is copied.
func NewMetric(n int, d []float64) (*Metric, error) {
	if n < 1 {
		return nil, fmt.Errorf("emd: a metric needs at least one point, not %d", n)
	}
	if len(d)/n != n || len(d)%n != 0 {
		return nil, fmt.Errorf("emd: a metric on %d points needs %d×%d distances, not %d; for costs between two sets of points, see NewCost", n, n, n, len(d))
	}
	m := &Metric{n: n, d: make([]float64, n*n)}
	for k, x := range d {
		if !(x >= 0) || math.IsInf(x, 1) {
			return nil, fmt.Errorf("emd: distance [%d][%d] = %v: must be finite and not negative; for costs, see NewCost", k/n, k%n, x)
		}
		m.max = max(m.max, x)
	}
	for i := range n {
		if x := d[i*n+i]; x != 0 {
			return nil, fmt.Errorf("emd: distance [%d][%d] = %v: a point is at distance 0 from itself; for costs, see NewCost", i, i, x)
		}
		for j := range i {
			a, b := d[i*n+j], d[j*n+i]
			if math.Abs(a-b) > symmetryTolerance*m.max {
				return nil, fmt.Errorf("emd: distances [%d][%d] = %v and [%d][%d] = %v differ: a metric is symmetric; for costs, see NewCost", i, j, a, j, i, b)
			}
			x := a/2 + b/2
			m.d[i*n+j], m.d[j*n+i] = x, x
		}
	}
	if err := m.checkScale(); err != nil {
		return nil, err
	}
	return m, nil
}

// checkScale refuses distances that say nothing or cannot be computed with.
func (m *Metric) checkScale() error {
	switch {
	case m.n > 1 && m.max == 0:
		return fmt.Errorf("emd: all distances between the %d points are 0, so every EMD would be 0: are the points all the same?", m.n)
	case m.n > 1 && m.max < leastDistance || m.max > MaxDistance:
		return fmt.Errorf("emd: the largest distance, %g, is outside %g to %g: choose another unit", m.max, leastDistance, MaxDistance)
	}
	return nil
}

// Euclidean is the straight-line distance between points of the plane, in the
// unit of their coordinates, at most 10²⁰⁰. A metric by construction: it is not
// checked again. Points may coincide, but not all of them.
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
	if err := limit.Fits("a metric of so many points:", n, 8*float64(n)); err != nil {
		return nil, fmt.Errorf("emd: %w", err)
	}
	m := &Metric{n: n, d: make([]float64, n*n)}
	for i, a := range points {
		for c, x := range a {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("emd: point %d: coordinate %d is %v", i, c, x)
			}
			if math.Abs(x) > MaxDistance {
				return nil, fmt.Errorf("emd: point %d: coordinate %d is %g, beyond %g: choose another unit", i, c, x, MaxDistance)
			}
		}
		for j := range i {
			x := length(diff(a, points[j]))
			m.d[i*n+j], m.d[j*n+i] = x, x
			m.max = max(m.max, x)
		}
	}
	m.once.Do(func() {})
	if err := m.checkScale(); err != nil {
		return nil, err
	}
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

// Dims is Len twice: both images are on the same points.
func (m *Metric) Dims() (p, q int) { return m.n, m.n }

// At is the distance between points i and j, both in [0, Len).
func (m *Metric) At(i, j int) float64 { return m.d[i*m.n+j] }

// Max is the largest distance.
func (m *Metric) Max() float64 { return m.max }

// row is the i-th row of the matrix.
func (m *Metric) row(i int) []float64 { return m.d[i*m.n : (i+1)*m.n] }

func (m *Metric) view() (view, error) {
	if m == nil {
		return view{}, errors.New("emd: no metric")
	}
	return view{rows: m.n, cols: m.n, c: m.d, max: m.max, fast: &m.fast}, nil
}
