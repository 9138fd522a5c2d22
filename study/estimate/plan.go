// Package estimate trains networks that estimate the EMD, one or a list of them
// (a scan), on pairs of wafer images that are labelled with their exact EMD as they
// are drawn, and measures them on held-out pairs. Trainings are checkpointed and
// finished ones are kept; everything but the times is the same on every run and for
// every number of threads.
package estimate

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/model/file"
	"barrow/run"
	"barrow/study/images"
	"barrow/study/internal/inputs"
	"barrow/surrogate"
)

// A Budget is what all trainings have in common: the pairs and how many of them.
type Budget struct {
	images.Input

	Metric   string         `json:"metric" value:"file" help:"ground metric, or a CSV file of x,y per cell"`
	Kind     surrogate.Kind `json:"pairs_kind" flag:"kind" help:"pairs to learn from, two images, an image and its decoded image, both in turn, or ones of all sorts drawn anew in every epoch"`
	Encoders []string       `json:"encoders,omitempty" flag:"encoder" repeat:"true" value:"file" help:"weights file or run folder of an autoencoder whose decoded images are learnt from; may be repeated (default: an untrained one)"`
	Gradient float64        `json:"gradient" help:"weight of the error of the network's gradient in the loss"`
	Pairs    int            `json:"pairs" help:"pairs an epoch"`
	Epochs   int            `json:"epochs" help:"epochs"`
	Batch    int            `json:"batch" help:"pairs a step (default 64, of a potential network 256)"`
	Seed     uint64         `json:"seed" help:"seed of every random choice; the same seed gives the same bits"`

	Source string `json:"source"`                    // where the images come from, in words
	Digest string `json:"digest" label:"the images"` // of the images
}

// A Plan says which network is trained, and how. It is saved with the run.
type Plan struct {
	Budget
	Architecture string `json:"architecture" help:"n1, paper, FxKxC-D[-surplus], potential or WxL"`
	Loss         string `json:"loss" help:"loss on the distance (default: relative for n1, huber where the network sees whole images)"`
	Bits         int    `json:"bits" help:"bits of a saved weight of a potential network: 32 or 16"`
}

// A ScanPlan is a list of networks that are trained on the same pairs.
type ScanPlan struct {
	Budget
	Architectures []string `json:"architectures" help:"architectures, as \"surrogate train\" takes them"`
	Losses        []string `json:"losses" help:"losses; a potential network has its own and is trained once a repeat"`
	Repeats       int      `json:"repeats" help:"networks of each architecture and loss"`
}

// Default is a training of the paper's network on what two images do not share.
func Default() Plan {
	p := Plan{Budget: budget(), Architecture: "n1", Bits: 32}
	p.Pairs, p.Epochs = 100_000, 15
	return p
}

// DefaultScan is the last round of the paper's search, as in its public code, with
// its three losses and three repeats.
func DefaultScan() ScanPlan {
	p := ScanPlan{
		Budget:        budget(),
		Architectures: []string{"32x5x3-256", "32x5x4-32", "64x5x4-32", "128x5x4-32", "128x5x3-64", "32x5x3-128", "128x3x4-256", "128x5x4-256"},
		Losses:        []string{"huber", "msle", "mse"}, Repeats: 3,
	}
	p.Pairs, p.Epochs = 50_000, 20
	return p
}

func budget() Budget {
	return Budget{Input: images.Default(50_000), Metric: hgcal.Metrics()[0], Kind: surrogate.Fresh, Seed: 1}
}

// settings are those of the training of one of the two sorts of networks; the other
// is nil.
func (p Plan) settings() (*surrogate.Settings, *surrogate.PotentialSettings, error) {
	cnn, potential, err := architecture(p.Architecture)
	if err != nil {
		return nil, nil, fmt.Errorf("architecture: %w", err)
	}
	if potential != nil {
		return nil, &surrogate.PotentialSettings{Shape: *potential, Seed: p.Seed, Pairs: p.Pairs, Epochs: p.Epochs, Batch: p.Batch}, nil
	}
	s := &surrogate.Settings{Architecture: *cnn, Seed: p.Seed, Gradient: p.Gradient, Pairs: p.Pairs, Epochs: p.Epochs, Batch: p.Batch}
	if p.Loss != "" {
		s.Loss, err = surrogate.ParseLoss(p.Loss)
	}
	return s, nil, err
}

// Choices are the values that a setting may have, those of the images apart.
func (Budget) Choices(key string) []string {
	switch key {
	case "metric":
		return hgcal.Metrics()
	case "pairs_kind":
		return []string{string(surrogate.Pair), string(surrogate.AE), string(surrogate.App), string(surrogate.Fresh)}
	case "loss", "losses":
		return surrogate.Losses()
	}
	return nil
}

// More of each than any training has.
const (
	maxPairs   = 1_000_000_000
	maxEpochs  = 1_000_000
	maxBatch   = 1_000_000
	maxRepeats = 1000
	maxTrials  = 100_000
)

func (b Budget) check() error {
	if err := b.Input.Check(); err != nil {
		return err
	}
	if err := limit.Count("pairs =", b.Pairs, maxPairs); err != nil {
		return err
	}
	if err := limit.Count("epochs =", b.Epochs, maxEpochs); err != nil {
		return err
	}
	if b.Batch != 0 {
		if err := limit.Count("batch =", b.Batch, maxBatch); err != nil {
			return fmt.Errorf("%w, or 0 for the default", err)
		}
	}
	if !(b.Gradient >= 0) || math.IsInf(b.Gradient, 0) {
		return fmt.Errorf("gradient = %v: want a weight, 0 or more", b.Gradient)
	}
	if err := setting.Choice("pairs_kind", string(b.Kind), b.Choices("pairs_kind")); err != nil {
		return err
	}
	if b.Kind == surrogate.Pair && len(b.Encoders) > 0 {
		return fmt.Errorf("encoders = %q: pairs_kind = %q has no decoded images", b.Encoders, b.Kind)
	}
	points, err := hgcal.Positions(b.Metric)
	if err == nil && len(points) != hgcal.Cells {
		err = fmt.Errorf("metric = %q: %d cells, an image has %d", b.Metric, len(points), hgcal.Cells)
	}
	return err
}

// Check reports what does not fit, by the setting's key, before any work.
func (p Plan) Check() error {
	if err := p.Budget.check(); err != nil {
		return fmt.Errorf("estimate: %w", err)
	}
	if p.Loss != "" {
		if err := setting.Choice("loss", p.Loss, surrogate.Losses()); err != nil {
			return fmt.Errorf("estimate: %w", err)
		}
	}
	cnn, potential, err := p.settings()
	switch {
	case err != nil:
		return fmt.Errorf("estimate: %w", err)
	case potential != nil && p.Loss != "":
		return fmt.Errorf("estimate: loss = %q: a potential network learns potentials and has no such setting", p.Loss)
	case potential != nil && p.Gradient != 0:
		return fmt.Errorf("estimate: gradient = %v: a potential network learns potentials and has no such setting", p.Gradient)
	case p.Bits != 32 && (p.Bits != 16 || potential == nil):
		return fmt.Errorf("estimate: bits = %d: want 32, or 16 for a potential network", p.Bits)
	case potential != nil:
		return potential.Check()
	}
	return cnn.Check()
}

// Check reports what does not fit, by the setting's key, before any work.
func (p ScanPlan) Check() error {
	if err := p.Budget.check(); err != nil {
		return fmt.Errorf("estimate: %w", err)
	}
	if err := limit.Count("repeats =", p.Repeats, maxRepeats); err != nil {
		return fmt.Errorf("estimate: %w", err)
	}
	if err := limit.Count("networks", len(p.Architectures)*max(1, len(p.Losses))*p.Repeats, maxTrials); err != nil {
		return fmt.Errorf("estimate: %w", err)
	}
	for _, l := range p.Losses {
		if err := setting.Choice("losses", l, surrogate.Losses()); err != nil {
			return fmt.Errorf("estimate: %w", err)
		}
	}
	for _, a := range p.Architectures {
		if _, _, err := architecture(a); err != nil {
			return fmt.Errorf("estimate: architectures: %w", err)
		}
	}
	trials := p.trials()
	if len(trials) == 0 {
		return errors.New("estimate: architectures, losses: nothing to train")
	}
	names := map[string]bool{}
	for _, t := range trials {
		if err := p.plan(t).Check(); err != nil {
			return err
		}
		if names[t.name()] {
			return fmt.Errorf("estimate: %s with the loss %s is asked for twice", t.Architecture, t.Loss)
		}
		names[t.name()] = true
	}
	return nil
}

// trials lists the scan, repeats outermost so that an early stop has seen every
// architecture.
func (p ScanPlan) trials() []Trial {
	var out []Trial
	for r := range p.Repeats {
		for _, a := range p.Architectures {
			if _, potential, _ := architecture(a); potential != nil {
				out = append(out, Trial{Architecture: a, Loss: potentialLoss, Repeat: r + 1})
				continue
			}
			for _, l := range p.Losses {
				out = append(out, Trial{Architecture: a, Loss: l, Repeat: r + 1})
			}
		}
	}
	return out
}

// plan is the training of a trial.
func (p ScanPlan) plan(t Trial) Plan {
	out := Plan{Budget: p.Budget, Architecture: t.Architecture, Loss: t.Loss, Bits: 32}
	if t.Loss == potentialLoss {
		out.Loss, out.Gradient = "", 0
	}
	out.Seed += uint64(t.Repeat-1) * 1000
	return out
}

// potentialLoss stands in a trial for the loss of a potential network.
const potentialLoss = "potential"

// architecture tells which sort of network is meant.
func architecture(name string) (cnn *surrogate.Architecture, potential *surrogate.PotentialShape, err error) {
	if name == "potential" {
		return nil, &surrogate.PotentialShape{}, nil
	}
	if !strings.Contains(name, "-") && strings.Count(name, "x") == 1 {
		a, err := surrogate.ParsePotentialShape(name)
		return nil, &a, err
	}
	if a, err := surrogate.ParseArchitecture(name); err == nil || strings.Contains(name, "x") {
		return &a, nil, err
	}
	return nil, nil, fmt.Errorf("%q: want n1, paper, potential, FILTERSxKERNELxCONVS-DENSE with or without -surplus, such as 128x3x4-256, or WIDTHxLAYERS of a potential network, such as 768x3", name)
}

// Kind of the folder of one training.
func Kind() run.Kind { return run.Kind{Name: "emd-cnn", Version: 1} }

// ScanKind is that of the folder of a scan.
func ScanKind() run.Kind { return run.Kind{Name: "surrogate-scan", Version: 1} }

// inputs are the files that the trainings read beside images.
func (b Budget) inputs() ([]run.Input, error) {
	list, err := inputs.Metric(b.Metric)
	if err != nil {
		return nil, err
	}
	for i, name := range b.Encoders {
		paths, err := file.AutoencoderFiles(name, "")
		if err != nil {
			return nil, err
		}
		more, err := inputs.Files("the encoder", paths)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(b.Encoders[:i], func(other string) bool { return other == name }) {
			return nil, fmt.Errorf("estimate: encoders: %s is named twice", name)
		}
		list = append(list, more...)
	}
	return list, nil
}
