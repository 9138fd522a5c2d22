package learned

import (
	"context"
	"fmt"

	"barrow/decoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/run"
	"barrow/simulate"
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
		source, err := decoder.Simulated(simulate.Settings{Preset: l.Learn.Preset, Seed: l.Learn.Seed, Threads: l.Learn.Threads}, l.Learn.Course.Validation)
		if err != nil {
			return 0, err
		}
		if images, err = source.Images(ctx, 0); err != nil {
			return 0, err
		}
	}
	var lengths evaluate.FrameLengths
	for i := range images.Len() {
		lengths.Add(images.Image(i))
	}
	return lengths.Threshold(l.Links), nil
}
