package decoder

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/hgcal"
	"barrow/wafer"
)

// samples are images with what arrived of them.
type samples struct {
	frames     []econt.Decoded
	target     []float32 // N×48 charges in V9 order, each image divided by its scale
	scale      []float64
	units      []float64 // what one of an image divided by its scale is in MIP_T
	conditions []float32 // as Model.Conditions gives them
}

func (s *samples) len() int { return len(s.frames) }

// with are the samples and others.
func (s *samples) with(o *samples) *samples {
	return &samples{
		frames: slices.Concat(s.frames, o.frames), target: slices.Concat(s.target, o.target), scale: slices.Concat(s.scale, o.scale),
		units: slices.Concat(s.units, o.units), conditions: slices.Concat(s.conditions, o.conditions),
	}
}

// mark tells in the place of conditions, of a decoder without any, how often the samples' images are
// turned: nothing of those that are not, as of what is decoded.
func (s *samples) mark(turns int) {
	s.conditions = make([]float32, s.len()*autoencoder.ConditionCount)
	for i := range s.len() {
		if turns > 0 {
			s.conditions[i*autoencoder.ConditionCount+turns-1] = 1
		}
	}
}

// A sender makes samples of images.
type sender struct {
	model     *Model
	threshold func(images *wafer.Set) []uint32 // Settings.Threshold of TS, else nil
	chips     []pair                           // of each goroutine
}

// A pair are the chips of low and of high density, and of TS those with other thresholds.
type pair struct {
	chips  [2]*econt.Baseline
	others map[sendAs]*econt.Baseline
}

type sendAs struct {
	high      int
	threshold uint32
}

// newSender copies the chips for so many goroutines.
func newSender(m *Model, chips [2]*econt.Baseline, threshold func(*wafer.Set) []uint32, threads int) (*sender, error) {
	s := &sender{model: m, chips: make([]pair, threads)}
	if m.algorithm == econt.ThresholdSum {
		s.threshold = threshold
	}
	for k, chip := range chips {
		if chip == nil {
			return nil, errors.New("decoder: the chips of both densities are needed: give one twice if all wafers have it")
		}
		if err := m.Fits(chip); err != nil {
			return nil, err
		}
		set := chip.Settings()
		set.Order = 0 // images here are in V9 order
		for w := range s.chips {
			var err error
			if s.chips[w].chips[k], err = econt.NewBaseline(chip.Config(), set); err != nil {
				return nil, fmt.Errorf("decoder: %w", err)
			}
		}
	}
	return s, nil
}

// at is the chip of a density, 1 for high, that sends charges from a threshold on.
func (p *pair) at(of sendAs) (*econt.Baseline, error) {
	if chip := p.others[of]; chip != nil {
		return chip, nil
	}
	chip := p.chips[of.high]
	config := chip.Config()
	for ch := range config.Threshold {
		config.Threshold[ch] = of.threshold
	}
	chip, err := econt.NewBaseline(config, chip.Settings())
	if err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	if p.others == nil {
		p.others = map[sendAs]*econt.Baseline{}
	}
	p.others[of] = chip
	return chip, nil
}

// send sends images with charge through the chip of their density: low, where no column
// says it.
func (s *sender) send(ctx context.Context, images *wafer.Set) (*samples, error) {
	images, _ = images.NonZero()
	n := images.Len()
	if n == 0 {
		return nil, errors.New("decoder: no images with charge")
	}
	high, err := images.HighDensity()
	var missing *wafer.NoColumnError
	if err != nil && !errors.As(err, &missing) {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	out := &samples{frames: make([]econt.Decoded, n), target: make([]float32, n*Cells), scale: make([]float64, n), units: make([]float64, n)}
	if out.conditions, err = s.model.Conditions(images); err != nil {
		return nil, err
	}
	var thresholds []uint32
	if s.threshold != nil {
		if thresholds = s.threshold(images); len(thresholds) != n {
			return nil, fmt.Errorf("decoder: thresholds of %d images: there are %d", len(thresholds), n)
		}
	}
	workers := len(s.chips)
	group, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		group.Go(func() error {
			var decoded [Cells]float64
			for i := n * w / workers; i < n*(w+1)/workers; i++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				image, of := images.Image(i), sendAs{}
				if high != nil && high[i] {
					of.high = 1
				}
				chip := s.chips[w].chips[of.high]
				if thresholds != nil {
					var err error
					of.threshold = thresholds[i]
					if chip, err = s.chips[w].at(of); err != nil {
						return err
					}
				}
				if _, err := chip.Encode(image, decoded[:]); err != nil {
					return fmt.Errorf("decoder: image %d: %w", i+1, err)
				}
				out.frames[i] = *chip.Decoded()
				out.scale[i] = wafer.NormSumLog2.Scale(image)
				out.units[i] = out.scale[i] / hgcal.CountsPerMIPT
				for c, v := range image {
					out.target[i*Cells+c] = float32(v / out.scale[i])
				}
			}
			return nil
		})
	}
	return out, group.Wait()
}

// grouped tells whether any frame has cells whose charge is known as a sum only.
func (s *samples) grouped() bool {
	for i := range s.frames {
		if len(s.frames[i].Groups()) > 0 {
			return true
		}
	}
	return false
}
