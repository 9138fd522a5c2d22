// Package decode trains decoders of the chip's frames as a run: on simulated images and on
// those of files, from one seed or from several, and measures them on held-out images
// beside the rules by hand, in the chip's integers. Trainings are checkpointed and finished
// ones are kept; everything but the times is the same on every run and for every number
// of threads.
package decode

import (
	"fmt"

	"barrow/decoder"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/loss"
	"barrow/model/file"
	"barrow/run"
	"barrow/study/images"
	"barrow/study/internal/inputs"
)

// A Plan says for which frames a decoder is trained, and how. It is saved with the run.
type Plan struct {
	images.Input
	Chip
	decoder.Architecture

	Loss       string   `json:"loss" help:"loss to train with, or a sum of losses"`
	Pretrain   []string `json:"pretrain,omitempty" repeat:"true" value:"file" help:"wafer file to train on first, in place of fresh simulated images, with --data; may be repeated"`
	Epochs     int      `json:"epochs" help:"epochs on simulated images, or on those of --pretrain"`
	PerEpoch   int      `json:"images_per_epoch" flag:"images" help:"simulated images an epoch, fresh ones in each"`
	Batch      int      `json:"batch" help:"images a step in those epochs"`
	DataEpochs int      `json:"data_epochs" help:"epochs on the images of --data, then"`
	DataBatch  int      `json:"data_batch" help:"images a step in those"`
	Rate       float64  `json:"learning_rate" flag:"rate" help:"learning rate, at the start of either part"`

	Metric string `json:"metric" value:"file" help:"ground metric, or a CSV file of x,y per cell"`
	CNN    string `json:"emd_cnn,omitempty" value:"file" help:"weights file or run folder of the EMD network, for losses that need it (default: builtin, the one that comes with Barrow)"`
	Seed   uint64 `json:"seed" help:"seed of every random choice; the same seed gives the same bits"`
	Seeds  int    `json:"seeds" help:"trainings, one seed after the other, of which the best is kept"`

	Source         string `json:"source"`                                                                 // where the images come from, in words
	Digest         string `json:"digest" label:"the images"`                                              // of the images
	PretrainDigest string `json:"pretrain_digest,omitempty" label:"the images that are trained on first"` // of theirs
}

// Default is the course that decoders are compared after, for best choice on four links.
func Default() Plan { return of(decoder.Normal(), 20_000) }

// Quick is the quick course.
func Quick() Plan { return of(decoder.Quick(), 8000) }

func of(c decoder.Course, events int) Plan {
	return Plan{
		Input: images.Default(events), Chip: defaultChip(), Architecture: decoder.Architecture{Units: 128, Blocks: 2}, Loss: "emd",
		Epochs: c.Simulated.Epochs, PerEpoch: c.PerEpoch, Batch: c.Simulated.Batch,
		DataEpochs: c.Given.Epochs, DataBatch: c.Given.Batch, Rate: c.Simulated.Rate,
		Metric: hgcal.Metrics()[0], Seed: 1, Seeds: 1,
	}
}

// course is how long the plan's decoders learn.
func (p Plan) course() decoder.Course {
	return decoder.Course{
		Simulated: decoder.Budget{Epochs: p.Epochs, Batch: p.Batch, Rate: p.Rate}, PerEpoch: p.PerEpoch, Validation: max(1000, min(5000, p.PerEpoch/4)),
		Given: decoder.Budget{Epochs: p.DataEpochs, Batch: p.DataBatch, Rate: p.Rate},
	}
}

// Choices are the values that a setting of the plan may have, those of the structs that it
// embeds apart.
func (p Plan) Choices(key string) []string {
	switch key {
	case "loss":
		return loss.Names()
	case "metric":
		return hgcal.Metrics()
	}
	if c := p.Chip.Choices(key); c != nil {
		return c
	}
	return p.Input.Choices(key)
}

// Help tells of settings that mean something else than in other studies.
func (p Plan) Help(key string) string {
	switch key {
	case "data":
		return "wafer file to learn from after simulated images, or a pattern of names, of which a fifth is held out to measure by; may be repeated"
	case "events":
		return "simulated images to measure by, and a quarter of them to choose by, without --data"
	case "preset":
		return "what is simulated to learn from"
	}
	return ""
}

// builtIn stands for the program's own EMD network, as commands call it.
const builtIn = "builtin"

// More of each than any training has.
const (
	maxCount = 1_000_000
	maxSeeds = 1000
)

// Check reports what does not fit, by the setting's key, before any work.
func (p Plan) Check() error {
	if err := p.Input.Check(); err != nil {
		return err
	}
	if err := p.Chip.Check(); err != nil {
		return err
	}
	if err := p.Architecture.Check(); err != nil {
		return err
	}
	for _, n := range []struct {
		key     string
		v, most int
	}{
		{"epochs", p.Epochs, maxCount}, {"batch", p.Batch, maxCount}, {"data_epochs", p.DataEpochs, maxCount},
		{"data_batch", p.DataBatch, maxCount}, {"seeds", p.Seeds, maxSeeds},
	} {
		if err := limit.Count(n.key+" =", n.v, n.most); err != nil {
			return fmt.Errorf("decode: %w", err)
		}
	}
	if err := p.course().Check(); err != nil {
		return err
	}
	switch {
	case !(p.Rate > 0):
		return fmt.Errorf("decode: learning_rate = %v: want a number between 0 and 1", p.Rate)
	case len(p.Data) == 0 && p.Events < leastEvents:
		return fmt.Errorf("decode: events = %d: want %d or more, to measure and to choose by", p.Events, leastEvents)
	case len(p.Pretrain) > 0 && len(p.Data) == 0:
		return fmt.Errorf("decode: pretrain = %q: without data there is nothing to be trained on afterwards: name those files as data", p.Pretrain)
	}
	return p.checkLoss()
}

// leastEvents are enough to be split.
const leastEvents = 20

func (p Plan) checkLoss() error {
	if err := checkMetric(p.Metric); err != nil {
		return err
	}
	t, err := loss.Describe(p.Loss)
	switch {
	case err != nil:
		return fmt.Errorf("decode: loss: %w", err)
	case !t.CNN && p.CNN != "":
		return fmt.Errorf("decode: emd_cnn = %q: the loss %s needs no network", p.CNN, p.Loss)
	case t.CNN && p.CNN == "" && p.Metric != hgcal.Metrics()[0]:
		return fmt.Errorf("decode: metric = %q: the loss %s needs a network for it: train one and name it as emd_cnn", p.Metric, p.Loss)
	}
	if _, encoder, err := loss.Stages(p.Loss); err != nil || encoder != "" {
		return fmt.Errorf("decode: loss = %q: a decoder has one loss, the encoder stays as it is", p.Loss)
	}
	return nil
}

func checkMetric(name string) error {
	points, err := hgcal.Positions(name)
	if err == nil && len(points) != hgcal.Cells {
		err = fmt.Errorf("decode: metric = %q: %d cells, an image has %d", name, len(points), hgcal.Cells)
	}
	return err
}

// Kind of a run's folder.
func Kind() run.Kind { return run.Kind{Name: "decoder", Version: 1} }

// inputs are the files that the training reads beside images.
func (p Plan) inputs() ([]run.Input, error) {
	list, err := inputs.Metric(p.Metric)
	if err != nil {
		return nil, err
	}
	chip, err := p.Chip.inputs()
	if err != nil {
		return nil, err
	}
	list = append(list, chip...)
	if p.CNN == "" || p.CNN == builtIn {
		return list, nil
	}
	paths, err := file.EstimatorFiles(p.CNN)
	if err != nil {
		return nil, err
	}
	network, err := inputs.Files("the EMD network", paths)
	return append(list, network...), err
}
