package physics

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/internal/counter"
	"barrow/simulate"
)

// toyClusters are clusters whose core is normal about a mean, of particles whose spectrum is
// p_T^−index, 2 to 160 GeV, seen with a resolution of 0.2 in ln p_T. The number of cells tells the
// particle's p_T exactly and the largest layer |η|, as the finest cluster might. Events have
// one each.
func toyClusters(n int, mean, index float64, seed uint64) *Table {
	r := counter.New(seed, 1)
	normal := func() float64 { return math.Sqrt(2*r.Exp()) * math.Cos(2*math.Pi*r.Float64()) }
	t := &Table{Events: n}
	for i := range n {
		c := Record{Event: int64(i), Found: true}
		k := 1 - index + 1e-9
		c.Truth.Pt = math.Pow(math.Pow(2, k)+r.Float64()*(math.Pow(160, k)-math.Pow(2, k)), 1/k)
		c.Sum = c.Truth.Pt * math.Exp(0.2*normal())
		// |η| rises with the index: a density of e^(index·|η|) from 1.5 to 3.
		c.Eta = 1.5 + math.Log1p(r.Float64()*math.Expm1(1.5*index))/index
		c.Layers, c.Cells, c.Shape.MaxLayer = []float64{1}, int(1e4*math.Log(c.Truth.Pt)), c.Eta
		c.Truth.Eta, c.Shape.Core = c.Eta, mean+normal()
		t.Records = append(t.Records, c)
	}
	return t
}

func sumOf(r *Record) float64 { return r.Sum }

func identify(t *testing.T, particles, crossings *Table, threads int) *Identification {
	t.Helper()
	id, err := Identify(context.Background(), particles, crossings, sumOf, IdentifySettings{Threads: threads, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestIdentify holds the trees to the best that can be done with two normal distributions d
// apart, Φ(d/√2), though the spectra in p_T and |η| differ by three powers and the trees see both:
// of d = 0 they must make nothing of that.
func TestIdentify(t *testing.T) {
	phi := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	for _, d := range []float64{0, 1, 2} {
		id := identify(t, toyClusters(12000, d, 1, 1), toyClusters(30000, 0, 4, 2), 2)
		if want := phi(d / math.Sqrt2); math.Abs(id.AUC.Value-want) > 3*id.AUC.Error+0.003 {
			t.Errorf("%v apart: area %.4f ± %.4f, want %.4f", d, id.AUC.Value, id.AUC.Error, want)
		}
		if !(id.AUC.Error > 0 && id.AUC.Error < 0.02) {
			t.Errorf("%v apart: error of the area %v", d, id.AUC.Error)
		}
		// What is above the mean of signal minus z passes: signal 0.9 at z = 1.2816.
		if b, want := id.Background[0], phi(1.2816-d); math.Abs(b.Value.Value-want) > 4*b.Error+0.005 {
			t.Errorf("%v apart: background at 90 %% is %.4f ± %.4f, want %.4f", d, b.Value.Value, b.Error, want)
		}
		for k := 1; k < len(id.Curve); k++ {
			if id.Curve[k].Value.Value < id.Curve[k-1].Value.Value {
				t.Errorf("%v apart: the curve falls at %v", d, id.Curve[k].Efficiency)
			}
		}
	}
}

// TestIdentifySame: electrons are not told from electrons with another spectrum.
func TestIdentifySame(t *testing.T) {
	electrons := func(seed uint64, index float64) *Table {
		source, err := NewSimulated(SimulatedSettings{N: 2500, Events: simulate.EventSettings{
			Class: simulate.Electron, PtMin: 4, PtMax: 20, Index: index, EtaMin: 1.7, EtaMax: 2.7, Seed: seed}})
		if err != nil {
			t.Fatal(err)
		}
		list := &Table{}
		for _, b := range measureAll(t, source, MeasureSettings{Block: 1000}, NewAllCells()) {
			list.Events += b.Events
			list.Records = append(list.Records, b.Records[0]...)
		}
		return list
	}
	flat, steep := electrons(1, 1), electrons(2, 4)
	calibration, err := Calibrate(flat.Records, CalibrationSettings{Class: simulate.Electron})
	if err != nil {
		t.Fatal(err)
	}
	id, err := Identify(context.Background(), flat, steep, calibration.Pt, IdentifySettings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("area %.4f ± %.4f, %.3f of particles, left out %+v, background %v", id.AUC.Value, id.AUC.Error, id.Share.Value, id.LeftOut, id.Background[1].Print(4))
	if !(math.Abs(id.AUC.Value-0.5) <= 3*id.AUC.Error && id.AUC.Error < 0.04) {
		t.Errorf("area %.4f ± %.4f, want ½", id.AUC.Value, id.AUC.Error)
	}
}

func TestIdentifyThreads(t *testing.T) {
	var first string
	for _, threads := range []int{1, 2, 5} {
		text, err := json.Marshal(identify(t, toyClusters(1000, 1, 1, 1), toyClusters(1000, 0, 2, 2), threads))
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(text)
		}
		if string(text) != first {
			t.Errorf("%d threads: other bytes", threads)
		}
	}
}

func TestIdentifyLittle(t *testing.T) {
	many := toyClusters(1000, 1, 1, 1)
	one := toyClusters(1, 1, 1, 1)
	one.Records[0].Sum = 10
	near, far := toyClusters(1000, 0, 1, 2), toyClusters(1000, 0, 1, 3)
	for i := range far.Records {
		near.Records[i].Eta, far.Records[i].Eta = 2, 2.8
	}
	for want, c := range map[string][2]*Table{
		"0 minimum-bias clusters":                     {many, {}},
		"1 particle clusters within range in even":    {one, many},
		"particles and minimum bias have no bin of p": {near, far},
	} {
		id := identify(t, c[0], c[1], 1)
		if !math.IsNaN(id.AUC.Value) || !strings.Contains(id.AUC.Note, want) || len(id.Background) != 3 || id.Background[2].Note != id.AUC.Note {
			t.Errorf("want %q, have %+v", want, id)
		}
	}
	// All variables constant: nothing is told apart.
	flat := toyClusters(1000, 0, 1, 2)
	for i := range flat.Records {
		r := &flat.Records[i]
		r.Shape.Core, r.Shape.MaxLayer, r.Sum, r.Eta, r.Cells = 1, 1, 10, 2, 1
	}
	if id := identify(t, flat, flat, 1); math.Abs(id.AUC.Value-0.5) > 1e-12 || id.AUC.Error > 1e-12 {
		t.Errorf("constant variables: area %v ± %v, want ½", id.AUC.Value, id.AUC.Error)
	}
	other := toyClusters(1000, 0, 1, 1)
	for i := range other.Records {
		other.Records[i].Cluster = flat.Records[i].Cluster
		other.Records[i].Shape.Core = 50
	}
	apart := identify(t, other, flat, 1)
	if b := apart.Background[0]; b.Value.Value != 0 || !math.IsNaN(b.Error) || !strings.Contains(b.Note, "below") {
		t.Errorf("kinds that are far apart: %+v", b)
	}
	for _, s := range []IdentifySettings{{Pt: []float64{1}}, {Pt: []float64{2, 1}}, {Pt: []float64{0, 1}}, {Eta: []float64{}}, {Eta: []float64{1, math.NaN()}}, {Draws: -1}, {Threads: -1}} {
		if _, err := Identify(context.Background(), many, many, sumOf, s); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Identify(ctx, many, many, sumOf, IdentifySettings{}); err == nil {
		t.Error("a cancelled context was not heeded")
	}
}

// TestIdentifyLeftOut: bins with fewer than ten clusters of a kind in a half of the events
// are left out, and counted, and the ROC says of how many particles it is.
func TestIdentifyLeftOut(t *testing.T) {
	at := func(n int, first int64, pt, eta float64) (list []Record) {
		for i := range n {
			r := Record{Event: first + int64(i), Found: true}
			r.Layers, r.Cells, r.Sum, r.Eta, r.Shape.Core = []float64{1}, 1, pt, eta, float64(i%7)
			list = append(list, r)
		}
		return list
	}
	particles := &Table{Records: slices.Concat(at(200, 0, 10.5, 2), at(100, 200, 30, 2), at(100, 300, 200, 2), make([]Record, 100))}
	for i := range 100 {
		particles.Records[400+i].Event = 400 + int64(i) // not found
	}
	for few, used := range map[int]float64{18: 200. / 500, 20: 300. / 500} {
		crossings := &Table{Records: slices.Concat(at(200, 0, 11, 2), at(few, 200, 30, 2), at(30, 300, 30, 2.8))}
		id := identify(t, particles, crossings, 1)
		want := LeftOut{Crossings: 30}
		if few < 20 {
			want = LeftOut{Particles: 100, Crossings: 30 + few}
		}
		if id.LeftOut != want || math.Abs(id.Share.Value-used) > 1e-12 || !(id.Share.Error > 0) {
			t.Errorf("%d clusters: left out %+v of share %+v, want %+v, %g", few, id.LeftOut, id.Share, want, used)
		}
	}
}

// TestIdentifyRange: clusters below the lowest generated p_T are not of the ROC, whose particles
// were only measured too low.
func TestIdentifyRange(t *testing.T) {
	particles, crossings := toyClusters(4000, 1, 1, 1), toyClusters(4000, 0, 2, 2)
	for lowest, want := range map[float64][]float64{2: {5, 10, 20, 40, 80}, 12: {12, 24, 48, 96}, 90: {90, 180}} {
		kept := &Table{Events: particles.Events}
		for i := range particles.Records {
			if r := &particles.Records[i]; r.Truth.Pt >= lowest {
				kept.Records = append(kept.Records, *r)
			}
		}
		kept.Records[0].Truth.Pt = lowest
		var s IdentifySettings
		if err := s.complete(kept); err != nil || !slices.Equal(s.Pt, want) {
			t.Errorf("from %g GeV on: bins %v (%v), want %v", lowest, s.Pt, err, want)
		}
		n := 0
		for i := range kept.Records {
			if r := &kept.Records[i]; sumOf(r) >= want[0] && sumOf(r) < want[len(want)-1] {
				n++
			}
		}
		halves := s.candidates(kept, sumOf)
		if got := len(halves[0].list) + len(halves[1].list); got != n {
			t.Errorf("from %g GeV on: %d candidates, want %d", lowest, got, n)
		}
		if lowest > 20 {
			continue
		}
		if id := identify(t, kept, crossings, 1); !(id.AUC.Value > 0.6) {
			t.Errorf("from %g GeV on: area %+v", lowest, id.AUC)
		}
	}
}

// TestIdentifyDraws: draws of Identify are of the same particles' events as those of Summarise, so
// that figures of both can be set against each other.
func TestIdentifyDraws(t *testing.T) {
	r := counter.New(5, 1)
	table := toyClusters(400, 0, 1, 1)
	for i := range table.Records {
		c := &table.Records[i]
		c.Event = int64(i / 2 * 3) // two particles each, and gaps
		c.Truth.Pt, c.Truth.Eta, c.EMD, c.Sum = 20, 2, 1, 25
		if c.Found = r.Float64() < 0.8; !c.Found {
			c.Cluster = Cluster{Layers: []float64{0}}
		}
	}
	p, err := prepare([]Columns{ColumnsOf(table, sumOf)}, SummarySettings{})
	if err != nil {
		t.Fatal(err)
	}
	boot := newBootstrap(p.summary.Events, 0, 3, 9)
	s := IdentifySettings{Seed: 9}
	if err := s.complete(table); err != nil {
		t.Fatal(err)
	}
	halves := s.candidates(table, sumOf)
	for d := range boot.draws {
		if !slices.Equal(s.draw(halves[0], &kind{}, d).particles, boot.draws[d].particles) {
			t.Errorf("draw %d is another one", d)
		}
	}
	// The events' places are the same, too.
	var next [2]int
	for i := range table.Records {
		if r := &table.Records[i]; r.Found {
			h := r.half()
			if got := halves[h].list[next[h]].event; got != p.event[i] {
				t.Fatalf("event %d is at place %d, of figures at %d", r.Event, got, p.event[i])
			}
			next[h]++
		}
	}
	if next[0] < 100 || next[1] < 100 || next[0] != len(halves[0].list) || next[1] != len(halves[1].list) {
		t.Errorf("%d and %d candidates", next[0], next[1])
	}
}
