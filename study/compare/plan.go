// Package compare trains encoders with every combination of losses, precisions,
// output widths and seeds on the same images at the same budget, and puts what
// they keep of held-out images, what they cost and how much the seed matters
// into one table. Trainings are checkpointed and finished ones are kept, so
// that an interrupted comparison goes on where it was; everything but the times
// is the same on every run and for every number of threads.
package compare

import (
	"fmt"
	"slices"
	"strings"

	"barrow/autoencoder"
	"barrow/loss"
	"barrow/wafer"
)

// A Plan says what is compared and at which budget. It is saved with the run.
type Plan struct {
	Losses     []string `json:"losses"`         // as loss.Describe takes them: names, sums, and emd@telescope
	Precisions []string `json:"precisions"`     // presets of autoencoder; "float" by default
	Bits       []int    `json:"bits,omitempty"` // of the encoder's outputs; the precisions' own by default
	Seeds      int      `json:"seeds"`          // trainings of each kind; 1 by default
	Seed       uint64   `json:"seed"`           // of the first; the others follow

	Epochs        int     `json:"epochs"`
	Batch         int     `json:"batch"`
	Rate          float64 `json:"learning_rate"`
	Schedule      string  `json:"schedule"`
	Patience      int     `json:"patience"` // epochs without a better validation loss before stopping; 0: all are run
	WeightBits    int     `json:"weight_bits,omitempty"`
	Normalisation string  `json:"normalisation"`
	Range         int     `json:"range,omitempty"`
	Conditional   bool    `json:"conditional,omitempty"`
	Decoder       string  `json:"decoder,omitempty"`
	Output        string  `json:"output,omitempty"` // of autoencoder.Outputs, or OutputByLoss
	Sum           string  `json:"sum,omitempty"`    // of autoencoder.Sums
	ZeroStart     bool    `json:"zero_start,omitempty"`

	// Pretraining, where there is one, comes before the training proper, which
	// then starts at a tenth of Rate.
	Pretraining *Pretraining `json:"pretraining,omitempty"`

	Metric    string  `json:"metric"`    // ground metric: benchmark, cmssw or a file
	Threshold float64 `json:"threshold"` // charge above which a cell counts as occupied
	Source    string  `json:"source"`    // where the images come from, in words
	Digest    string  `json:"digest"`    // of the images
	CNN       string  `json:"emd_cnn,omitempty"`
}

// A Pretraining is a first training on other images, of which there may be many
// more; the epoch is chosen by the plan's own validation images.
type Pretraining struct {
	Source string `json:"source"` // where the images come from, in words
	Digest string `json:"digest"` // of the images
	Epochs int    `json:"epochs"`
}

// Default fills in the budget that serves all losses well: chosen for the
// telescope MSE and kept for the others (docs/results.md).
func Default() Plan {
	p := Plan{Precisions: []string{"float"}, Seeds: 1, Seed: 1, Epochs: 100, Schedule: "warm-cosine",
		Normalisation: "sumlog2", Metric: "benchmark", Threshold: 35}
	p.Batch, p.Rate = Recipe("")
	return p
}

// Recipe is the batch and the learning rate that suit a decoder, found with the
// telescope MSE.
func Recipe(decoder string) (batch int, rate float64) {
	if decoder == autoencoder.DecoderDense || decoder == autoencoder.DecoderResidual {
		return 50, 1e-3
	}
	return 20, 3e-3
}

// OutputByLoss gives the decoders of losses that are distances of shapes alone,
// with or without the energy beside them, a squared output, without a limit, and
// the others a sigmoid.
const OutputByLoss = "by-loss"

// DefaultOutput is the output that suits a decoder.
func DefaultOutput(decoder string) string {
	if decoder == autoencoder.DecoderResidual {
		return OutputByLoss
	}
	return ""
}

// withOutput is an architecture with the output that a loss gets in the plan.
func (p Plan) withOutput(a autoencoder.Architecture, name string) autoencoder.Architecture {
	a.Output, a.Range = p.Output, p.Range
	if p.Output != OutputByLoss {
		return a
	}
	a.Output = ""
	if t, err := loss.Describe(name); err == nil && t.ShapeOnly() {
		a.Output, a.Range = autoencoder.OutputSquare, 0
	}
	return a
}

// Architecture is what a loss, of those without an encoder of their own, trains under the plan.
func (p Plan) Architecture(name, precision string, bits int) autoencoder.Architecture {
	return p.withOutput(autoencoder.Architecture{
		Precision: precision, WeightBits: p.WeightBits, LatentBits: bits, Normalisation: p.Normalisation,
		Conditional: p.Conditional, Decoder: p.Decoder, Sum: p.Sum,
	}, name)
}

// A Job is one training.
type Job struct {
	Loss         string                   `json:"loss"`
	Architecture autoencoder.Architecture `json:"architecture"`
	Seed         uint64                   `json:"seed"`
}

// Name is the job as part of a file name.
func (j Job) Name() string {
	bits := ""
	if j.Architecture.LatentBits != 0 {
		bits = fmt.Sprintf("-%dbit", j.Architecture.LatentBits)
	}
	return fmt.Sprintf("%s%s-%s-seed%d", j.Architecture.Precision, bits, j.Loss, j.Seed)
}

// losses are the plan's in their normal form; those that are none as they are,
// for Check to refuse.
func (p Plan) losses() []string {
	list := slices.Clone(p.Losses)
	for i, l := range list {
		if normal, err := loss.Normal(l); err == nil {
			list[i] = normal
		}
	}
	return list
}

// Jobs lists the trainings, the first seed of everything first.
func (p Plan) Jobs() []Job {
	bits := p.Bits
	if len(bits) == 0 {
		bits = []int{0}
	}
	var jobs []Job
	for s := range p.Seeds {
		for _, precision := range p.Precisions {
			for _, b := range bits {
				for _, l := range p.losses() {
					decoder, _, _ := loss.Stages(l)
					jobs = append(jobs, Job{Loss: l, Seed: p.Seed + uint64(s), Architecture: p.Architecture(decoder, precision, b)})
				}
			}
		}
	}
	return jobs
}

// Check reports what does not fit, naming the key and what it may be, before
// anything is trained. cnn says whether an EMD CNN is there.
func (p Plan) Check(cnn bool) error {
	for _, k := range []struct {
		key  string
		v    int
		most int
	}{{"seeds", p.Seeds, 1000}, {"epochs", p.Epochs, 1_000_000}, {"batch", p.Batch, 100_000}} {
		if k.v < 1 || k.v > k.most {
			return fmt.Errorf("compare: %s = %d: want 1 to %d", k.key, k.v, k.most)
		}
	}
	switch {
	case len(p.Losses) == 0:
		return fmt.Errorf("compare: losses: none is named; the losses are %s", strings.Join(loss.Names(), ", "))
	case len(p.Precisions) == 0:
		return fmt.Errorf("compare: precisions: none is named; they are %s", strings.Join(autoencoder.PresetNames(), ", "))
	case p.Pretraining != nil && (p.Pretraining.Epochs < 1 || p.Pretraining.Epochs > 1_000_000):
		return fmt.Errorf("compare: pretrain_epochs = %d: want 1 to 1000000", p.Pretraining.Epochs)
	case p.Patience < 0:
		return fmt.Errorf("compare: patience = %d: want epochs, or 0 to run them all", p.Patience)
	case !(p.Rate > 0 && p.Rate < 1):
		return fmt.Errorf("compare: learning_rate = %v: want a number between 0 and 1", p.Rate)
	case !(p.Threshold > 0):
		return fmt.Errorf("compare: threshold = %v: want a positive charge", p.Threshold)
	case p.Output != "" && p.Output != OutputByLoss && !slices.Contains(autoencoder.Outputs(), p.Output):
		return fmt.Errorf("compare: output = %q: it may be %s or %s", p.Output, strings.Join(autoencoder.Outputs(), ", "), OutputByLoss)
	case p.Schedule != "" && !slices.Contains(autoencoder.Schedules(), p.Schedule):
		return fmt.Errorf("compare: schedule = %q: it may be %s", p.Schedule, strings.Join(autoencoder.Schedules(), ", "))
	}
	if _, err := loss.Distinct(p.Losses); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, j := range p.Jobs() {
		if err := j.Architecture.Check(); err != nil {
			return err
		}
		t, err := loss.Describe(j.Loss)
		if err != nil {
			return err
		}
		if t.CNN && !cnn {
			return fmt.Errorf("compare: losses: %s needs the weights of a trained EMD CNN; train one and name it", j.Loss)
		}
		if seen[j.Name()] {
			return fmt.Errorf("compare: %s is asked for twice", j.Name())
		}
		seen[j.Name()] = true
	}
	return nil
}

// Data are the three parts of the images, and the images of the pretraining, if
// the plan has one.
type Data struct {
	Train, Validation, Test *wafer.Set
	Pretraining             *wafer.Set
}

// shares of the images for training, validation and the table.
var shares = []float64{0.6, 0.2, 0.2}

// Split deals the images into parts: the same for every seed of the plan, so
// that all trainings are compared on the same held-out images.
func Split(images *wafer.Set, seed uint64) (Data, error) {
	if images.Len() < 10 {
		return Data{}, fmt.Errorf("compare: %d images are too few to train on and to measure", images.Len())
	}
	parts, err := images.Split(seed, shares...)
	if err != nil {
		return Data{}, err
	}
	return Data{Train: parts[0], Validation: parts[1], Test: parts[2]}, nil
}
