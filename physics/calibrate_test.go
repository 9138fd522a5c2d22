package physics

import (
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/internal/counter"
	"barrow/simulate"
)

// toy is a detector of known weights: p_T = Σ weights·E − density·(what is around) +
// slope·(S(η) − S(2)), the weights 1 + gain·(|η| − 2) times theirs, the sum smeared by a share
// of itself, and by noise in GeV.
type toy struct {
	weights                           []float64
	around, slope, smear, noise, gain float64
	low                               float64 // GeV, of particles uniform in ln p_T to 100; 0: uniform from 10
}

func (d *toy) records(seed uint64, n int) []Record {
	records := make([]Record, n)
	for i := range records {
		s := counter.New(seed, uint64(i))
		normal := math.Sqrt(2*s.Exp()) * math.Cos(2*math.Pi*s.Float64())
		r := &records[i]
		*r = Record{Event: int64(i), Zside: 1, Found: true, Truth: simulate.Particle{Class: simulate.Electron, Pt: 10 + 90*s.Float64()}}
		if d.low > 0 {
			r.Truth.Pt = d.low * math.Pow(100/d.low, s.Float64())
		}
		r.Eta, r.Around = 1.6+1.3*s.Float64(), 50*s.Float64()
		// What the layers' weighted sum must be.
		sum := r.Truth.Pt*(1+d.smear*normal) + d.around*r.Around - d.slope*(area(r.Eta)-area(2))
		sum += d.noise * math.Sqrt(2*s.Exp()) * math.Cos(2*math.Pi*s.Float64())
		sum /= 1 + d.gain*(r.Eta-2)
		r.Layers = make([]float64, len(d.weights))
		total := 0.0
		for l, w := range d.weights {
			if w > 0 {
				r.Layers[l] = 0.2 + s.Float64()
				total += w * r.Layers[l]
			}
		}
		for l := range r.Layers {
			r.Layers[l] *= sum / total
		}
	}
	return records
}

// TestKnownWeights: without smearing every parameter comes back, and p_T of all events.
func TestKnownWeights(t *testing.T) {
	d := &toy{weights: []float64{0.02, 0.05, 0.01, 0.03, 0.04, 0.02}, around: 0.1, slope: 0.1}
	records := d.records(1, 400)
	c, err := Calibrate(records, CalibrationSettings{Class: simulate.Electron, Ridge: 1e-12})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*Fit{&c.Even, &c.Odd} {
		for l, w := range d.weights {
			if math.Abs(f.Weights[l]-w) > 1e-6 {
				t.Errorf("layer %d: weight %g, want %g", l+1, f.Weights[l], w)
			}
		}
		if math.Abs(f.Around+d.around) > 1e-5 || math.Abs(f.Slope-d.slope) > 1e-4 || math.Abs(f.Offset-d.slope*(f.Area-area(2))) > 1e-3 ||
			math.Abs(f.Gain) > 1e-6 || len(f.Notes) != 0 || f.N != 200 {
			t.Errorf("%+v, want around %g, slope %g", f, -d.around, d.slope)
		}
	}
	for i := range records {
		if r := &records[i]; math.Abs(c.Pt(r)/r.Truth.Pt-1) > 1e-5 {
			t.Fatalf("event %d: p_T %g, want %g", i, c.Pt(r), r.Truth.Pt)
		}
	}
}

// response is the mean of p̂/p and its error, and its spread over it, within a range of p
// and |η|.
func response(records []Record, c *Calibration, within func(r *Record) bool) (mean, err, spread float64) {
	var n, sum, squares float64
	for i := range records {
		if r := &records[i]; within(r) {
			v := c.Pt(r) / r.Truth.Pt
			n, sum, squares = n+1, sum+v, squares+v*v
		}
	}
	mean = sum / n
	sigma := math.Sqrt(squares/n - mean*mean)
	return mean, sigma / math.Sqrt(n), sigma / mean
}

// TestFlatResponse: with noise that is the same at all p_T, as pile-up's is, the response
// is 1 at all of them, and the spread comes out.
func TestFlatResponse(t *testing.T) {
	for _, noise := range []float64{1, 3} {
		d := &toy{weights: []float64{0.02, 0.05, 0.01, 0.03}, around: 0.02, slope: 0.02, smear: 0.05, noise: noise, low: 2.5}
		records := d.records(5, 60000)
		c, err := Calibrate(records, CalibrationSettings{Class: simulate.Electron})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []*Fit{&c.Even, &c.Odd} {
			if math.Abs(f.Relative-d.smear) > 0.005 || math.Abs(f.Absolute/noise-1) > 0.03 {
				t.Errorf("spread %.4f of p_T and %.3f GeV, want %g and %g", f.Relative, f.Absolute, d.smear, noise)
			}
		}
		edges := []float64{2.5, 3.5, 5, 10, 20, 50, 100}
		for b := 1; b < len(edges); b++ {
			mean, e, _ := response(records, c, func(r *Record) bool { return r.Truth.Pt >= edges[b-1] && r.Truth.Pt < edges[b] })
			if math.Abs(mean-1) > 0.01+3*e {
				t.Errorf("noise %g GeV, %g to %g GeV: response %.4f ± %.4f, want 1", noise, edges[b-1], edges[b], mean, e)
			}
		}
	}
}

// TestGain: a response that changes with η by a share of itself is 1 everywhere.
func TestGain(t *testing.T) {
	d := &toy{weights: []float64{0.02, 0.05, 0.01, 0.03}, slope: 0.05, smear: 0.03, gain: 0.3}
	records := d.records(6, 8000)
	c, err := Calibrate(records, CalibrationSettings{Class: simulate.Electron})
	if err != nil {
		t.Fatal(err)
	}
	for low := 1.6; low < 2.85; low += 0.26 {
		mean, e, _ := response(records, c, func(r *Record) bool { return r.Eta >= low && r.Eta < low+0.26 })
		if math.Abs(mean-1) > 0.003+3*e {
			t.Errorf("|η| %.2f to %.2f: response %.4f ± %.4f, want 1", low, low+0.26, mean, e)
		}
	}
}

// TestOneMomentum: of particles of the same p_T resolution is the detector's, not 0: an
// offset would say all.
func TestOneMomentum(t *testing.T) {
	d := &toy{weights: []float64{0.02, 0.05, 0.01, 0.03}, around: 0.02, smear: 0.08}
	records := d.records(7, 8000)
	for i := range records {
		for l := range records[i].Layers {
			records[i].Layers[l] *= 50 / records[i].Truth.Pt
		}
		records[i].Truth.Pt = 50
	}
	c, err := Calibrate(records, CalibrationSettings{Class: simulate.Electron})
	if err != nil {
		t.Fatal(err)
	}
	mean, e, spread := response(records, c, func(*Record) bool { return true })
	if math.Abs(mean-1) > 0.01+3*e || spread < 0.07 || spread > 0.1 || c.Even.Offset != 0 || !strings.Contains(strings.Join(c.Even.Notes, " "), "much the same everywhere") {
		t.Errorf("response %.4f, resolution %.4f, %+v", mean, spread, c.Even)
	}
}

// TestKnownResolution: events have the response 1 and the detector's resolution.
func TestKnownResolution(t *testing.T) {
	d := &toy{weights: []float64{0.02, 0.05, 0.01, 0.03}, around: 0.02, slope: 0.02, smear: 0.08}
	records := d.records(2, 8000)
	c, err := Calibrate(records, CalibrationSettings{Class: simulate.Electron})
	if err != nil {
		t.Fatal(err)
	}
	mean, e, spread := response(records, c, func(*Record) bool { return true })
	// The spread's error is 0.08/√16000.
	if math.Abs(mean-1) > 0.003+3*e || math.Abs(spread-d.smear) > 0.003 {
		t.Errorf("response %.4f, resolution %.4f, want 1 and %g", mean, spread, d.smear)
	}
}

// TestHalves: no event has a part in the fit that calibrates it, and what other classes
// and particles not found have changes nothing.
func TestHalves(t *testing.T) {
	d := &toy{weights: []float64{0.02, 0.05}, smear: 0.1}
	records := d.records(3, 400)
	s := CalibrationSettings{Class: simulate.Electron}
	a, err := Calibrate(records, s)
	if err != nil {
		t.Fatal(err)
	}
	for half := range 2 {
		changed := slices.Clone(records)
		for i := half; i < len(changed); i += 2 {
			changed[i].Truth.Pt *= 7
		}
		changed = append(changed, Record{Event: 2}, Record{Event: 4, Found: true, Truth: simulate.Particle{Class: simulate.Pion, Pt: 3}})
		b, err := Calibrate(changed, s)
		if err != nil {
			t.Fatal(err)
		}
		for i := range records {
			if r := &changed[i]; (i%2 == half) != (a.Pt(r) == b.Pt(r)) {
				t.Fatalf("events of numbers %d mod 2 were changed, event %d: p_T %g, then %g", half, i, a.Pt(r), b.Pt(r))
			}
		}
	}
}

// TestCalibrateNotes: what there is nothing to fit by is noted, and no number is NaN.
func TestCalibrateNotes(t *testing.T) {
	d := &toy{weights: []float64{0.02, 0, 0.01}, smear: 0.1}
	records := d.records(4, 400)
	for i := range records {
		records[i].Eta, records[i].Around = 2, 0
	}
	c, err := Calibrate(records, CalibrationSettings{Class: simulate.Electron})
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(c.Even.Notes, "; ")
	for _, want := range []string{"layer 2 of the list has no energy", "|η| is the same", "nothing is around"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q, want %q", notes, want)
		}
	}
	if math.Abs(c.Even.Weights[1]-c.Even.Common) > 1e-12 {
		t.Errorf("layer without energy: weight %g, want %g", c.Even.Weights[1], c.Even.Common)
	}
	for i := range records {
		if math.IsNaN(c.Pt(&records[i])) {
			t.Fatal("p_T of a cluster is NaN")
		}
	}
	if r := (Record{}); !math.IsNaN(c.Pt(&r)) {
		t.Error("p_T without a cluster")
	}
}

func TestCalibrateErrors(t *testing.T) {
	d := &toy{weights: []float64{0.02, 0.05}}
	empty := d.records(1, 200)
	for i := range empty {
		clear(empty[i].Layers)
	}
	onlyEven := d.records(1, 200)
	for i := range onlyEven {
		onlyEven[i].Event *= 2
	}
	uneven := d.records(1, 200)
	uneven[50].Layers = uneven[50].Layers[:1]
	for _, c := range []struct {
		records []Record
		s       CalibrationSettings
		want    string
	}{
		{nil, CalibrationSettings{}, "no cluster of pileup to calibrate by"},
		{d.records(1, 200), CalibrationSettings{Class: simulate.Photon}, "no cluster of photon"},
		{onlyEven, CalibrationSettings{Class: simulate.Electron}, "in events of odd numbers"},
		{d.records(1, 40), CalibrationSettings{Class: simulate.Electron}, "20 clusters of electron in events of even numbers to calibrate 2 layers by: want at least 28"},
		{empty, CalibrationSettings{Class: simulate.Electron}, "have no energy"},
		{uneven, CalibrationSettings{Class: simulate.Electron}, "event 50 has 1 layers, others 2"},
		{d.records(1, 200), CalibrationSettings{Class: simulate.Electron, Ridge: -1}, "ridge -1"},
	} {
		if _, err := Calibrate(c.records, c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
