package autoencoder

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/wafer"
)

// set is images without metadata.
func set(charge []float64) *wafer.Set { return &wafer.Set{Charge: charge} }

// showers draws n images of one bright spot each.
func showers(n int, seed uint64) []float64 {
	rng, at := rand.New(rand.NewPCG(seed, 1)), hgcal.Benchmark()
	out := make([]float64, n*Cells)
	for i := range n {
		centre := at[rng.IntN(Cells)]
		for c, p := range at {
			d := math.Hypot(p[0]-centre[0], p[1]-centre[1])
			out[i*Cells+c] = math.Floor(500 * rng.Float64() * math.Exp(-d))
		}
		out[i*Cells+rng.IntN(Cells)] += 40
	}
	return out
}

func losses(t testing.TB, threads int) map[string]loss.Loss {
	t.Helper()
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]loss.Loss{}
	for _, name := range []string{"telescope", "emd"} {
		if out[name], err = loss.Parse(name, loss.Resources{Metric: m, Threads: threads}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestSpec holds the network to the paper's numbers of weights.
func TestSpec(t *testing.T) {
	m, err := New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	encoder, all := 0, 0
	for _, p := range m.Network().Params() {
		all += len(p.Value)
		if strings.HasPrefix(p.Name, "encoder_") {
			encoder += len(p.Value)
		}
	}
	if encoder != 2144 || all != 4977 {
		t.Errorf("%d weights in the encoder, %d in all; want 2144 and 4977", encoder, all)
	}
}

// TestTrainLearns trains with both kinds of loss and wants the loss on
// held-out images halved.
func TestTrainLearns(t *testing.T) {
	train, validation := showers(1500, 1), showers(300, 2)
	for name, l := range losses(t, 1) {
		_, h, err := Train(context.Background(), set(train), set(validation), l, Settings{Seed: 3, Budget: Budget{Epochs: 25, Batch: 100, Rate: 3e-3}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if first, best := h.Epochs[0].Validation, h.Best; !(best < 0.6*first) {
			t.Errorf("%s: validation loss fell from %.4f to %.4f only", name, first, best)
		}
	}
}

// TestThreadsAndResume: two threads, and an interruption in the middle, give
// the bits of one uninterrupted thread.
func TestThreadsAndResume(t *testing.T) {
	train, validation := showers(600, 1), showers(100, 2)
	settings := Settings{Seed: 3, Budget: Budget{Epochs: 4, Batch: 100}}
	weights := func(m *Model) (all []float32) {
		for _, p := range m.Network().Params() {
			all = append(all, p.Value...)
		}
		return all
	}
	var want []float32
	for _, threads := range []int{1, 2} {
		settings.Threads = threads
		m, _, err := Train(context.Background(), set(train), set(validation), losses(t, threads)["emd"], settings)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = weights(m)
		}
		same(t, "two threads", weights(m), want)
	}

	settings.Checkpoint = filepath.Join(t.TempDir(), "encoder.ckpt")
	ctx, cancel := context.WithCancel(context.Background())
	settings.Progress = func(share float64, _ string) {
		if share == 14./24 {
			cancel()
		}
	}
	if _, _, err := Train(ctx, set(train), set(validation), losses(t, 1)["emd"], settings); !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled training: %v", err)
	}
	settings.Progress = nil
	m, h, err := Train(context.Background(), set(train), set(validation), losses(t, 1)["emd"], settings)
	if err != nil {
		t.Fatal(err)
	}
	if h.Steps != 24 {
		t.Errorf("%d steps in all, want 24", h.Steps)
	}
	same(t, "resumed", weights(m), want)
	if err := os.Truncate(settings.Checkpoint, 100); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Train(context.Background(), set(train), set(validation), losses(t, 1)["emd"], settings); err == nil {
		t.Error("a truncated checkpoint was resumed")
	}
}

// interrupting is a loss of which every call but the first ends its context, and fails as one does
// that is stopped in the middle of a batch.
type interrupting struct {
	loss.Loss
	cancel context.CancelFunc
	calls  int
}

func (l *interrupting) Eval(ctx context.Context, target, pred, grad []float32) (float64, error) {
	if l.calls++; l.calls > 1 {
		l.cancel()
	}
	return l.Loss.Eval(ctx, target, pred, grad)
}

// TestInterruptedInTheLoss: a training whose every step and validation is interrupted while the loss
// is measured counts as interrupted, not as diverged, and ends with the bits of one that never was.
func TestInterruptedInTheLoss(t *testing.T) {
	train, validation, l := set(showers(150, 1)), set(showers(50, 2)), losses(t, 1)["emd"]
	for _, precision := range []string{"float", "asic"} {
		settings := Settings{Architecture: Architecture{Precision: precision}, Seed: 3, Threads: 1, Budget: Budget{Epochs: 2, Batch: 50}}
		m, _, err := Train(context.Background(), train, validation, l, settings)
		if err != nil {
			t.Fatal(err)
		}
		settings.Start = filepath.Join(t.TempDir(), "start.weights")
		if err := m.Save(settings.Start); err != nil {
			t.Fatal(err)
		}
		want, _, err := Train(context.Background(), train, validation, l, settings)
		if err != nil {
			t.Fatal(err)
		}
		settings.Checkpoint = filepath.Join(t.TempDir(), "encoder.ckpt")
		// The start is validated; then there are two epochs of three steps and a validation.
		const interruptions = 2 * (3 + 1)
		for i := range interruptions + 1 {
			ctx, cancel := context.WithCancel(context.Background())
			m, _, err = Train(ctx, train, validation, &interrupting{Loss: l, cancel: cancel}, settings)
			cancel()
			if i < interruptions && !errors.Is(err, context.Canceled) || i == interruptions && err != nil {
				t.Fatalf("%s, after %d interruptions: %v", precision, i, err)
			}
		}
		for _, p := range m.Network().Params() {
			same(t, precision+", "+p.Name, p.Value, want.Network().Param(p.Name).Value)
		}
	}
}

// TestStartIsKept: what every epoch makes worse stays as it was.
func TestStartIsKept(t *testing.T) {
	train, validation := set(showers(400, 1)), set(showers(100, 2))
	l := losses(t, 1)["emd"]
	settings := Settings{Seed: 3, Budget: Budget{Epochs: 8, Batch: 50, Rate: 3e-3}}
	m, h, err := Train(context.Background(), train, validation, l, settings)
	if err != nil {
		t.Fatal(err)
	}
	settings.Start = filepath.Join(t.TempDir(), "start.weights")
	if err := m.Save(settings.Start); err != nil {
		t.Fatal(err)
	}
	settings.Epochs, settings.Rate = 2, 0.3
	again, then, err := Train(context.Background(), train, validation, l, settings)
	if err != nil {
		t.Fatal(err)
	}
	if then.BestEpoch != 0 || then.Best != h.Best {
		t.Errorf("best %v in epoch %d, of the start %v: %+v", then.Best, then.BestEpoch, h.Best, then.Epochs)
	}
	for _, p := range again.Network().Params() {
		same(t, p.Name, p.Value, m.Network().Param(p.Name).Value)
	}
}

func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: weight %d is %v, want %v to the bit", what, i, got[i], want[i])
		}
	}
}

// TestDecodeUnits: charges in other units give the decoded image in those.
func TestDecodeUnits(t *testing.T) {
	m, err := New(nn.Settings{Seed: 1, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	images := showers(700, 4)
	scaled := make([]float64, len(images))
	for i, v := range images {
		scaled[i] = 8 * v
	}
	a, err := m.Decode(context.Background(), set(images))
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Decode(context.Background(), set(scaled))
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Charge {
		if b.Charge[i] != 8*a.Charge[i] {
			t.Fatalf("cell %d: %v, want 8·%v", i, b.Charge[i], a.Charge[i])
		}
	}
}

func TestBadImages(t *testing.T) {
	m, err := New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	good := showers(3, 1)
	for name, spoil := range map[string]func([]float64) []float64{
		"row 1, cell 5":  func(x []float64) []float64 { x[Cells+5] = math.NaN(); return x },
		"row 2, cell 0":  func(x []float64) []float64 { x[2*Cells] = -1; return x },
		"row 0: the cha": func(x []float64) []float64 { clear(x[:Cells]); return x },
		"whole number":   func(x []float64) []float64 { return x[:50] },
	} {
		_, err := m.Decode(context.Background(), set(spoil(append([]float64(nil), good...))))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want an error with %q", err, name)
		}
	}
	if _, _, err := Train(context.Background(), set(good), nil, losses(t, 1)["emd"], Settings{}); err == nil {
		t.Error("training without validation images was accepted")
	}
}

func TestSaveLoad(t *testing.T) {
	m, err := New(nn.Settings{Seed: 9, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "encoder.weights")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path, nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	images := showers(5, 1)
	a, err := m.Decode(context.Background(), set(images))
	if err != nil {
		t.Fatal(err)
	}
	b, err := got.Decode(context.Background(), set(images))
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Charge {
		if a.Charge[i] != b.Charge[i] {
			t.Fatalf("cell %d decodes to %v, loaded to %v", i, a.Charge[i], b.Charge[i])
		}
	}
	other, err := nn.New(nn.Spec{Name: "other", Input: nn.Vector(2), Layers: []nn.Layer{{Kind: nn.KindDense, Units: 1}}}, nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Save(path, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, nn.Settings{Threads: 1}); err == nil || !strings.Contains(err.Error(), `holds the network "other", no autoencoder: name the weights`) {
		t.Errorf("another network: %v", err)
	}
}

// TestSchedules: where the learning rate starts, how it rises and where it ends.
func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		name        string
		epoch, want float64
	}{
		{"constant", 0, 3e-3}, {"constant", 200, 3e-3}, {"cosine", 0, 3e-3}, {"cosine", 200, 3e-5},
		{"warm-cosine", 0, 0}, {"warm-cosine", 2, 1.5e-3}, {"warm-cosine", 4, 3e-3}, {"warm-cosine", 102, 1.515e-3}, {"warm-cosine", 200, 3e-5},
	} {
		s := Budget{Rate: 3e-3, Epochs: 200, Schedule: c.name}.schedule()
		if got := s.Rate(c.epoch, 200); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s after %v of 200 epochs: rate %v, want %v", c.name, c.epoch, got, c.want)
		}
	}
}

// TestMeasured: the encoder gets what was measured and the loss sees what it was, in the units of what
// was measured; where nothing has changed, no bit of a training does.
func TestMeasured(t *testing.T) {
	train, choice := set(showers(120, 1)), set(showers(40, 2))
	worn := set(slices.Clone(train.Charge))
	for i := range worn.Charge {
		worn.Charge[i] = math.Floor(worn.Charge[i] / float64(1+i%4))
	}
	o := &objective{}
	var err error
	if o.model, err = New(nn.Settings{}); err != nil {
		t.Fatal(err)
	}
	p, err := o.set(train, worn)
	if err != nil {
		t.Fatal(err)
	}
	for i := range train.Len() {
		scale := wafer.NormSumLog2.Scale(worn.Image(i))
		seen, _ := p.row(i)
		for c := range Cells {
			if seen[c] != float32(worn.Image(i)[c]/scale) || p.cells[i*Cells+c] != float32(train.Image(i)[c]/scale) {
				t.Fatalf("image %d, cell %d: %v is to be decoded as %v", i, c, seen[c], p.cells[i*Cells+c])
			}
		}
	}
	s := Settings{Architecture: Architecture{Precision: "asic", Decoder: DecoderDense}, Budget: Budget{Epochs: 2, Batch: 20}, Seed: 1, Threads: 1}
	_, plain, err := Train(context.Background(), train, choice, loss.Telescope(hgcal.Published), s)
	if err != nil {
		t.Fatal(err)
	}
	s.Measured, s.MeasuredValidation = set(slices.Clone(train.Charge)), set(slices.Clone(choice.Charge))
	_, same, err := Train(context.Background(), train, choice, loss.Telescope(hgcal.Published), s)
	if err != nil || same.Best != plain.Best {
		t.Errorf("a loss of %v, and of %v with the same images as measured (%v)", plain.Best, same.Best, err)
	}
	s.Measured = worn
	if _, other, err := Train(context.Background(), train, choice, loss.Telescope(hgcal.Published), s); err != nil || other.Best == plain.Best {
		t.Errorf("what was measured changes nothing (%v)", err)
	}
	s.Measured = worn.Slice(0, 10)
	if _, _, err := Train(context.Background(), train, choice, loss.Telescope(hgcal.Published), s); err == nil || !strings.Contains(err.Error(), "want one for one") {
		t.Errorf("10 measured images of 120 were taken: %v", err)
	}
}
