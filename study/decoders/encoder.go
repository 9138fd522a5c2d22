package decoders

import (
	"context"
	"fmt"
	"path/filepath"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/model/file"
	"barrow/study/internal/learned"
	"barrow/wafer"
)

// An encoder stands in the table with the decoder that it was trained with, in the place of a
// rule by hand, and with decoders that learn from its frames.
type encoder struct {
	path        string
	widths      autoencoder.Widths
	conditional bool               // its own decoder has conditions
	chips       [2]*econt.Baseline // of low and of high density
}

// decodeOwn is the decoding by the encoder's own decoder.
const decodeOwn evaluate.Decoding = "own"

// encoders opens the plan's.
func (p Plan) encoders() ([]kind, error) {
	var list []kind
	for n, path := range p.Encoders {
		m, err := file.Autoencoder(path, file.Settings{Threads: 1})
		if err != nil {
			return nil, err
		}
		w, err := m.ChipWeights()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		e := &encoder{path: path, widths: m.Architecture().Widths(), conditional: m.Architecture().Conditional}
		keep := e.widths.Keep()
		for k := range e.chips {
			config, err := econt.BaselineConfig(econt.Autoencoder, keep.Links(), k == 1, w)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			config.Keep = keep
			if e.chips[k], err = econt.NewBaseline(config, econt.BaselineSettings{}); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
		list = append(list, kind{
			Algorithm: learned.Algorithm{Word: fmt.Sprintf("ae%d", n+1), Scheme: evaluate.Scheme{Algorithm: econt.Autoencoder}},
			links:     keep.Links(), encoder: e,
		})
	}
	return list, nil
}

// String is what the encoder is called in the table.
func (e *encoder) String() string {
	return fmt.Sprintf("encoder %s, %s", filepath.Base(filepath.Clean(e.path)), e.widths)
}

// own is what the encoder keeps of images with the decoder that it was trained with; like is a result
// of the same frames.
func (w *work) own(ctx context.Context, e *encoder, images *wafer.Set, like evaluate.ChipResult) (r evaluate.ChipResult, err error) {
	m, err := file.Autoencoder(e.path, file.Settings{Threads: 1})
	if err != nil {
		return r, err
	}
	decoded, err := learned.DecodeOwn(ctx, m, images)
	if err != nil {
		return r, err
	}
	meter, err := evaluate.NewMeter(w.metric, evaluate.Settings{Threads: 1})
	if err == nil {
		err = meter.Add(ctx, images, decoded)
	}
	if err != nil {
		return r, err
	}
	r = like
	r.Decoding, r.Fidelity = decodeOwn, *meter.Fidelity()
	return r, nil
}

// check finds out whether the images have what the encoder wants to know of them, and remarks on it if
// it has learned from some that are held out.
func (e *encoder) check(p Plan, sets []*set, remark func(string)) error {
	for _, x := range sets {
		if e.conditional {
			if _, err := autoencoder.Conditions(x.held); err != nil {
				return fmt.Errorf("decoders: %s: %s: %w", e.path, x.name, err)
			}
		}
		held := learned.Images{Files: x.train != nil, Digest: x.digest, Preset: x.preset, Seed: p.Seed}
		if saw := learned.Saw(e.path, held); saw != "" {
			remark("encoders: " + saw)
		}
	}
	return nil
}
