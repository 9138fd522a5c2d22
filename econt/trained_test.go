package econt_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/wafer"
)

// wafers draws images of integer charges in V9 order, each of its own size,
// occupancy and steepness, without empty ones.
func wafers(r *rand.Rand, n int) []float64 {
	images := make([]float64, n*econt.Channels)
	for i := range n {
		image := images[i*econt.Channels : (i+1)*econt.Channels]
		size, fill := 20*float64(uint32(1)<<r.IntN(12)), 1+r.IntN(48)
		for range fill {
			image[r.IntN(econt.Channels)] += float64(int(size * r.ExpFloat64()))
		}
		image[r.IntN(econt.Channels)] += 1 + float64(int(size*r.Float64()))
	}
	return images
}

// TestTrainedEncoder trains an encoder with the chip's arithmetic, gives its
// weights to the chip and compares every output of its forward pass on a
// million images, bit for bit.
func TestTrainedEncoder(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 50_000
	}
	ctx := context.Background()
	r := rand.New(rand.NewPCG(31, 31))
	model, _, err := autoencoder.Train(ctx, &wafer.Set{Charge: wafers(r, 2000)}, &wafer.Set{Charge: wafers(r, 200)}, loss.Telescope(hgcal.Published),
		autoencoder.Settings{Architecture: autoencoder.Architecture{Precision: "asic"}, Seed: 5, Budget: autoencoder.Budget{Epochs: 20, Batch: 100, Rate: 3e-3}, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	weights, err := model.ChipWeights()
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := econt.NewEncoder(weights, econt.EncoderSettings{})
	if err != nil {
		t.Fatal(err)
	}
	const batch = 20_000
	channel := hgcal.Map(hgcal.V9, hgcal.Raster)
	calq, out := make([]uint32, batch*econt.Channels), make([]uint16, batch*16)
	lit := 0
	for done := 0; done < n; done += batch {
		images := wafers(r, batch)
		for i := range batch {
			for k, cell := range channel {
				calq[i*econt.Channels+k] = uint32(images[i*econt.Channels+cell])
			}
		}
		if err := encoder.Encode(calq, out, nil); err != nil {
			t.Fatal(err)
		}
		// Scaled by a power of two the network's input is the same, and the
		// model takes its own arithmetic, not this package's kernels.
		for i := range images {
			images[i] /= 1 << 30
		}
		want, err := model.Encode(ctx, &wafer.Set{Charge: images})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range want {
			if float32(out[i])/256 != v {
				t.Fatalf("image %d output %d: the chip gives %v, the network %v", done+i/16, i%16, float32(out[i])/256, v)
			}
			if v > 0 {
				lit++
			}
		}
	}
	if lit == 0 {
		t.Error("all outputs are zero: the comparison says nothing")
	}
	t.Logf("%d images, %.1f of 16 outputs above zero", n, float64(lit)/float64(n))
}
