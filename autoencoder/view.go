package autoencoder

import (
	"context"
	"fmt"

	"barrow/nn"
	"barrow/wafer"
)

// Formats are the architecture's number formats: its preset with the
// architecture's own widths. Those of the precision Custom are its network's: nothing
// but the name is told here.
func (a Architecture) Formats() (Precision, error) {
	if a.Precision == Custom {
		return Precision{Name: Custom, Source: "another program"}, nil
	}
	return a.withDefaults().precision()
}

// Arrangement says where a network of the given input shape, 8×8×1 or 4×4×3, has
// its cells: entry c is the place of V9 cell c in an image with the channels last,
// (y·W + x)·C + channel. The places that are not listed hold 0.
func Arrangement(s nn.Shape) [Cells]int {
	var to [Cells]int
	for c, at := range cellsAt(s) {
		to[c] = at.pixel*s.C + at.channel
	}
	return to
}

// EncoderNetwork is the part of the network from the image to the 16 outputs. It
// shares the model's weights. With the preset "asic" it lacks the chip's
// truncations: see ChipWeights.
func (m *Model) EncoderNetwork(s nn.Settings) (*nn.Network, error) {
	return m.view(0, m.end, s)
}

// DecoderNetwork is the part from the 16 outputs to the decoded image.
func (m *Model) DecoderNetwork(s nn.Settings) (*nn.Network, error) {
	return m.view(m.end, len(m.net.Layers()), s)
}

func (m *Model) view(from, to int, s nn.Settings) (*nn.Network, error) {
	v, err := m.net.View(from, to, s)
	if err != nil {
		return nil, fmt.Errorf("autoencoder: %w", err)
	}
	return v, nil
}

// Inputs are images as the encoder takes them: normalised and arranged, channels
// last, N times the size of the input's shape.
func (m *Model) Inputs(images *wafer.Set) ([]float32, error) {
	return Images(images, m.norm, m.net.InputShape())
}

// Images are images as an encoder takes them whose input has the shape, 8×8×1 or 4×4×3:
// normalised and arranged, channels last.
func Images(images *wafer.Set, norm wafer.Norm, shape nn.Shape) ([]float32, error) {
	scaled, scales, err := normalise(images.Charge, norm)
	if err != nil {
		return nil, err
	}
	to, size := Arrangement(shape), shape.Size()
	out := make([]float32, len(scales)*size)
	for i := range scales {
		for c, v := range scaled[i*Cells : (i+1)*Cells] {
			out[i*size+to[c]] = v
		}
	}
	return out, nil
}

// EncodeInputs returns the encoder's N×16 outputs for N images as Inputs gives them,
// through the chip's integers with the preset "asic". There, numbers that are
// negative or none are errors that name the image.
func (m *Model) EncodeInputs(ctx context.Context, x []float32) ([]float32, error) {
	size := m.net.InputShape().Size()
	if len(x)%size != 0 {
		return nil, fmt.Errorf("autoencoder: %d numbers are no whole images of %v", len(x), m.net.InputShape())
	}
	encoder, err := m.EncoderNetwork(nn.Settings{})
	if err != nil {
		return nil, err
	}
	out := make([]float32, 0, len(x)/size*Latent)
	in := nn.NewTensor(1, m.net.InputShape())
	for i := 0; i < len(x)/size; i += decodeBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in.Resize(min(decodeBatch, len(x)/size-i))
		for k := range in.N {
			image := x[(i+k)*size : (i+k+1)*size]
			for at, v := range image {
				if m.chip != nil && !(v >= 0) {
					return nil, fmt.Errorf("autoencoder: image %d, pixel %d: %v; the chip takes numbers that are not negative", i+k+1, at+1, v)
				}
			}
			in.SetSample(k, image)
		}
		if m.chip != nil {
			m.chip.encode(in, in.N)
			out = append(out, m.chip.latent.Data...)
			continue
		}
		y, err := encoder.Forward(in, nn.Inference)
		if err != nil {
			return nil, fmt.Errorf("autoencoder: %w", err)
		}
		out = append(out, y.Data...)
	}
	return out, nil
}
