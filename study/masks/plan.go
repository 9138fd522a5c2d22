// Package masks finds how the bits of a number of the chip's links are best dealt out to the 16
// outputs of its encoder. From an encoder with all bits, trained first, encoders with the masks
// that come into question are trained for a while each: first as many outputs as fit of every
// width, then what the best of those becomes by moving single bits from one output to another.
// The best mask is then trained as any encoder is, at the full budget and from several seeds.
// Every training is a part of the run: an interrupted search goes on where it was, and everything
// but the times is the same on every run and for every number of threads.
package masks

import (
	"errors"
	"fmt"

	"barrow/autoencoder"
	"barrow/internal/limit"
	"barrow/loss"
	"barrow/run"
	"barrow/study/compare"
)

// A Plan says what is searched for: the settings of a run. It is saved with it.
type Plan struct {
	// Plan is that of the encoder with all bits and of those with the mask that is found. Its
	// Links has the one number of links.
	compare.Plan
	Trial  int `json:"trial_images" help:"images that each mask is tried on, those of a first training if there are any"`
	Rounds int `json:"rounds" help:"times that single bits are moved, at most"`
}

// Default is the search for the chip's arithmetic, on one link.
func Default() Plan {
	p := Plan{Plan: compare.Default(), Trial: 60_000, Rounds: 4}
	p.Losses, p.Precisions, p.Links = []string{"emd"}, []string{precision}, []int{1}
	return p
}

// Help tells of settings that mean another thing than in a comparison.
func (p Plan) Help(key string) string {
	switch key {
	case "links":
		return "links whose bits are dealt out, 1 to 5"
	case "mask", "latent_bits":
		return "is what is searched for: not to be given"
	case "seeds":
		return "trainings with the mask that is found, one seed after the other"
	}
	return p.Plan.Help(key)
}

// Choices are the values that a setting may have: of the precisions the one with masks.
func (p Plan) Choices(key string) []string {
	if key == "precisions" {
		return []string{precision}
	}
	return p.Plan.Choices(key)
}

// precision is that of the chip.
const precision = "asic"

// Kind of the folder of a search.
func Kind() run.Kind { return run.Kind{Name: "mask", Version: 1} }

// More of each than any search has.
const (
	maxTrial  = 1_000_000_000
	maxRounds = 1000
)

// Check reports what does not fit, naming the key and what it may be, before any training.
func (p Plan) Check() error {
	switch {
	case len(p.Losses) != 1 || len(p.Precisions) != 1:
		return fmt.Errorf("masks: %d losses and %d precisions: want one of each", len(p.Losses), len(p.Precisions))
	case p.Mask != "" || len(p.Bits) > 0:
		return errors.New("masks: mask and latent_bits are what is searched for: leave them out")
	case len(p.Learned) > 0:
		return errors.New("masks: learned: a search sets no algorithms beside the encoder: leave it out, and compare the encoder that is found")
	case p.Precisions[0] != precision:
		return fmt.Errorf("masks: precision = %q: the chip alone sends more bits of some outputs than of others: choose %s", p.Precisions[0], precision)
	case len(p.Links) != 1 || p.Links[0] < 1 || p.Links[0] > 5:
		return fmt.Errorf("masks: links = %v: want one number, 1 to 5", p.Links)
	}
	if _, encoder, err := loss.Stages(p.Losses[0]); err == nil && encoder != "" {
		return fmt.Errorf("masks: loss = %q: an encoder and a decoder of different losses have no common course: name one loss", p.Losses[0])
	}
	if err := limit.Count("trial_images =", p.Trial, maxTrial); err != nil {
		return fmt.Errorf("masks: %w", err)
	}
	if p.Rounds != 0 {
		if err := limit.Count("rounds =", p.Rounds, maxRounds); err != nil {
			return fmt.Errorf("masks: %w, or 0 for none", err)
		}
	}
	if err := p.with("1x1,15x0").Check(true); err != nil { // that there can be masks at all
		return err
	}
	return p.whole().Check(true)
}

// with is how encoders with a mask are trained at the full budget.
func (p Plan) with(mask string) compare.Plan {
	q := p.Plan
	q.Links, q.Bits, q.Mask = nil, nil, mask
	return q
}

// whole is how the encoder with all bits is trained.
func (p Plan) whole() compare.Plan {
	q := p.with("")
	q.Seeds = 1
	return q
}

// trialSeed sets trials apart from the trainings at the full budget, whose seeds follow the plan's.
const trialSeed = 1_000_000

// trial is how a mask is tried, on so many images.
func (p Plan) trial(w autoencoder.Widths, images int) compare.Plan {
	q := p.with(w.String())
	q.Seeds, q.Seed = 1, p.Seed+trialSeed
	q.Pretrain, q.PretrainDigest = nil, ""
	q.Epochs, q.Patience = max(1, (p.Trial+images/2)/images), 0
	return q
}
