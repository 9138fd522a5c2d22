package plan

import (
	"context"
	"fmt"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/nn"
	"barrow/run"
	"barrow/wafer"
)

// weights is the file of a set.
func (w *work) weights(set string) string {
	return w.folder.Path(run.Weights, w.file(set))
}

// file is its name among the run's weights.
func (w *work) file(set string) string { return w.prefix + set + run.WeightsEnding }

// openDecoder opens a decoder of the run.
func (w *work) openDecoder(set string) (*decoder.Model, error) {
	return decoder.Load(w.weights(set), nn.Settings{Threads: 1})
}

// config is the chip's with a candidate, and the model of an encoder.
func (w *work) config(one Candidate, high bool) (econt.Config, *autoencoder.Model, error) {
	if one.Algorithm != encoderName {
		c, err := one.config(high)
		return c, nil, err
	}
	m, err := autoencoder.Load(w.weights(one.Set), nn.Settings{Threads: 1})
	if err != nil {
		return econt.Config{}, nil, err
	}
	weights, err := m.ChipWeights()
	if err != nil {
		return econt.Config{}, nil, err
	}
	c, err := econt.BaselineConfig(econt.Autoencoder, one.Links, high, weights)
	widths := m.Architecture().Widths()
	c.Keep = widths.Keep()
	return c, m, err
}

// decodeBatch is how many frames are under way at once.
const decodeBatch = 4096

// decode is what a candidate makes of a class's images: of the frames that the chip sends, and of
// nothing that they do not say.
func (w *work) decode(ctx context.Context, high bool, images *wafer.Set, one Candidate) (*wafer.Set, error) {
	config, encoder, err := w.config(one, high)
	if err != nil {
		return nil, err
	}
	chip, err := baseline(config, one.Decoding)
	if err != nil {
		return nil, err
	}
	var d *decoder.Model
	if encoder == nil && one.Set != "" {
		if d, err = w.openDecoder(one.Set); err == nil {
			err = d.Fits(chip)
		}
		if err != nil {
			return nil, err
		}
	}
	out := &wafer.Set{Charge: make([]float64, len(images.Charge))}
	var frames []econt.Decoded
	for from := 0; from < images.Len(); from += decodeBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(from+decodeBatch, images.Len())
		in, decoded := images.Slice(from, to), out.Slice(from, to)
		frames = frames[:0]
		for i := range in.Len() {
			if _, err := chip.Encode(in.Image(i), decoded.Image(i)); err != nil {
				return nil, fmt.Errorf("image %d: %w", from+i+1, err)
			}
			if one.Set != "" {
				frames = append(frames, *chip.Decoded())
			}
		}
		switch {
		case encoder != nil:
			err = outputs(ctx, encoder, in, frames, decoded)
		case d != nil:
			var conditions []float32
			if conditions, err = d.Conditions(in); err == nil {
				err = d.Decode(ctx, frames, conditions, decoded.Charge)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// outputs decodes an encoder's frames with its own decoder, which knows of an image where it is
// from, and its outputs and its sum as they were sent.
func outputs(ctx context.Context, m *autoencoder.Model, images *wafer.Set, frames []econt.Decoded, out *wafer.Set) error {
	const unit = 256 // an output's fraction has eight bits
	var rows []int
	for i := range frames {
		if frames[i].Sum > 0 {
			rows = append(rows, i)
		}
	}
	sent, told := make([]float32, 0, len(rows)*autoencoder.Latent), images.Select(rows)
	clear(told.Charge)
	for k, i := range rows {
		told.Image(k)[0] = frames[i].Sum // wherever it is: the decoder takes the sum
		for _, v := range frames[i].Latent {
			sent = append(sent, float32(v)/unit)
		}
	}
	if rows == nil {
		return nil
	}
	decoded, err := m.DecodeOutputs(ctx, told, sent)
	if err != nil {
		return err
	}
	for k, i := range rows {
		copy(out.Image(i), decoded.Image(k))
	}
	return nil
}

// distances are the EMDs between images and what a candidate makes of them. Where nothing arrives
// an image counts as the same in all cells.
func (w *work) distances(ctx context.Context, high bool, images *wafer.Set, one Candidate) ([]float64, error) {
	decoded, err := w.decode(ctx, high, images, one)
	if err != nil {
		return nil, err
	}
	for i := range decoded.Len() {
		if image := decoded.Image(i); wafer.Sum(image) == 0 {
			for k := range image {
				image[k] = 1
			}
		}
	}
	f, err := evaluate.Images(ctx, w.metric, images, decoded, evaluate.Settings{Threads: 1})
	if err != nil {
		return nil, err
	}
	return f.Of(evaluate.EMD).Values, nil
}
