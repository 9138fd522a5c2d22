package model

import (
	"context"
	"fmt"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/nn"
	"barrow/wafer"
)

// A Model is an autoencoder as formats see it. It is used by one goroutine at a
// time.
type Model struct {
	whole   *autoencoder.Model
	encoder Encoder
	decoder Decoder
}

// An Encoder makes 16 numbers of an image.
type Encoder struct {
	Contract
	// Network maps an image of Contract.Shape to the outputs. It shares the
	// model's weights. Where Chip is not nil, single products are truncated, too,
	// which no network does: the network is near the encoder, and Chip is it.
	Network *nn.Network
	Chip    *econt.Weights
}

// A Decoder makes an image of the 16 numbers, followed, in a conditional model,
// by Contract.Conditions.
type Decoder struct {
	Contract
	Network *nn.Network // shares the model's weights
}

// Of is a trained autoencoder as formats see it.
func Of(m *autoencoder.Model) (*Model, error) {
	contract, err := contractOf(m)
	if err != nil {
		return nil, err
	}
	encoder, err := m.EncoderNetwork(nn.Settings{})
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	decoder, err := m.DecoderNetwork(nn.Settings{})
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	out := &Model{whole: m, encoder: Encoder{Contract: contract, Network: encoder}, decoder: Decoder{contract, decoder}}
	if contract.Precision.Chip {
		if out.encoder.Chip, err = m.ChipWeights(); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
	}
	return out, nil
}

// Encoder is the part that runs on the detector.
func (m *Model) Encoder() *Encoder { return &m.encoder }

// Decoder is the part that runs off it.
func (m *Model) Decoder() *Decoder { return &m.decoder }

// Vectors are what a format's file is tested with: images, what the encoder takes
// of them and what it makes of it, in the model's own arithmetic, to the bit.
type Vectors struct {
	Charge []float64 // N×48 whole CALQ counts, V9 order
	X      []float32 // N images of Contract.Shape, channels last
	Latent []float32 // N×16
}

// Vectors draws n images, from a single cell to all of them, and encodes them.
// The same n gives the same numbers.
func (m *Model) Vectors(ctx context.Context, n int) (*Vectors, error) {
	images := &wafer.Set{Charge: draw(n)}
	x, err := m.whole.Inputs(images)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	latent, err := m.whole.Encode(ctx, images)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return &Vectors{Charge: images.Charge, X: x, Latent: latent}, nil
}
