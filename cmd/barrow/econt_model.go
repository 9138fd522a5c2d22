package main

import (
	"fmt"

	"barrow/autoencoder"
	"barrow/econt"
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
