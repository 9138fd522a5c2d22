package autoencoder

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/econt"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
)

func TestParseWidths(t *testing.T) {
	for text, want := range map[string]string{
		"9x2,7x0": "9x2,7x0", "2,2,2,13x1": "3x2,13x1", " 15x3 , 9": "15x3,1x9", "16x4": "16x4", "8x1,8x1": "16x1", "5x0,1x9,5x0,5x1": "5x0,1x9,5x0,5x1",
	} {
		w, err := ParseWidths(text)
		if err != nil || w.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, w, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                            "is no width",
		"9x2":                         "it has 9 outputs, and the encoder 16",
		"9x2,8x0":                     "more than 16 outputs",
		"0x2,16x1":                    "is no width",
		"16x10":                       "outputs of 10 bits: want 0 to 9",
		"16x-1":                       "outputs of -1 bits",
		"9xx2,7x0":                    `"9xx2" is no width`,
		"16x0":                        "nothing would be sent",
		"9x2,7x":                      `"7x" is no width`,
		"999999999x99":                "outputs of 99 bits",
		"99999999999x9,99999999999x9": "more than 16",
	} {
		if _, err := ParseWidths(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", text, err, want)
		}
	}
}

// TestMaskOfOneWidth: it is the same architecture as that of latent_bits.
func TestMaskOfOneWidth(t *testing.T) {
	for _, precision := range []string{"asic", "qkeras-5bit"} {
		a, err := Architecture{Precision: precision, Mask: "10x3,6x3"}.New(nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Architecture{Precision: precision, LatentBits: 3}.New(nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if a.Architecture() != b.Architecture() {
			t.Errorf("%+v, not %+v", a.Architecture(), b.Architecture())
		}
	}
	a := Architecture{Precision: "asic", Mask: "14x3,2x4"}
	c, err := a.Cost()
	plain, err2 := Architecture{Precision: "asic"}.Cost()
	if err != nil || err2 != nil || c != plain {
		t.Errorf("a mask costs %+v, without one %+v (%v, %v)", c, plain, err, err2)
	}
	if a.Links() != 2 || a.Widths()[15] != 4 || !strings.Contains(a.String(), "14x3,2x4") {
		t.Errorf("%v: %d links, %v", a, a.Links(), a.Widths())
	}
}

// draw gives widths of every kind, of one output and of all.
func draw(rng *rand.Rand) (w Widths) {
	for j := range w {
		if rng.IntN(3) > 0 {
			w[j] = rng.IntN(maxLatentBits + 1)
		}
	}
	w[rng.IntN(Latent)] = 1 + rng.IntN(maxLatentBits)
	return w
}

// masked is a model with a mask and random weights in all that is trained.
func masked(t *testing.T, w Widths, rng *rand.Rand) *Model {
	t.Helper()
	m, err := Architecture{Precision: "asic", Mask: w.String(), Decoder: DecoderResidual}.New(nn.Settings{Seed: rng.Uint64(), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Network().Params() {
		if p.Trainable && strings.HasPrefix(p.Name, "encoder_") {
			for i := range p.Value {
				p.Value[i] = float32(rng.NormFloat64()) / 4
			}
		}
	}
	return m
}

// TestMaskIsTheChips: for random masks on the fewest links that carry them, what econt's chip
// sends of an image are the outputs that training, Encode and a Sender have, bit for bit; and the
// network around the chip, of the same outputs before the mask, cuts them alike.
func TestMaskIsTheChips(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 9))
		w := draw(rng)
		m := masked(t, w, rng)
		weights, err := m.ChipWeights()
		if err != nil {
			t.Fatal(err)
		}
		keep := m.Architecture().Widths().Keep()
		if links := keep.Links(); links > 1 && keep.Count() <= 18+32*(links-2) || links < 5 && keep.Count() > 18+32*(links-1) {
			t.Fatalf("%v: %d bits on %d links", w, keep.Count(), links)
		}
		c, err := econt.BaselineConfig(econt.Autoencoder, keep.Links(), false, weights)
		if err != nil {
			t.Fatal(err)
		}
		c.Keep = keep
		chip, err := econt.New(c)
		if err != nil {
			t.Fatal(err)
		}
		decoder, err := econt.NewDecoder(c, econt.DecoderSettings{})
		if err != nil {
			t.Fatal(err)
		}
		const n = 300
		images := chipImages(rng, n)
		trained := encodeAsTrained(t, m, images)
		got, err := m.Encode(ctx, set(images))
		if err != nil || !slices.Equal(got, trained) {
			t.Fatalf("%v: Encode and the training differ: %v", w, err)
		}
		channel := hgcal.Map(hgcal.Raster, hgcal.V9)
		rows := make([]econt.Output, n)
		for i := range rows {
			var q [econt.Channels]uint32
			for cell, ch := range channel {
				q[ch] = uint32(images[i*Cells+cell])
			}
			if err := chip.StepCALQ(i, &q, &rows[i]); err != nil {
				t.Fatal(err)
			}
		}
		frames, err := decoder.Stream(rows)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range frames {
			for j, v := range f.Latent {
				if got[i*Latent+j]*outputUnit != float32(v) {
					t.Fatalf("%v: image %d, output %d: the chip sends %d, the model has %v", w, i, j, v, got[i*Latent+j]*outputUnit)
				}
			}
		}
		cutAsNetwork(t, m, w, rng)
	}
}

// cutAsNetwork holds the network's layers of the mask to its bits.
func cutAsNetwork(t *testing.T, m *Model, w Widths, rng *rand.Rand) {
	t.Helper()
	if m.net.LayerIndex(layerNarrow) < 0 { // drawn with one width
		return
	}
	v, err := m.net.View(m.net.LayerIndex(layerLatent), m.end, nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	x := nn.NewTensor(1, nn.Vector(Latent))
	kept := w.codes()
	for range 50 {
		for j := range x.Data {
			x.Data[j] = float32(rng.IntN(outputTop+1)) / outputUnit
		}
		y, err := v.Forward(x, nn.Inference)
		if err != nil {
			t.Fatal(err)
		}
		for j, got := range y.Data {
			if want := float32(int32(x.Data[j]*outputUnit)&kept[j]) / outputUnit; got != want {
				t.Fatalf("%v: output %d of %v is %v, want %v", w, j, x.Data[j], got, want)
			}
		}
	}
}

// TestMaskGradient: the gradient of an output goes straight through the mask, as in a model
// without one at the same point, but for outputs that are not sent.
func TestMaskGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	w := draw(rng)
	m := masked(t, w, rng)
	images := set(showers(40, 1))
	o := &objective{model: m, loss: loss.Telescope(hgcal.Published)}
	var err error
	if o.train, err = o.set(images, nil); err != nil {
		t.Fatal(err)
	}
	o.resize(40)
	idx := make([]int, 40)
	for i := range idx {
		idx[i] = i
	}
	m.net.ZeroGrad()
	if _, err := o.Train(context.Background(), idx); err != nil {
		t.Fatal(err)
	}
	kernel, bias := m.net.Param(layerDense+"/kernel").Grad, m.net.Param(layerDense+"/bias").Grad
	moved := 0
	for j, bits := range w {
		sum := float64(bias[j] * bias[j])
		for i := j; i < len(kernel); i += Latent {
			sum += float64(kernel[i] * kernel[i])
		}
		if bits == 0 && sum != 0 {
			t.Errorf("output %d is not sent and has a gradient", j)
		}
		if bits > 0 && sum > 0 {
			moved++
		}
	}
	if moved == 0 {
		t.Error("no output has a gradient")
	}
	// The gradient at the outputs is the decoder's, held to differences through its own input.
	dz := slices.Clone(m.chip.dlatent.Data)
	latent := slices.Clone(m.chip.latent.Data)
	eval := func() float64 {
		y, err := m.chip.decoder.Forward(m.chip.latent, nn.Inference)
		if err != nil {
			t.Fatal(err)
		}
		m.gather(y, o.pred)
		v, err := o.loss.Eval(context.Background(), o.target, o.pred, nil)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	checked := 0
	for i, a := range m.chip.acc {
		if a <= 0 || a > outputTop || w[i%Latent] == 0 {
			if dz[i] != 0 {
				t.Fatalf("output %d: gradient %v behind its limits or mask", i, dz[i])
			}
			continue
		}
		if checked++; checked > 60 {
			break
		}
		const h = 1.0 / 64
		m.chip.latent.Data[i] = latent[i] + h
		up := eval()
		m.chip.latent.Data[i] = latent[i] - h
		down := eval()
		m.chip.latent.Data[i] = latent[i]
		if num := (up - down) / (2 * h); num-float64(dz[i]) > 1e-3+0.05*max(num, -num) || float64(dz[i])-num > 1e-3+0.05*max(num, -num) {
			t.Errorf("output %d: gradient %v, differences %v", i, dz[i], num)
		}
	}
	if checked < 20 {
		t.Errorf("only %d outputs are within their limits", checked)
	}
}

// TestMaskTraining: an encoder with a mask learns, gives the same bits on any number of threads,
// is saved and read, and starts from none of another mask.
func TestMaskTraining(t *testing.T) {
	ctx := context.Background()
	train, validation := set(showers(600, 1)), set(showers(150, 2))
	var first *Model
	for _, threads := range []int{1, 3} {
		s := Settings{Architecture: Architecture{Precision: "asic", Mask: "9x2,7x0"}, Seed: 3, Threads: threads, Budget: Budget{Epochs: 15, Batch: 50, Rate: 3e-3}}
		m, h, err := Train(ctx, train, validation, losses(t, threads)["emd"], s)
		if err != nil {
			t.Fatal(err)
		}
		if before := h.Epochs[0].Validation; !(h.Best < 0.85*before) {
			t.Errorf("validation loss fell from %.4f to %.4f only", before, h.Best)
		}
		if first == nil {
			first = m
			continue
		}
		for k, p := range m.net.Params() {
			if !slices.Equal(p.Value, first.net.Params()[k].Value) {
				t.Errorf("%s depends on the number of threads", p.Name)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "masked.weights")
	if err := first.Save(file); err != nil {
		t.Fatal(err)
	}
	again, err := Load(file, nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if again.Architecture() != first.Architecture() {
		t.Fatalf("read as %+v", again.Architecture())
	}
	want, err1 := first.Decode(ctx, validation)
	got, err2 := again.Decode(ctx, validation)
	if err1 != nil || err2 != nil || !slices.Equal(want.Charge, got.Charge) {
		t.Errorf("the file decodes otherwise: %v, %v", err1, err2)
	}
	// Another mask, and none, start from it; another decoder does not.
	s := Settings{Architecture: Architecture{Precision: "asic", Mask: "10x2,6x0"}, Start: file, Budget: Budget{Epochs: 1}}
	for _, mask := range []string{"10x2,6x0", ""} {
		s.Architecture.Mask = mask
		if _, h, err := Train(ctx, train, validation, losses(t, 1)["emd"], s); err != nil || !(h.Best < 2) {
			t.Errorf("start with the mask %q: %v", mask, err)
		}
	}
	s.Architecture.Decoder = DecoderDense
	if _, _, err := Train(ctx, train, validation, losses(t, 1)["mse"], s); err == nil || !strings.Contains(err.Error(), "9x2,7x0") {
		t.Errorf("started with another decoder: %v", err)
	}
}

// TestReorder: a model with its outputs in another order decodes the same.
func TestReorder(t *testing.T) {
	images := set(chipImages(rand.New(rand.NewPCG(8, 8)), 300))
	for _, a := range []Architecture{{Precision: "asic"}, {Precision: "asic", Decoder: DecoderResidual}, {}} {
		m, err := a.New(nn.Settings{Seed: 6, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		m.startAt(make([]float32, Cells))
		before, err1 := m.Encode(context.Background(), images)
		want, err2 := m.Decode(context.Background(), images)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		order := [Latent]int{3, 15, 0, 1, 2, 4, 5, 6, 7, 8, 9, 14, 13, 12, 11, 10}
		if err := m.Reorder(order); err != nil {
			t.Fatal(err)
		}
		after, err1 := m.Encode(context.Background(), images)
		got, err2 := m.Decode(context.Background(), images)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		for i := range after {
			if after[i] != before[i/Latent*Latent+order[i%Latent]] {
				t.Fatalf("%v: output %d is another than %d was", a, i%Latent, order[i%Latent])
			}
		}
		for i, v := range want.Charge {
			if d := got.Charge[i] - v; d > 1e-4*(1+v) || d < -1e-4*(1+v) { // sums in another order
				t.Fatalf("%v: decoded to %v, and before to %v", a, got.Charge[i], v)
			}
		}
		order[0] = 15
		if err := m.Reorder(order); err == nil {
			t.Error("an output twice was accepted")
		}
	}
}
