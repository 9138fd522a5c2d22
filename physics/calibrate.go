package physics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"barrow/simulate"
)

// Calibration turns clusters of one contender and one class of particles into transverse
// momenta:
//
//	p_T = Scale · (Σ Weights_l·E_l + Around·A + Offset + Slope·(|η| − Eta))
//
// with the energies E_l by layer and Record.Around A in MIP_T, and |η| of the cluster.
type Calibration struct {
	Class simulate.Class `json:"-"`
	// Common is the weight in GeV/MIP_T that all layers would have in common.
	Common float64 `json:"common"`
	// Weights of the layers, in GeV/MIP_T.
	Weights []float64 `json:"weights"`
	// Around is the weight of what is around the cluster, in GeV/MIP_T: pile-up is the
	// same there, so that it is expected to be negative.
	Around float64 `json:"around"`
	// Offset in GeV, and Slope in GeV by unit of |η|, are what else pile-up adds.
	Offset float64 `json:"offset"`
	Slope  float64 `json:"slope"`
	Eta    float64 `json:"eta"`
	// Scale makes the mean response to the particles of the fit 1.
	Scale float64 `json:"scale"`
	// N is the number of clusters of the fit.
	N int `json:"n"`
	// Notes say what could not be fitted and why: layers without energy, η all the same.
	Notes []string `json:"notes,omitempty"`
}

// CalibrationSettings say how a calibration is fitted.
type CalibrationSettings struct {
	// Class of the particles.
	Class simulate.Class
	// Ridge pulls the layers' weights to their common one: 1 is as strong as the mean
	// layer's energies are. 0 is 0.001.
	Ridge float64
}

// Calibrate fits a calibration to the records of even events of particles of the class
// that were found, by least squares of the relative errors (p_T − p_T,gen)/p_T,gen: the
// response's spread is what resolution is, and energetic particles would decide alone
// otherwise. It is fitted in two steps: first one weight for all layers, then the
// layers' differences from it, with a ridge, since neighbours have much the same
// energies. Too few clusters are an error: four are wanted for every number that is
// fitted. The result depends on the records' order by rounding only.
func Calibrate(records []Record, s CalibrationSettings) (*Calibration, error) {
	if s.Ridge == 0 {
		s.Ridge = 1e-3
	}
	if !(s.Ridge > 0) || math.IsInf(s.Ridge, 1) {
		return nil, fmt.Errorf("physics: ridge %g: want a number above 0", s.Ridge)
	}
	var list []*Record
	for i := range records {
		r := &records[i]
		if r.Event%2 == 0 && r.Found && r.Truth.Class == s.Class && r.Truth.Pt > 0 {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("physics: no cluster of %v to calibrate by in %d records: it takes particles that are found in events of even numbers", s.Class, len(records))
	}
	c := &Calibration{Class: s.Class, N: len(list), Scale: 1}
	layers := len(list[0].Layers)
	if want := 4 * (layers + 4); len(list) < want {
		return nil, fmt.Errorf("physics: %d clusters of %v in events of even numbers to calibrate %d layers by: want at least %d, so more events", len(list), s.Class, layers, want)
	}
	for _, r := range list {
		if len(r.Layers) != layers {
			return nil, fmt.Errorf("physics: event %d has %d layers, others %d", r.Event, len(r.Layers), layers)
		}
		c.Eta += math.Abs(r.Eta) / float64(len(list))
	}
	if err := c.fit(list, layers, s.Ridge); err != nil {
		return nil, err
	}
	return c, c.normalise(list)
}

// Pt is the calibrated transverse momentum of a record's cluster in GeV, NaN without
// one. It may be negative: what is left of little energy in much pile-up.
func (c *Calibration) Pt(r *Record) float64 {
	if !r.Found || len(r.Layers) != len(c.Weights) {
		return math.NaN()
	}
	sum := c.Offset + float64(c.Around*r.Around) + float64(c.Slope*(math.Abs(r.Eta)-c.Eta))
	for l, e := range r.Layers {
		sum += float64(c.Weights[l] * e)
	}
	return c.Scale * sum
}

// normal are normal equations of least squares, A·x = b.
type normal struct {
	a *mat.SymDense
	b *mat.VecDense
}

func newNormal(n int) *normal { return &normal{mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)} }

// add adds an observation y of Σ row·x.
func (m *normal) add(row []float64, y float64) {
	for i, v := range row {
		if v == 0 {
			continue
		}
		for j := i; j < len(row); j++ {
			m.a.SetSym(i, j, m.a.At(i, j)+float64(v*row[j]))
		}
		m.b.SetVec(i, m.b.AtVec(i)+float64(v*y))
	}
}

// tiny is the share of a variable's own square, next to which what others leave of it is
// rounding.
const tiny = 1e-10

// solve solves the equations for what can be told apart. Variables that are zero, or what
// earlier ones make them, are 0 and reported as not free.
func (m *normal) solve() (x []float64, free []bool, err error) {
	n := m.b.Len()
	x, free = make([]float64, n), make([]bool, n)
	var kept []int
	for i := range n {
		if m.a.At(i, i) > 0 && m.left(kept, i) > tiny {
			free[i] = true
			kept = append(kept, i)
		}
	}
	chol, scale, ok := m.factor(kept)
	if !ok {
		return nil, nil, fmt.Errorf("physics: the layers' energies cannot be told apart: calibrate by more events")
	}
	b := mat.NewVecDense(len(kept), nil)
	for i, at := range kept {
		b.SetVec(i, m.b.AtVec(at)*scale[i])
	}
	var y mat.VecDense
	if err := chol.SolveVecTo(&y, b); err != nil {
		return nil, nil, fmt.Errorf("physics: the layers' energies can hardly be told apart (%w): calibrate by more events", err)
	}
	for i, at := range kept {
		x[at] = y.AtVec(i) * scale[i]
	}
	return x, free, nil
}

// factor takes the equations of some variables apart, each scaled to a square of 1.
func (m *normal) factor(kept []int) (chol *mat.Cholesky, scale []float64, ok bool) {
	a := mat.NewSymDense(len(kept), nil)
	for i, at := range kept {
		scale = append(scale, 1/math.Sqrt(m.a.At(at, at)))
		for j := range i + 1 {
			a.SetSym(i, j, m.a.At(at, kept[j])*scale[i]*scale[j])
		}
	}
	chol = &mat.Cholesky{}
	return chol, scale, chol.Factorize(a)
}

// left is the share of variable i's square that the kept ones do not explain.
func (m *normal) left(kept []int, i int) float64 {
	if len(kept) == 0 {
		return 1
	}
	chol, scale, ok := m.factor(kept)
	if !ok {
		return 0
	}
	v := mat.NewVecDense(len(kept), nil)
	for k, at := range kept {
		v.SetVec(k, m.a.At(i, at)*scale[k]/math.Sqrt(m.a.At(i, i)))
	}
	var y mat.VecDense
	if err := chol.SolveVecTo(&y, v); err != nil {
		return 0
	}
	return 1 - mat.Dot(v, &y)
}

// fit finds everything but Scale. Corrections follow the energies in the equations, so
// that a correction that is not free is what gives way.
func (c *Calibration) fit(list []*Record, layers int, ridge float64) error {
	// Energies, the offset, the slope, what is around.
	const offset, slope, around, more = 0, 1, 2, 3
	corrections := func(r *Record, row []float64) {
		row[offset], row[slope], row[around] = 1/r.Truth.Pt, (math.Abs(r.Eta)-c.Eta)/r.Truth.Pt, r.Around/r.Truth.Pt
	}
	common, full := newNormal(1+more), newNormal(layers+more)
	one, row := make([]float64, 1+more), make([]float64, layers+more)
	for _, r := range list {
		one[0] = 0
		for l, e := range r.Layers {
			row[l] = e / r.Truth.Pt
			one[0] += row[l]
		}
		corrections(r, one[1:])
		corrections(r, row[layers:])
		common.add(one, 1)
		full.add(row, 1)
	}
	x, free, err := common.solve()
	if err != nil {
		return err
	}
	if !free[0] {
		return fmt.Errorf("physics: the %d clusters of %v to calibrate by have no energy", len(list), c.Class)
	}
	c.Common = x[0]
	mean := 0.0
	for l := range layers {
		mean += full.a.At(l, l) / float64(layers)
		if full.a.At(l, l) == 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("layer %d of the list has no energy: its weight is the common one", l+1))
		}
	}
	for l := range layers {
		full.a.SetSym(l, l, full.a.At(l, l)+ridge*mean)
		full.b.SetVec(l, full.b.AtVec(l)+ridge*mean*c.Common)
	}
	if x, free, err = full.solve(); err != nil {
		return err
	}
	c.Weights, x, free = x[:layers], x[layers:], free[layers:]
	c.Offset, c.Slope, c.Around = x[offset], x[slope], x[around]
	for i, note := range [...]string{
		"p_T is a fixed multiple of the energies: no offset", "|η| is the same everywhere: no correction for it",
		"nothing is around the clusters, or always the same: no correction for it"} {
		if !free[i] {
			c.Notes = append(c.Notes, note)
		}
	}
	return nil
}

// normalise sets Scale.
func (c *Calibration) normalise(list []*Record) error {
	sum := 0.0
	for _, r := range list {
		sum += c.Pt(r) / r.Truth.Pt
	}
	mean := sum / float64(len(list))
	if !(mean > 0) || math.IsInf(mean, 1) {
		return fmt.Errorf("physics: the calibration of %v has the mean response %g: energies say nothing of p_T", c.Class, mean)
	}
	c.Scale = 1 / mean
	return nil
}
