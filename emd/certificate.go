package emd

import (
	"fmt"
	"math"
)

// An Arc is a part of a transport plan: Mass goes from cell From to cell To.
type Arc struct {
	From, To int
	Mass     float64
}

// Flow appends an optimal transport plan to arcs and returns it with the
// distance. The plan has at most 2n arcs: those that move mass, and those from a
// cell to itself for the mass that stays. Its row sums are p and its column sums
// q, up to rounding; divided by their totals with UnequalNormalise, and without the
// unmatched mass with UnequalPenalty.
func (s *Solver) Flow(p, q []float64, arcs []Arc) ([]Arc, float64, error) {
	r, err := s.solve(p, q)
	if err != nil {
		return arcs, 0, err
	}
	return s.appendFlow(&r, p, q, arcs), r.value, nil
}

func (s *Solver) appendFlow(r *solution, p, q []float64, arcs []Arc) []Arc {
	a, b, unit := 1.0, 1.0, 1.0
	if r.expP != 0 || r.expQ != 0 {
		p, q = s.p, s.q
		unit = math.Ldexp(1, r.expP)
	}
	if s.set.Unequal == UnequalNormalise {
		a, b, unit = 1/r.p, 1/r.q, 1/r.p/r.q
	}
	if l := s.rect; l != nil {
		for _, m := range l.flows {
			if m.units > 0 && m.from < l.rows && m.to < l.cols {
				arcs = append(arcs, Arc{m.from, m.to, m.units * l.unit * unit})
			}
		}
		return arcs
	}
	for k := range p {
		m := min(p[k]*a, q[k]*b)
		if s.set.Unequal != UnequalNormalise {
			m *= unit
		}
		if m > 0 {
			arcs = append(arcs, Arc{k, k, m})
		}
	}
	if r.equal {
		return arcs
	}
	add := func(from, to int, swap bool, mass float64) {
		if swap {
			from, to = to, from
		}
		if mass > 0 && from != s.cells && to != s.cells {
			arcs = append(arcs, Arc{from, to, mass})
		}
	}
	if l := s.large; l != nil {
		l.core.flows(func(i, j int, flow float64) { add(i, j, false, flow*l.unit*unit) })
		return arcs
	}
	s.state.Arcs(func(i, j int, flow float64) { add(i, j, s.state.Swapped, flow*s.state.Unit*unit) })
	return arcs
}

// A Certificate measures how far a plan F and potentials f, h are from proving
// each other optimal. Whatever the method that found them: if F is a plan
// between p and q and f_i + h_j ≤ D_ij everywhere (h = −f for a metric), every
// plan costs at least Σ p f + Σ q h, so where the plan costs no more than that it
// is optimal, and so are the potentials. L. V. Kantorovich (1942); the linear
// programme's weak duality.
type Certificate struct {
	// Primal is the cost of the plan, Dual the value of the potentials. The
	// distance lies between Dual and Primal where the other fields are zero.
	Primal, Dual float64
	// Violation is the largest f_i + h_j − D_ij, or 0 (the Lipschitz violation
	// for a metric); with UnequalPenalty also the excess of f_i over R for
	// cells that may stay unmatched.
	Violation float64
	// Imbalance is the largest difference between a row or column sum of the
	// plan and the mass it should have.
	Imbalance float64
	// Negative is the size of the most negative flow, or 0.
	Negative float64
	// Mass and Distance are the scales to judge by: the plan's total and the
	// largest distance.
	Mass, Distance float64
}

// Gap is Primal − Dual.
func (c Certificate) Gap() float64 { return c.Primal - c.Dual }

// String lists the figures.
func (c Certificate) String() string {
	return fmt.Sprintf("primal %.17g, dual %.17g, violation %.3g, imbalance %.3g, negative %.3g",
		c.Primal, c.Dual, c.Violation, c.Imbalance, c.Negative)
}

// Check returns an error unless the certificate proves optimality up to
// rounding: violation, imbalance, negative flow and gap all within tolerance
// relative to the scales Distance, Mass and Mass·Distance. A tolerance of 0
// means 2·10⁻¹⁴.
func (c Certificate) Check(tolerance float64) error {
	if tolerance == 0 {
		tolerance = 2e-14
	}
	ok := c.Violation <= tolerance*c.Distance &&
		c.Imbalance <= tolerance*c.Mass && c.Negative <= tolerance*c.Mass &&
		math.Abs(c.Gap()) <= tolerance*c.Mass*c.Distance
	if !ok {
		return fmt.Errorf("emd: not certified optimal within %g: %s", tolerance, c)
	}
	return nil
}

// Certify measures a plan and potentials for masses p and q of equal total. h
// are the potentials of q; nil stands for −f, on a metric.
func Certify(g Ground, p, q []float64, plan []Arc, f, h []float64) (Certificate, error) {
	m, err := g.view()
	if err != nil {
		return Certificate{}, err
	}
	if len(p) != m.rows || len(q) != m.cols || len(f) != m.rows || h != nil && len(h) != m.cols || h == nil && m.rows != m.cols {
		return Certificate{}, fmt.Errorf("emd: certify: %d and %d masses, %d and %d potentials on %d and %d cells", len(p), len(q), len(f), len(h), m.rows, m.cols)
	}
	c := Certificate{Distance: m.max}
	row, col := make([]float64, m.rows), make([]float64, m.cols)
	for _, a := range plan {
		if a.From < 0 || a.From >= m.rows || a.To < 0 || a.To >= m.cols {
			return c, fmt.Errorf("emd: certify: an arc from %d to %d on %d and %d cells", a.From, a.To, m.rows, m.cols)
		}
		row[a.From] += a.Mass
		col[a.To] += a.Mass
		c.Primal += a.Mass * g.At(a.From, a.To)
		c.Negative = max(c.Negative, -a.Mass)
		c.Mass += a.Mass
	}
	c.Violation = m.violation(f, h)
	for i := range m.rows {
		c.Imbalance = max(c.Imbalance, math.Abs(row[i]-p[i]))
	}
	for j := range m.cols {
		c.Imbalance = max(c.Imbalance, math.Abs(col[j]-q[j]))
	}
	if h != nil {
		for i, x := range p {
			c.Dual += x * f[i]
		}
		for j, x := range q {
			c.Dual += x * h[j]
		}
		return c, nil
	}
	for i, x := range p {
		// What cancels in p − q is left out of the sum: it would only add rounding.
		c.Dual += (x - q[i]) * f[i]
	}
	return c, nil
}

// violation is the largest f_i + h_j − D_ij, or 0, with −f for h where h is nil.
func (v *view) violation(f, h []float64) float64 {
	if v.grid != nil {
		return v.grid.violation(f, h)
	}
	if v.points != nil {
		return v.points.violation(f, h)
	}
	hi := func(j int) float64 {
		if h == nil {
			return -f[j]
		}
		return h[j]
	}
	worst := 0.0
	for i := range v.rows {
		for j, x := range v.row(i) {
			worst = max(worst, f[i]+hi(j)-x)
		}
	}
	return worst
}

// Certificate solves the pair and measures the result against the problem of
// Settings: the masses compared are p/Σp and q/Σq with UnequalNormalise, and with
// UnequalPenalty what the plan leaves unmatched counts R per unit in Primal. It
// allocates.
func (s *Solver) Certificate(p, q []float64) (Certificate, error) {
	r, err := s.solve(p, q)
	if err != nil {
		return Certificate{}, err
	}
	plan, f, h := s.proof(&r, p, q)
	return s.certificate(&r, p, q, plan, f, h)
}

// proof is a new plan with new potentials; h is nil on a metric, where it is −f.
func (s *Solver) proof(r *solution, p, q []float64) (plan []Arc, f, h []float64) {
	f = make([]float64, s.cells)
	if s.rect != nil {
		h = make([]float64, s.cellsQ)
	}
	s.bothPotentials(r, f, h)
	return s.appendFlow(r, p, q, nil), f, h
}

func (s *Solver) certificate(r *solution, p, q []float64, plan []Arc, f, h []float64) (Certificate, error) {
	p, q = s.compared(r, p, q)
	if s.set.Unequal != UnequalPenalty {
		return Certify(s.ground, p, q, plan, f, h)
	}
	return s.certifyPenalty(p, q, plan, f, h)
}

// certifyPenalty adds the unmatched mass to the certificate.
func (s *Solver) certifyPenalty(p, q []float64, plan []Arc, f, h []float64) (Certificate, error) {
	c, err := Certify(s.ground, p, q, plan, f, h)
	if err != nil {
		return c, err
	}
	c.Distance = max(c.Distance, s.set.Penalty)
	total := [2]float64{sum(p), sum(q)}
	c.Mass = max(total[0], total[1])
	c.Primal += s.set.Penalty * math.Abs(total[0]-total[1])
	row, col := make([]float64, s.cells), make([]float64, s.cellsQ)
	for _, a := range plan {
		row[a.From] += a.Mass
		col[a.To] += a.Mass
	}
	// The heavier side may keep mass, at a potential of at most R.
	c.Imbalance = 0
	side := func(placed, mass, pot []float64, heavier bool) {
		for k, x := range placed {
			over := x - mass[k]
			if heavier {
				c.Violation = max(c.Violation, pot[k]-s.set.Penalty)
			} else {
				over = math.Abs(over)
			}
			c.Imbalance = max(c.Imbalance, over)
		}
	}
	if h == nil {
		h = make([]float64, s.cells)
		for k, x := range f {
			h[k] = -x
		}
	}
	side(row, p, f, total[0]-total[1] > roundingTolerance*c.Mass)
	side(col, q, h, total[1]-total[0] > roundingTolerance*c.Mass)
	return c, nil
}

// compared returns copies of the masses that the distance is between.
func (s *Solver) compared(r *solution, p, q []float64) (a, b []float64) {
	a, b = make([]float64, s.cells), make([]float64, s.cellsQ)
	copy(a, p)
	copy(b, q)
	if s.set.Unequal != UnequalNormalise {
		return a, b
	}
	if r.expP != 0 || r.expQ != 0 {
		copy(a, s.p)
		copy(b, s.q)
	}
	for k := range a {
		a[k] /= r.p
	}
	for k := range b {
		b[k] /= r.q
	}
	return a, b
}

func (s *Solver) pivotError(r *solution, p, q []float64) error {
	p, q = p[:s.cells], q[:s.cellsQ]
	plan, f, h := s.proof(r, p, q)
	c, err := s.certificate(r, p, q, plan, f, h)
	if err != nil {
		return err
	}
	if h == nil {
		h = make([]float64, s.cells)
		for k, x := range f {
			h[k] = -x
		}
	}
	return &PivotError{Pivots: s.limit, Certificate: c, Plan: plan, F: f, H: h}
}
