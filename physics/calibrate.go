package physics

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"barrow/simulate"
)

// Calibration turns clusters of one contender and one class of particles into transverse
// momenta. It is fitted twice, by the events of even and by those of odd numbers, and an
// event's clusters get the fit that has not seen it: every event can be measured.
type Calibration struct {
	Class simulate.Class `json:"-"`
	Even  Fit            `json:"even"` // by events of even numbers, for those of odd ones
	Odd   Fit            `json:"odd"`  // the other way round
}

// Fit is a calibration by one half of the events:
//
//	p_T = Σ (Weights_l + Gain·(|η| − Eta))·E_l + Around·A + Offset + Slope·(S − Area)
//
// with the energies E_l by layer and Record.Around A in MIP_T, |η| of the cluster, and
// S = sinh³|η|/cosh η, to which the area in η and φ of a circle in x/z and y/z grows.
type Fit struct {
	// Common is the weight in GeV/MIP_T that all layers would have in common.
	Common float64 `json:"common"`
	// Weights of the layers, in GeV/MIP_T, and Gain, by unit of |η|, how they change.
	Weights []float64 `json:"weights"`
	Gain    float64   `json:"gain"`
	// Around is the weight of what is around the cluster, in GeV/MIP_T: pile-up is the
	// same there, so that it is expected to be negative.
	Around float64 `json:"around"`
	// Offset in GeV, and Slope in GeV by unit of S, are what else pile-up adds.
	Offset float64 `json:"offset"`
	Slope  float64 `json:"slope"`
	// Eta and Area are the means of |η| and S.
	Eta  float64 `json:"eta"`
	Area float64 `json:"area"`
	// Relative a and Absolute b, in GeV, are the spread of p_T about the generated one,
	// √(a²·p_T² + b²), by which clusters are weighted in the fit.
	Relative float64 `json:"relative"`
	Absolute float64 `json:"absolute"`
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
	// layer's energies are. 0 is 0.01.
	Ridge float64
}

// corrections is how many numbers a fit has beside the layers' weights.
const corrections = 4

// FewestClusters are those of each half of the events without which layers cannot be
// calibrated: four for every number that is fitted, and for the response's slope.
func FewestClusters(layers int) int { return 4 * (layers + corrections + 1) }

// Calibrate fits a calibration to the records of particles of the class that were found, by
// least squares with clusters weighted by their spread, 1/(a²·p_T² + b²): the relative one
// of showers and that of pile-up, as they are found about a first fit. Each fit has two
// steps: first one weight for all layers, then the layers' differences from it, with a
// ridge, since neighbours have much the same energies. Least squares pull momenta towards
// their mean, the more the less certain energies are. So the mean p_T at a generated one
// is made that one in the end, by a straight line. Too few clusters are an error: see
// [FewestClusters]. The result depends on the records' order by rounding only.
func Calibrate(records []Record, s CalibrationSettings) (*Calibration, error) {
	if s.Ridge == 0 {
		s.Ridge = 1e-2
	}
	if !(s.Ridge > 0) || math.IsInf(s.Ridge, 1) {
		return nil, fmt.Errorf("physics: ridge %g: want a number above 0", s.Ridge)
	}
	c := &Calibration{Class: s.Class}
	for half, to := range []*Fit{&c.Even, &c.Odd} {
		name := [...]string{"even", "odd"}[half]
		var list []*Record
		for i := range records {
			r := &records[i]
			if r.half() == half && r.Found && r.Truth.Class == s.Class && r.Truth.Pt > 0 {
				list = append(list, r)
			}
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("physics: no cluster of %v to calibrate by in events of %s numbers, of %d records: it takes particles that are found in events of even numbers and of odd ones", s.Class, name, len(records))
		}
		layers := len(list[0].Layers)
		if want := FewestClusters(layers); len(list) < want {
			return nil, fmt.Errorf("physics: %d clusters of %v in events of %s numbers to calibrate %d layers by: want at least %d, so more events", len(list), s.Class, name, layers, want)
		}
		for _, r := range list {
			if len(r.Layers) != layers {
				return nil, fmt.Errorf("physics: event %d has %d layers, others %d", r.Event, len(r.Layers), layers)
			}
		}
		var err error
		if *to, err = fit(list, s); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Pt is the calibrated transverse momentum of a record's cluster in GeV by the fit that has
// not seen its event, NaN without a cluster. It may be negative: what is left of little
// energy in much pile-up.
func (c *Calibration) Pt(r *Record) float64 {
	if r.half() == 0 {
		return c.Odd.pt(r)
	}
	return c.Even.pt(r)
}

// area is the area in η and φ of a small circle around a direction, over that in x/z and
// y/z: what pile-up adds goes with it.
func area(eta float64) float64 {
	s := math.Sinh(math.Abs(eta))
	return s * s * s / math.Hypot(1, s)
}

func (f *Fit) pt(r *Record) float64 {
	if !r.Found || len(r.Layers) != len(f.Weights) {
		return math.NaN()
	}
	eta := math.Abs(r.Eta) - f.Eta
	sum := f.Offset + float64(f.Around*r.Around) + float64(f.Slope*(area(r.Eta)-f.Area))
	for l, e := range r.Layers {
		sum += float64((f.Weights[l] + float64(f.Gain*eta)) * e)
	}
	return sum
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

// alike is the spread of the particles' p_T over its mean below which they are taken to be
// the same: nothing can then be told from a constant.
const alike = 0.1

// fitter is a fit in progress.
type fitter struct {
	Fit
	list   []*Record
	layers int
	ridge  float64
	// same is whether all particles have much the same p_T.
	same bool
	// weight of every cluster.
	weight []float64
}

// fit fits the clusters of a list.
func fit(list []*Record, s CalibrationSettings) (Fit, error) {
	f := fitter{list: list, layers: len(list[0].Layers), ridge: s.Ridge, weight: make([]float64, len(list))}
	n, sum, square := float64(len(list)), 0.0, 0.0
	for i, r := range list {
		f.Eta += math.Abs(r.Eta) / n
		f.Area += area(r.Eta) / n
		sum += r.Truth.Pt
		square += float64(r.Truth.Pt * r.Truth.Pt)
		f.weight[i] = 1 / float64(r.Truth.Pt*r.Truth.Pt)
	}
	if at := math.Abs(list[0].Eta); math.Abs(f.Eta-at) < 1e-9 {
		f.Eta, f.Area = at, area(at) // all are there: no difference is to be left of rounding
	}
	mean := sum / n
	f.same = square/n-float64(mean*mean) < alike*alike*float64(mean*mean)
	// The spread is that about the weights that it gives itself.
	const rounds = 3
	for round := range rounds {
		f.N, f.Notes = len(list), nil
		if err := f.leastSquares(); err != nil {
			return Fit{}, fmt.Errorf("physics: the %d clusters of %v to calibrate by: %w", len(list), s.Class, err)
		}
		if err := f.invert(); err != nil {
			return Fit{}, fmt.Errorf("physics: the %d clusters of %v to calibrate by: %w", len(list), s.Class, err)
		}
		if round < rounds-1 {
			f.spread()
		}
	}
	return f.Fit, nil
}

// Corrections, which follow the energies in the equations, so that a correction that is not
// free is what gives way.
const (
	gain = iota
	offset
	slope
	around
)

// correct sets the corrections of a cluster with all its energies' sum.
func (f *fitter) correct(r *Record, sum float64, row []float64) {
	eta := math.Abs(r.Eta) - f.Eta
	row[gain] = float64(sum * eta)
	if !f.same {
		row[offset], row[slope], row[around] = 1, area(r.Eta)-f.Area, r.Around
	}
}

// leastSquares finds everything for the clusters' weights.
func (f *fitter) leastSquares() error {
	common, full := newNormal(1+corrections), newNormal(f.layers+corrections)
	one, row := make([]float64, 1+corrections), make([]float64, f.layers+corrections)
	for i, r := range f.list {
		one[0] = 0
		for l, e := range r.Layers {
			row[l] = e
			one[0] += e
		}
		f.correct(r, one[0], one[1:])
		f.correct(r, one[0], row[f.layers:])
		w := math.Sqrt(f.weight[i])
		for _, values := range [][]float64{one, row} {
			for k := range values {
				values[k] *= w
			}
		}
		common.add(one, float64(w*r.Truth.Pt))
		full.add(row, float64(w*r.Truth.Pt))
	}
	x, free, err := common.solve()
	if err != nil {
		return err
	}
	if !free[0] {
		return errors.New("they have no energy")
	}
	f.Common = x[0]
	mean := 0.0
	for l := range f.layers {
		mean += full.a.At(l, l) / float64(f.layers)
		if full.a.At(l, l) == 0 {
			f.Notes = append(f.Notes, fmt.Sprintf("layer %d of the list has no energy: its weight is the common one", l+1))
		}
	}
	for l := range f.layers {
		full.a.SetSym(l, l, full.a.At(l, l)+f.ridge*mean)
		full.b.SetVec(l, full.b.AtVec(l)+f.ridge*mean*f.Common)
	}
	if x, free, err = full.solve(); err != nil {
		return err
	}
	f.Weights, x, free = x[:f.layers], x[f.layers:], free[f.layers:]
	f.Gain, f.Offset, f.Slope, f.Around = x[gain], x[offset], x[slope], x[around]
	f.note(free)
	return nil
}

// note says which corrections there are not.
func (f *fitter) note(free []bool) {
	if !free[gain] {
		f.Notes = append(f.Notes, "|η| is the same everywhere: no correction for it")
	}
	if f.same {
		f.Notes = append(f.Notes, "p_T is much the same everywhere: no offset, and no correction for what is around")
		return
	}
	if !free[offset] {
		f.Notes = append(f.Notes, "p_T is a fixed multiple of the energies: no offset")
	}
	if !free[around] {
		f.Notes = append(f.Notes, "nothing is around the clusters, or always the same: no correction for it")
	}
}

// invert makes the mean p_T at a generated one that one: the straight line through the
// fitted momenta against the generated ones, or where these are the same the ratio of the
// means, is taken out.
func (f *fitter) invert() error {
	var n, x, y, xx, xy float64
	for i, r := range f.list {
		w, pt := f.weight[i], f.pt(r)
		n += w
		x += float64(w * r.Truth.Pt)
		y += float64(w * pt)
		xx += float64(w * r.Truth.Pt * r.Truth.Pt)
		xy += float64(w * r.Truth.Pt * pt)
	}
	a, b := 0.0, y/x
	if !f.same {
		b = (float64(n*xy) - float64(x*y)) / (float64(n*xx) - float64(x*x))
		a = (y - float64(b*x)) / n
	}
	if !(b > 0) || math.IsInf(b, 1) {
		return fmt.Errorf("momenta rise %.3g times as fast as the generated ones: the energies say nothing of p_T", b)
	}
	for l := range f.Weights {
		f.Weights[l] /= b
	}
	f.Common, f.Gain, f.Around, f.Slope = f.Common/b, f.Gain/b, f.Around/b, f.Slope/b
	f.Offset = (f.Offset - a) / b
	return nil
}

// spread fits the squares of what p_T is off by a²·p_T² + b², with weights that follow from
// it, and weights clusters by its inverse. Without any spread they stay as they are.
func (f *fitter) spread() {
	a, b := 0.0, 0.0 // squares
	off := make([]float64, len(f.list))
	for i, r := range f.list {
		d := f.pt(r) - r.Truth.Pt
		off[i] = float64(d * d)
		a += off[i] / float64(r.Truth.Pt*r.Truth.Pt) / float64(len(f.list))
	}
	const none = 1e-16
	if a < none {
		return
	}
	for range 8 {
		var xx, x, n, xy, y float64
		for i, r := range f.list {
			p := float64(r.Truth.Pt * r.Truth.Pt)
			v := float64(a*p) + b
			w := 1 / float64(v*v)
			xx += float64(w * p * p)
			x += float64(w * p)
			n += w
			xy += float64(w * p * off[i])
			y += float64(w * off[i])
		}
		if d := float64(xx*n) - float64(x*x); d > tiny*float64(xx*n) {
			a, b = (float64(xy*n)-float64(x*y))/d, (float64(xx*y)-float64(x*xy))/d
		} else {
			a, b = xy/xx, 0
		}
		switch {
		case b < 0:
			a, b = xy/xx, 0
		case a < 0:
			a, b = 0, y/n
		}
	}
	f.Relative, f.Absolute = math.Sqrt(a), math.Sqrt(b)
	for i, r := range f.list {
		f.weight[i] = 1 / (float64(a*r.Truth.Pt*r.Truth.Pt) + b)
	}
}
