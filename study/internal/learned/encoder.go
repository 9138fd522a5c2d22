package learned

import (
	"context"
	"fmt"
	"math"
	"slices"

	"barrow/autoencoder"
	"barrow/run"
	"barrow/wafer"
)

// DecodeOwn is what an encoder with its own decoder makes of images as the chip takes them, as
// whole counts. One without any is the same in all cells, as where nothing arrives.
func DecodeOwn(ctx context.Context, encoder *autoencoder.Model, images *wafer.Set) (*wafer.Set, error) {
	decoded := &wafer.Set{Charge: make([]float64, len(images.Charge))}
	var rows []int
	for i := range images.Len() {
		if slices.Max(images.Image(i)) >= 1 {
			rows = append(rows, i)
			continue
		}
		for k := range decoded.Image(i) {
			decoded.Image(i)[k] = 1
		}
	}
	whole := images.Select(rows)
	for i, v := range whole.Charge {
		whole.Charge[i] = math.Floor(v)
	}
	some, err := encoder.Decode(ctx, whole)
	if err != nil {
		return nil, err
	}
	for k, i := range rows {
		copy(decoded.Image(i), some.Image(k))
	}
	return decoded, nil
}

// Images are those that a study holds some of out of.
type Images struct {
	Files  bool   // they are files', not simulated ones
	Digest string // of files'
	Preset string // of simulated ones
	Seed   uint64 // by which they are dealt out or simulated
}

// Saw says that an encoder, of the run in a folder, has learned from images that a study holds out:
// those of the same files, dealt out by another seed, or simulated ones of the same seed. It is empty of
// others, and of a weights file, which does not say.
func Saw(folder string, held Images) string {
	var by struct {
		Data   []string
		Preset string
		Seed   uint64
		Digest string
	}
	if run.ReadJSON(folder, run.Config, &by) != nil {
		return ""
	}
	const saw = "%s was trained on %s: it has learned from some that are held out here: %s"
	switch {
	case held.Files && by.Digest == held.Digest && by.Seed != held.Seed:
		return fmt.Sprintf(saw, folder, fmt.Sprintf("these images with the seed %d", by.Seed), fmt.Sprintf("give seed = %d", by.Seed))
	case !held.Files && len(by.Data) == 0 && by.Preset == held.Preset && by.Seed == held.Seed:
		return fmt.Sprintf(saw, folder, "simulated images of this seed", "give another seed")
	}
	return ""
}
