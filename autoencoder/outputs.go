package autoencoder

import (
	"context"
	"fmt"

	"barrow/nn"
	"barrow/wafer"
)

// DecodeOutputs decodes the N×16 outputs of an encoder, in the units of Encode. Of the N
// images that they are of it takes what goes past the network: what they are divided by,
// their sums and, for a conditional model, its conditions ([Conditions]). With the
// normalisations "sum" and "sumlog2" any image of the same sum does.
func (m *Model) DecodeOutputs(ctx context.Context, images *wafer.Set, outputs []float32) (*wafer.Set, error) {
	d, err := m.dataOf(images)
	if err != nil {
		return nil, err
	}
	if len(outputs) != images.Len()*Latent {
		return nil, fmt.Errorf("autoencoder: %d outputs for %d images; there are %d each", len(outputs), images.Len(), Latent)
	}
	decoder, err := m.DecoderNetwork(nn.Settings{Threads: m.net.Settings().Threads})
	if err != nil {
		return nil, err
	}
	decoded := &wafer.Set{Charge: make([]float64, len(images.Charge))}
	pred := make([]float32, decodeBatch*Cells)
	in := nn.NewTensor(1, nn.Vector(Latent))
	err = m.batches(ctx, d, func(i, b int, scales []float64) error {
		copy(in.Resize(b).Data, outputs[i*Latent:(i+b)*Latent])
		if m.sides != nil {
			if err := decoder.SetSide(m.conditions, m.sides); err != nil {
				return err
			}
		}
		y, err := decoder.Forward(in, nn.Inference)
		if err != nil {
			return err
		}
		m.gather(y, pred[:b*Cells])
		m.unload(pred, scales[i:i+b], images.Charge[i*Cells:], decoded.Charge[i*Cells:])
		return nil
	})
	return decoded, err
}
