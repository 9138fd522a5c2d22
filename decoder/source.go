package decoder

import (
	"context"
	"errors"
	"fmt"

	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/simulate"
	"barrow/wafer"
)

// A Source gives a training its images, CALQ counts.
type Source interface {
	// Len is how many images an epoch has.
	Len() int
	// Images are those of epoch 0, 1, …, the same whenever asked. Where an epoch has
	// those of the one before, they are the same set. Images without charge are passed over.
	Images(ctx context.Context, epoch int) (*wafer.Set, error)
}

// Given is the source of the same images in every epoch.
func Given(images *wafer.Set) (Source, error) {
	some, err := charged(images)
	return given{some}, err
}

// charged are the images with charge, of which there must be some.
func charged(images *wafer.Set) (*wafer.Set, error) {
	some, _ := images.NonZero()
	if some.Len() == 0 {
		return nil, errors.New("decoder: no images with charge to learn from")
	}
	return some, nil
}

type given struct{ images *wafer.Set }

func (g given) Len() int                                        { return g.images.Len() }
func (g given) Images(context.Context, int) (*wafer.Set, error) { return g.images, nil }

// turned are images turned by k times 120°.
func turned(images *wafer.Set, k int) *wafer.Set {
	out := &wafer.Set{Charge: make([]float64, len(images.Charge)), Columns: images.Columns}
	for i := range images.Len() {
		to := out.Image(i)
		for c, v := range images.Image(i) {
			to[(c+k*Cells/hgcal.Rhombi)%Cells] = v // rhombus after rhombus
		}
	}
	return out
}

// portions is the source of a part of another source's images in every epoch, one part after the
// other.
type portions struct {
	of  Source
	n   int
	at  int // the epoch of the other source that is there
	all *wafer.Set
}

func (p *portions) Len() int { return p.n }

func (p *portions) Images(ctx context.Context, epoch int) (*wafer.Set, error) {
	each := p.of.Len() / p.n // 1 at least
	if at := epoch / each; p.all == nil || at != p.at {
		all, err := p.of.Images(ctx, at)
		if err != nil {
			return nil, err
		}
		p.all, p.at = all, at
	}
	i := epoch % each * p.n
	return p.all.Slice(i, min(i+p.n, p.all.Len())), nil
}

// Simulated is the source of so many fresh images in every epoch: the first are images 0 …
// perEpoch−1 of the settings' seed. Images to choose by are to be of another seed.
func Simulated(s simulate.Settings, perEpoch int) (Source, error) {
	if err := limit.Count("images an epoch =", perEpoch, maxImages); err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	if err := limit.Fits("images an epoch =", perEpoch, imageBytes); err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	if s.Unit != simulate.CALQ {
		return nil, errors.New("decoder: the chip takes images in CALQ counts: simulate those")
	}
	g, err := simulate.New(s)
	if err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	return &simulated{generator: g, n: perEpoch}, nil
}

// maxImages is more than an epoch has, imageBytes what one takes with its frame.
const (
	maxImages  = 100_000_000
	imageBytes = 4000
)

type simulated struct {
	generator *simulate.Generator
	n         int
}

func (s *simulated) Len() int { return s.n }

// drawn is how many images are simulated between two looks at the context.
const drawn = 10_000

func (s *simulated) Images(ctx context.Context, epoch int) (*wafer.Set, error) {
	all, part := &wafer.Set{}, &wafer.Set{}
	first := uint64(epoch) * uint64(s.n)
	for i := 0; i < s.n; i += drawn {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.generator.Fill(part, first+uint64(i), min(drawn, s.n-i))
		if err := all.Append(part); err != nil {
			return nil, fmt.Errorf("decoder: %w", err)
		}
	}
	return all, nil
}
