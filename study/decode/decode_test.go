package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/nn"
	"barrow/run"
	"barrow/simulate"
	"barrow/study/images"
	"barrow/wafer"
	"barrow/wafer/file"
)

// tiny is a training of a second.
func tiny() Plan {
	p := Quick()
	p.Events, p.Units, p.Epochs, p.PerEpoch, p.Batch, p.Links = 400, 16, 3, 400, 40, 2
	return p
}

// writeImages writes simulated images.
func writeImages(t *testing.T, path string, n int) {
	t.Helper()
	set, err := simulate.Generate(n, simulate.Settings{Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	w, err := file.Create(path, false, wafer.WriteSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(set), w.Close()); err != nil {
		t.Fatal(err)
	}
}

// read is what files of a folder hold.
func read(t *testing.T, folder string, names ...string) (all string) {
	t.Helper()
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		all += string(b)
	}
	return all
}

// TestInterrupted: a run that is interrupted in its second training and gone on with on
// another number of threads ends with the same results, weights and page.
func TestInterrupted(t *testing.T) {
	p := tiny()
	p.Seeds = 2
	whole, parts := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
	last := 0.0
	progress := func(share float64, _ string) {
		if share < last || share > 1 {
			t.Errorf("progress %v after %v", share, last)
		}
		last = share
	}
	r, err := Train(context.Background(), whole, p, Settings{Threads: 1, Progress: progress})
	if err != nil {
		t.Fatal(err)
	}
	d, err := decoder.Load(filepath.Join(whole, filepath.FromSlash(r.File)), nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Together != (d.Architecture().Members == 2) {
		t.Errorf("all seeds together %t, %v is kept", r.Together, d.Architecture())
	}
	if emds := []float64{r.Trainings[0].EMD, r.Trainings[1].EMD}; r.Together && mean(r.Learned) > (emds[0]+emds[1])/2 {
		t.Errorf("the mean of images is at %v, its members at %v", mean(r.Learned), emds)
	}
	if len(r.Trainings) != 2 || len(r.Rules) != 2 || r.Learned.Fidelity.Of(evaluate.EMD).N != 300 || r.Against == nil {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err = Train(ctx, parts, p, Settings{Threads: 2, Progress: func(share float64, _ string) {
		if share > 0.7 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if info, err := run.Inspect(parts); err != nil || info.Finished {
		t.Fatalf("%+v %v", info, err)
	}
	if _, err := Train(context.Background(), parts, p, Settings{Threads: 2}); err != nil {
		t.Fatal(err)
	}
	files := []string{run.Results, run.Report, run.Weights + "/decoder.weights", run.Weights + "/decoder-seed2.weights"}
	if read(t, whole, files...) != read(t, parts, files...) {
		t.Error("the interrupted run differs")
	}
	if _, err := Page(whole); err != nil {
		t.Error(err)
	}
}

// TestFrames trains for every kind of frames, on given images too, and what is kept is measured
// beside as many rules as there are.
func TestFrames(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data.csv")
	writeImages(t, data, 120)
	encoder := filepath.Join(dir, "encoder.weights")
	a, err := autoencoder.Architecture{Precision: "asic", LatentBits: 5}.New(nn.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Save(encoder); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Plan)
		rules  []evaluate.Decoding
	}{
		"BC": {func(p *Plan) { p.UseSum, p.Entry, p.Density, p.DropLSB = true, "erx", "hd", 2 }, []evaluate.Decoding{"kept", "spread"}},
		"STC addressed": {func(p *Plan) {
			p.Algorithm, p.STCType, p.Links, p.Data, p.Pretrain = "STC", 3, 4, []string{data}, []string{data}
		}, []evaluate.Decoding{"kept", "spread"}},
		"CTC": {func(p *Plan) {
			p.Algorithm, p.STCType, p.Data, p.Point, p.Pedestal = "STC", 2, []string{data}, "lowest", true
		}, []evaluate.Decoding{"spread"}},
		"TS": {func(p *Plan) { p.Algorithm, p.Threshold, p.Conditions, p.Loss = "TS", 60, true, "mse+emd" }, []evaluate.Decoding{"kept", "spread"}},
		"AE": {func(p *Plan) { p.Algorithm, p.Model, p.Links = "AE", encoder, 3 }, []evaluate.Decoding{DecodeOwn}},
	} {
		t.Run(name, func(t *testing.T) {
			p := tiny()
			p.Epochs, p.DataEpochs = 2, 2
			c.change(&p)
			r, err := Train(context.Background(), filepath.Join(dir, name), p, Settings{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			var rules []string
			for _, c := range r.Rules {
				rules = append(rules, string(c.Decoding))
				if c.Fidelity.Of(evaluate.EMD).N != r.Learned.Fidelity.Of(evaluate.EMD).N || c.Bits != r.Learned.Bits {
					t.Errorf("%s: of other images or frames than the decoder", c.Decoding)
				}
			}
			want := ""
			for _, d := range c.rules {
				want += string(d) + " "
			}
			if got := strings.Join(rules, " ") + " "; got != want {
				t.Errorf("rules %s, want %s", got, want)
			}
			if len(p.Data) > 0 && len(r.Trainings[0].Data) != 2 {
				t.Errorf("curve on given images %v", r.Trainings[0].Data)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for want, change := range map[string]func(*Plan){
		`algorithm = "RPT"`:      func(p *Plan) { p.Algorithm = "RPT" },
		"links = 14":             func(p *Plan) { p.Links = 14 },
		"stc_type: algorithm":    func(p *Plan) { p.STCType = 1 },
		"stc_type = 5":           func(p *Plan) { p.Algorithm, p.STCType = "STC", 5 },
		"threshold: algorithm":   func(p *Plan) { p.Threshold = 3 },
		"threshold = -1":         func(p *Plan) { p.Algorithm, p.Threshold = "TS", -1 },
		"use_sum: algorithm":     func(p *Plan) { p.Algorithm, p.UseSum = "STC", true },
		"drop_lsb: algorithm":    func(p *Plan) { p.Algorithm, p.DropLSB = "STC", 1 },
		`"AE" needs model`:       func(p *Plan) { p.Algorithm = "AE" },
		"model: algorithm":       func(p *Plan) { p.Model = "x" },
		"a decoder has one loss": func(p *Plan) { p.Loss = "emd@telescope" },
		"needs no network":       func(p *Plan) { p.CNN = "builtin" },
		"without data there is":  func(p *Plan) { p.Pretrain = []string{"x"} },
		"events = 5":             func(p *Plan) { p.Events = 5 },
		"seeds = 0":              func(p *Plan) { p.Seeds = 0 },
		"learning_rate = 0":      func(p *Plan) { p.Rate = 0 },
		"learning_rate = 1":      func(p *Plan) { p.Rate = 1 },
		"images_per_epoch = 0":   func(p *Plan) { p.PerEpoch = 0 },
		"units = -3":             func(p *Plan) { p.Units = -3 },
	} {
		p := Default()
		change(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	for _, p := range []Plan{Default(), Quick()} {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
}

// TestNothingToLearn: what a decoder cannot help is said before there is a folder.
func TestNothingToLearn(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "run")
	for want, change := range map[string]func(*Plan){
		"a decoder has nothing to learn": func(p *Plan) { p.Links = econt.MaxETx },
		"threshold = 4000000: no cell of the images is sent, as the largest charge is": func(p *Plan) {
			p.Algorithm, p.Threshold = "TS", 4000000
		},
		"no such file": func(p *Plan) { p.Data = []string{"none.csv"} },
	} {
		p := tiny()
		change(&p)
		_, err := Train(context.Background(), folder, p, Settings{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s: there is a folder", want)
		}
	}
}

// TestVerdict: one image gives no interval, and a decoder that leaves more than a rule is none to take.
func TestVerdict(t *testing.T) {
	e := &Evaluation{Decodings: make([]evaluate.ChipResult, 1), Rule: evaluate.DecodeSpread, Against: &evaluate.Versus{Ratio: 1.06, Interval: evaluate.Interval{Low: 1.05, High: 1.07}}}
	emd := evaluate.Figures()[0]
	for n, want := range map[int]string{
		1:   "The decoder leaves 1.060 of the EMD that the best other decoding, spread, leaves: of one image, so that there is no interval.",
		200: "The decoder leaves 1.060 (95 % interval 1.050–1.070) of the EMD that the best other decoding, spread, leaves. On these images spread is better: take that.",
	} {
		e.Decodings[0].Fidelity = evaluate.Fidelity{Figures: []evaluate.Measured{{Figure: emd, Summary: evaluate.Summary{N: n}}}}
		if got := e.Verdict(); got != want {
			t.Errorf("%d images: %s", n, got)
		}
	}
}

// TestPretrainShares: images to choose and to measure by are not trained on first, whatever files
// they are in.
func TestPretrainShares(t *testing.T) {
	dir := t.TempDir()
	data, other := filepath.Join(dir, "data.csv"), filepath.Join(dir, "other.csv")
	writeImages(t, data, 120)
	set, err := simulate.Generate(30, simulate.Settings{Seed: 6})
	if err != nil {
		t.Fatal(err)
	}
	w, err := file.Create(other, false, wafer.WriteSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(set), w.Close()); err != nil {
		t.Fatal(err)
	}
	p := tiny()
	p.Data = []string{data}
	for name, pretrain := range map[string][]string{"its own": {data}, "another's": {other}, "both": {other, data}} {
		p.Pretrain = pretrain
		var remarks []string
		w := &work{plan: p}
		if err := w.read(context.Background(), images.Settings{Seed: p.Seed, Remark: func(s string) { remarks = append(remarks, s) }}); err != nil {
			t.Fatal(err)
		}
		held := map[string]bool{}
		for _, set := range []*wafer.Set{w.validation, w.test} {
			for i := range set.Len() {
				held[fmt.Sprint(set.Image(i))] = true
			}
		}
		for i := range w.before.Len() {
			if held[fmt.Sprint(w.before.Image(i))] {
				t.Fatalf("%s: image %d is held out, and trained on first", name, i)
			}
		}
		told := strings.Contains(strings.Join(remarks, "\n"), "left out")
		if want := name != "another's"; told != want || w.before.Len() == 0 {
			t.Errorf("%s: %d images, %q", name, w.before.Len(), remarks)
		}
	}
}

// TestOpenFile: a weights file says which chip it was by itself, and other chips are refused.
func TestOpenFile(t *testing.T) {
	p := tiny()
	p.Density, p.DropLSB, p.UseSum = "hd", 2, true
	folder := filepath.Join(t.TempDir(), "run")
	if _, err := Train(context.Background(), folder, p, Settings{Threads: 1}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{folder, filepath.Join(folder, run.Weights, run.DecoderWeights+run.WeightsEnding)} {
		_, c, err := Open(name, 1)
		if err != nil || c != p.Chip {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		images, err := simulate.Generate(20, simulate.Settings{Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		s := EvalSettings{Metric: "benchmark", Threads: 1, Density: "ld"}
		// The dropped bits are the same, so that low density changes nothing.
		if _, err := Eval(context.Background(), name, &once{images}, s); err != nil {
			t.Error(err)
		}
	}
}

// once reads a set in one part.
type once struct{ set *wafer.Set }

func (r *once) Read(s *wafer.Set, _ int) (int, error) {
	if r.set == nil {
		return 0, io.EOF
	}
	*s, r.set = *r.set, nil
	return s.Len(), nil
}
