package decoder

import (
	"context"
	"errors"
	"fmt"

	"barrow/econt"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/loss"
	"barrow/nn"
	"barrow/simulate"
	"barrow/wafer"
)

// A Course is how long a decoder learns: first on simulated images, fresh ones in every
// epoch, and then, if there are any, on given ones.
type Course struct {
	Simulated  Budget `json:"simulated"`
	PerEpoch   int    `json:"images_per_epoch"`  // simulated for one
	Validation int    `json:"validation_images"` // simulated, to choose the epoch by
	Given      Budget `json:"given"`
}

// Normal is the course that all decoders are compared after: 600,000 simulated images.
func Normal() Course {
	return Course{
		Simulated: Budget{Epochs: 30, Batch: 200, Rate: 1e-3}, PerEpoch: 20_000, Validation: 5000,
		Given: Budget{Epochs: 60, Batch: 50, Rate: 1e-3},
	}
}

// Quick is one of 120,000 simulated images, which beats the rules by hand already.
func Quick() Course {
	return Course{
		Simulated: Budget{Epochs: 12, Batch: 100, Rate: 1e-3}, PerEpoch: 10_000, Validation: 2000,
		Given: Budget{Epochs: 15, Batch: 50, Rate: 1e-3},
	}
}

// Check reports what no course can have, by the setting's key.
func (c Course) Check() error {
	for _, n := range []struct {
		key string
		v   int
	}{{"images_per_epoch", c.PerEpoch}, {"validation_images", c.Validation}} {
		err := limit.Count(n.key+" =", n.v, maxImages)
		if err == nil {
			err = limit.Fits(n.key+" =", n.v, imageBytes)
		}
		if err != nil {
			return fmt.Errorf("decoder: %w", err)
		}
	}
	for _, b := range []struct {
		part string
		Budget
	}{{"on simulated images", c.Simulated}, {"on given images", c.Given}} {
		if err := b.Check(); err != nil {
			return fmt.Errorf("%w (%s)", err, b.part)
		}
	}
	return nil
}

// LearnSettings are those of a whole course.
type LearnSettings struct {
	Architecture Architecture
	Course       Course
	Preset       string // what is simulated, of simulate.Presets; the first by default
	// First is where Learn has the first part's images from, in place of those that it simulates,
	// and FirstChosen are the images that choose that part's epoch, by default the second
	// part's.
	First       Source
	FirstChosen *wafer.Set
	Seed        uint64
	Threshold   func(images *wafer.Set) []uint32 // as that of Settings

	// None of these changes a result.
	Threads    int                              // 0 means all processors
	Checkpoint string                           // file to save to and resume from, and with "-given" behind it another; none by default
	Progress   func(share float64, note string) // nil for none
}

// Lessons tell how the parts of a course went.
type Lessons struct {
	Simulated *nn.History
	Given     *nn.History // nil without given images
}

// Learn trains a decoder as every study here does, so that decoders compare: [Pretrain], and
// then [Tune] if train, the given images, are not nil, of which validation chooses the epoch.
func Learn(ctx context.Context, chips [2]*econt.Baseline, train, validation *wafer.Set, l loss.Loss, s LearnSettings) (*Model, *Lessons, error) {
	whole := 1.0
	if train != nil {
		perEpoch := s.Course.PerEpoch
		if s.First != nil {
			perEpoch = s.First.Len()
		}
		first, then := s.Course.Simulated.images(perEpoch), s.Course.Given.images(train.Len()+s.besides(train))/s.untilTurned(train)
		whole = first / (first + then)
	}
	what := "simulated images, "
	if s.First != nil {
		what = "first images, "
	}
	report := s.Progress
	s.Progress = part(report, 0, whole, what)
	m, first, err := firstPart(ctx, chips, validation, l, s)
	if err != nil || train == nil {
		return m, &Lessons{Simulated: first}, err
	}
	s.Progress = part(report, whole, 1, "given images, ")
	if s.Checkpoint != "" {
		s.Checkpoint += "-given"
	}
	m, then, err := Tune(ctx, m, chips, train, validation, l, s)
	return m, &Lessons{Simulated: first, Given: then}, err
}

// firstPart is the course's first: on simulated images, or on those that take their place.
func firstPart(ctx context.Context, chips [2]*econt.Baseline, validation *wafer.Set, l loss.Loss, s LearnSettings) (*Model, *nn.History, error) {
	if s.First == nil {
		return Pretrain(ctx, chips, l, s)
	}
	if err := s.Course.Check(); err != nil {
		return nil, nil, err
	}
	if s.FirstChosen != nil {
		validation = s.FirstChosen
	}
	return Train(ctx, chips, s.First, validation, l, s.training(s.Course.Simulated, nil))
}

// images is how many a training sees at most.
func (b Budget) images(perEpoch int) float64 {
	return float64(b.withDefaults().Epochs) * float64(perEpoch)
}

// Seeds of simulated images are far from those that anybody gives to images to measure by.
const (
	learnt      = 1 << 32 // the training's own is added to it
	besideSeeds = 1 << 36 // those beside given ones, in the same way
	chosen      = 1 << 40 // the same images for all trainings
)

// Pretrain is the course's part on simulated images. It knows nothing of given ones, so that
// what it makes serves any of them.
func Pretrain(ctx context.Context, chips [2]*econt.Baseline, l loss.Loss, s LearnSettings) (*Model, *nn.History, error) {
	if err := s.Course.Check(); err != nil {
		return nil, nil, err
	}
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, nil, fmt.Errorf("decoder: %w", err)
	}
	of := simulate.Settings{Preset: s.Preset, Seed: learnt + s.Seed, Threads: threads}
	source, err := Simulated(of, s.Course.PerEpoch)
	if err != nil {
		return nil, nil, err
	}
	validation, err := Chosen(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	return Train(ctx, chips, source, validation, l, s.training(s.Course.Simulated, nil))
}

// Chosen are the simulated images that [Pretrain] chooses the epoch by, the same for all seeds of
// trainings.
func Chosen(ctx context.Context, s LearnSettings) (*wafer.Set, error) {
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	source, err := Simulated(simulate.Settings{Preset: s.Preset, Seed: chosen, Threads: threads}, s.Course.Validation)
	if err != nil {
		return nil, err
	}
	return source.Images(ctx, 0)
}

// Tune goes on with a decoder on given images, which would soon be known by heart, in two ways: with
// three times as many of the first part's beside them, fresh ones in every epoch, and, unless it has
// conditions, with the given ones turned by 120° and 240°, too. That is kept which is better on the
// validation images, one of them or the two as one ([Join]). The decoder is returned as
// it was where no epoch is better: then the history's best epoch is 0.
func Tune(ctx context.Context, start *Model, chips [2]*econt.Baseline, train, validation *wafer.Set, l loss.Loss, s LearnSettings) (*Model, *nn.History, error) {
	if err := s.Course.Check(); err != nil {
		return nil, nil, err
	}
	if start == nil || train == nil {
		return nil, nil, errors.New("decoder: a decoder to go on with, and images, are needed")
	}
	source, err := Given(train)
	if err != nil {
		return nil, nil, err
	}
	first, m, h := s.untilTurned(train), (*Model)(nil), (*nn.History)(nil)
	for _, turns := range []bool{false, true} {
		of := s.training(s.Course.Given, start)
		of.Average, of.Turns = averaged, turns
		of.Progress = part(s.Progress, 0, first, "")
		switch {
		case !turns:
			if of.Beside, err = s.beside(train); err != nil {
				return nil, nil, err
			}
		case s.Architecture.Conditions:
			return m, h, nil
		default:
			of.Progress = part(s.Progress, first, 1, "turned, ")
			if s.Checkpoint != "" {
				of.Checkpoint += "-turned"
			}
		}
		now, how, err := Train(ctx, chips, source, validation, l, of)
		if err != nil {
			return nil, nil, err
		}
		if m == nil {
			m, h = now, how
			continue
		}
		both, err := Join(m, now)
		if err != nil {
			return nil, nil, err
		}
		if how.Best < h.Best {
			m, h = now, how
		}
		together, err := lossOf(ctx, both, chips, validation, l, s)
		if err != nil {
			return nil, nil, err
		}
		if together < h.Best {
			m, h.Best = both, together
		}
	}
	return m, h, nil
}

// lossOf is a decoder's on the validation images.
func lossOf(ctx context.Context, m *Model, chips [2]*econt.Baseline, validation *wafer.Set, l loss.Loss, s LearnSettings) (float64, error) {
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return 0, fmt.Errorf("decoder: %w", err)
	}
	o := &objective{model: m, loss: l}
	if o.sender, err = newSender(m, chips, s.Threshold, threads); err != nil {
		return 0, err
	}
	if o.validation, err = o.sender.send(ctx, validation); err != nil {
		return 0, fmt.Errorf("validation images: %w", err)
	}
	o.resize(decodeBatch)
	return o.Validate(ctx)
}

// part is the progress of a part of some work; nil for none.
func part(report func(share float64, note string), from, to float64, what string) func(float64, string) {
	if report == nil {
		return nil
	}
	return func(share float64, note string) { report(from+(to-from)*share, what+note) }
}

// untilTurned is the share of the second part that is done when its images are turned.
func (s LearnSettings) untilTurned(given *wafer.Set) float64 {
	if s.Architecture.Conditions {
		return 1
	}
	own, others := given.Len(), s.besides(given)
	return float64(own+others) / float64(own+others+hgcal.Rhombi*own)
}

// averaged is the share of the second part's steps that the weights are averaged over.
const averaged = 0.1

// besides is how many images of the first part an epoch on given ones has beside them.
func (s LearnSettings) besides(given *wafer.Set) int {
	const times, fewest = 3, 100
	most := s.Course.PerEpoch
	if s.First != nil {
		most = s.First.Len()
	}
	return min(max(times*given.Len(), fewest), most)
}

// beside is their source.
func (s LearnSettings) beside(given *wafer.Set) (Source, error) {
	n := s.besides(given)
	if s.First != nil {
		return &portions{of: s.First, n: n}, nil
	}
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	return Simulated(simulate.Settings{Preset: s.Preset, Seed: besideSeeds + s.Seed, Threads: threads}, n)
}

func (s LearnSettings) training(b Budget, start *Model) Settings {
	return Settings{Architecture: s.Architecture, Budget: b, Seed: s.Seed, Threshold: s.Threshold, Threads: s.Threads, Start: start, Checkpoint: s.Checkpoint, Progress: s.Progress}
}
