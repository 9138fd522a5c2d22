package physics

import (
	"math"
	"strings"
	"testing"

	"barrow/internal/counter"
	"barrow/simulate"
)

// toy is a detector of known weights: p_T = Σ weights·E − density·(what is around) +
// slope·(|η| − 2), the sum smeared by a share of itself.
type toy struct {
	weights              []float64
	around, slope, smear float64
}

func (d *toy) records(seed uint64, n int) []Record {
	records := make([]Record, n)
	for i := range records {
		s := counter.New(seed, uint64(i))
		normal := math.Sqrt(2*s.Exp()) * math.Cos(2*math.Pi*s.Float64())
		r := &records[i]
		*r = Record{Event: int64(i), Zside: 1, Found: true, Truth: simulate.Particle{Class: simulate.Electron, Pt: 10 + 90*s.Float64()}}
		r.Eta, r.Around = 1.6+1.3*s.Float64(), 50*s.Float64()
		// What the layers' weighted sum must be.
		sum := r.Truth.Pt*(1+d.smear*normal) + d.around*r.Around - d.slope*(r.Eta-2)
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
	d := &toy{weights: []float64{0.02, 0.05, 0.01, 0.03, 0.04, 0.02}, around: 0.1, slope: 3}
	records := d.records(1, 400)
	c, err := Calibrate(records, CalibrationSettings{Class: simulate.Electron, Ridge: 1e-12})
	if err != nil {
		t.Fatal(err)
	}
	for l, w := range d.weights {
		if math.Abs(c.Weights[l]-w) > 1e-6 {
			t.Errorf("layer %d: weight %g, want %g", l+1, c.Weights[l], w)
		}
	}
	if math.Abs(c.Around+d.around) > 1e-5 || math.Abs(c.Slope-d.slope) > 1e-4 || math.Abs(c.Offset-d.slope*(c.Eta-2)) > 1e-4 ||
		math.Abs(c.Scale-1) > 1e-6 || len(c.Notes) != 0 || c.N != 200 {
		t.Errorf("%+v, want around %g, slope %g", c, -d.around, d.slope)
	}
	for i := range records {
		if r := &records[i]; math.Abs(c.Pt(r)/r.Truth.Pt-1) > 1e-5 {
			t.Fatalf("event %d: p_T %g, want %g", i, c.Pt(r), r.Truth.Pt)
		}
	}
}

// TestKnownResolution: odd events have the response 1 and the detector's resolution.
func TestKnownResolution(t *testing.T) {
	d := &toy{weights: []float64{0.02, 0.05, 0.01, 0.03}, around: 0.02, slope: 0.2, smear: 0.08}
	records := d.records(2, 8000)
	c, err := Calibrate(records, CalibrationSettings{Class: simulate.Electron})
	if err != nil {
		t.Fatal(err)
	}
	var n, sum, squares float64
	for i := 1; i < len(records); i += 2 {
		v := c.Pt(&records[i]) / records[i].Truth.Pt
		n, sum, squares = n+1, sum+v, squares+v*v
	}
	mean := sum / n
	spread := math.Sqrt(squares/n-mean*mean) / mean
	// Errors: 0.08/√4000 of the mean, 0.08/√8000 of the spread.
	if math.Abs(mean-1) > 0.006 || math.Abs(spread-d.smear) > 0.004 {
		t.Errorf("response %.4f, resolution %.4f, want 1 and %g", mean, spread, d.smear)
	}
}

// TestOddEvents: what odd events, other classes and particles not found have changes
// nothing.
func TestOddEvents(t *testing.T) {
	d := &toy{weights: []float64{0.02, 0.05}, smear: 0.1}
	records := d.records(3, 400)
	s := CalibrationSettings{Class: simulate.Electron}
	a, err := Calibrate(records, s)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(records); i += 2 {
		records[i].Truth.Pt *= 7
	}
	records = append(records, Record{Event: 2}, Record{Event: 4, Found: true, Truth: simulate.Particle{Class: simulate.Pion, Pt: 3}})
	b, err := Calibrate(records, s)
	if err != nil {
		t.Fatal(err)
	}
	if a.Weights[0] != b.Weights[0] || a.Weights[1] != b.Weights[1] || a.Scale != b.Scale {
		t.Errorf("%+v, then %+v", a, b)
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
	notes := strings.Join(c.Notes, "; ")
	for _, want := range []string{"layer 2 of the list has no energy", "|η| is the same", "nothing is around"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q, want %q", notes, want)
		}
	}
	if math.Abs(c.Weights[1]-c.Common) > 1e-12 {
		t.Errorf("layer without energy: weight %g, want %g", c.Weights[1], c.Common)
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
	uneven := d.records(1, 200)
	uneven[50].Layers = uneven[50].Layers[:1]
	for _, c := range []struct {
		records []Record
		s       CalibrationSettings
		want    string
	}{
		{nil, CalibrationSettings{}, "no cluster of pileup to calibrate by"},
		{d.records(1, 200), CalibrationSettings{Class: simulate.Photon}, "no cluster of photon"},
		{d.records(1, 40), CalibrationSettings{Class: simulate.Electron}, "20 clusters of electron in events of even numbers to calibrate 2 layers by: want at least 24"},
		{empty, CalibrationSettings{Class: simulate.Electron}, "have no energy"},
		{uneven, CalibrationSettings{Class: simulate.Electron}, "event 50 has 1 layers, others 2"},
		{d.records(1, 200), CalibrationSettings{Class: simulate.Electron, Ridge: -1}, "ridge -1"},
	} {
		if _, err := Calibrate(c.records, c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
