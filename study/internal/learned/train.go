package learned

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"barrow/decoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/run"
	"barrow/wafer"
)

// A Lesson is the training of a decoder as a part of a run, by the exact EMD.
type Lesson struct {
	Folder *run.Folder
	Algorithm
	Links  int
	Metric string // ground metric
	// Learn are the settings of decoder.Learn; the checkpoint is the lesson's own.
	Learn decoder.LearnSettings
	// Train and Validation are given images, which follow simulated ones; nil for none.
	Train, Validation *wafer.Set
	// Density of all wafers, as evaluate has it; "" is what a column HD_LD says, or low.
	Density string
}

// fewImages are taken in smaller steps.
const (
	fewImages    = 200_000
	fewestImages = 100 // of an epoch
)

// Course is that of a decoder that sees so many simulated images, and then given ones for some
// epochs.
func Course(images, given int) decoder.Course {
	c := decoder.Normal()
	if images < fewImages {
		c.Simulated.Batch = decoder.Quick().Simulated.Batch
	}
	c.Simulated.Epochs = max(1, min(c.Simulated.Epochs, images/fewestImages))
	c.PerEpoch = max(1, images/c.Simulated.Epochs)
	c.Validation = min(c.Validation, max(fewestImages, c.PerEpoch/2))
	c.Given.Epochs = max(1, given)
	return c
}

// Train trains the decoders of several lessons of one folder, as many at a time as there are
// threads; each has one. Shards of a run share them ([run.Folder.Share]). progress gets the share that is done.
func Train(ctx context.Context, list []Lesson, threads int, progress func(share float64, note string)) ([]*decoder.Model, error) {
	models, share := make([]*decoder.Model, len(list)), make([]float64, len(list))
	var mu sync.Mutex
	list = slices.Clone(list)
	var parts []string
	for k := range list {
		l := &list[k]
		parts = append(parts, l.Part())
		l.Learn.Threads = 1
		l.Learn.Progress = func(done float64, _ string) {
			mu.Lock()
			defer mu.Unlock()
			share[k] = done
			all, n := 0.0, 0
			for _, v := range share {
				all += v
				if v == 1 {
					n++
				}
			}
			progress(all/float64(len(list)), fmt.Sprintf("training %d of %d", min(n+1, len(list)), len(list)))
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return models, list[0].Folder.Share(ctx, parts, threads, func(ctx context.Context, k int) (err error) {
		models[k], err = list[k].Decoder(ctx)
		return err
	})
}

// Schemes are the lessons' algorithms with the decoders that Train made.
func Schemes(list []Lesson, models []*decoder.Model) []evaluate.Scheme {
	var out []evaluate.Scheme
	for k, l := range list {
		s := l.Scheme
		s.Links, s.Decoding, s.Decoder = l.Links, evaluate.DecodeLearned, models[k]
		out = append(out, s)
	}
	return out
}

// Part is what the lesson is called in the run.
func (l Lesson) Part() string { return fmt.Sprintf("decoder-%s-%dlinks", l.Word, l.Links) }

// Decoder trains the decoder, unless that is done. TS's threshold is the lowest with which the
// mean frame of the training images, or of simulated ones that are chosen by, fits the links: a
// decoder takes others, too.
func (l Lesson) Decoder(ctx context.Context) (*decoder.Model, error) {
	part := l.Part()
	weights := l.Folder.Path(run.Weights, part+run.WeightsEnding)
	var m *decoder.Model
	err := l.Folder.Once(part, part, &struct{}{}, func() (_ []string, err error) {
		if m, err = l.train(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
		return []string{part + run.WeightsEnding}, m.Save(weights)
	})
	if err == nil && m == nil {
		m, err = decoder.Load(weights, nn.Settings{Threads: 1})
	}
	return m, err
}

func (l Lesson) train(ctx context.Context) (*decoder.Model, error) {
	points, err := hgcal.Positions(l.Metric)
	if err != nil {
		return nil, err
	}
	metric, err := emd.Euclidean(points)
	if err != nil {
		return nil, err
	}
	exact, err := loss.Parse("emd", loss.Resources{Metric: metric, Points: points, Threads: l.Learn.Threads})
	if err != nil {
		return nil, err
	}
	s := l.Scheme
	s.Links, s.Decoding = l.Links, evaluate.DecodeSpread
	if s.Algorithm == econt.ThresholdSum {
		if s.Threshold, err = l.threshold(ctx); err != nil {
			return nil, err
		}
	}
	chips, err := s.Chips()
	if err != nil {
		return nil, err
	}
	switch l.Density {
	case evaluate.LowDensity:
		chips[1] = chips[0]
	case evaluate.HighDensity:
		chips[0] = chips[1]
	}
	l.Learn.Checkpoint = l.Folder.Path(run.Weights, l.Part()+run.CheckpointEnding)
	m, _, err := decoder.Learn(ctx, chips, l.Train, l.Validation, exact, l.Learn)
	return m, err
}

// threshold is TS's.
func (l Lesson) threshold(ctx context.Context) (uint32, error) {
	images := l.Train
	if images == nil {
		var err error
		if images, err = decoder.Chosen(ctx, l.Learn); err != nil {
			return 0, err
		}
	}
	var lengths evaluate.FrameLengths
	for i := range images.Len() {
		lengths.Add(images.Image(i))
	}
	return lengths.Threshold(l.Links), nil
}
