package autoencoder

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"barrow/econt"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
)

// chipImages draws n images of whole charges as hostile to the arithmetic as
// they come: sparse and full, small and of 22 bits.
func chipImages(rng *rand.Rand, n int) []float64 {
	out := make([]float64, n*Cells)
	for i := range n {
		row := out[i*Cells : (i+1)*Cells]
		top := math.Exp2(float64(1 + rng.IntN(22)))
		for range 1 + rng.IntN(2*Cells) {
			row[rng.IntN(Cells)] = math.Floor(rng.Float64() * rng.Float64() * top)
		}
		row[rng.IntN(Cells)]++
	}
	return out
}

// TestChip compares Encode with barrow/econt's encoder, output by output, for
// random weights and for trained ones, on 40,000 images, or with BARROW_LONG=1
// on 2,000,000.
func TestChip(t *testing.T) {
	total := 40_000
	if os.Getenv("BARROW_LONG") != "" {
		total = 2_000_000
	}
	ctx := context.Background()
	trained, _, err := Train(ctx, set(showers(1000, 1)), set(showers(100, 2)), losses(t, 1)["emd"], Settings{Architecture: Architecture{Precision: "asic"}, Budget: Budget{Epochs: 10, Batch: 100}})
	if err != nil {
		t.Fatal(err)
	}
	models := []*Model{trained}
	for seed := range uint64(3) {
		m, err := Architecture{Precision: "asic"}.New(nn.Settings{Seed: seed, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(seed, 5))
		for _, p := range m.Network().Params() {
			for i := range p.Value {
				p.Value[i] = float32(rng.NormFloat64()) * float32(seed+1) / 4
			}
		}
		models = append(models, m)
	}
	at, saturated := uint64(0), 0
	for k, m := range models {
		w, err := m.ChipWeights()
		if err != nil {
			t.Fatal(err)
		}
		reference, err := econt.NewEncoder(w, econt.EncoderSettings{})
		if err != nil {
			t.Fatal(err)
		}
		const block = 10_000
		for range total / len(models) / block {
			at++
			images := chipImages(rand.New(rand.NewPCG(uint64(k), at)), block)
			got := encodeAsTrained(t, m, images)
			fast, err := m.Encode(ctx, set(images))
			if err != nil {
				t.Fatal(err)
			}
			calq, want := make([]uint32, len(images)), make([]uint16, block*Latent)
			for i := range calq {
				calq[i] = uint32(images[i/Cells*Cells+raster[i%Cells]])
			}
			if err := reference.Encode(calq, want, nil); err != nil {
				t.Fatal(err)
			}
			for i, v := range want {
				if got[i] != fast[i] || got[i] != float32(v)/256 {
					t.Fatalf("model %d, image %v: output %d is %v, the chip's %v", k, images[i/Latent*Cells:(i/Latent+1)*Cells], i%Latent, got[i], float32(v)/256)
				}
				if v == outputTop {
					saturated++
				}
			}
		}
	}
	if saturated == 0 {
		t.Error("no output reached the limit: the saturation was not tested")
	}
}

// encodeAsTrained takes the outputs from the forward pass that training and
// decoding use, 500 images at a time.
func encodeAsTrained(t *testing.T, m *Model, images []float64) []float32 {
	t.Helper()
	var out []float32
	err := m.batches(context.Background(), data{images: images}, func(_, b int, _ []float64) error {
		_, err := m.forward(b, nn.Inference)
		out = append(out, m.chip.latent.Data...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestChipFractions: charges that are no whole numbers take the same steps as
// whole ones of the same proportions.
func TestChipFractions(t *testing.T) {
	m, err := Architecture{Precision: "asic"}.New(nn.Settings{Seed: 7, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	images := chipImages(rand.New(rand.NewPCG(3, 4)), 300)
	want, err := m.Encode(context.Background(), set(images))
	if err != nil {
		t.Fatal(err)
	}
	for i := range images {
		images[i] /= 8
	}
	if wholeCharges(images) {
		t.Fatal("these were to be fractions")
	}
	got, err := m.Encode(context.Background(), set(images))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range want {
		if got[i] != v {
			t.Fatalf("output %d: %v, want %v", i, got[i], v)
		}
	}
	if _, err := m.Encode(context.Background(), set(images[:50])); err == nil {
		t.Error("50 charges were accepted")
	}
}

// TestChipBits: fewer links keep the highest bits of the same outputs.
func TestChipBits(t *testing.T) {
	ctx, images := context.Background(), chipImages(rand.New(rand.NewPCG(1, 2)), 500)
	var nine []float32
	for _, links := range []int{5, 4, 3, 2, 1} {
		bits, err := LatentBits(links)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Architecture{Precision: "asic", LatentBits: bits}.New(nn.Settings{Seed: 7, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Encode(ctx, set(images))
		if err != nil {
			t.Fatal(err)
		}
		if nine == nil {
			nine = got
		}
		step := math.Exp2(float64(1 - bits))
		for i, v := range got {
			if want := math.Floor(float64(nine[i])/step) * step; float64(v) != want {
				t.Fatalf("%d bits: output %v of %v; want %v", bits, v, nine[i], want)
			}
		}
	}
	for _, links := range []int{-1, 0, econt.MaxETx + 1} {
		if _, err := LatentBits(links); err == nil {
			t.Errorf("%d links were accepted", links)
		}
	}
}

func TestLinks(t *testing.T) {
	for bits, want := range []int{5, 1, 2, 2, 3, 3, 4, 4, 5, 5} {
		if got := (Architecture{Precision: "asic", LatentBits: bits}).Links(); got != want {
			t.Errorf("%d bits need %d links, want %d", bits, got, want)
		}
	}
}

// TestChipGradient compares the gradient of the decoder behind the chip's
// encoder with differences, and wants the encoder's weights to move.
func TestChipGradient(t *testing.T) {
	m, err := Architecture{Precision: "asic"}.New(nn.Settings{Seed: 3, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	o := &objective{model: m, loss: loss.Telescope(hgcal.Published)}
	if o.train, err = o.set(set(showers(50, 1)), nil); err != nil {
		t.Fatal(err)
	}
	m.startAt(o.train.cells)
	o.resize(50)
	idx := make([]int, 50)
	for i := range idx {
		idx[i] = i
	}
	eval := func() float64 {
		v, err := o.Train(context.Background(), idx)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	m.net.ZeroGrad()
	eval()
	for _, name := range []string{"encoder_conv/kernel", "encoder_conv/bias", "encoder_dense/kernel", "encoder_dense/bias"} {
		sum := 0.0
		for _, g := range m.net.Param(name).Grad {
			sum += math.Abs(float64(g))
		}
		if sum == 0 {
			t.Errorf("%s has no gradient", name)
		}
	}
	p := m.net.Param("decoder_dense/kernel")
	grad := append([]float32(nil), p.Grad...)
	for _, k := range []int{3, 100, 777} {
		const h = 1.0 / 256
		v := p.Value[k]
		p.Value[k] = v + h
		up := eval()
		p.Value[k] = v - h
		down := eval()
		p.Value[k] = v
		if num := (up - down) / (2 * h); math.Abs(num-float64(grad[k])) > 0.02*math.Abs(num)+1e-4 {
			t.Errorf("weight %d: gradient %v, differences %v", k, grad[k], num)
		}
	}
}

// TestOneBit: a single link's outputs of one bit still carry something.
func TestOneBit(t *testing.T) {
	_, h, err := Train(context.Background(), set(showers(800, 1)), set(showers(200, 2)), losses(t, 1)["emd"], Settings{
		Architecture: Architecture{Precision: "asic", LatentBits: 1}, Seed: 3, Budget: Budget{Epochs: 25, Batch: 50, Rate: 3e-3}})
	if err != nil {
		t.Fatal(err)
	}
	if first := h.Epochs[0].Validation; !(h.Best < 0.85*first) {
		t.Errorf("validation loss fell from %.4f to %.4f only", first, h.Best)
	}
}
