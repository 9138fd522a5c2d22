package main

import (
	"context"
	"fmt"
	"math"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/hgcal"
	"barrow/wafer"
)

// modelFor loads the autoencoder of --model and the chip's weights of it.
func (f *encodeFlags) modelFor(threads int) (*autoencoder.Model, *econt.Weights, error) {
	m, err := openEncoder(f.model, threads)
	if err != nil {
		return nil, nil, err
	}
	w, err := m.ChipWeights()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.model, err)
	}
	if a := m.Architecture(); a.Conditional {
		return nil, nil, fmt.Errorf("%s: its decoder needs conditions that wafer files without metadata lack", f.model)
	}
	return m, w, nil
}

// decodeWith puts the model's decoded images in place of the empty ones, and
// checks that the chip sent what the model's own encoder computes.
func (r *encoding) decodeWith(ctx context.Context, m *autoencoder.Model, images *wafer.Set) error {
	var charge []float64
	var rows []int
	for i := range images.Len() {
		whole := make([]float64, hgcal.Cells)
		for c, v := range images.Image(i) {
			whole[c] = math.Floor(v) // as the chip takes it
		}
		if sum(whole) > 0 {
			charge, rows = append(charge, whole...), append(rows, i)
		}
	}
	set := &wafer.Set{Charge: charge}
	latents, err := m.Encode(ctx, set)
	if err != nil {
		return err
	}
	decoded, err := m.Decode(ctx, set)
	if err != nil {
		return err
	}
	for k, i := range rows {
		for j := range 16 {
			sent := r.decoded.Column(fmt.Sprintf("AE%d", j)).Float[i]
			if want := 256 * float64(latents[16*k+j]); sent != want {
				return fmt.Errorf("image %d: the chip sends %v as output %d, the model computes %v", i+1, sent, j, want)
			}
		}
		copy(r.decoded.Image(i), decoded.Image(k))
	}
	return nil
}
