// Package compare trains encoders with every combination of losses, precisions,
// output widths and seeds on the same images at the same budget, and puts what
// they keep of held-out images, what they cost and how much the seed matters
// into one table. Trainings are checkpointed and finished ones are kept, so
// that an interrupted comparison goes on where it was; everything but the times
// is the same on every run and for every number of threads.
package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"barrow/autoencoder"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/loss"
	"barrow/run"
	"barrow/study/images"
	"barrow/study/internal/learned"
	"barrow/wafer"
)

// A Plan says what is compared and at which budget: the settings of a comparison, and what
// was read by them. It is saved with the run. A setting of the images, of the encoder or of its
// training is a field of the struct that is embedded for it.
type Plan struct {
	images.Input

	Losses     []string `json:"losses" one:"loss" help:"losses to train with, and sums and stages of them"` // as loss.Describe takes them
	Precisions []string `json:"precisions" one:"precision" help:"number formats"`                           // presets of autoencoder
	// Bits are those of the encoder's outputs, the precisions' own by default; Links says the
	// same by links.
	Bits  []int `json:"latent_bits,omitempty" one:"latent_bits" help:"bits of each of the encoder's outputs, 1 to 9 (default: the precision's own)"`
	Links []int `json:"links,omitempty" one:"links" help:"the same by links: 1, 3, 5, 7, 9 bits on 1 to 5"`

	// Architecture is that of all encoders; Precision and LatentBits are each job's. Its Output
	// may be OutputByLoss, too, and is by default what suits the decoder.
	autoencoder.Architecture
	// Budget is that of every training. A batch or rate of 0 is what suits the decoder.
	autoencoder.Budget

	// Start is the weights file that all trainings start from, or autoencoder.StartMeta; by default
	// they start from random weights.
	Start string `json:"start,omitempty" value:"file" help:"weights file of an encoder to start from, or a run's folder with one, or meta, a start that learns new wafers in few steps (default: random weights)"`

	// Pretrain names the wafer files of a first training, of which there may be many more
	// images; the epoch is chosen by the plan's own validation images, and the training proper
	// then starts at a tenth of the rate.
	Pretrain       []string `json:"pretrain,omitempty" repeat:"true" value:"file" help:"wafer file to train on first, such as simulated images like yours; may be repeated"`
	PretrainEpochs int      `json:"pretrain_epochs" help:"epochs on the images to train on first; the training proper then starts at a tenth of the rate"`

	// Learned are algorithms of the chip that are set beside the encoders, on their links, by hand
	// and with decoders that see as many images as an encoder.
	Learned []string `json:"learned,omitempty" help:"algorithms of the chip to set beside the encoders, on their links, with decoders that are trained here (default: none)"`

	Metric    string  `json:"metric" value:"file" help:"ground metric, or a CSV file of x,y per cell"`
	Threshold float64 `json:"mip" help:"charge above which a cell counts as occupied"`
	CNN       string  `json:"emd_cnn,omitempty" value:"file" help:"weights file or run folder of the EMD network, for losses that need it (default: builtin, the one that comes with Barrow)"`
	Seed      uint64  `json:"seed" help:"seed of every random choice; the same seed gives the same bits"` // of the first training; the others follow
	Seeds     int     `json:"seeds" help:"trainings of each kind, one seed after the other"`

	// Protocol is the table of contenders that the losses are of, with others beside them; nil for
	// none.
	Protocol *Protocol `json:"protocol,omitempty"`

	Source         string `json:"source"`                                                                 // where the images come from, in words
	Digest         string `json:"digest" label:"the images"`                                              // of the images
	PretrainDigest string `json:"pretrain_digest,omitempty" label:"the images that are trained on first"` // of theirs
}

// Default fills in the budget that serves all losses well: chosen for the
// telescope MSE and kept for the others (docs/results.md).
func Default() Plan {
	return Plan{
		Input: images.Default(50_000), Precisions: []string{"float"}, Seeds: 1, Seed: 1,
		Architecture: autoencoder.Architecture{Normalisation: autoencoder.Normalisations()[0]},
		Budget:       autoencoder.Budget{Epochs: 100, Schedule: "warm-cosine"},
		Metric:       hgcal.Metrics()[0], Threshold: evaluate.MIP, PretrainEpochs: 30,
	}
}

// Choices are the values that a setting of the plan may have, those of the structs that it
// embeds apart.
func (p Plan) Choices(key string) []string {
	switch key {
	case "losses":
		return loss.Names()
	case "precisions":
		return autoencoder.PresetNames()
	case "output":
		return append(autoencoder.Outputs(), OutputByLoss)
	case "metric":
		return hgcal.Metrics()
	case "learned":
		return learned.Words()
	}
	return nil
}

// Help tells of settings whose defaults are not those of the structs that the plan embeds.
func (p Plan) Help(key string) string {
	if key == "output" {
		return "last layer of the decoder dense or residual (default sigmoid; by-loss, squares for losses of shapes, with residual)"
	}
	return ""
}

// Recipe is the batch and the learning rate that suit a decoder, found with the
// telescope MSE.
func Recipe(decoder string) (batch int, rate float64) {
	if decoder == autoencoder.DecoderDense || decoder == autoencoder.DecoderResidual {
		return 50, 1e-3
	}
	return 20, 3e-3
}

// Complete fills in what was left to the decoder: batch, rate and output.
func (p Plan) Complete() Plan {
	if p.Decoder == autoencoder.DecoderPaper {
		p.Decoder = "" // as in runs of before there were others
	}
	if w, err := autoencoder.ParseWidths(p.Mask); err == nil {
		p.Mask = w.String()
	}
	if p.Output == "" && p.Decoder == autoencoder.DecoderResidual {
		p.Output = OutputByLoss
	}
	batch, rate := Recipe(p.Decoder)
	if p.Batch == 0 {
		p.Batch = batch
	}
	if p.Rate == 0 {
		p.Rate = rate
	}
	return p
}

// OutputByLoss gives the decoders of losses that are distances of shapes alone,
// with or without the energy beside them, a squared output, without a limit, and
// the others a sigmoid.
const OutputByLoss = "by-loss"

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

// Encoder is what a loss, of those without an encoder of their own, trains under the plan.
func (p Plan) Encoder(name, precision string, bits int) autoencoder.Architecture {
	a := p.Architecture
	a.Precision, a.LatentBits = precision, bits
	return p.withOutput(a, name)
}

// A Job is one training.
type Job struct {
	Loss string `json:"loss"`
	// Algorithm is the chip's whose frames a decoder is trained for, instead of an encoder; its links are
	// those of the architecture.
	Algorithm    string                   `json:"algorithm,omitempty"`
	Architecture autoencoder.Architecture `json:"architecture"`
	Seed         uint64                   `json:"seed"`
	Rate         float64                  `json:"learning_rate,omitempty"` // where it is not the plan's
}

// Name is the job as part of a file name.
func (j Job) Name() string {
	bits := ""
	if j.Architecture.LatentBits != 0 {
		bits = fmt.Sprintf("-%dbit", j.Architecture.LatentBits)
	}
	if j.Architecture.Mask != "" {
		bits = "-" + strings.ReplaceAll(j.Architecture.Mask, ",", "-")
	}
	rate := ""
	if j.Rate != 0 {
		rate = fmt.Sprintf("-rate%g", j.Rate)
	}
	if j.Algorithm != "" {
		return fmt.Sprintf("%s-%dlinks-seed%d%s", j.Algorithm, j.Architecture.Links(), j.Seed, rate)
	}
	return fmt.Sprintf("%s%s-%s-seed%d%s", j.Architecture.Precision, bits, loss.FileName(j.Loss), j.Seed, rate)
}

// part is what the job is called in the run.
func (j Job) part() string {
	if j.Algorithm != "" {
		return decoderPart + j.Name()
	}
	return run.EncoderWeights + j.Name()
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

// widths are the bits of the outputs that are compared, 0 for the precision's own.
func (p Plan) widths() ([]int, error) {
	switch {
	case len(p.Links) > 0 && len(p.Bits) > 0:
		return nil, fmt.Errorf("compare: links = %v and latent_bits = %v: give one of the two", p.Links, p.Bits)
	case len(p.Bits) > 0:
		return p.Bits, nil
	case len(p.Links) == 0:
		return []int{0}, nil
	}
	if p.Mask != "" {
		return []int{0}, p.carried()
	}
	var bits []int
	for _, n := range p.Links {
		if n > maxLinks {
			return nil, fmt.Errorf("compare: links = %d: all bits of an encoder's outputs fill %d: want 1 to %d (bits of an output are latent_bits: 1, 3, 5, 7, 9 on 1 to 5 links)", n, maxLinks, maxLinks)
		}
		b, err := autoencoder.LatentBits(n)
		if err != nil {
			return nil, err
		}
		bits = append(bits, b)
	}
	return bits, nil
}

// carried reports a mask of more bits than the plan's links carry.
func (p Plan) carried() error {
	for _, n := range p.Links {
		if _, err := autoencoder.LatentBits(n); err != nil {
			return err
		}
		if need := p.Architecture.Links(); need > n {
			return fmt.Errorf("compare: mask = %q, links = %d: its %d bits need %d links: give %d, or a mask of fewer bits", p.Mask, n, outputs(p.Architecture), need, need)
		}
	}
	return nil
}

// Jobs lists the trainings, the first seed of everything first.
func (p Plan) Jobs() []Job {
	bits, err := p.widths()
	if err != nil {
		return nil // Check says why
	}
	var jobs []Job
	for s := range p.Seeds {
		for _, precision := range p.Precisions {
			for _, b := range bits {
				for _, l := range p.losses() {
					decoder, _, _ := loss.Stages(l)
					jobs = append(jobs, Job{Loss: l, Seed: p.Seed + uint64(s), Architecture: p.Encoder(decoder, precision, b)})
				}
			}
		}
	}
	return jobs
}

// More of each than any comparison has.
const (
	maxSeeds  = 1000
	maxJobs   = 100_000
	maxEpochs = 1_000_000
)

// Check reports what does not fit, naming the key and what it may be, before
// anything is trained. cnn says whether an EMD CNN is there.
func (p Plan) Check(cnn bool) error {
	if err := p.checkSizes(); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	if err := p.Budget.Check(); err != nil {
		return err
	}
	switch {
	case len(p.Losses) == 0:
		return fmt.Errorf("compare: no loss is named; the losses are %s", strings.Join(loss.Names(), ", "))
	case len(p.Precisions) == 0:
		return fmt.Errorf("compare: no precision is named; they are %s", strings.Join(autoencoder.PresetNames(), ", "))
	case !(p.Threshold > 0) || math.IsInf(p.Threshold, 0):
		return fmt.Errorf("compare: mip = %v: want a positive charge", p.Threshold)
	}
	if p.Output != "" {
		if err := setting.Choice("output", p.Output, p.Choices("output")); err != nil {
			return fmt.Errorf("compare: %w", err)
		}
	}
	if err := p.checkLearned(); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	if err := p.checkProtocol(); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	bits, err := p.widths()
	if err != nil {
		return err
	}
	if err := limit.Count("trainings", len(p.Losses)*len(p.Precisions)*len(bits)*p.Seeds, maxJobs); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	return p.checkJobs(cnn)
}

// checkSizes checks the numbers of which the trainings are made.
func (p Plan) checkSizes() error {
	if err := limit.Count("seeds =", p.Seeds, maxSeeds); err != nil {
		return err
	}
	if err := limit.Count("epochs =", p.Epochs, maxEpochs); err != nil {
		return err
	}
	if len(p.Pretrain) > 0 {
		return limit.Count("pretrain_epochs =", p.PretrainEpochs, maxEpochs)
	}
	return nil
}

// checkJobs does what Check does of each training.
func (p Plan) checkJobs(cnn bool) error {
	if _, err := loss.Distinct(p.Losses); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, j := range p.Jobs() {
		if err := j.Architecture.Check(); err != nil {
			return err
		}
		if p.Start != "" && j.Algorithm == "" {
			if err := j.Architecture.CheckStart(p.Start); err != nil {
				return err
			}
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
