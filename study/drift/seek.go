package drift

import (
	"context"
	"math"

	"barrow/internal/counter"
	"barrow/internal/setting"
)

// The names of the ways to look for the least cost.
const (
	byExtremum   = "seek"
	bySPSA       = "spsa"
	byCoordinate = "coordinate"
)

// Methods are the names that Plan.Methods takes.
func methods() []string { return []string{byExtremum, bySPSA, byCoordinate} }

// A search looks for the vector of least cost from measurements of the cost alone.
type search struct {
	Method string
	// Measurements of the cost, about as many as are made.
	Measurements int
	Seed         uint64    // of SPSA's directions
	Low, High    []float64 // bounds of each parameter; nil for none
}

// The amplitude of the dither in units of the scales at the beginning, by how much it has fallen in the
// end, and how far the cost turns the phase.
const (
	dither = 0.2
	decay  = 5
	turn   = 5
)

// minimise looks for the least cost from start on, along as many axes, whose lengths are the units in
// which it moves. The cost is positive; it may be noisy. Errors are those of the cost.
func (s search) minimise(ctx context.Context, cost func(p []float64) (float64, error), start []float64, axes [][]float64) ([]float64, error) {
	m := &measuring{cost: cost, start: start, axes: axes, at: make([]float64, len(start)), low: s.Low, high: s.High}
	if err := setting.Choice("methods", s.Method, methods()); err != nil {
		return nil, err
	}
	var u []float64
	var err error
	switch s.Method {
	case byExtremum:
		u, err = m.seek(ctx, s.Measurements)
	case bySPSA:
		u, err = m.spsa(ctx, s.Measurements, s.Seed)
	default:
		u, err = m.coordinate(ctx, s.Measurements)
	}
	if err != nil {
		return nil, err
	}
	m.point(u)
	return m.at, nil
}

// measuring measures the cost at start + Σ u_j·axis_j.
type measuring struct {
	cost      func(p []float64) (float64, error)
	start, at []float64
	axes      [][]float64
	low, high []float64
}

// point writes where u is, brought back within the bounds, and returns the square of how far it was beyond,
// in units of the axes' largest parts.
func (m *measuring) point(u []float64) (beyond float64) {
	for i := range m.at {
		v, unit := m.start[i], 0.0
		for j, axis := range m.axes {
			v += u[j] * axis[i]
			unit = max(unit, math.Abs(axis[i]))
		}
		m.at[i] = v
		if m.low != nil {
			m.at[i] = max(m.low[i], min(m.high[i], v))
		}
		if d := v - m.at[i]; d != 0 {
			beyond += d * d / (unit * unit)
		}
	}
	return beyond
}

// measure is the logarithm of the cost, whose changes mean the same however large it is, and more beyond
// the bounds.
func (m *measuring) measure(ctx context.Context, u []float64) (float64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	beyond := m.point(u)
	c, err := m.cost(m.at)
	return math.Log(max(c, 1e-12)) + beyond, err
}

// seek is extremum seeking of bounded rate: u_i' = √(α ω_i)·cos(ω_i t + k·C(u)). Every parameter goes
// round at a frequency of its own, ω_1 … 1.75 ω_1 such that none is another's double; the cost C turns
// the phase, so that on average u' = −(k α/2)·∇C (A. Scheinker and D. Scheinker, Automatica 50 (2014) 1458;
// Phys. Rev. Accel. Beams 24 (2021) for latent spaces). The dither √(α/ω) falls to a tenth, and what
// is found is the mean of the last quarter.
func (m *measuring) seek(ctx context.Context, measurements int) ([]float64, error) {
	const top, steps = 1.75, 8 // of the frequencies; steps in a round of the quickest
	dt := 2 * math.Pi / (steps * top)
	n := len(m.axes)
	u, mean := make([]float64, n), make([]float64, n)
	first, tail := 0.0, 0
	for k := range measurements {
		c, err := m.measure(ctx, u)
		if err != nil {
			return nil, err
		}
		if k == 0 {
			first = c
		}
		amplitude := dither * math.Pow(decay, -float64(k)/float64(measurements))
		for i := range u {
			w := 1.0
			if n > 1 {
				w += (top - 1) * float64(i) / float64(n-1)
			}
			u[i] += amplitude * w * dt * math.Cos(w*dt*float64(k)+turn*(c-first))
		}
		if k >= measurements*3/4 {
			tail++
			for i := range u {
				mean[i] += (u[i] - mean[i]) / float64(tail)
			}
		}
	}
	return mean, nil
}

// spsa is simultaneous perturbation (J. C. Spall, IEEE Trans. Automat. Contr. 37 (1992) 332): all
// parameters are moved at once, to either side in a random direction, and the difference of two
// measurements is the slope along it. The gains fall as Spall recommends.
func (m *measuring) spsa(ctx context.Context, measurements int, seed uint64) ([]float64, error) {
	const most = 0.25 // a step, in each direction
	n := len(m.axes)
	u, v, mean := make([]float64, n), make([]float64, n), make([]float64, n)
	s := counter.New(seed, 0x73707361)
	direction := make([]float64, n)
	rounds, tail := measurements/2, 0
	for k := range rounds {
		width := dither / math.Pow(float64(k+1), 0.101)
		gain := 0.3 / math.Pow(1+float64(k)/(0.1*float64(rounds)), 0.602)
		var c [2]float64
		for i := range direction {
			direction[i] = float64(2*s.IntN(2) - 1)
		}
		for side := range c {
			for i := range v {
				v[i] = u[i] + width*float64(1-2*side)*direction[i]
			}
			var err error
			if c[side], err = m.measure(ctx, v); err != nil {
				return nil, err
			}
		}
		slope := (c[0] - c[1]) / (2 * width)
		step := max(-most, min(most, gain*slope))
		for i := range u {
			u[i] -= step * direction[i]
		}
		if k >= rounds*3/4 {
			tail++
			for i := range u {
				mean[i] += (u[i] - mean[i]) / float64(tail)
			}
		}
	}
	return mean, nil
}

// coordinate tries steps along one parameter after the other, on either side: longer ones where they
// help, shorter ones where neither side does.
func (m *measuring) coordinate(ctx context.Context, measurements int) ([]float64, error) {
	n := len(m.axes)
	u, step := make([]float64, n), make([]float64, n)
	for i := range step {
		step[i] = 0.5
	}
	best, err := m.measure(ctx, u)
	for k, used := 0, 1; err == nil && used < measurements; k++ {
		i := k % n
		old, better := u[i], false
		for _, side := range [2]float64{1, -1} {
			u[i] = old + side*step[i]
			var c float64
			if c, err = m.measure(ctx, u); err != nil {
				break
			}
			if used++; c < best {
				best, better, step[i] = c, true, 1.5*side*step[i]
				break
			}
		}
		if !better {
			u[i], step[i] = old, step[i]/2
		}
	}
	return u, err
}
