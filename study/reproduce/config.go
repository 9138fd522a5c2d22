// Package reproduce is the main job: images → exact EMD labels → the EMD CNN →
// encoders trained with each loss at equal budget → their evaluation on images
// that no training saw → a report. It is arXiv:2306.04712 in one call.
package reproduce

import (
	"errors"
	"fmt"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/loss"
	"barrow/study/compare"
	"barrow/study/images"
	"barrow/surrogate"
	"barrow/wafer"
)

// Losses are what the encoders are trained with by default, in the order of
// the report: the paper's three, the exact EMD, and one that keeps the energy, which a
// distance of shapes does not see.
func Losses() []string { return []string{"weighted-mse", "telescope", "emd-cnn", "emd", "emd+energy"} }

// baseline is the loss that the others' EMD is divided by.
const baseline = "telescope"

// A Config says everything that a run's results depend on: the settings of its encoders, which
// are those of a comparison, and of the EMD CNN that some of them are trained with.
type Config struct {
	// Plan's epochs are by default what Seen allows. The main job trains one encoder with each
	// loss; several precisions and seeds are for Full.
	compare.Plan

	Pairs int `json:"pairs" help:"pairs that the EMD CNN learns from, over all its epochs"` // fresh in every epoch
	// Density of the wafers, for the chip's other algorithms: "ld", "hd" or ""
	// for what the images' column HD_LD says.
	Density string `json:"wafer_density,omitempty" flag:"density" help:"wafers' density for the chip's other algorithms (default: what a column HD_LD says of each image, else ld)"`

	CNN       surrogate.Architecture `json:"emd_cnn"`                 // trained here, instead of the plan's
	CNNEpochs int                    `json:"emd_cnn_epochs"`          // that the pairs are cut into
	CNNBatch  int                    `json:"emd_cnn_batch,omitempty"` // pairs a step; the network's own by default
	Images    int                    `json:"images"`                  // how many there are

	Seen int `json:"-"` // images that each encoder sees in training, over all epochs
}

// Default takes three to six minutes on two cores (README.md has the processors). More
// images and pairs than these lower every distance a little and change no order of
// the losses.
func Default() Config {
	c := Config{Plan: compare.Default(), CNN: surrogate.N1()}
	c.Input, c.Losses, c.Epochs = images.Default(60_000), Losses(), 0
	c.Seen, c.Pairs, c.CNNEpochs = 1_000_000, 700_000, 35
	return c
}

// Quick takes half a minute to a whole one on the same.
func Quick() Config {
	c := Default()
	c.Events = 20_000
	c.Seen, c.Pairs, c.CNNEpochs = 168_000, 100_000, 20
	return c
}

// Choices are the values that a setting of the run may have, those of the plan apart.
func (c Config) Choices(key string) []string {
	if key == "wafer_density" {
		return []string{"ld", "hd"}
	}
	return nil
}

// Help tells of settings whose defaults are not the plan's.
func (c Config) Help(key string) string {
	switch key {
	case "epochs":
		return "epochs of each encoder (default: what the budget allows)"
	case "events":
		return fmt.Sprintf("simulated images; %d in a quick or a full run", Quick().Events)
	case "pairs":
		return fmt.Sprintf("pairs that the EMD CNN learns from, over all its epochs; %d in a quick run, %d in a full one", Quick().Pairs, FullDefault().Pairs)
	case "precisions", "seeds", "latent_bits", "links", "pretrain":
		return map[string]string{
			"precisions": "number formats; one, or several in a full run", "seeds": "trainings of each kind; 5 in a full run",
			"latent_bits": "of a full run: bits of each of the encoder's outputs, 1 to 9 (default: the precision's own)",
			"links":       "of a full run: the same by links: 1, 3, 5, 7, 9 bits on 1 to 5",
			"pretrain":    "of a full run: wafer file that all networks learn from first; may be repeated",
		}[key]
	}
	return ""
}

// For fills in what depends on the images.
func (c Config) For(set *wafer.Set, source string) Config {
	c.Plan = c.Complete()
	c.Images, c.Source, c.Digest = set.Len(), source, set.Digest()
	if train := max(1, int(float64(set.Len())*shares[0])); c.Epochs == 0 {
		c.Epochs = min(400, max(1, c.Seen/train))
	}
	return c
}

// pairs is how many the EMD CNN learns from in an epoch.
func (c Config) pairs() int { return max(1, c.Pairs/max(1, c.CNNEpochs)) }

// shares of the images for training, validation and the evaluation.
var shares = []float64{0.6, 0.2, 0.2}

// minimumImages is what the splits need to mean anything.
const minimumImages = 100

// More pairs than any EMD CNN learns from, and what one takes in memory with its labels.
const (
	maxPairs  = 10_000_000_000
	pairBytes = 2000
)

// ErrFull is what the main job has no use for and a full run has.
var ErrFull = errors.New("for the full comparison only")

// Check refuses, before any work, what a run could only fail on later.
func (c Config) Check(set *wafer.Set) error {
	if err := c.checkOne(); err != nil {
		return err
	}
	return c.check(set)
}

// checkOne refuses what only a full run takes.
func (c Config) checkOne() error {
	switch {
	case len(c.Precisions) > 1:
		return fmt.Errorf("reproduce: precisions = %v: several are %w", c.Precisions, ErrFull)
	case c.Seeds > 1:
		return fmt.Errorf("reproduce: seeds = %d: several are %w", c.Seeds, ErrFull)
	case len(c.Bits) > 0 || len(c.Links) > 0:
		return fmt.Errorf("reproduce: latent_bits = %v, links = %v: other widths than the precision's own are %w", c.Bits, c.Links, ErrFull)
	case len(c.Pretrain) > 0:
		return fmt.Errorf("reproduce: pretrain = %v: a first training is %w", c.Pretrain, ErrFull)
	case c.Conditional:
		return fmt.Errorf("reproduce: conditional = true: conditions are %w", ErrFull)
	}
	for _, name := range c.Losses {
		if _, encoder, _ := loss.Stages(name); encoder != "" {
			return fmt.Errorf("reproduce: losses: %q keeps an encoder that another loss trained: that is %w", name, ErrFull)
		}
	}
	return nil
}

// check is what both kinds of run refuse.
func (c Config) check(set *wafer.Set) error {
	if set.Len() < minimumImages {
		return fmt.Errorf("reproduce: %d images are too few to train on; %d are needed at least", set.Len(), minimumImages)
	}
	if err := c.checkSettings(); err != nil {
		return err
	}
	if c.Conditional {
		_, err := autoencoder.Conditions(set)
		return err
	}
	return nil
}

// checkSettings is the part of it that needs no images, which may take minutes to get.
func (c Config) checkSettings() error {
	p := c.Complete()
	if p.Epochs == 0 {
		p.Epochs = 1 // at least; For knows how many
	}
	if err := p.Check(true); err != nil {
		return err
	}
	err := limit.Count("pairs =", c.Pairs, maxPairs)
	if err == nil {
		err = limit.Fits(fmt.Sprintf("pairs = %d: an epoch of", c.Pairs), c.pairs(), pairBytes)
	}
	if err != nil {
		return fmt.Errorf("reproduce: %w", err)
	}
	if err := evaluate.CheckDensity(c.Density); err != nil {
		return err
	}
	_, err = groundMetric(c.Metric)
	return err
}

func groundMetric(name string) (*emd.Metric, error) {
	points, err := hgcal.Positions(name)
	if err != nil {
		return nil, err
	}
	if len(points) != hgcal.Cells {
		return nil, fmt.Errorf("reproduce: metric %s: %d cells, an image has %d", name, len(points), hgcal.Cells)
	}
	return emd.Euclidean(points)
}
