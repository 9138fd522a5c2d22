// Package reproduce is the main job: images → exact EMD labels → the EMD CNN →
// encoders trained with each loss at equal budget → their evaluation on images
// that no training saw → a report. It is arXiv:2306.04712 in one call.
package reproduce

import (
	"fmt"

	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/study/compare"
	"barrow/surrogate"
	"barrow/wafer"
)

// Losses are what the encoders are trained with by default, in the order of
// the report. The last one keeps the energy, which a distance of shapes does not
// see.
func Losses() []string {
	return []string{"weighted-mse", "telescope", "emd-cnn", "emd", "emd+energy"}
}

// baseline is the loss that the others' EMD is divided by.
const baseline = "telescope"

// A Config says everything that a run's results depend on.
type Config struct {
	Seed      uint64   `json:"seed"`
	Source    string   `json:"source"`    // where the images come from, in words
	Images    int      `json:"images"`    // how many there are
	Digest    string   `json:"digest"`    // SHA-256 of their charges
	Metric    string   `json:"metric"`    // ground metric: benchmark, cmssw or a file
	Threshold float64  `json:"threshold"` // charge above which a cell counts as occupied
	Losses    []string `json:"losses"`    // of the encoders
	Epochs    int      `json:"epochs"`    // of each encoder
	Batch     int      `json:"batch"`     // of each encoder
	Rate      float64  `json:"learning_rate"`
	Schedule  string   `json:"schedule"`

	// Density of the wafers, for the chip's other algorithms: "ld", "hd" or ""
	// for what the images' column HD_LD says.
	Density string `json:"wafer_density,omitempty"`

	Architecture    surrogate.Architecture `json:"emd_cnn"`
	SurrogatePairs  int                    `json:"emd_cnn_pairs"`  // pairs an epoch, fresh in every epoch
	SurrogateEpochs int                    `json:"emd_cnn_epochs"` // of the EMD CNN
}

// Budget of a run: how much the networks see.
type Budget struct {
	Images    int // simulated images
	Seen      int // images that each encoder sees in training, over all epochs
	Pairs     int // pairs that the EMD CNN sees, over all epochs
	CNNEpochs int // epochs these pairs are cut into
}

// DefaultBudget takes about five minutes on two cores.
func DefaultBudget() Budget {
	return Budget{Images: 60_000, Seen: 3_200_000, Pairs: 4_000_000, CNNEpochs: 50}
}

// QuickBudget takes about one minute on two cores.
func QuickBudget() Budget {
	return Budget{Images: 20_000, Seen: 600_000, Pairs: 1_000_000, CNNEpochs: 20}
}

// NewConfig fills in a run on the given images with the budget.
func NewConfig(images *wafer.Set, source, metric string, seed uint64, b Budget) Config {
	train := max(1, int(float64(images.Len())*shares[0]))
	recipe := compare.Default().Complete()
	c := Config{
		Seed: seed, Source: source, Images: images.Len(), Digest: images.Digest(), Metric: metric,
		Threshold: evaluate.MIP, Losses: Losses(), Rate: recipe.Rate, Schedule: recipe.Schedule,
		Epochs: min(400, max(1, b.Seen/train)), Batch: recipe.Batch,
		Architecture: surrogate.N1(), SurrogatePairs: b.Pairs / b.CNNEpochs, SurrogateEpochs: b.CNNEpochs,
	}
	return c
}

// shares of the images for training, validation and the evaluation.
var shares = []float64{0.6, 0.2, 0.2}

// minimumImages is what the splits need to mean anything.
const minimumImages = 100

// Check refuses, before any work, what a run could only fail on later.
func (c Config) Check(images *wafer.Set) error {
	if images.Len() < minimumImages {
		return fmt.Errorf("reproduce: %d images are too few to train on; %d are needed at least", images.Len(), minimumImages)
	}
	if len(c.Losses) == 0 {
		return fmt.Errorf("reproduce: no loss to train with; the losses are %v", loss.Names())
	}
	if _, _, err := evaluate.Densities(images, c.Density); err != nil {
		return err
	}
	if _, err := c.groundMetric(); err != nil {
		return err
	}
	if _, err := loss.Distinct(c.Losses); err != nil {
		return err
	}
	for _, name := range c.Losses {
		if _, encoder, _ := loss.Stages(name); encoder != "" {
			return fmt.Errorf("reproduce: losses: %q keeps an encoder that another loss trained: compare the two with \"barrow compare\"", name)
		}
	}
	return nil
}

// groundMetric is the metric that the configuration names.
func (c Config) groundMetric() (*emd.Metric, error) { return groundMetric(c.Metric) }

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
