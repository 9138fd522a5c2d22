package autoencoder

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/nn"
	"barrow/wafer"
)

// TestPresets trains every preset shortly, wants it to learn, its outputs to
// be multiples of the format's step, and the same bits after saving and
// loading.
func TestPresets(t *testing.T) {
	train, validation := showers(800, 1), showers(200, 2)
	ctx, l := context.Background(), losses(t, 1)["telescope"]
	for _, p := range Presets() {
		a := Architecture{Precision: p.Name}
		if p.Latent.Bits > 0 {
			a.LatentBits = 5
		}
		m, h, err := Train(ctx, set(train), set(validation), l, Settings{Architecture: a, Seed: 3, Budget: Budget{Epochs: 25, Batch: 50, Rate: 3e-3}})
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		if first := h.Epochs[0].Validation; !(h.Best < 0.8*first) {
			t.Errorf("%s: validation loss fell from %.4f to %.4f only", p.Name, first, h.Best)
		}
		latents, err := m.Encode(ctx, set(validation))
		if err != nil {
			t.Fatal(err)
		}
		used := 0
		for i, v := range latents {
			step := math.Exp2(float64(p.Latent.Integer - 5))
			if p.Latent.Bits > 0 && float64(v) != math.Floor(float64(v)/step)*step {
				t.Fatalf("%s: output %d is %v, no multiple of %v", p.Name, i, v, step)
			}
			if v > 0 {
				used++
			}
		}
		if used == 0 {
			t.Errorf("%s: all outputs are 0", p.Name)
		}
		path := filepath.Join(t.TempDir(), "x.weights")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		again, err := Load(path, nn.Settings{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if again.Architecture() != m.Architecture() {
			t.Errorf("%s: loaded as %+v, saved as %+v", p.Name, again.Architecture(), m.Architecture())
		}
		x, err := m.Decode(ctx, set(validation))
		if err != nil {
			t.Fatal(err)
		}
		y, err := again.Decode(ctx, set(validation))
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.Charge {
			if x.Charge[i] != y.Charge[i] {
				t.Fatalf("%s: cell %d decodes to %v, loaded to %v", p.Name, i, x.Charge[i], y.Charge[i])
			}
		}
		if _, err := m.ChipWeights(); (err == nil) != p.Chip {
			t.Errorf("%s: chip weights: %v", p.Name, err)
		}
	}
}

// TestDense: the dense and the residual decoder learn with every kind of encoder, which stays as
// it was; its weights can be taken over as a start, but not by another kind.
func TestDense(t *testing.T) {
	train, validation := conditioned(600, 1), conditioned(200, 2)
	ctx, l := context.Background(), losses(t, 1)["emd"]
	for _, a := range []Architecture{{Decoder: "dense"}, {Precision: "asic", Decoder: "dense", Range: 2}, {Precision: "cmssw-mainline", Decoder: "dense"},
		{Decoder: "dense", Conditional: true}, {Decoder: "residual"}, {Precision: "asic", Decoder: "residual", Conditional: true},
		{Precision: "qkeras-5bit", Decoder: "residual", Output: "square"}, {Decoder: "dense", Output: "square", Conditional: true}} {
		s := Settings{Architecture: a, Seed: 3, Budget: Budget{Epochs: 8, Batch: 20, Rate: 1e-3}}
		m, h, err := Train(ctx, train, validation, l, s)
		if err != nil {
			t.Fatalf("%v: %v", a, err)
		}
		if start := h.Epochs[0].Validation; !(h.Best < 0.95*start) {
			t.Errorf("%v: validation loss fell from %.4f to %.4f only", a, start, h.Best)
		}
		plain := a
		plain.Decoder, plain.Conditional, plain.Range, plain.Output = "", false, 0, ""
		if x, y := cost(t, a), cost(t, plain); x != y {
			t.Errorf("%v: the encoder costs %+v, with the paper's decoder %+v", a, x, y)
		}
		s.Start = filepath.Join(t.TempDir(), "start.weights")
		if err := m.Save(s.Start); err != nil {
			t.Fatal(err)
		}
		_, again, err := Train(ctx, train, validation, l, s)
		if err != nil {
			t.Fatal(err)
		}
		if again.Epochs[0].Validation > h.Epochs[1].Validation {
			t.Errorf("%v: started at %v, after a training that reached %v", a, again.Epochs[0].Validation, h.Best)
		}
		s.Encoder, s.Start = s.Start, ""
		s.Architecture.Decoder, s.Architecture.Range, s.Architecture.Conditional, s.Architecture.Output = "", 0, false, ""
		other, _, err := Train(ctx, train, validation, l, s)
		if err != nil {
			t.Fatalf("%v: with the encoder of a file: %v", a, err)
		}
		was, err1 := m.Encode(ctx, validation)
		is, err2 := other.Encode(ctx, validation)
		if err1 != nil || err2 != nil || !slices.Equal(was, is) {
			t.Errorf("%v: the encoder that was to be kept has changed (%v, %v)", a, err1, err2)
		}
		s.Architecture.Normalisation = "max"
		if a.Precision == "asic" {
			s.Architecture.Normalisation, s.Architecture.LatentBits = "", 5
		}
		if _, _, err := Train(ctx, train, validation, l, s); err == nil || !strings.Contains(err.Error(), "another kind of encoder") {
			t.Errorf("%v: another kind of encoder was taken over: %v", a, err)
		}
		s.Start, s.Encoder = s.Encoder, ""
		s.Architecture = a
		s.Architecture.Decoder, s.Architecture.Range, s.Architecture.Output = "", 0, ""
		if _, _, err := Train(ctx, train, validation, l, s); err == nil || !strings.Contains(err.Error(), "of another kind") {
			t.Errorf("%v: started with another decoder's weights: %v", a, err)
		}
	}
}

func cost(t *testing.T, a Architecture) Cost {
	t.Helper()
	c, err := a.Cost()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRestore: decoded images of cmssw-mainline have the module's sum, but for
// cells below 0.1 MIP_T, and no such cells.
func TestRestore(t *testing.T) {
	m, err := Architecture{Precision: "cmssw-mainline"}.New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	images := showers(50, 3)
	for c := range Cells {
		images[c] /= 1000 // all of it below 0.1 MIP_T: kept
	}
	decoded, err := m.Decode(context.Background(), set(images))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		in, out := images[i*Cells:(i+1)*Cells], decoded.Image(i)
		lost, least := 0.0, math.Inf(1)
		for _, v := range out {
			if v == 0 {
				lost += suppressed
			} else {
				least = min(least, v)
			}
		}
		if d := wafer.Sum(in) - wafer.Sum(out); d > lost+1e-6*wafer.Sum(in) || d < -1e-6*wafer.Sum(in) {
			t.Errorf("image %d: charge %v decodes to %v, at most %v suppressed", i, wafer.Sum(in), wafer.Sum(out), lost)
		}
		if i > 0 && least < suppressed {
			t.Errorf("image %d: a decoded cell of %v", i, least)
		}
	}
	for _, c := range []struct{ image, decoded, want []float64 }{
		{[]float64{10, 90}, []float64{0.1, 4.9}, []float64{0, 98}},
		{[]float64{10, 10}, []float64{1, 3}, []float64{5, 15}},
		{[]float64{1, 1}, []float64{3, 1}, []float64{1.5, 0.5}},
		{[]float64{1, 1}, []float64{0, 0}, []float64{0, 0}},
	} {
		asCMSSW.scale(c.image, c.decoded)
		for i, v := range c.want {
			if math.Abs(c.decoded[i]-v) > 1e-12 {
				t.Errorf("%v restored to %v, want %v", c.image, c.decoded, c.want)
			}
		}
	}
}

// TestRange: with a range of 2 the decoder learns cells that a sigmoid cannot
// reach, and its gradient is that of the scaled output.
func TestRange(t *testing.T) {
	images := make([]float64, 200*Cells)
	for i := range 200 {
		images[i*Cells+i%4*11] = 190 // normalised: 190/128
	}
	best := map[int]float64{}
	for _, limit := range []int{1, 2} {
		m, h, err := Train(context.Background(), set(images), set(images), losses(t, 1)["telescope"], Settings{
			Architecture: Architecture{Range: limit}, Budget: Budget{Epochs: 120, Batch: 20, Rate: 3e-3, Schedule: "cosine"}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := m.Decode(context.Background(), set(images))
		if err != nil {
			t.Fatal(err)
		}
		top := 0.0
		for _, v := range out.Charge {
			top = max(top, v)
		}
		if limit == 1 && top > 128 {
			t.Errorf("a sigmoid gave %v of at most 128", top)
		}
		best[limit] = h.Best
	}
	if !(best[2] < best[1]) {
		t.Errorf("loss %v with a range of 2, %v with 1", best[2], best[1])
	}
}

func TestCost(t *testing.T) {
	for precision, want := range map[string]Cost{
		// Rows 2, 4 and 6 lie in two windows, the others in one: 11 in all, 5 of
		// them by rows 0–3, 6 by rows 4–7, of which half the columns are masked.
		"asic":           {2144, 8*(5*11+6*5) + 128*16},
		"cmssw-mainline": {3*9*8 + 8 + 129*16, 8*3*100 + 128*16},
	} {
		got, err := Architecture{Precision: precision}.Cost()
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", precision, got, err, want)
		}
	}
}

func TestArchitectureErrors(t *testing.T) {
	for _, c := range []struct {
		a    Architecture
		want string
	}{
		{Architecture{Precision: "qkeras"}, `precision = "qkeras": it may be float, qkeras-5bit, asic`},
		{Architecture{Sum: "none"}, `sum = "none": it may be decoded, sent`},
		{Architecture{Precision: "cmssw-mainline", Sum: SumDecoded}, `sum = "decoded": precision "cmssw-mainline" scales to the sum sent`},
		{Architecture{Precision: "asic", WeightBits: 5}, "weight_bits = 5: the chip has 6-bit"},
		{Architecture{WeightBits: 5}, "weight_bits = 5: the weights of precision \"float\" are floating point"},
		{Architecture{Precision: "qkeras-5bit", WeightBits: 40}, "weight_bits = 40: want 3 to 16"},
		{Architecture{Precision: "asic", LatentBits: 10}, "latent_bits = 10: want 1 to 9"},
		{Architecture{LatentBits: 3}, "latent_bits = 3: the outputs of precision"},
		{Architecture{Precision: "asic", Mask: "3x3"}, `mask = "3x3": it has 3 outputs`},
		{Architecture{Precision: "qkeras-5bit", Mask: "9x2,7x0"}, `mask = "9x2,7x0": the chip alone sends more bits`},
		{Architecture{Precision: "asic", Mask: "16x3", LatentBits: 5}, `mask = "16x3", latent_bits = 5: give one`},
		{Architecture{Mask: "16x3"}, "latent_bits = 3: the outputs of precision"},
		{Architecture{Normalisation: "l2"}, "normalisation = \"l2\": it may be sumlog2, sum, max"},
		{Architecture{Precision: "asic", Normalisation: "sum"}, "normalisation = \"sum\": the chip shifts"},
		{Architecture{Range: 3}, "range = 3: it may be 1 or 2"},
		{Architecture{Range: 2, Conditional: true}, "range = 2: the conditional decoder ends in a ReLU"},
		{Architecture{Precision: "cmssw-mainline", Conditional: true}, "conditional = true"},
		{Architecture{Decoder: "wide"}, "decoder = \"wide\": it may be paper, dense, residual"},
		{Architecture{Decoder: "dense", Output: "relu"}, "output = \"relu\": it may be sigmoid, square"},
		{Architecture{Output: "square"}, "output = \"square\": for decoder = \"dense\" or \"residual\" only"},
		{Architecture{Decoder: "dense", Output: "square", Range: 2}, "range = 2: a square has no limit"},
	} {
		if err := c.a.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want an error with %q", c.a, err, c.want)
		}
	}
}

// conditioned are images with metadata columns.
func conditioned(n int, seed uint64) *wafer.Set {
	s := &wafer.Set{Charge: showers(n, seed)}
	for _, name := range []string{"eta", "waferu", "waferv", "wafertype", "layer"} {
		c := wafer.Column{Name: name}
		for i := range n {
			c.Float = append(c.Float, float64(1+i%2))
		}
		s.Columns = append(s.Columns, c)
	}
	return s
}

func TestConditional(t *testing.T) {
	ctx := context.Background()
	train, validation := conditioned(600, 1), conditioned(100, 2)
	for _, precision := range []string{"float", "cmssw-fork", "asic"} {
		for name, l := range losses(t, 1) {
			m, h, err := Train(ctx, train, validation, l, Settings{
				Architecture: Architecture{Precision: precision, Conditional: true}, Seed: 1, Budget: Budget{Epochs: 12, Batch: 50, Rate: 3e-3}})
			if err != nil {
				t.Fatalf("%s, %s: %v", precision, name, err)
			}
			if !(h.Best < 0.9*h.Epochs[0].Validation) {
				t.Errorf("%s, %s: loss %v after %v", precision, name, h.Best, h.Epochs[0].Validation)
			}
			if _, err := m.Decode(ctx, validation.WithoutColumns()); err == nil || !strings.Contains(err.Error(), "needs the columns eta or tc_eta, waferv, waferu, layer, wafertype") {
				t.Errorf("decoding without conditions: %v", err)
			}
			if _, err := m.Decode(ctx, validation); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestConditions(t *testing.T) {
	s := conditioned(2, 1)
	s.Column("eta").Float[1] = -2.48
	s.Column("layer").Float[1] = 24
	c, err := Conditions(s)
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{0.8, 2. / 12, 2. / 12, 0, 0, 1, float32(math.Log(wafer.Sum(s.Image(1)) + 1)), 0.5}
	for i, v := range c[ConditionCount:] {
		if math.Abs(float64(v-want[i])) > 1e-6 {
			t.Errorf("condition %d is %v, want %v", i, v, want[i])
		}
	}
	s.Column("eta").Float[1] = 99
	if _, err := Conditions(s); err == nil || !strings.Contains(err.Error(), "image 2: eta is 99") {
		t.Errorf("η of 99: %v", err)
	}
	s.Column("eta").Float[1] = -2.48
	s.Column("wafertype").Float[0] = 7
	if _, err := Conditions(s); err == nil || !strings.Contains(err.Error(), "image 1: wafer type 7") {
		t.Errorf("wafer type 7: %v", err)
	}
	s.Columns = append(s.Columns[:3], s.Columns[4], wafer.Column{Name: "HD_LD", Text: []string{"HD", "LD"}})
	if c, err = Conditions(s); err != nil || c[3] != 1 || c[4] != 0 || c[ConditionCount+4] != 1 {
		t.Errorf("types by density: %v, %v", c, err)
	}
	s.Columns = s.Columns[:4]
	if _, err := Conditions(s); err == nil || !strings.Contains(err.Error(), "needs the column wafertype or type or HD_LD") {
		t.Errorf("no column: %v", err)
	}
}
