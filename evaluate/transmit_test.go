package evaluate_test

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/internal/stats"
	"barrow/wafer"
)

// sets reads a set in parts, as a file's reader does.
type sets struct {
	set  *wafer.Set
	done int
}

func (r *sets) Read(s *wafer.Set, n int) (int, error) {
	n = min(n, r.set.Len()-r.done)
	if n == 0 {
		return 0, io.EOF
	}
	part := r.set.Slice(r.done, r.done+n)
	s.Charge, s.Columns = append(s.Charge[:0], part.Charge...), part.Columns
	r.done += n
	return n, nil
}

// collected keeps what is written.
type collected struct {
	all   wafer.Set
	calls int
	err   error
}

func (w *collected) Write(s *wafer.Set) error {
	w.calls++
	if w.err != nil {
		return w.err
	}
	return w.all.Append(s)
}

func (w *collected) Close() error { return nil }

func transmission(t *testing.T, a econt.Algorithm, n int) (*econt.Baseline, *wafer.Set, evaluate.TransmitSettings) {
	t.Helper()
	c, err := econt.BaselineConfig(a, 3, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	chip, err := econt.NewBaseline(c, econt.BaselineSettings{})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(8, uint64(n)))
	set := &wafer.Set{Charge: make([]float64, 48*n), Columns: []wafer.Column{{Name: "entry", Float: make([]float64, n)}}}
	for i := range n {
		set.Columns[0].Float[i] = float64(7 * i)
		for range r.IntN(20) { // none in some
			set.Charge[48*i+r.IntN(48)] = float64(r.IntN(4000))
		}
	}
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	return chip, set, evaluate.TransmitSettings{Metric: m, Threads: 2}
}

// TestTransmit: what arrives, batch after batch, is what the chip makes of each
// image alone, and the figures are those of all of them.
func TestTransmit(t *testing.T) {
	const n = 2500
	chip, set, s := transmission(t, econt.BestChoice, n)
	var out collected
	r, err := evaluate.Transmit(context.Background(), chip, &sets{set: set}, &out, s)
	if err != nil {
		t.Fatal(err)
	}
	if out.all.Len() != n || out.calls < 3 || r.Wafers != n || r.Algorithm != "BC" || r.ETx != 3 || r.LinkBits != 96 {
		t.Fatalf("%d images in %d parts: %+v", out.all.Len(), out.calls, r)
	}
	want := make([]float64, 48)
	var distances []float64
	total, empty := 0, 0
	pair, err := emd.NewBatch(s.Metric, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		bits, err := chip.Encode(set.Image(i), want)
		if err != nil {
			t.Fatal(err)
		}
		total += bits
		for j, v := range out.all.Image(i) {
			if v != want[j] {
				t.Fatalf("image %d, cell %d: %v, want %v", i, j, v, want[j])
			}
		}
		if out.all.Column("bits").Float[i] != float64(bits) || out.all.Column("entry").Float[i] != float64(7*i) {
			t.Fatalf("image %d: columns %v", i, out.all.Columns)
		}
		if wafer.Sum(set.Image(i)) == 0 {
			empty++
			continue
		}
		e := make([]float64, 1)
		if err := pair.Distance(context.Background(), set.Image(i), want, e); err != nil {
			t.Fatal(err)
		}
		distances = append(distances, e[0])
	}
	sort.Float64s(distances)
	if r.Empty != empty || empty == 0 || r.MeanBits != float64(total)/n || *r.MedianEMD != stats.Quantile(distances, 0.5) || *r.Q95EMD != stats.Quantile(distances, 0.95) {
		t.Errorf("%+v: want %d empty, %v bits, median %v", r, empty, float64(total)/n, stats.Quantile(distances, 0.5))
	}
	if mean := wafer.Sum(distances) / float64(len(distances)); math.Abs(*r.MeanEMD-mean) > 1e-12 {
		t.Errorf("mean %v, want %v", *r.MeanEMD, mean)
	}
}

func TestTransmitErrors(t *testing.T) {
	chip, set, s := transmission(t, econt.BestChoice, 2000)
	full := errors.New("no space left")
	if _, err := evaluate.Transmit(context.Background(), chip, &sets{set: set}, &collected{err: full}, s); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := evaluate.Transmit(ctx, chip, &sets{set: set}, nil, s); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	set.Charge[48*1500+5] = 1 << 22
	_, err := evaluate.Transmit(context.Background(), chip, &sets{set: set}, nil, s)
	var image *evaluate.ImageError
	if !errors.As(err, &image) || image.Image != 1501 || !strings.Contains(err.Error(), "cell 5") {
		t.Errorf("a charge too large: %v", err)
	}
	if _, err := evaluate.Transmit(context.Background(), chip, &sets{set: set}, nil, evaluate.TransmitSettings{}); err == nil {
		t.Error("no metric was accepted")
	}
}

// TestTransmitAsMeter: images of either density, and such of which nothing arrives, get the
// figures that a ChipMeter has of them.
func TestTransmitAsMeter(t *testing.T) {
	const n, threshold = 600, 1500
	_, set, s := transmission(t, econt.BestChoice, n)
	set, _ = set.NonZero()
	words := make([]string, set.Len())
	for i := range words {
		words[i] = []string{"LD", "HD", "HD"}[i%3]
	}
	set.Columns = append(set.Columns, wafer.Column{Name: string(wafer.Density), Text: words})
	for _, a := range []econt.Algorithm{econt.ThresholdSum, econt.BestChoice} {
		var chips [2]*econt.Baseline
		for k := range chips {
			c, err := econt.BaselineConfig(a, 3, k == 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			for ch := range c.Threshold {
				c.Threshold[ch] = threshold
			}
			if chips[k], err = econt.NewBaseline(c, econt.BaselineSettings{}); err != nil {
				t.Fatal(err)
			}
		}
		s.High = chips[1]
		r, err := evaluate.Transmit(context.Background(), chips[0], &sets{set: set}, nil, s)
		if err != nil {
			t.Fatal(err)
		}
		scheme := evaluate.Scheme{Algorithm: a, Links: 3, Decoding: evaluate.DecodeKept, Threshold: threshold}
		list, err := evaluate.Chip(context.Background(), s.Metric, set, []evaluate.Scheme{scheme}, evaluate.ChipSettings{})
		if err != nil {
			t.Fatal(err)
		}
		want := list[0]
		if math.Abs(*r.MeanEMD-want.Fidelity.Of(evaluate.EMD).Mean) > 1e-9 || math.Abs(float64(r.Nothing)/float64(set.Len())-want.Empty) > 1e-9 {
			t.Errorf("%v: mean EMD %v, nothing of %d; the meter has %v and %v", a, *r.MeanEMD, r.Nothing, want.Fidelity.Of(evaluate.EMD).Mean, want.Empty)
		}
		if a == econt.ThresholdSum && r.Nothing == 0 {
			t.Error("something arrives of all images: the test shows nothing")
		}
		if !strings.HasSuffix(r.Density, "high, as the column HD_LD says") {
			t.Errorf("density %q", r.Density)
		}
	}
	set.Columns[len(set.Columns)-1].Text[6] = "MD"
	if _, err := evaluate.Transmit(context.Background(), s.High, &sets{set: set}, nil, s); err == nil || !strings.Contains(err.Error(), `image 7: HD_LD is "MD"`) {
		t.Errorf("a density that there is not: %v", err)
	}
}
