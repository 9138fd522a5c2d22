package evaluate

import (
	"context"
	"errors"
	"fmt"

	"barrow/econt"
	"barrow/wafer"
)

// A FrameDecoder makes images of frames, as it has learned (barrow/decoder). It is used by one
// goroutine at a time.
type FrameDecoder interface {
	// Fits tells why the frames of a chip are not those that the decoder reads. Where they are
	// of another algorithm altogether or on other links, the error may say so by a method
	// OtherFrames() bool.
	Fits(chip *econt.Baseline) error
	// Conditions are what it wants to know of images beside their frames: as many numbers
	// for each, or none at all.
	Conditions(images *wafer.Set) ([]float32, error)
	// Decode writes N×48 charges, CALQ counts in V9 order, for N frames as the chip's
	// Baseline reads them. conditions are as Conditions gives them, for the frames'
	// images.
	Decode(ctx context.Context, frames []econt.Decoded, conditions []float32, out []float64) error
}

// learned decodes what a chip sent with a decoder; without one it leaves everything to the
// chip's own rule.
type learned struct {
	decoder FrameDecoder
	frames  []econt.Decoded
}

// add keeps the frame of the chip's last image.
func (l *learned) add(chip *econt.Baseline) {
	if l.decoder != nil {
		l.frames = append(l.frames, *chip.Decoded())
	}
}

// decode puts the images of the frames kept, of which none is kept longer, in the place of
// the rule's.
func (l *learned) decode(ctx context.Context, conditions []float32, out []float64) error {
	if l.decoder == nil {
		return nil
	}
	err := l.decoder.Decode(ctx, l.frames, conditions, out)
	l.frames = l.frames[:0]
	return err
}

// Learned lists the chip's algorithms on up to so many links whose frames a decoder reads, with
// the decoder; density is that of all wafers, as in [ChipSettings]. None is an error that says why.
func Learned(most int, density string, d FrameDecoder) ([]Scheme, error) {
	type frames struct {
		a     econt.Algorithm
		t     econt.STCType
		links int
	}
	var list []Scheme
	var why error
	near := false // the reason is of frames that the decoder reads but for some settings
	seen := map[frames]bool{}
	for _, s := range Schemes(most) {
		of := frames{s.Algorithm, s.STCType, s.Links}
		if seen[of] { // with another decoding
			continue
		}
		seen[of] = true
		s.Decoding, s.Decoder = DecodeLearned, d
		_, err := s.chipsOf(density)
		if err == nil {
			list = append(list, s)
			continue
		}
		var other interface{ OtherFrames() bool }
		if now := !errors.As(err, &other) || !other.OtherFrames(); why == nil || now && !near {
			why, near = err, now
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("evaluate: the decoder reads frames of none of the chip's algorithms with their usual settings: %w", why)
	}
	return list, nil
}
