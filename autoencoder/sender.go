package autoencoder

import (
	"context"
	"fmt"
	"math"

	"barrow/econt"
	"barrow/nn"
)

// sendBatch is how many images a Sender handles at once: a run has dozens of senders, each with
// the values between its layers of so many.
const sendBatch = 112

// A Sender encodes and decodes images as a model does, with the model's weights, which must
// not change meanwhile, and memory of its own, so that every goroutine has one and no image
// costs any. It is used by one goroutine at a time.
type Sender struct {
	model            *Model
	encoder, decoder *nn.Network
	chip             *econt.Encoder // of the preset "asic", else nil
	latent           Fixed

	scales []float64
	sent   *nn.Tensor
	pred   []float32
	calq   []uint32
	codes  []uint16
}

// Sender makes one. It computes on one thread.
func (m *Model) Sender() (*Sender, error) {
	p, err := m.arch.Formats()
	if err != nil {
		return nil, err
	}
	own := *m
	s := &Sender{model: &own, latent: p.Latent, sent: nn.NewTensor(1, nn.Vector(Latent)), pred: make([]float32, sendBatch*Cells), scales: make([]float64, sendBatch)}
	own.in = nn.NewTensor(1, m.net.InputShape())
	if m.sides != nil {
		own.sides = nn.NewTensor(1, nn.Vector(ConditionCount))
	}
	settings := nn.Settings{Threads: 1, Kernel: m.net.Settings().Kernel, MaxBatch: sendBatch}
	if s.decoder, err = m.DecoderNetwork(settings); err != nil {
		return nil, err
	}
	s.decoder.Lock()
	if m.chip == nil {
		if s.encoder, err = m.EncoderNetwork(settings); err != nil {
			return nil, err
		}
		s.encoder.Lock()
		return s, nil
	}
	w, err := m.ChipWeights()
	if err != nil {
		return nil, err
	}
	if s.chip, err = econt.NewEncoder(w, econt.EncoderSettings{}); err != nil {
		return nil, fmt.Errorf("autoencoder: %w", err)
	}
	s.calq, s.codes = make([]uint32, sendBatch*Cells), make([]uint16, sendBatch*Latent)
	return s, nil
}

// Send puts into out what a receiver makes of N images of 48 whole charges in CALQ counts,
// V9 order, each with a positive sum: [Model.Decode]'s, bit for bit. A conditional model
// needs N×8 conditions ([Conditions]).
//
// Of each of an image's outputs the receiver gets so many highest bits, in the model's
// format ([Architecture.Formats]); the others are 0. No bits at all, or no fewer than the
// format has, leave the outputs whole, as do outputs in floating point or of the precision
// Custom.
func (s *Sender) Send(ctx context.Context, images []float64, conditions []float32, bits []uint8, out []float64) error {
	n := len(images) / Cells
	switch {
	case len(images) != n*Cells || len(out) != len(images):
		return fmt.Errorf("autoencoder: %d charges, and room for %d: want 48 an image", len(images), len(out))
	case bits != nil && len(bits) != n:
		return fmt.Errorf("autoencoder: bits of %d images, not of %d", len(bits), n)
	}
	if i := notWhole(images); i >= 0 {
		return fmt.Errorf("autoencoder: image %d: want whole charges from 0 to less than %d CALQ counts, not all 0", i+1, 1<<22)
	}
	m, d := s.model, data{images, conditions}
	if err := m.checkConditions(d, n); err != nil {
		return err
	}
	for i := 0; i < n; i += sendBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := min(sendBatch, n-i)
		rows := images[i*Cells : (i+b)*Cells]
		for k := range b {
			s.scales[k] = m.norm.Scale(rows[k*Cells:][:Cells])
		}
		if err := s.encode(rows, b); err != nil {
			return fmt.Errorf("autoencoder: %w", err)
		}
		if bits != nil {
			s.cut(bits[i : i+b])
		}
		if m.sides != nil {
			copy(m.sides.Resize(b).Data, conditions[i*ConditionCount:])
			if err := s.decoder.SetSide(m.conditions, m.sides); err != nil {
				return fmt.Errorf("autoencoder: %w", err)
			}
		}
		y, err := s.decoder.Forward(s.sent, nn.Inference)
		if err != nil {
			return fmt.Errorf("autoencoder: %w", err)
		}
		m.gather(y, s.pred[:b*Cells])
		m.unload(s.pred, s.scales[:b], rows, out[i*Cells:])
	}
	return nil
}

// encode puts the outputs of b images into sent.
func (s *Sender) encode(images []float64, b int) error {
	s.sent.Resize(b)
	if s.chip != nil {
		toRaster(s.calq, images)
		if err := s.chip.Encode(s.calq[:b*Cells], s.codes[:b*Latent], nil); err != nil {
			return err
		}
		s.model.chip.outputs(s.sent.Data, s.codes[:b*Latent])
		return nil
	}
	in := s.model.in
	clear(in.Resize(b).Data)
	channels := in.Shape.C
	for c, at := range s.model.at {
		to := in.Data[at.pixel*b*channels+at.channel:]
		for k := range b {
			to[k*channels] = float32(images[k*Cells+c] / s.scales[k])
		}
	}
	y, err := s.encoder.Forward(in, nn.Inference)
	if err != nil {
		return err
	}
	copy(s.sent.Data, y.Data)
	return nil
}

// cut leaves of each image's outputs the highest bits.
func (s *Sender) cut(bits []uint8) {
	if s.latent.Bits == 0 {
		return
	}
	for k, b := range bits {
		if int(b) >= s.latent.Bits || b == 0 {
			continue
		}
		step := float32(math.Ldexp(1, s.latent.Integer-int(b)))
		row := s.sent.Data[k*Latent:][:Latent]
		for j, v := range row {
			row[j] = step * float32(math.Floor(float64(v/step)))
		}
	}
}
