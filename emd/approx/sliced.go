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
	lines  []bundle
	rand   *rand.Rand
	p, q   []float64 // scaled to sum 1
	diff   []float64 // p − q
	slope  []float64
	places []place
}

// wide is the number of lines that are gone along side by side: on one alone each
// sum would wait for the one before.
const wide = 4

// A bundle is some directions with the cells in the order in which they lie along
// each. Lines that are only there to fill it have no gaps.
type bundle struct {
	order [][wide]int32
	gap   [][wide]float64 // from each cell to the next; 0 behind the last
}

// A place is where a cell lies along a line.
type place struct {
	at   float64
	cell int32
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
		p: make([]float64, n), q: make([]float64, n), diff: make([]float64, n), slope: make([]float64, n),
		places: make([]place, n), lines: make([]bundle, (s.Directions+wide-1)/wide),
	}
	for k := range v.lines {
		v.lines[k] = bundle{make([][wide]int32, n), make([][wide]float64, n)}
	}
	for k := range s.Directions {
		v.turn(k, math.Pi*(float64(k)+0.5)/float64(s.Directions))
	}
	return v, nil
}

// turn sorts the cells along line k, which has an angle.
func (s *Sliced) turn(k int, angle float64) {
	sin, cos := math.Sincos(angle)
	for i, p := range s.points {
		s.places[i] = place{p[0]*cos + p[1]*sin, int32(i)}
	}
	slices.SortFunc(s.places, func(a, b place) int {
		if c := cmp.Compare(a.at, b.at); c != 0 {
			return c
		}
		return cmp.Compare(a.cell, b.cell)
	})
	l, lane := &s.lines[k/wide], k%wide
	for i, x := range s.places {
		l.order[i][lane], l.gap[i][lane] = x.cell, 0
		if i > 0 {
			l.gap[i-1][lane] = x.at - s.places[i-1].at
		}
	}
}

// Distance is the sliced distance of p and q, scaled to sum 1.
func (s *Sliced) Distance(p, q []float64) (float64, error) { return s.Gradient(p, q, nil, nil) }

// Gradient is Distance, and sets dp and dq to the gradient with respect to the raw
// p and q; either may be nil. Where the cumulative masses agree, a kink, the
// middle of the slopes on both sides counts.
func (s *Sliced) Gradient(p, q, dp, dq []float64) (float64, error) {
	sumP, sumQ, err := s.compare(p, q, dp, dq)
	if err != nil {
		return 0, err
	}
	if s.set.Random {
		for k := range s.set.Directions {
			s.turn(k, math.Pi*s.rand.Float64())
		}
	}
	clear(s.slope)
	value := 0.0
	for k := range s.lines {
		var v [wide]float64
		if dp != nil || dq != nil {
			v = s.back(&s.lines[k])
		} else {
			v = s.along(&s.lines[k])
		}
		value += (v[0] + v[1]) + (v[2] + v[3])
	}
	factor := 1 / float64(s.set.Directions)
	if !s.set.Plain {
		factor *= math.Pi / 2
	}
	s.spread(factor, sumP, sumQ, dp, dq)
	return value * factor, nil
}

// compare checks a pair and the room for its gradients, and leaves the images scaled to
// sum 1 and their difference.
func (s *Sliced) compare(p, q, dp, dq []float64) (sumP, sumQ float64, err error) {
	n := len(s.points)
	if sumP, err = total("p", p, n); err != nil {
		return 0, 0, err
	}
	if sumQ, err = total("q", q, n); err != nil {
		return 0, 0, err
	}
	if err = checkRoom(dp, dq, n); err != nil {
		return 0, 0, err
	}
	normalise(s.p, p, sumP)
	normalise(s.q, q, sumQ)
	for i, x := range s.p {
		s.diff[i] = x - s.q[i]
	}
	return sumP, sumQ, nil
}

// spread makes the gradients of the slopes with respect to p/Σp, times a factor; what all
// slopes have in common falls out.
func (s *Sliced) spread(factor, sumP, sumQ float64, dp, dq []float64) {
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
}

// along is the distance on each line of a bundle.
func (s *Sliced) along(l *bundle) [wide]float64 {
	var a, b, c, d, va, vb, vc, vd float64 // sums and values of the lines
	diff, gap := s.diff, l.gap[:len(l.order)]
	for k := range l.order {
		o, g := &l.order[k], &gap[k]
		a += diff[o[0]]
		b += diff[o[1]]
		c += diff[o[2]]
		d += diff[o[3]]
		va += g[0] * math.Abs(a)
		vb += g[1] * math.Abs(b)
		vc += g[2] * math.Abs(c)
		vd += g[3] * math.Abs(d)
	}
	return [wide]float64{va, vb, vc, vd}
}

// back is along, and adds the slopes with respect to p/Σp, but for what all cells of a line have
// in common: mass added at a cell raises all cumulative masses behind it, so that it lacks the
// slopes of those before it.
func (s *Sliced) back(l *bundle) [wide]float64 {
	var a, b, c, d, va, vb, vc, vd float64
	var pa, pb, pc, pd float64 // less what is before
	diff, slope, gap := s.diff, s.slope[:len(s.diff)], l.gap[:len(l.order)]
	for k := range l.order {
		o, g := &l.order[k], &gap[k]
		a += diff[o[0]]
		b += diff[o[1]]
		c += diff[o[2]]
		d += diff[o[3]]
		va += g[0] * math.Abs(a)
		vb += g[1] * math.Abs(b)
		vc += g[2] * math.Abs(c)
		vd += g[3] * math.Abs(d)
		slope[o[0]] += pa
		slope[o[1]] += pb
		slope[o[2]] += pc
		slope[o[3]] += pd
		pa -= signed(g[0], a)
		pb -= signed(g[1], b)
		pc -= signed(g[2], c)
		pd -= signed(g[3], d)
	}
	return [wide]float64{va, vb, vc, vd}
}

// signed is gap times the sign of x, 0 if x is. It has no branches, since no one
// can foretell the sign.
func signed(gap, x float64) float64 {
	b := math.Float64bits(x)
	const sign = 1 << 63
	some := (b&^sign + (sign - 1)) >> 63 // 1 where x is not 0: then the sum carries
	return math.Float64frombits((math.Float64bits(gap) | b&sign) & -some)
}
