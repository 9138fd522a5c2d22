package surrogate

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"barrow/emd"
	"barrow/nn"
)

// A PotentialShape is the architecture of a potential network: Layers hidden
// dense layers of Width units between the features of a pair and 48
// potentials, and Steps steps up the smoothed dual at each of four
// temperatures after it.
type PotentialShape struct {
	Width  int `json:"width" toml:"width"`   // 512 by default
	Layers int `json:"layers" toml:"layers"` // 3 by default
	Steps  int `json:"steps" toml:"steps"`   // 4 by default; negative: none
}

func (a PotentialShape) withDefaults() PotentialShape {
	for _, v := range []struct {
		value *int
		or    int
	}{{&a.Width, 512}, {&a.Layers, 3}, {&a.Steps, 4}} {
		if *v.value == 0 {
			*v.value = v.or
		}
	}
	a.Steps = max(a.Steps, -1)
	return a
}

// String is the shape as width×layers, as in 512x3.
func (a PotentialShape) String() string { return fmt.Sprintf("%dx%d", a.Width, a.Layers) }

// ParsePotentialShape reads width×layers as String writes it.
func ParsePotentialShape(text string) (PotentialShape, error) {
	var a PotentialShape
	if n, err := fmt.Sscanf(text, "%dx%d", &a.Width, &a.Layers); n != 2 || err != nil || a.String() != text || a.Width == 0 || a.Layers == 0 {
		return PotentialShape{}, fmt.Errorf("surrogate: potential network %q: want WIDTHxLAYERS, such as 512x3", text)
	}
	return a, a.Check()
}

// Check tells whether a network of the shape can be made; zero fields are the
// defaults.
func (a PotentialShape) Check() error {
	a = a.withDefaults()
	if a.Width < 1 || a.Width > largestNetwork || a.Layers < 1 || a.Layers > 64 {
		return fmt.Errorf("surrogate: potential network %v: want a width of 1 to %d and 1 to 64 layers", a, largestNetwork)
	}
	if err := a.Spec().CheckMemory(pairBatch); err != nil {
		return fmt.Errorf("surrogate: %w", err)
	}
	return nil
}

// Spec describes the network that makes the potentials.
func (a PotentialShape) Spec() nn.Spec {
	return dense("emd-potential-"+a.String(), features, Cells, a.Width, a.Layers)
}

// gapFeatures is the number of inputs of the network that guesses the gap
// between the bound and the EMD.
const gapFeatures = 2*Cells + 4

func gapSpec() nn.Spec { return dense("emd-gap", gapFeatures, 1, 64, 2) }

func dense(name string, in, out, width, layers int) nn.Spec {
	s := nn.Spec{Name: name, Input: nn.Vector(in)}
	for k := 1; k <= layers; k++ {
		s.Layers = append(s.Layers,
			nn.Layer{Kind: nn.KindDense, Name: fmt.Sprintf("dense_%d", k), Units: width},
			nn.Layer{Kind: nn.KindReLU, Name: fmt.Sprintf("relu_%d", k)})
	}
	s.Layers = append(s.Layers, nn.Layer{Kind: nn.KindDense, Name: "out", Units: out})
	return s
}

// A Potential is an EMD network that answers with Kantorovich potentials
// instead of a number: from them come a lower bound of the EMD that holds for
// every pair of images, the gradient, and, with a guess of what the bound
// lacks, the estimate. It is even (the distance of a pair is that of the pair
// the other way round) and homogeneous (it depends on p − q alone and scales
// with it), both exactly. It is used by one goroutine at a time.
type Potential struct {
	shape  PotentialShape
	net    *nn.Network
	gap    *nn.Network
	g      *geometry
	smooth []*smoothing

	p, q   []float64 // rows scaled to sum 1
	totals []float64
	pairs  []solution
	in     *nn.Tensor
	gapIn  *nn.Tensor
}

// A solution is what a Potential finds for one pair.
type solution struct {
	surplus
	differ bool
	f      [Cells]float64 // 1-Lipschitz, in units of the geometry
	bound  float64        // Σ x f
	gap    float64        // guess of (EMD − bound)/bound
}

// NewPotential makes an untrained network for a metric of 48 cells. Its bound
// holds already.
func NewPotential(m *emd.Metric, a PotentialShape, s nn.Settings) (*Potential, error) {
	a = a.withDefaults()
	if err := a.Check(); err != nil {
		return nil, err
	}
	g, err := newGeometry(m)
	if err != nil {
		return nil, err
	}
	s = batched(s)
	p := &Potential{shape: a, g: g, in: nn.NewTensor(s.MaxBatch, nn.Vector(features)), gapIn: nn.NewTensor(s.MaxBatch, nn.Vector(gapFeatures))}
	if p.net, err = nn.New(a.Spec(), s); err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	if p.gap, err = nn.New(gapSpec(), s); err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	// An untrained network adds next to nothing to its bound.
	p.gap.Param("out/bias").Value[0] = -6
	clear(p.gap.Param("out/kernel").Value)
	for _, t := range temperatures {
		p.smooth = append(p.smooth, newSmoothing(g, t))
	}
	return p, nil
}

// Predict writes the estimated EMD of N pairs of rows (N×48 each) into e.
func (m *Potential) Predict(ctx context.Context, p, q, e []float64) error {
	return m.Gradient(ctx, p, q, e, nil, nil)
}

// Gradient estimates the EMD of N pairs of rows (N×48 charges each, any units,
// positive sums, both scaled to sum 1 first) and, where dp and dq are not nil,
// its gradients with respect to the rows as given: those of the bound, of which
// the potentials are the derivative (envelope theorem). Equal rows have
// distance and gradient 0. Bad charges are errors that name row and cell.
func (m *Potential) Gradient(ctx context.Context, p, q, e, dp, dq []float64) error {
	if err := checkRows(len(e), p, q, dp, dq); err != nil {
		return err
	}
	return m.each(ctx, p, q, len(e), true, func(i, k int, s *solution) {
		e[i] = s.bound * (1 + s.gap) * s.total * m.g.unit
		for side, grad := range [2][]float64{dp, dq} {
			if grad == nil {
				continue
			}
			rows, sign := m.p, m.g.unit
			if side == 1 {
				rows, sign = m.q, -m.g.unit
			}
			if s.swapped {
				sign = -sign
			}
			row := grad[i*Cells : (i+1)*Cells]
			for c := range row {
				row[c] = sign * s.f[c]
			}
			throughSum(rows[k*Cells:(k+1)*Cells], m.totals[2*k+side], row)
		}
	})
}

// boundMargin is what Bound takes off for rounding, relative to the metric's
// unit.
const boundMargin = 1e-12

// Bound writes into v lower bounds of the EMD of N pairs of rows (N×48, both
// scaled to sum 1) and, if f is not nil, the N×48 potentials that prove them:
// |f_i − f_j| ≤ D_ij for all cells, and v = Σ (p−q) f, less 1e-12 of half a
// cell's width for rounding, is therefore at most the EMD whatever the network
// has or has not learnt.
func (m *Potential) Bound(ctx context.Context, p, q, v, f []float64) error {
	if err := checkRows(len(v), p, q, f, nil); err != nil {
		return err
	}
	return m.each(ctx, p, q, len(v), false, func(i, _ int, s *solution) {
		v[i] = max(0, (s.bound*s.total-boundMargin)*m.g.unit)
		if f == nil {
			return
		}
		sign := m.g.unit
		if s.swapped {
			sign = -sign
		}
		for c, x := range s.f {
			f[i*Cells+c] = sign * x
		}
	})
}

// checkRows checks the lengths of slices for n pairs.
func checkRows(n int, p, q, dp, dq []float64) error {
	for _, s := range [][]float64{p, q} {
		if len(s) != n*Cells {
			return fmt.Errorf("surrogate: %d charges for %d pairs; %d cells each are needed", len(s), n, Cells)
		}
	}
	for _, s := range [][]float64{dp, dq} {
		if s != nil && len(s) != n*Cells {
			return fmt.Errorf("surrogate: room for %d gradient values, %d pairs of %d cells", len(s), n, Cells)
		}
	}
	return nil
}

// each solves n pairs and hands out the solution of pair i, row k of its
// batch.
func (m *Potential) each(ctx context.Context, p, q []float64, n int, gap bool, use func(i, k int, s *solution)) error {
	for i := 0; i < n; i += pairBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		j := min(n, i+pairBatch)
		if err := m.solve(i, p[i*Cells:j*Cells], q[i*Cells:j*Cells], gap); err != nil {
			return err
		}
		for k := range j - i {
			use(i+k, k, &m.pairs[k])
		}
	}
	return nil
}

// load scales a batch of rows to sum 1 and fills in the surpluses and their
// features.
func (m *Potential) load(first int, p, q []float64) error {
	n := len(p) / Cells
	m.p, m.q, m.totals = append(m.p[:0], p...), append(m.q[:0], q...), m.totals[:0]
	for len(m.pairs) < n {
		m.pairs = append(m.pairs, solution{})
	}
	m.in.Resize(n)
	for i := range n {
		for _, rows := range [2][]float64{m.p, m.q} {
			total, err := unit(rows[i*Cells : (i+1)*Cells])
			if err != nil {
				return fmt.Errorf("surrogate: row %d: %w", first+i, err)
			}
			m.totals = append(m.totals, total)
		}
	}
	m.parallel(n, func(i int) {
		s, row := &m.pairs[i], m.in.Data[i*features:(i+1)*features]
		if s.differ = s.set(m.p[i*Cells:(i+1)*Cells], m.q[i*Cells:(i+1)*Cells]); s.differ {
			m.g.setFeatures(&s.surplus, row)
		} else {
			*s = solution{}
			clear(row)
		}
	})
	return nil
}

// solve leaves the solutions of a batch in m.pairs.
func (m *Potential) solve(first int, p, q []float64, gap bool) error {
	if err := m.load(first, p, q); err != nil {
		return err
	}
	n := len(p) / Cells
	y, err := m.net.Forward(m.in, nn.Inference)
	if err != nil {
		return fmt.Errorf("surrogate: %w", err)
	}
	m.gapIn.Resize(n)
	m.parallel(n, func(i int) {
		s := &m.pairs[i]
		if s.differ {
			m.finish(s, y.Data[i*Cells:(i+1)*Cells])
		}
		m.setGapFeatures(s, m.gapIn.Data[i*gapFeatures:(i+1)*gapFeatures])
	})
	if !gap {
		return nil
	}
	y, err = m.gap.Forward(m.gapIn, nn.Inference)
	if err != nil {
		return fmt.Errorf("surrogate: %w", err)
	}
	for i := range n {
		m.pairs[i].gap = softplus(float64(y.Data[i]))
	}
	return nil
}

// finish makes a solution of the network's potentials: the dual steps, then
// whichever of the potentials before and after them has the higher bound.
func (m *Potential) finish(s *solution, y []float32) {
	// Of the sources' values only differences up to the metric's diameter
	// matter; larger ones, of wild weights, would cost digits.
	top := math.Inf(-1)
	for _, i := range s.source {
		if v := float64(y[i]); v <= math.MaxFloat32 {
			top = max(top, v)
		}
	}
	for _, i := range s.source {
		if v := float64(y[i]) - top; v <= 0 {
			s.f[i] = max(v, -2*m.g.diameter)
		} else {
			s.f[i] = 0
		}
	}
	s.bound = m.g.lift(&s.surplus, &s.f)
	if m.shape.Steps < 1 {
		return
	}
	before, f := s.residual, s.f
	for _, t := range m.smooth {
		t.climb(&s.surplus, &f, m.shape.Steps)
	}
	if v := m.g.lift(&s.surplus, &f); v > s.bound {
		s.bound, s.f = v, f
	} else {
		s.residual = before
	}
}

// setGapFeatures writes what the gap depends on: the surplus, the sources'
// charge that no sink has chosen, and a few sums.
func (m *Potential) setGapFeatures(s *solution, row []float32) {
	clear(row)
	if !s.differ {
		return
	}
	loose, pull := 0.0, 0.0
	for _, i := range s.source {
		loose += math.Abs(s.residual[i])
		pull += s.residual[i] * s.f[i]
	}
	for c, x := range s.x {
		row[c] = float32(math.Copysign(2*math.Sqrt(math.Abs(x)), x))
		row[Cells+c] = float32(4 * s.residual[c])
	}
	row[2*Cells] = float32(loose)
	row[2*Cells+1] = float32(pull / s.bound)
	row[2*Cells+2] = float32(len(s.source)) / 16
	row[2*Cells+3] = float32(s.bound) / 4
}

// parallel calls do for 0 … n−1 on the network's threads. The calls must not
// depend on one another.
func (m *Potential) parallel(n int, do func(i int)) {
	threads := m.net.Settings().Threads
	var g errgroup.Group
	for t := 1; t < threads; t++ {
		g.Go(func() error {
			for i := n * t / threads; i < n*(t+1)/threads; i++ {
				do(i)
			}
			return nil
		})
	}
	for i := range n / threads {
		do(i)
	}
	_ = g.Wait() // no call fails
}

// softplus is ln(1+exp(x)).
func softplus(x float64) float64 {
	if x > 30 {
		return x
	}
	return math.Log1p(math.Exp(x))
}
