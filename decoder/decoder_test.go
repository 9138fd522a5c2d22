package decoder

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/simulate"
	"barrow/wafer"
)

// exact is a loss by its name.
func exact(t testing.TB, name string, threads int) loss.Loss {
	t.Helper()
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	l, err := loss.Parse(name, loss.Resources{Metric: m, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// wafers are simulated images with their columns.
func wafers(t testing.TB, n int, seed uint64) *wafer.Set {
	t.Helper()
	set, err := simulate.Generate(n, simulate.Settings{Seed: seed, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// fresh is a source of simulated images.
func fresh(t testing.TB, n int, threads int) Source {
	t.Helper()
	s, err := Simulated(simulate.Settings{Seed: 21, Threads: threads}, n)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// small is a decoder that is quickly trained.
func small() Architecture { return Architecture{Units: 16, Blocks: 1} }

// weights are all of a model's.
func weights(m *Model) (all []float32) {
	for _, p := range m.Network().Params() {
		all = append(all, p.Value...)
	}
	return all
}

func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d weights, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: weight %d is %v, want %v to the bit", what, i, got[i], want[i])
		}
	}
}

// frames sends images through the chip of low density, one after the other.
func frames(t testing.TB, chip *econt.Baseline, images *wafer.Set) []econt.Decoded {
	t.Helper()
	list, out := make([]econt.Decoded, images.Len()), make([]float64, Cells)
	for i := range list {
		if _, err := chip.Encode(images.Image(i), out); err != nil {
			t.Fatal(err)
		}
		list[i] = *chip.Decoded()
	}
	return list
}

// TestTrainKinds trains a small decoder for frames of every kind; each gets closer on images
// that it was not trained on, and what it makes of them keeps what is known.
func TestTrainKinds(t *testing.T) {
	validation, test := wafers(t, 400, 5), wafers(t, 300, 6)
	all := kinds(t)
	for _, name := range []string{"BC3", "BC of all", "TS", "AE", "STC4 5E4M5", "STC16 5E4M1", "CTC4 4E3M2", "STC4 4E3M3"} {
		pair := all[name]
		m, h, err := Train(context.Background(), pair, fresh(t, 1000, 2), validation, exact(t, "emd", 2), Settings{
			Architecture: small(), Seed: 1, Threads: 2, Budget: Budget{Epochs: 2, Batch: 50, Rate: 3e-3},
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		untrained, err := New(small(), pair[0], nn.Settings{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		list := frames(t, pair[0], test)
		before, after := decode(t, untrained, list), decode(t, m, list)
		if a, b := distance(t, test, before), distance(t, test, after); !(b < 0.97*a) {
			t.Errorf("%s: EMD %.4f untrained, %.4f trained; %+v", name, a, b, h.Epochs)
		}
		cell := hgcal.Map(hgcal.V9, m.algorithm.Order()) // of a channel
		for i := range list {
			f, row, total := &list[i], after[i*Cells:][:Cells], 0.0
			for ch, c := range cell {
				total += row[c]
				if f.Known()>>ch&1 != 0 && math.Float64bits(row[c]) != math.Float64bits(f.Image[ch]) {
					t.Fatalf("%s: image %d, cell %d: %v, sent as %v", name, i, c, row[c], f.Image[ch])
				}
			}
			if want := sent(f); math.Abs(total-want) > 1e-12*want {
				t.Fatalf("%s: image %d sums to %v, sent %v", name, i, total, want)
			}
		}
	}
}

func decode(t testing.TB, m *Model, list []econt.Decoded) []float64 {
	t.Helper()
	out := make([]float64, len(list)*Cells)
	if err := m.Decode(context.Background(), list, nil, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// distance is the mean EMD of images where charge arrived.
func distance(t testing.TB, images *wafer.Set, decoded []float64) (mean float64) {
	t.Helper()
	var p, q []float64
	for i := range images.Len() {
		if row := decoded[i*Cells:][:Cells]; wafer.Sum(row) > 0 {
			p, q = append(p, images.Image(i)...), append(q, row...)
		}
	}
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	b, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		t.Fatal(err)
	}
	e := make([]float64, len(p)/Cells)
	if err := b.Distance(context.Background(), p, q, e); err != nil {
		t.Fatal(err)
	}
	return wafer.Sum(e) / float64(len(e))
}

// TestThreadsAndResume: three threads, and an interruption in the middle of an epoch, give the
// bits of one uninterrupted thread, with fresh images in every epoch and with given
// ones.
func TestThreadsAndResume(t *testing.T) {
	pair, validation := chips(t, econt.BestChoice, 2, nil), wafers(t, 100, 5)
	sources := map[string]func(threads int) Source{
		"fresh": func(threads int) Source { return fresh(t, 300, threads) },
		"given": func(int) Source {
			s, err := Given(wafers(t, 300, 8))
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}
	for name, source := range sources {
		settings := Settings{Architecture: small(), Seed: 3, Budget: Budget{Epochs: 3, Batch: 100}}
		train := func(ctx context.Context, threads int) (*Model, *nn.History, error) {
			settings.Threads = threads
			return Train(ctx, pair, source(threads), validation, exact(t, "emd", threads), settings)
		}
		m, _, err := train(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		want := weights(m)
		if m, _, err = train(context.Background(), 3); err != nil {
			t.Fatal(err)
		}
		same(t, name+", three threads", weights(m), want)

		settings.Checkpoint = filepath.Join(t.TempDir(), "decoder.ckpt")
		ctx, cancel := context.WithCancel(context.Background())
		settings.Progress = func(share float64, _ string) {
			if share == 5./9 {
				cancel()
			}
		}
		if _, _, err := train(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled training: %v", err)
		}
		settings.Progress = nil
		m, h, err := train(context.Background(), 2)
		if err != nil {
			t.Fatal(err)
		}
		if h.Steps != 9 {
			t.Errorf("%s: %d steps in all, want 9", name, h.Steps)
		}
		same(t, name+", resumed", weights(m), want)
		if _, _, err := Train(context.Background(), chips(t, econt.BestChoice, 3, nil), source(1), validation, exact(t, "emd", 1), settings); err == nil || !strings.Contains(err.Error(), "another decoder") {
			t.Errorf("%s: resumed on other links: %v", name, err)
		}
	}
}

// TestFresh: epochs have images of their own, the same whenever asked, and those of a training
// of given ones stay.
func TestFresh(t *testing.T) {
	s, ctx := fresh(t, 50, 1), context.Background()
	first, err := s.Images(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Images(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	again, err := fresh(t, 50, 2).Images(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 50 || first.Len() != 50 || first.Digest() == second.Digest() || first.Digest() != again.Digest() {
		t.Errorf("%d images, then %s, %s and %s again", first.Len(), first.Digest(), second.Digest(), again.Digest())
	}
	all := wafers(t, 20, 21)
	clear(all.Image(3))
	g, err := Given(all)
	if err != nil || g.Len() != 19 {
		t.Errorf("%d given images, %v", g.Len(), err)
	}
	if _, err := Given(&wafer.Set{Charge: make([]float64, Cells)}); err == nil {
		t.Error("images without charge were taken")
	}
}

// TestStart: a training that starts from another decoder starts where that one ended, also
// from one of fewer links, and does not change it.
func TestStart(t *testing.T) {
	validation, ctx, l := wafers(t, 300, 5), context.Background(), exact(t, "emd", 2)
	settings := Settings{Architecture: small(), Seed: 3, Budget: Budget{Epochs: 4, Batch: 50, Rate: 3e-3}}
	first, h, err := Train(ctx, chips(t, econt.BestChoice, 2, nil), fresh(t, 1000, 2), validation, l, settings)
	if err != nil {
		t.Fatal(err)
	}
	before := weights(first)
	settings.Start, settings.Budget = first, Budget{Epochs: 1, Batch: 50, Rate: 1e-6}
	_, further, err := Train(ctx, chips(t, econt.BestChoice, 2, nil), fresh(t, 50, 2), validation, l, settings)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(further.Best-h.Best) > 1e-3*h.Best {
		t.Errorf("started from %.5f, had %.5f", further.Best, h.Best)
	}
	if _, _, err := Train(ctx, chips(t, econt.BestChoice, 3, nil), fresh(t, 50, 2), validation, l, settings); err != nil {
		t.Errorf("from fewer links: %v", err)
	}
	same(t, "the decoder started from", weights(first), before)
	settings.Architecture.Units = 17
	if _, _, err := Train(ctx, chips(t, econt.BestChoice, 3, nil), fresh(t, 50, 2), validation, l, settings); err == nil || !strings.Contains(err.Error(), "16 units") {
		t.Errorf("from another architecture: %v", err)
	}
}

// TestConditions: a decoder with conditions uses them, takes them from the columns, and its
// training says which is missing.
func TestConditions(t *testing.T) {
	validation, ctx, l := wafers(t, 200, 5), context.Background(), exact(t, "telescope", 1)
	pair := chips(t, econt.SuperTriggerCell, 4, nil)
	settings := Settings{Architecture: small(), Seed: 3, Budget: Budget{Epochs: 1, Batch: 50, Rate: 3e-3}}
	settings.Architecture.Conditions = true
	m, _, err := Train(ctx, pair, fresh(t, 300, 1), validation, l, settings)
	if err != nil {
		t.Fatal(err)
	}
	list := frames(t, pair[0], validation)
	conditions, err := m.Conditions(validation)
	if err != nil || len(conditions) != len(list)*autoencoder.ConditionCount {
		t.Fatalf("%d conditions, %v", len(conditions), err)
	}
	a, b := make([]float64, len(list)*Cells), make([]float64, len(list)*Cells)
	if err := m.Decode(ctx, list, conditions, a); err != nil {
		t.Fatal(err)
	}
	// The sum is that of the frame, whatever the image's own.
	for i := conditionSum; i < len(conditions); i += autoencoder.ConditionCount {
		conditions[i] = 7
	}
	if err := m.Decode(ctx, list, conditions, b); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("charge %d: %v, with another sum of the image %v", i, a[i], b[i])
		}
	}
	clear(conditions)
	if err := m.Decode(ctx, list, conditions, b); err != nil {
		t.Fatal(err)
	}
	differ := 0
	for i := range a {
		if a[i] != b[i] {
			differ++
		}
	}
	if differ < len(a)/10 {
		t.Errorf("%d of %d charges depend on the conditions", differ, len(a))
	}
	if err := m.Decode(ctx, list, nil, a); err == nil || !strings.Contains(err.Error(), "0 conditions for 200 frames") {
		t.Errorf("without conditions: %v", err)
	}
	if _, _, err := Train(ctx, pair, fresh(t, 300, 1), validation.WithoutColumns(), l, settings); err == nil || !strings.Contains(err.Error(), "columns eta") {
		t.Errorf("without columns: %v", err)
	}
}

func TestTrainErrors(t *testing.T) {
	ctx, l, validation := context.Background(), exact(t, "emd", 1), wafers(t, 50, 5)
	bc := chips(t, econt.BestChoice, 2, nil)
	r := rand.New(rand.NewPCG(1, 1))
	bad := wafers(t, 50, 5)
	bad.Charge[17*Cells+5] = float64(1<<22 + r.IntN(100))
	given := func(s *wafer.Set) Source {
		source, err := Given(s)
		if err != nil {
			t.Fatal(err)
		}
		return source
	}
	for _, tc := range []struct {
		chips      [2]*econt.Baseline
		source     Source
		validation *wafer.Set
		s          Settings
		want       string
	}{
		{chips(t, econt.Repeater, 11, nil), given(validation), validation, Settings{}, "nothing to learn, use the rule by hand"},
		{chips(t, econt.BestChoice, 13, nil), given(validation), validation, Settings{}, "frames of BC on 13 links"},
		{bc, given(bad), validation, Settings{}, "image 18"},
		{bc, given(validation), bad, Settings{}, "validation images: decoder: image 18"},
		{bc, nil, validation, Settings{}, "are needed"},
		{[2]*econt.Baseline{bc[0], nil}, given(validation), validation, Settings{}, "both densities"},
		{[2]*econt.Baseline{bc[0], chips(t, econt.BestChoice, 3, nil)[1]}, given(validation), validation, Settings{}, "not of BC on 3 links"},
		{bc, given(validation), validation, Settings{Budget: Budget{Rate: 2}}, "learning_rate = 2"},
		{bc, given(validation), validation, Settings{Budget: Budget{Epochs: -1}}, "epochs = -1"},
		{bc, given(validation), validation, Settings{Architecture: Architecture{Units: -1}}, "units = -1"},
		{bc, given(validation), validation, Settings{Architecture: Architecture{Blocks: 1000}}, "blocks = 1000"},
	} {
		if _, _, err := Train(ctx, tc.chips, tc.source, tc.validation, l, tc.s); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want … %s …", err, tc.want)
		}
	}
}
