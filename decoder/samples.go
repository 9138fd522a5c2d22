package decoder

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

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

// A sender makes samples of images.
type sender struct {
	model *Model
	// chips are those of low and of high density, a pair for each goroutine.
	chips [][2]*econt.Baseline
}

// newSender copies the chips for so many goroutines.
func newSender(m *Model, chips [2]*econt.Baseline, threads int) (*sender, error) {
	s := &sender{model: m, chips: make([][2]*econt.Baseline, threads)}
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
			if s.chips[w][k], err = econt.NewBaseline(chip.Config(), set); err != nil {
				return nil, fmt.Errorf("decoder: %w", err)
			}
		}
	}
	return s, nil
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
	workers := len(s.chips)
	group, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		group.Go(func() error {
			var decoded [Cells]float64
			for i := n * w / workers; i < n*(w+1)/workers; i++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				chip, image := s.chips[w][0], images.Image(i)
				if high != nil && high[i] {
					chip = s.chips[w][1]
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
