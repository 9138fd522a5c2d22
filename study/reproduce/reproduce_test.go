package reproduce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/run"
	"barrow/surrogate"
	"barrow/wafer"
)

// showers draws n images of one blurred spot and a few stray cells each.
func showers(n int) *wafer.Set {
	rng, at := rand.New(rand.NewPCG(1, 1)), hgcal.Benchmark()
	s := &wafer.Set{Charge: make([]float64, n*hgcal.Cells)}
	for i := range n {
		centre, image := at[rng.IntN(len(at))], s.Image(i)
		for c, p := range at {
			image[c] = math.Floor(800 * rng.Float64() * math.Exp(-math.Hypot(p[0]-centre[0], p[1]-centre[1])))
		}
		for range 3 {
			image[rng.IntN(len(image))] += 40
		}
	}
	return s
}

func tiny(images *wafer.Set) Config {
	c := Default()
	c.Seen, c.Pairs, c.CNNEpochs = 1800, 1000, 2
	c.CNN = surrogate.Architecture{Filters: 4, Kernel: 3, Convs: 1, Dense: 8}
	return c.For(images, "a test")
}

func open(t *testing.T, dir string, c Config) *run.Folder {
	t.Helper()
	id, err := c.Identity()
	if err != nil {
		t.Fatal(err)
	}
	f, err := run.Open(dir, id, run.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMetric: a loss that needs the cells' places gets those of the run's metric, and the page
// its unit.
func TestMetric(t *testing.T) {
	images := showers(150)
	curves := map[string][]Epoch{}
	for _, metric := range hgcal.Metrics() {
		c := tiny(images)
		c.Metric, c.Losses, c.Epochs = metric, []string{"sliced"}, 1
		dir := filepath.Join(t.TempDir(), metric)
		r, _, err := Run(context.Background(), open(t, dir, c), c, images, Settings{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		curves[metric] = r.Encoders[0].Curve
		// The page has its unit, and no other metric's.
		html := string(read(t, filepath.Join(dir, run.Report)))
		pitch := strings.Contains(html, "TC pitch") || strings.Contains(html, "half a trigger-cell")
		if cm := strings.Contains(html, "Distances are in cm"); pitch != (metric == "benchmark") || cm != (metric == "cmssw") {
			t.Errorf("%s: the page speaks of pitches: %v, of cm: %v", metric, pitch, cm)
		}
	}
	if reflect.DeepEqual(curves["benchmark"], curves["cmssw"]) {
		t.Errorf("the loss of the training is %v on either metric", curves)
	}
}

// TestRun runs the whole job on few images: with one thread, with two, and
// interrupted at every part and resumed, it must write the same results.json.
func TestRun(t *testing.T) {
	images := showers(300)
	c := tiny(images)
	dir := filepath.Join(t.TempDir(), "one")
	r, times, err := Run(context.Background(), open(t, dir, c), c, images, Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := read(t, filepath.Join(dir, run.Results))
	if len(r.Encoders) != 5 || len(r.Surrogate.Pairs) != 3 || r.Split != (Split{180, 60, 60}) {
		t.Errorf("%d encoders, %d kinds of pairs, split %+v", len(r.Encoders), len(r.Surrogate.Pairs), r.Split)
	}
	for _, e := range r.Encoders {
		if e.emd().N != 60 || !(e.emd().Mean > 0) || len(e.Curve) != c.Epochs || times.Seconds("encoder "+e.Loss) <= 0 {
			t.Errorf("%s: %+v, %d epochs", e.Loss, e.emd().Summary, len(e.Curve))
		}
		if e.Loss == baseline && (e.Ratio != 1 || e.RatioRange.Low != 1) {
			t.Errorf("the baseline's ratio to itself is %v, %+v", e.Ratio, e.RatioRange)
		}
	}
	if b := r.Bandwidth; b == nil || b.Missing != "" || b.Density != "low, assumed: the images do not say" || len(b.Baselines) < 60 {
		t.Errorf("baselines: %+v", b)
	}
	page := string(read(t, filepath.Join(dir, run.Report)))
	for _, s := range []string{"weighted MSE", "telescope MSE", "EMD CNN", "exact EMD", "<svg", "At equal bandwidth", "best choice", "low, assumed: the images do not say"} {
		if !strings.Contains(page, s) {
			t.Errorf("the report lacks %q", s)
		}
	}
	var again Results
	if err := json.Unmarshal(want, &again); err != nil {
		t.Fatal(err)
	}

	two := filepath.Join(t.TempDir(), "two")
	if _, _, err := Run(context.Background(), open(t, two, c), c, images, Settings{Threads: 2}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, filepath.Join(two, run.Results)), want) {
		t.Error("two threads gave another results.json than one")
	}

	broken := filepath.Join(t.TempDir(), "broken")
	stopped := map[string]bool{}
	for {
		ctx, cancel := context.WithCancel(context.Background())
		f := open(t, broken, c)
		_, _, err := Run(ctx, f, c, images, Settings{Threads: 1, Progress: func(_ float64, note string) {
			if part, _, under := strings.Cut(note, ": "); under && !stopped[part] && ctx.Err() == nil {
				stopped[part] = true
				cancel()
			}
		}})
		cancel()
		f.Close()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted after %v: %v", stopped, err)
		}
	}
	if len(stopped) != 6 {
		t.Errorf("interrupted in %v, want in five encoders and the EMD CNN", stopped)
	}
	if !bytes.Equal(read(t, filepath.Join(broken, run.Results)), want) {
		t.Error("an interrupted and resumed run gave another results.json")
	}
}

func TestRunErrors(t *testing.T) {
	few := showers(20)
	c := tiny(few)
	if _, _, err := Run(context.Background(), open(t, filepath.Join(t.TempDir(), "a"), c), c, few, Settings{}); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("20 images: %v", err)
	}
	images := showers(150)
	c = tiny(images)
	c.Losses = []string{"emdd"}
	if _, _, err := Run(context.Background(), open(t, filepath.Join(t.TempDir(), "b"), c), c, images, Settings{Threads: 1}); err == nil || !strings.Contains(err.Error(), `unknown loss "emdd"`) {
		t.Errorf("unknown loss: %v", err)
	}
	c.Losses = []string{"telescope", "emd", "emd "}
	if _, _, err := Run(context.Background(), open(t, filepath.Join(t.TempDir(), "d"), c), c, images, Settings{Threads: 1}); err == nil || !strings.Contains(err.Error(), `"emd" and "emd " are the same loss`) {
		t.Errorf("a loss twice: %v", err)
	}
	c = tiny(images)
	c.Density = "md"
	if err := c.Check(images); err == nil || !strings.Contains(err.Error(), `wafer density "md": want ld or hd`) {
		t.Errorf("an unknown density: %v", err)
	}
	c = tiny(images)
	c.Metric = "nowhere.csv"
	if _, err := c.Identity(); err == nil || !strings.Contains(err.Error(), "nowhere.csv") {
		t.Errorf("missing metric: %v", err)
	}
	if err := c.Check(images); err == nil || !strings.Contains(err.Error(), "nowhere.csv") {
		t.Errorf("missing metric: %v", err)
	}
}

// TestBandwidth: the main job measures what evaluate measures, and compares it
// with the best encoder image by image.
func TestBandwidth(t *testing.T) {
	images := showers(40)
	images.Columns = []wafer.Column{{Name: "HD_LD", Text: make([]string, 40)}}
	for i := range 40 {
		images.Columns[0].Text[i] = "LD"
		if i%3 == 0 {
			images.Columns[0].Text[i] = "HD"
		}
	}
	w := &work{c: tiny(images), threads: 2, test: images, results: &Results{}}
	var err error
	if w.metric, err = groundMetric(w.c.Metric); err != nil {
		t.Fatal(err)
	}
	list, err := evaluate.Chip(context.Background(), w.metric, images, evaluate.Schemes(13), evaluate.ChipSettings{Values: true})
	if err != nil {
		t.Fatal(err)
	}
	// The encoders: what the third baseline keeps, and something worse.
	for _, shift := range []float64{0.25, 0} {
		e := Encoder{Loss: fmt.Sprint(shift)}
		m := evaluate.Measured{Figure: evaluate.Figures()[0]}
		for _, v := range list[2].Fidelity.Of(evaluate.EMD).Values {
			m.Values = append(m.Values, v+shift)
		}
		m.Summary = evaluate.Summarise(m.Values)
		e.Fidelity.Figures = []evaluate.Measured{m}
		w.results.Encoders = append(w.results.Encoders, e)
	}
	if err := w.bandwidth(context.Background()); err != nil {
		t.Fatal(err)
	}
	b := w.results.Bandwidth
	if b.Density != "26 images low, 14 high, as the column HD_LD says" || len(b.Baselines) != len(list) {
		t.Errorf("%d baselines, density %q", len(b.Baselines), b.Density)
	}
	for k, x := range b.Baselines {
		worse := 0
		want := list[k].Fidelity.Of(evaluate.EMD)
		for i, v := range want.Values {
			if v > list[2].Fidelity.Of(evaluate.EMD).Values[i] {
				worse++
			}
		}
		if x.emd().Summary != want.Summary || math.Abs(x.Worse-float64(worse)/40) > 1e-12 || (x.Result.Links == 5) != (x.emd().ByOccupancy != nil) && len(want.ByOccupancy) > 0 {
			t.Errorf("%s on %d links: %+v, want %+v and %d worse", x.Result.Name, x.Result.Links, x.Result, list[k], worse)
		}
	}
	page := lay(&Results{Encoders: w.results.Encoders, Bandwidth: b}, Times{})
	if len(page.Sections) != 6 || page.Sections[2].Title != "At equal bandwidth" {
		t.Fatalf("%d sections", len(page.Sections))
	}
	// The encoder equals the third baseline, best choice on 2 links, from 2 links
	// on: what it finds must be told so.
	text := strings.Join(page.Sections[2].Text, " ")
	if !strings.Contains(text, "Best choice needs 2 links (64 bits) to leave no more than that.") {
		t.Errorf("the section says: %s", text)
	}
	for n := range 5 {
		w.results.Encoders[1].OnLinks = append(w.results.Encoders[1].OnLinks, OnLinks{Links: n + 1, EMD: evaluate.Summary{Mean: float64(n % 2 * 100)}})
	}
	if text := verdict(w.results, &w.results.Encoders[1]); !strings.Contains(text, "the smallest of all on 1, 3 and 5 of them.") {
		t.Error(text)
	}
	images.Charge[7] = 1 << 23
	if err := w.bandwidth(context.Background()); err != nil || !strings.Contains(w.results.Bandwidth.Missing, "image 1, cell 7") {
		t.Errorf("a charge that the chip does not take: %v, %+v", err, w.results.Bandwidth)
	}
	if s := atBandwidth(w.results); len(s.Tables) != 0 || !strings.Contains(strings.Join(s.Text, " "), "image 1, cell 7") {
		t.Errorf("%+v", s)
	}
}
