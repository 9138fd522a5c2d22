package drift

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/run"
	"barrow/wafer"
)

// TestPresets: all drifts that come with the program can be read, and say what they are.
func TestPresets(t *testing.T) {
	for _, name := range Presets() {
		d, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if d.Name != name || d.About == "" {
			t.Errorf("%s: %+v", name, d)
		}
	}
	for text, want := range map[string]string{
		"[gain]\nlos = 1":        "mine.toml:2: gain.los is no key of a drift: in [gain] there may be loss, eta, layer, spread; did you mean loss?",
		"\n[nois]\nfactor = 2":   "mine.toml:2: nois is no key of a drift",
		"[gain\nloss = 1":        "mine.toml:2:6",
		"[dead]\nshare = 2":      "dead.share = 2: want 0 to 0.9",
		"[noise]\nfactor = 0.5":  "noise.factor = 0.5: want 1 to 10",
		"about = \"nothing\"":    "nothing changes",
		"[beam_spot]\nx = \"a\"": "mine.toml:2: beam_spot.x: want a value of the kind float, not string",
		"[pile_up]\nmean = 1000": "pile_up.mean = 1000",
	} {
		if _, err := parse("mine.toml", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := Read("nois"); err == nil || !strings.Contains(err.Error(), "noise") {
		t.Errorf("no hint: %v", err)
	}
}

func module(t *testing.T) hgcal.Module {
	s, err := Default().site()
	if err != nil {
		t.Fatal(err)
	}
	return s.module
}

// TestGain: without a spread cells keep exp(−t·loss·F), more of them with a larger η; with one the
// logarithm of what is lost has it, cells and sensors with half of the variance each.
func TestGain(t *testing.T) {
	m := module(t)
	d := &Drift{Gain: Gain{Loss: 1.5, Eta: 2.2, Layer: -0.03}}
	etas := cellEtas(m)
	for _, share := range []float64{0, 0.25, 1} {
		a := d.at(m, 1, 7, share)
		for c, g := range a.Gain {
			want := math.Exp(-share * 1.5 * math.Exp(2.2*(etas[c]-2.2)-0.03*float64(m.Layer-9)))
			if math.Abs(g-want) > 1e-12 {
				t.Fatalf("share %v, cell %d: %v, want %v", share, c, g, want)
			}
		}
	}
	mean := 0.0
	for _, e := range etas {
		mean += e / hgcal.Cells
	}
	if math.Abs(mean-m.Eta()) > 0.02 || slices.Max(etas[:])-slices.Min(etas[:]) < 0.1 {
		t.Errorf("cells at η %v to %v in a module at %v", slices.Min(etas[:]), slices.Max(etas[:]), m.Eta())
	}
	d.Gain.Spread = 0.4
	var sum, square, n float64
	for seed := range uint64(200) {
		for c, g := range d.at(m, 0, seed, 1).Gain {
			v := math.Log(-math.Log(g) / (1.5 * fluence(etas[c], m.Layer, d.Gain)))
			sum, square, n = sum+v, square+v*v, n+1
		}
	}
	// 200 sensors: the error of the variance is some 7 %.
	if spread := math.Sqrt(square/n - sum/n*sum/n); math.Abs(spread-0.4) > 0.04 {
		t.Errorf("a spread of %v, want 0.4", spread)
	}
}

// TestDead: as many die as are said, and nobody comes back.
func TestDead(t *testing.T) {
	m, d := module(t), &Drift{Dead: Dead{Share: 0.3}}
	dead, n := 0, 0
	for seed := range uint64(100) {
		last := d.at(m, 0, seed, 0)
		for s := 1; s <= 10; s++ {
			now := d.at(m, 0, seed, float64(s)/10)
			for c, g := range now.Gain {
				if last.Gain[c] == 0 && g != 0 {
					t.Fatalf("seed %d: cell %d is alive again at step %d", seed, c, s)
				}
				if s == 10 {
					if n++; g == 0 {
						dead++
					}
				}
			}
			last = now
		}
	}
	if got := float64(dead) / float64(n); math.Abs(got-0.3) > 4*math.Sqrt(0.3*0.7/float64(n)) {
		t.Errorf("%v have died, want 0.3", got)
	}
}

// TestBeginsAsOwn: a decoder with conditions decodes as the autoencoder's own until it is trained,
// whatever it is told.
func TestBeginsAsOwn(t *testing.T) {
	p := Default()
	s, err := p.site()
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.architecture().New(nn.Settings{Seed: 5, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.draw(40, 3, p.beam(), func(int, int) *age { return fresh() })
	if err != nil {
		t.Fatal(err)
	}
	f, err := arrive(context.Background(), m, e.measured, 0)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDecoder(m, s.conditions)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.decode(f, shift{conditions: []float64{1, 0.5, -0.5, 2, -1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.DecodeOutputs(context.Background(), e.measured, f.outputs)
	if err != nil {
		t.Fatal(err)
	}
	for i := range e.sector {
		row := want.Image(i)
		sum := wafer.Sum(row)
		for c, v := range row {
			// The sum that arrives has nine bits.
			if math.Abs(got[i*hgcal.Cells+c]-v/sum) > 2e-4 {
				t.Fatalf("image %d, cell %d: %v, want %v", i, c, got[i*hgcal.Cells+c], v/sum)
			}
		}
	}
}

// TestEstimate: Student's interval of 1, 2, 3 is 2 ± 4.303/√3.
func TestEstimate(t *testing.T) {
	e := estimate([]float64{1, 2, 3})
	if e.Value != 2 || math.Abs(*e.High-2-4.302653/math.Sqrt(3)) > 1e-5 || math.Abs(*e.Low+*e.High-4) > 1e-12 {
		t.Errorf("%+v, %v to %v", e, *e.Low, *e.High)
	}
	if got := e.print("%+.1f", 1); got != "+2.0 (−0.5 … +4.5)" {
		t.Errorf("printed as %s", got)
	}
	if e := estimate([]float64{4}); e.Low != nil || e.print("%.0f", 1) != "4" {
		t.Errorf("one value has an interval: %+v", e)
	}
}

// TestRecovered: of 1.0, which trainings anew bring down to 0.5 and a tuner to 0.6, that one recovers
// 0.8; of nothing lost there is no share, and results without one can be kept.
func TestRecovered(t *testing.T) {
	p := Quick()
	p.Steps, p.Every, p.Vectors = 1, 1, []string{onConditions}
	track := func(all float64) Track {
		emd := map[string]float64{frozen: 1, gainCells: 0.9, gainRing: 0.8, untuned: 1, onConditions: 0.6, known: 0.6, retrainedDecoder: 0.5, retrainedAll: all}
		return Track{Steps: []Step{{EMD: emd}, {Step: 1, EMD: emd}}}
	}
	for _, c := range []struct {
		all  []float64
		want string
	}{{[]float64{0.5, 0.5}, "80 (80 … 80)"}, {[]float64{0.5, 1}, "–"}} {
		course := courseOf(p, Drift{Name: "some"}, []Track{track(c.all[0]), track(c.all[1])})
		r := course.Rows[slices.IndexFunc(course.Rows, func(r Row) bool { return r.Name == onConditions })]
		if got := r.Recovered.print("%.0f", 100); got != c.want || math.Abs(r.Gain.Value-0.2) > 1e-12 {
			t.Errorf("all at %v: recovered %s, %v below the gain correction; want %s, 0.2", c.all, got, r.Gain.Value, c.want)
		}
		if _, err := json.Marshal(course); err != nil {
			t.Error(err)
		}
	}
}

// small is a run of seconds.
func small() Plan {
	p := Quick()
	p.Drifts, p.Vectors, p.Methods = []string{"ageing"}, vectors(), []string{byExtremum}
	p.Steps, p.Every, p.Events, p.References, p.Tries, p.Readout = 2, 2, 60, 80, 10, 20
	p.Train, p.Epochs, p.More, p.MoreFor, p.Test, p.Seeds = 300, 1, 320, 3, 60, 2
	return p
}

// TestSameBits: a run gives the same bytes on any number of threads, and when it was interrupted in any of
// its parts.
func TestSameBits(t *testing.T) {
	read := func(folder string) []byte {
		b, err := os.ReadFile(filepath.Join(folder, run.Results))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, two := t.TempDir(), t.TempDir()
	r, _, err := Start(context.Background(), one, small(), Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for stops := 1; ; stops++ {
		ctx, stop := context.WithCancel(context.Background())
		calls := 0
		_, _, err := Start(ctx, two, small(), Settings{Threads: 2, Progress: func(float64, string) {
			if calls++; calls == 15*stops {
				stop()
			}
		}})
		stop()
		if err == nil {
			if stops < 3 {
				t.Errorf("only %d interruptions", stops-1)
			}
			break
		}
		if !errors.Is(err, context.Canceled) || stops > 100 {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(read(one), read(two)) {
		t.Error("the results differ")
	}
	p, err := Page(one)
	if err != nil || len(p.Sections) != 2 {
		t.Fatalf("page %+v (%v)", p, err)
	}
	for _, row := range p.Sections[0].Tables[0].Rows {
		if row[1] == "" {
			t.Errorf("the page does not say what %s is", row[0])
		}
	}
	for _, track := range r.Courses[0].Tracks {
		if new := track.Steps[0].EMD; new[retrainedAll] != new[frozen] || new[retrainedDecoder] != new[frozen] {
			t.Errorf("of the new detector %v", new)
		}
	}
	for _, row := range r.Courses[0].Rows {
		if !(row.Last > 0) || row.Recovered == nil || row.Name == frozen && row.Recovered.Value != 0 || row.Name == retrainedAll && row.Recovered.Value != 1 {
			t.Errorf("%+v", row)
		}
	}
	if _, _, err := Start(context.Background(), one, small(), Settings{}); !errors.Is(err, run.ErrTaken) {
		t.Errorf("a finished run was begun again: %v", err)
	}
}

// TestCheck: what cannot be is refused before there is a folder.
func TestCheck(t *testing.T) {
	for want, change := range map[string]func(p *Plan){
		"module = \"9/6\"":          func(p *Plan) { p.Module = "9/6" },
		"no such wafer":             func(p *Plan) { p.Module = "9/60/8" },
		"retrain_every = 30 of 20":  func(p *Plan) { p.Every = 30 },
		"methods":                   func(p *Plan) { p.Methods = []string{"luck"} },
		"vectors names both twice":  func(p *Plan) { p.Vectors = []string{"both", "both"} },
		"events = 10":               func(p *Plan) { p.Events = 10 },
		"links = 6":                 func(p *Plan) { p.Links = 6 },
		"readout = 900":             func(p *Plan) { p.Readout = 900 },
		"drifts: name at least one": func(p *Plan) { p.Drifts = nil },
		"two are called noise":      func(p *Plan) { p.Drifts = []string{"noise", "noise"} },
		"pileup = 500":              func(p *Plan) { p.PileUp = 500 },
	} {
		p := Quick()
		change(&p)
		folder := filepath.Join(t.TempDir(), "run")
		if _, _, err := Start(context.Background(), folder, p, Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s: there is a folder", want)
		}
	}
}

// TestConditionsOfModule: the decoders are told what the autoencoder's conditions are.
func TestConditionsOfModule(t *testing.T) {
	s, err := Default().site()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.conditions) != autoencoder.ConditionCount || math.Abs(float64(s.conditions[0])-s.module.Eta()/3.1) > 1e-6 {
		t.Errorf("conditions %v of a module at η %v", s.conditions, s.module.Eta())
	}
}
