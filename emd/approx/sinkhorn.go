package approx

import (
	"fmt"
	"math"
	"slices"

	"barrow/emd"
)

// SinkhornSettings describe a Sinkhorn divergence.
type SinkhornSettings struct {
	// Epsilon is the strength of the entropic blur, a distance; 0 means 0.05 of
	// the largest distance.
	Epsilon float64
	// Tolerance is the largest total deviation of the plan's column sums from
	// q/Σq, its row sums being exact; 0 means 10⁻⁹.
	Tolerance float64
	// MaxIterations bounds the iterations of each of the three problems; 0 means
	// 100,000. Not to converge is an error, not a number.
	MaxIterations int
}

// A Sinkhorn computes the Sinkhorn divergence
//
//	S_ε(p, q) = OT_ε(p, q) − ½·OT_ε(p, p) − ½·OT_ε(q, q),
//	OT_ε(p, q) = min over plans F of Σ F_ij·D_ij + ε·KL(F | p⊗q),
//
// by iterations on the dual potentials, in the log domain where ε is so small that
// they would overflow otherwise, and by Newton's method where clusters far from
// each other keep these from converging. A. Genevay, G. Peyré, M. Cuturi, AISTATS
// 2018; J. Feydy et al., AISTATS 2019, from whom the gradient is: dS/dp = f_pq −
// f_pp. For ε → 0 it becomes the EMD, for ε → ∞ the energy distance. It is exactly 0
// for an image with itself.
//
// It is owned by one goroutine.
type Sinkhorn struct {
	n       int
	d       []float64
	set     SinkhornSettings
	largest float64

	p, q, logP, logQ []float64
	f, g, fp, gq     []float64
	next, row        []float64
	// Of Newton's method, once it is needed: the columns with mass, the Laplacian
	// between them, and by cell the step, what it has to correct, and where it began.
	cols              []int
	laplace, column   []float64
	step, rest, start []float64

	kernels []kernel // of the values of ε on the way, largest first; none in the log domain
	// Iterations is the number taken by the last call, over its three problems.
	Iterations int
}

// NewSinkhorn prepares a divergence on a metric.
func NewSinkhorn(m *emd.Metric, s SinkhornSettings) (*Sinkhorn, error) {
	if m == nil {
		return nil, fmt.Errorf("approx: no metric")
	}
	for _, x := range []float64{s.Epsilon, s.Tolerance} {
		if !(x >= 0) || math.IsInf(x, 1) {
			return nil, fmt.Errorf("approx: settings %+v: must be finite and not negative", s)
		}
	}
	if s.MaxIterations < 0 {
		return nil, fmt.Errorf("approx: at most %d iterations", s.MaxIterations)
	}
	if s.Epsilon == 0 {
		s.Epsilon = 0.05 * m.Max()
		if m.Max() == 0 {
			s.Epsilon = 1
		}
	}
	if s.Tolerance == 0 {
		s.Tolerance = 1e-9
	}
	if s.MaxIterations == 0 {
		s.MaxIterations = 100_000
	}
	n := m.Len()
	v := &Sinkhorn{n: n, set: s, largest: m.Max(), d: make([]float64, n*n)}
	for i := range n {
		for j := range n {
			v.d[i*n+j] = m.At(i, j)
		}
	}
	if v.largest <= kernelReach*s.Epsilon && n <= kernelPoints {
		for eps := max(v.largest, s.Epsilon); ; eps = max(eps/2, s.Epsilon) {
			v.kernels = append(v.kernels, newKernel(v.d, eps))
			if eps == s.Epsilon {
				break
			}
		}
	}
	for _, x := range []*[]float64{&v.p, &v.q, &v.logP, &v.logQ, &v.f, &v.g, &v.fp, &v.gq, &v.next, &v.row} {
		*x = make([]float64, n)
	}
	return v, nil
}

// Distance is the divergence of p and q, scaled to sum 1.
func (s *Sinkhorn) Distance(p, q []float64) (float64, error) { return s.Gradient(p, q, nil, nil) }

// Gradient is Distance, and sets dp and dq to the gradient with respect to the raw
// p and q; either may be nil.
func (s *Sinkhorn) Gradient(p, q, dp, dq []float64) (float64, error) {
	sumP, err := total("p", p, s.n)
	if err != nil {
		return 0, err
	}
	sumQ, err := total("q", q, s.n)
	if err != nil {
		return 0, err
	}
	if err := checkRoom(dp, dq, s.n); err != nil {
		return 0, err
	}
	normalise(s.p, p, sumP)
	normalise(s.q, q, sumQ)
	for k := range s.p {
		s.logP[k], s.logQ[k] = math.Log(s.p[k]), math.Log(s.q[k])
	}
	s.Iterations = 0
	if slices.Equal(s.p, s.q) {
		clear(dp)
		clear(dq)
		return 0, nil
	}
	if err := s.cross(); err != nil {
		return 0, err
	}
	if err := s.self(s.fp, s.p, s.logP); err != nil {
		return 0, err
	}
	if err := s.self(s.gq, s.q, s.logQ); err != nil {
		return 0, err
	}
	value := 0.0
	for k := range s.p {
		s.f[k] -= s.fp[k]
		s.g[k] -= s.gq[k]
		value += s.p[k]*s.f[k] + s.q[k]*s.g[k]
	}
	if dp != nil {
		copy(dp, s.f)
		project(dp, s.p, sumP)
	}
	if dq != nil {
		copy(dq, s.g)
		project(dq, s.q, sumQ)
	}
	return value, nil
}

// A kernel is exp(−D/ε), with which a soft minimum is a product of a matrix and a
// vector.
type kernel struct {
	eps float64
	k   []float64
}

const (
	// kernelReach is the largest D/ε for which neither the kernel nor the
	// exponentials of potentials, which are of D's size, leave the range of
	// float64, by far.
	kernelReach = 200
	// kernelPoints bounds the memory of the kernels, some ten of n² numbers.
	kernelPoints = 512
)

func newKernel(d []float64, eps float64) kernel {
	k := kernel{eps, make([]float64, len(d))}
	for i, x := range d {
		k.k[i] = math.Exp(-x / eps)
	}
	return k
}

// soften is the same as the Sinkhorn's, by the kernel. A point without mass is
// left out.
func (k kernel) soften(out, pot, logMass []float64) {
	n := len(out)
	clear(out)
	for j, m := range logMass {
		w := math.Exp(m + pot[j]/k.eps)
		if w == 0 {
			continue
		}
		column := k.k[j*n:][:n] // of a symmetric matrix
		for i, x := range column {
			out[i] += w * x
		}
	}
	for i, sum := range out {
		out[i] = -k.eps * math.Log(sum)
	}
}

// soften sets out_i = −ε·log Σ_j exp(logMass_j + (pot_j − D_ij)/ε), the c-transform
// with a soft minimum.
func (s *Sinkhorn) soften(out, pot, logMass []float64, eps float64) {
	for _, k := range s.kernels {
		if k.eps == eps {
			k.soften(out, pot, logMass)
			return
		}
	}
	for i := range out {
		d := s.d[i*s.n : (i+1)*s.n]
		top := math.Inf(-1)
		for j, x := range d {
			y := logMass[j] + (pot[j]-x)/eps
			s.row[j] = y
			top = max(top, y)
		}
		sum := 0.0
		for _, y := range s.row {
			if y > top-45 { // e⁻⁴⁵ is below the rounding of the sum
				sum += math.Exp(y - top)
			}
		}
		out[i] = -eps * (top + math.Log(sum))
	}
}

// deviation is Σ mass·|exp((old − new)/ε) − 1|: how far the marginal was off.
func deviation(old, new, mass []float64, eps float64) float64 {
	sum := 0.0
	for k, m := range mass {
		if m > 0 {
			sum += m * math.Abs(math.Expm1((old[k]-new[k])/eps))
		}
	}
	return sum
}

// cross solves for the potentials f, g between p and q. ε comes down from the
// largest distance by halves, each problem starting from the last one's potentials.
// Where iterations do not end it, Newton's method helps.
func (s *Sinkhorn) cross() error {
	clear(s.f)
	clear(s.g)
	eps := max(s.largest, s.set.Epsilon)
	last := 0 // iterations at the final ε
	for k := range s.set.MaxIterations {
		s.soften(s.f, s.g, s.logQ, eps)
		s.soften(s.next, s.f, s.logP, eps)
		off := deviation(s.g, s.next, s.q, eps)
		copy(s.g, s.next)
		if eps > s.set.Epsilon {
			if off < 0.05 || k%20 == 19 {
				eps = max(eps/2, s.set.Epsilon)
			}
			continue
		}
		if off <= s.set.Tolerance {
			// f once more, so that it belongs to g on every cell.
			s.soften(s.f, s.g, s.logQ, eps)
			s.Iterations += k + 1
			return nil
		}
		if last++; last > newtonAfter && last <= newtonAfter+newtonSteps {
			s.newton()
		}
	}
	return s.slow()
}

// self solves the symmetric problem of one image with itself, by averaging each
// potential with its transform, which converges within a few iterations.
func (s *Sinkhorn) self(pot, mass, logMass []float64) error {
	clear(pot)
	for k := range s.set.MaxIterations {
		s.soften(s.next, pot, logMass, s.set.Epsilon)
		off := deviation(pot, s.next, mass, s.set.Epsilon)
		for i := range pot {
			pot[i] = (pot[i] + s.next[i]) / 2
		}
		if off <= s.set.Tolerance {
			s.soften(pot, s.next, logMass, s.set.Epsilon)
			s.Iterations += k + 1
			return nil
		}
	}
	return s.slow()
}

func (s *Sinkhorn) slow() error {
	return fmt.Errorf("approx: Sinkhorn with ε = %g has not reached %g in %d iterations; choose a larger ε or tolerance",
		s.set.Epsilon, s.set.Tolerance, s.set.MaxIterations)
}
