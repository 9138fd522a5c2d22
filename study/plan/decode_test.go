package plan

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/run"
	"barrow/simulate"
	"barrow/wafer"
)

// prepared is a run in a folder of its own.
func prepared(t *testing.T, p Plan) *work {
	t.Helper()
	w := &work{threads: 1, progress: func(float64, string) {}}
	if err := w.prepare(context.Background(), p, Settings{Threads: 1}); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.folder, err = run.Open(t.TempDir(), run.Identity{Kind: Kind(), Settings: p}, run.Settings{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.folder.Close)
	return w
}

// TestEncoderFrames: an encoder's image is its decoder's, which is told the sum that a frame
// carries: the image's own where that is small, and the same for all images between two codes.
func TestEncoderFrames(t *testing.T) {
	p := small(t)
	w := prepared(t, p)
	m, err := p.architecture(1).New(nn.Settings{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(w.weights("e")); err != nil {
		t.Fatal(err)
	}
	images, err := simulate.Generate(8, p.simulation(w.classes[0].places, 9, 1))
	if err != nil {
		t.Fatal(err)
	}
	clear(images.Charge)
	for i := range images.Len() {
		images.Image(i)[3*i], images.Image(i)[20] = float64(i), 12 // up to 19 counts
	}
	e := Candidate{Algorithm: encoderName, Decoding: evaluate.DecodeLearned, Links: 1, Set: "e"}
	decode := func(images *wafer.Set) *wafer.Set {
		out, err := w.decode(context.Background(), false, images, e)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want, err := m.Decode(context.Background(), images)
	if err != nil {
		t.Fatal(err)
	}
	near(t, decode(images).Charge, want.Charge)

	const sum = 3000
	at := econt.F5E4M.Encode(sum)
	lo, hi := econt.F5E4M.Interval(at)
	spread := images.Select([]int{0, 0}) // of the same place
	for i, total := range []float64{float64(lo), float64(hi)} {
		clear(spread.Image(i))
		spread.Image(i)[7] = total
	}
	same := decode(spread)
	outputs, err := m.Encode(context.Background(), spread)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(outputs[:autoencoder.Latent], outputs[autoencoder.Latent:]) {
		for c := range hgcal.Cells {
			if a, b := same.Image(0)[c], same.Image(1)[c]; a != b {
				t.Fatalf("cell %d: %v and %v of frames that say the same", c, a, b)
			}
		}
	} else {
		t.Error("the outputs differ: choose other images")
	}
	if own, err := m.Decode(context.Background(), spread); err != nil || slices.Equal(own.Image(0), own.Image(1)) {
		t.Errorf("told the images' own sums the decoder makes the same of both, %v", err)
	}
}

func near(t *testing.T, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-4*(1+want[i]) {
			t.Fatalf("charge %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// TestGiven: a trained encoder is a candidate for all modules with links for its bits, by a copy of
// its weights; one that is not for the chip, or that no module has links for, is an error.
func TestGiven(t *testing.T) {
	p := small(t)
	p.Modules = modulesFile(t, "layer,waferu,waferv,links", "9,2,3,1", "9,3,3,2")
	p.EncoderLinks, p.Masks, p.Decoders = []int{0}, nil, 0
	save := func(a autoencoder.Architecture) string {
		m, err := a.New(nn.Settings{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "mine.weights")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	p.Encoders = []string{save(p.architecture(2))}
	folder := filepath.Join(t.TempDir(), "run")
	r, _, err := Start(context.Background(), folder, p, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Sets) != 1 || r.Sets[0].Given != p.Encoders[0] || r.Sets[0].Modules != 1 || r.Sets[0].Links != 2 {
		t.Errorf("%+v", r.Sets)
	}
	for _, c := range r.Classes {
		has := slices.ContainsFunc(c.Scores, func(s Score) bool { return s.Set == r.Sets[0].Name })
		if has != (c.Links == 2) {
			t.Errorf("%s: a candidate %v", c.Name, has)
		}
	}
	if _, err := autoencoder.Load(filepath.Join(folder, run.Weights, r.Sets[0].Name+run.WeightsEnding), nn.Settings{}); err != nil {
		t.Error(err)
	}
	for want, a := range map[string]autoencoder.Architecture{"no module has as many": p.architecture(3), "precision": {}} {
		p.Encoders = []string{save(a)}
		if _, _, err := Start(context.Background(), filepath.Join(t.TempDir(), "run"), p, Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestTaught: an encoder learns from the modules with its links, or from those that no other one
// fits better; one that is left without any is told of.
func TestTaught(t *testing.T) {
	p := small(t)
	p.Modules = modulesFile(t, "layer,waferu,waferv,links", "9,2,3,3", "9,3,3,3", "9,3,4,7", "9,4,4,7", "9,4,5,7")
	p.EncoderLinks, p.Masks = []int{1, 2, 4, 5}, nil
	w := &work{threads: 1}
	var said []string
	if err := w.prepare(context.Background(), p, Settings{Remark: func(s string) { said = append(said, s) }}); err != nil {
		t.Fatal(err)
	}
	list, none := w.encoders()
	if len(list) != 2 || list[0].For != 2 || list[0].Modules != 2 || list[1].For != 5 || list[1].Modules != 3 || !slices.Equal(none, []int{1, 4}) {
		t.Errorf("%+v, %v", list, none)
	}
	if len(said) != 1 || !strings.Contains(said[0], "for 1, 4 links") {
		t.Errorf("said %q", said)
	}
}

// TestBuffer: of frames of full wafers on one link all are too long and the buffer refuses most;
// without charge none is.
func TestBuffer(t *testing.T) {
	w := &work{plan: Quick()}
	c := &class{links: 1}
	full := &wafer.Set{Charge: slices.Repeat([]float64{100}, 200*hgcal.Cells)}
	ts := Candidate{Algorithm: "TS", Decoding: evaluate.DecodeKept, Links: 1, Threshold: 50}
	b, err := w.buffer(c, &parts{heldOut: full}, ts)
	if err != nil || math.Abs(b.Longer-1) > 1e-9 || b.Truncated < 0.85 {
		t.Errorf("%+v, %v", b, err)
	}
	b, err = w.buffer(c, &parts{heldOut: full, empty: [2]int{0, 19_800}}, ts)
	if err != nil || math.Abs(b.Longer-0.01) > 1e-9 || b.Truncated > 0.005 {
		t.Errorf("rarely %+v, %v", b, err)
	}
	ts.Threshold = 101
	if b, err = w.buffer(c, &parts{heldOut: full}, ts); err != nil || b != (Buffer{}) {
		t.Errorf("above threshold %+v, %v", b, err)
	}
}
