package approx

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// SlicedSettings describe a sliced distance. The zero value: 32 fixed
// directions, scaled to be right for translations.
type SlicedSettings struct {
	// Directions is the number of lines to project on; 0 means 32.
	Directions int
	// Random draws new directions for every call, from Seed on. Otherwise they
	// are fixed, at equal angles over half a turn.
	Random bool
	Seed   uint64
	// Plain leaves out the factor π/2 and returns the mean of the projected
	// distances, which never exceeds the exact one.
	Plain bool
}

// A Sliced computes the sliced 1-Wasserstein distance
//
//	π/2 · mean over directions θ of ∫ |P_θ(t) − Q_θ(t)| dt,
//
// where P_θ and Q_θ are the cumulative masses along θ: on a line the EMD is the area
// between them. J. Rabin, G. Peyré, J. Delon, M. Bernot, SSVM 2011; N. Bonneel et
// al., J. Math. Imaging Vis. 51 (2015) 22. Since 2/π is the mean of |cos θ|, the
// factor makes the distance of an image and its translation right; where mass
// spreads in several directions the result is too small.
//
// It is owned by one goroutine.
type Sliced struct {
	points [][2]float64
	set    SlicedSettings
	lines  []line
	rand   *rand.Rand
	p, q   []float64
	slope  []float64
}

// A line is a direction with the cells in the order in which they lie along it.
type line struct {
	order []int
	gap   []float64 // from each cell to the next; 0 behind the last
}

// NewSliced prepares a distance between images on the given points.
func NewSliced(points [][2]float64, s SlicedSettings) (*Sliced, error) {
	if len(points) == 0 {
		return nil, fmt.Errorf("approx: no points")
	}
	for i, p := range points {
		for c, x := range p {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("approx: point %d: coordinate %d is %v", i, c, x)
			}
		}
	}
	if s.Directions < 0 {
		return nil, fmt.Errorf("approx: %d directions", s.Directions)
	}
	if s.Directions == 0 {
		s.Directions = 32
	}
	n := len(points)
	v := &Sliced{
		points: slices.Clone(points), set: s, rand: rand.New(rand.NewPCG(s.Seed, 0x51ced)),
		p: make([]float64, n), q: make([]float64, n), slope: make([]float64, n),
		lines: make([]line, s.Directions),
	}
	for k := range v.lines {
		v.lines[k] = line{make([]int, n), make([]float64, n)}
		v.turn(&v.lines[k], math.Pi*(float64(k)+0.5)/float64(s.Directions))
	}
	return v, nil
}

// turn sorts the cells along the direction of an angle.
func (s *Sliced) turn(l *line, angle float64) {
	sin, cos := math.Sincos(angle)
	along := func(i int) float64 { return s.points[i][0]*cos + s.points[i][1]*sin }
	for i := range l.order {
		l.order[i] = i
	}
	slices.SortStableFunc(l.order, func(i, j int) int { return cmp.Compare(along(i), along(j)) })
	for k := range len(l.order) - 1 {
		l.gap[k] = along(l.order[k+1]) - along(l.order[k])
	}
}

// Distance is the sliced distance of p and q, scaled to sum 1.
func (s *Sliced) Distance(p, q []float64) (float64, error) { return s.Gradient(p, q, nil, nil) }

// Gradient is Distance, and sets dp and dq to the gradient with respect to the raw
// p and q; either may be nil. Where the cumulative masses agree, a kink, the
// middle of the slopes on both sides counts.
func (s *Sliced) Gradient(p, q, dp, dq []float64) (float64, error) {
	n := len(s.points)
	sumP, err := total("p", p, n)
	if err != nil {
		return 0, err
	}
	sumQ, err := total("q", q, n)
	if err != nil {
		return 0, err
	}
	if err := checkRoom(dp, dq, n); err != nil {
		return 0, err
	}
	normalise(s.p, p, sumP)
	normalise(s.q, q, sumQ)
	clear(s.slope)
	value := 0.0
	for k := range s.lines {
		l := &s.lines[k]
		if s.set.Random {
			s.turn(l, math.Pi*s.rand.Float64())
		}
		value += s.along(l, dp != nil || dq != nil)
	}
	factor := 1 / float64(len(s.lines))
	if !s.set.Plain {
		factor *= math.Pi / 2
	}
	for k, x := range s.slope {
		if dp != nil {
			dp[k] = x * factor
		}
		if dq != nil {
			dq[k] = -x * factor
		}
	}
	if dp != nil {
		project(dp, s.p, sumP)
	}
	if dq != nil {
		project(dq, s.q, sumQ)
	}
	return value * factor, nil
}

// along is the distance on one line; it adds the slopes with respect to p/Σp:
// mass added at a cell raises all cumulative masses behind it.
func (s *Sliced) along(l *line, slopes bool) float64 {
	value, run := 0.0, 0.0
	for k, i := range l.order {
		run += s.p[i] - s.q[i]
		value += l.gap[k] * math.Abs(run)
	}
	if !slopes {
		return value
	}
	// From the far end, where the masses up to a cell are what is left.
	behind := 0.0
	for k := len(l.order) - 1; k >= 0; k-- {
		i := l.order[k]
		if run > 0 {
			behind += l.gap[k]
		} else if run < 0 {
			behind -= l.gap[k]
		}
		s.slope[i] += behind
		run -= s.p[i] - s.q[i]
	}
	return value
}
