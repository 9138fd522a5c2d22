package decoder

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/simulate"
	"barrow/wafer"
)

// lessons are a short course's settings, with what it learns from.
func lessons(t *testing.T) (pair [2]*econt.Baseline, train, validation *wafer.Set, l loss.Loss, s LearnSettings) {
	t.Helper()
	pair = chips(t, econt.BestChoice, 1, nil)
	for k, set := range []**wafer.Set{&train, &validation} {
		var err error
		if *set, err = simulate.Generate(120, simulate.Settings{Seed: uint64(20 + k)}); err != nil {
			t.Fatal(err)
		}
	}
	l, err := loss.Parse("mse", loss.Resources{})
	if err != nil {
		t.Fatal(err)
	}
	s = LearnSettings{Architecture: Architecture{Units: 16}, Seed: 3, Course: Course{
		Simulated: Budget{Epochs: 2, Batch: 50}, PerEpoch: 150, Validation: 100, Given: Budget{Epochs: 3, Batch: 20},
	}}
	return pair, train, validation, l, s
}

// TestLearnInterrupted: a course that is interrupted in either part ends with the bits of one
// that was not, on another number of threads, and its progress goes from 0 to 1.
func TestLearnInterrupted(t *testing.T) {
	pair, train, validation, l, s := lessons(t)
	last := 0.0
	s.Progress = func(share float64, _ string) {
		if share < last || share > 1 {
			t.Errorf("progress %v after %v", share, last)
		}
		last = share
	}
	want, h, err := Learn(context.Background(), pair, train, validation, l, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Simulated.Epochs) != 2 || len(h.Given.Epochs) != 3 || last != 1 {
		t.Errorf("%d epochs on simulated and %d on given images, progress to %v", len(h.Simulated.Epochs), len(h.Given.Epochs), last)
	}
	s.Checkpoint, s.Threads = filepath.Join(t.TempDir(), "decoder.ckpt"), 3
	for _, part := range []string{"simulated images", "given images"} {
		ctx, cancel := context.WithCancel(context.Background())
		steps := 0
		s.Progress = func(_ float64, note string) {
			if strings.HasPrefix(note, part) {
				if steps++; steps == 4 {
					cancel()
				}
			}
		}
		if _, _, err := Learn(ctx, pair, train, validation, l, s); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %v", part, err)
		}
		cancel()
	}
	s.Progress = nil
	got, again, err := Learn(context.Background(), pair, train, validation, l, s)
	if err != nil {
		t.Fatal(err)
	}
	if again.Given.Best != h.Given.Best || again.Given.BestEpoch != h.Given.BestEpoch {
		t.Errorf("best %v of epoch %d, uninterrupted %v of %d", again.Given.Best, again.Given.BestEpoch, h.Given.Best, h.Given.BestEpoch)
	}
	same(t, "weights", weights(got), weights(want))
}

// TestTuneKeepsStart: what every epoch makes worse, here with images of another world, stays as
// it was.
func TestTuneKeepsStart(t *testing.T) {
	pair, train, validation, l, s := lessons(t)
	s.Course.Simulated.Epochs = 100
	start, _, err := Pretrain(context.Background(), pair, l, s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range train.Charge {
		train.Charge[i] = 1000 * float64(i%5)
	}
	s.First, err = Given(train) // and what is beside them, too
	if err != nil {
		t.Fatal(err)
	}
	s.Course.Given.Rate = 0.3
	got, h, err := Tune(context.Background(), start, pair, train, validation, l, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range h.Epochs {
		if e.Validation <= h.Best {
			t.Errorf("epoch %d: validation loss %v, that of the start is %v", e.Epoch, e.Validation, h.Best)
		}
	}
	if h.BestEpoch != 0 || len(h.Epochs) != 3 {
		t.Errorf("best is epoch %d of %d", h.BestEpoch, len(h.Epochs))
	}
	same(t, "weights", weights(got), weights(start))
}

func TestCourseCheck(t *testing.T) {
	for _, c := range []Course{Normal(), Quick()} {
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
	for want, change := range map[string]func(*Course){
		"images_per_epoch":                     func(c *Course) { c.PerEpoch = 0 },
		"validation_images":                    func(c *Course) { c.Validation = -1 },
		"epochs = -1":                          func(c *Course) { c.Given.Epochs = -1 },
		"(on simulated images)":                func(c *Course) { c.Simulated.Rate = 2 },
		"images_per_epoch = 10000000000: want": func(c *Course) { c.PerEpoch = 1e10 },
	} {
		c := Quick()
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// TestFirst: images that take the place of simulated ones, here the same, teach the same; without
// images to choose their epoch by the given ones choose.
func TestFirst(t *testing.T) {
	pair, train, validation, l, s := lessons(t)
	ctx := context.Background()
	want, _, err := Learn(ctx, pair, nil, nil, l, s)
	if err != nil {
		t.Fatal(err)
	}
	if s.First, err = Simulated(simulate.Settings{Seed: learnt + s.Seed}, s.Course.PerEpoch); err != nil {
		t.Fatal(err)
	}
	if s.FirstChosen, err = Chosen(ctx, s); err != nil {
		t.Fatal(err)
	}
	got, h, err := Learn(ctx, pair, nil, nil, l, s)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "weights", weights(got), weights(want))
	best := h.Simulated.Best
	s.FirstChosen = nil
	if _, h, err = Learn(ctx, pair, train, validation, l, s); err != nil {
		t.Fatal(err)
	}
	if h.Simulated.Best == best {
		t.Error("other images choose, and the validation loss is the same")
	}
	if _, _, err := Learn(ctx, pair, nil, nil, l, s); err == nil {
		t.Error("no images to choose by, and no error")
	}
}

// TestBeside: an epoch of a course's second part has the given images and others of the first
// part beside them, which are others in the next epoch.
func TestBeside(t *testing.T) {
	_, train, _, _, s := lessons(t)
	s.Course.PerEpoch = 500
	first, err := Simulated(simulate.Settings{Seed: 9}, 800)
	if err != nil {
		t.Fatal(err)
	}
	of := s
	of.First = first
	for name, s := range map[string]LearnSettings{"simulated": s, "of a source": of} {
		beside, err := s.beside(train)
		if err != nil {
			t.Fatal(err)
		}
		a, b, c := epoch(t, train, beside, 0), epoch(t, train, beside, 1), epoch(t, train, beside, 7)
		if n := 4 * train.Len(); a.len() != n || b.len() != n || c.len() != n {
			t.Fatalf("%s: %d, %d and %d images, want %d", name, a.len(), b.len(), c.len(), n)
		}
		at := train.Len() * Cells
		if !slices.Equal(a.target[:at], b.target[:at]) || !slices.Equal(a.target[:at], c.target[:at]) {
			t.Errorf("%s: the given images differ", name)
		}
		if slices.Equal(a.target[at:], b.target[at:]) || slices.Equal(a.target[at:], c.target[at:]) || slices.Equal(b.target[at:], c.target[at:]) {
			t.Errorf("%s: two epochs have the same images beside", name)
		}
	}
}

// epoch are the samples of an epoch on given images, turned if there are none beside.
func epoch(t *testing.T, given *wafer.Set, beside Source, n int) *samples {
	t.Helper()
	pair := chips(t, econt.BestChoice, 1, nil)
	m, err := New(small(), pair[0], nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	o := &objective{model: m, epoch: n, beside: beside, turns: beside == nil}
	if o.sender, err = newSender(m, pair, nil, 2); err != nil {
		t.Fatal(err)
	}
	if o.source, err = Given(given); err != nil {
		t.Fatal(err)
	}
	if err := o.prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := o.perEpoch(); n != o.train.len() {
		t.Fatalf("%d images, %d expected", o.train.len(), n)
	}
	return o.train
}

// TestTurned: turned images have the same distances between their cells and the same super
// trigger cells, and the network is told how often each is turned.
func TestTurned(t *testing.T) {
	images := wafers(t, 30, 4)
	s := epoch(t, images, nil, 0)
	if s.len() != hgcal.Rhombi*images.Len() {
		t.Fatalf("%d samples", s.len())
	}
	points, channel := hgcal.Benchmark(), hgcal.Map(hgcal.PostMux, hgcal.V9)
	apart := func(a, b int) float64 { return math.Hypot(points[a][0]-points[b][0], points[a][1]-points[b][1]) }
	for turn := range hgcal.Rhombi {
		to := func(c int) int { return (c + turn*Cells/hgcal.Rhombi) % Cells }
		for a := range Cells {
			for b := range Cells {
				if math.Abs(apart(a, b)-apart(to(a), to(b))) > 1e-4 || (channel[a]/4 == channel[b]/4) != (channel[to(a)]/4 == channel[to(b)]/4) {
					t.Fatalf("turn %d: cells %d and %d", turn, a, b)
				}
			}
		}
		for k := range images.Len() {
			i := turn*images.Len() + k
			for c := range Cells {
				if got, want := s.target[i*Cells+to(c)], s.target[k*Cells+c]; got != want {
					t.Fatalf("image %d, turn %d, cell %d: %v, want %v", k, turn, c, got, want)
				}
			}
			marks := s.conditions[i*autoencoder.ConditionCount:][:autoencoder.ConditionCount]
			if told := marks[0] + 2*marks[1]; told != float32(turn) {
				t.Fatalf("image %d, turn %d: told %v", k, turn, marks)
			}
		}
	}
}
