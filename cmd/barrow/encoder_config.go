package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"barrow/autoencoder"
	"barrow/loss"
	"barrow/study/compare"
)

// encoderConfig is what a training can be told, by flags or by a TOML file with
// these keys. A flag that is given outranks the file.
type encoderConfig struct {
	Data   []string `toml:"data"`
	Events int      `toml:"events"`
	Preset string   `toml:"preset"`
	Order  string   `toml:"order"`
	Metric string   `toml:"metric"`
	MIP    float64  `toml:"mip"`

	Loss string `toml:"loss"`
	CNN  string `toml:"emd_cnn"`

	Precision     string `toml:"precision"`
	WeightBits    int    `toml:"weight_bits"`
	LatentBits    int    `toml:"latent_bits"`
	Links         int    `toml:"links"`
	Normalisation string `toml:"normalisation"`
	Range         int    `toml:"range"`
	Conditional   bool   `toml:"conditional"`
	Decoder       string `toml:"decoder"`
	Output        string `toml:"output"`
	Sum           string `toml:"sum"`

	Pretrain       []string `toml:"pretrain"`
	PretrainEpochs int      `toml:"pretrain_epochs"`

	Epochs    int     `toml:"epochs"`
	Batch     int     `toml:"batch"`
	Rate      float64 `toml:"learning_rate"`
	Schedule  string  `toml:"schedule"`
	Patience  int     `toml:"patience"`
	ZeroStart bool    `toml:"zero_start"`

	Seed  uint64 `toml:"seed"`
	Seeds int    `toml:"seeds"`
}

var outputUsage = fmt.Sprintf("last layer of the decoder dense or residual: %s, or %s, squares for losses of shapes (default %s; %s with --decoder %s)",
	strings.Join(autoencoder.Outputs(), ", "), compare.OutputByLoss, autoencoder.OutputSigmoid, compare.OutputByLoss, autoencoder.DecoderResidual)

var sumUsage = fmt.Sprintf("what decoded images sum to: %s, as the decoder has it, or %s, the module's sum of every frame, in nine bits (default %s; %s with squares)",
	autoencoder.SumDecoded, autoencoder.SumSent, autoencoder.SumDecoded, autoencoder.SumSent)

// budgetFlags are those of a training's budget and kind that "encoder train"
// and "compare" share.
func (f *encoderConfig) budgetFlags(flags *pflag.FlagSet) {
	d := compare.Default()
	flags.StringVar(&f.CNN, "emd-cnn", "", "weights `file` or run folder of the EMD network, for the loss emd-cnn (default: the built-in one)")
	flags.IntVar(&f.WeightBits, "weight-bits", 0, "bits of the encoder's weights, sign included, instead of the precision's own")
	flags.StringVar(&f.Normalisation, "normalisation", d.Normalisation, "of the images: "+strings.Join(autoencoder.Normalisations(), ", "))
	flags.IntVar(&f.Range, "range", 0, "largest decoded charge in a cell, 1 (default) or 2, in units of the normalised image")
	flags.BoolVar(&f.Conditional, "conditional", false, "decode with eight conditions: η, wafer place and type, charge, layer")
	flags.StringVar(&f.Decoder, "decoder", autoencoder.DecoderPaper, "layers off the detector: "+strings.Join(autoencoder.Decoders(), ", "))
	flags.StringVar(&f.Output, "output", "", outputUsage)
	flags.StringVar(&f.Sum, "sum", "", sumUsage)
	flags.StringArrayVar(&f.Pretrain, "pretrain", nil, "wafer `file` to train on first, such as simulated images like yours; may be repeated")
	flags.IntVar(&f.PretrainEpochs, "pretrain-epochs", 30, "epochs on the images of --pretrain; the training proper then starts at a tenth of --rate")
	flags.IntVar(&f.Epochs, "epochs", d.Epochs, "epochs at most")
	flags.IntVar(&f.Batch, "batch", 0, fmt.Sprintf("images a step (default %s)", recipes(func(batch int, _ float64) any { return batch })))
	flags.Float64Var(&f.Rate, "rate", 0, fmt.Sprintf("learning rate, at the start (default %s)", recipes(func(_ int, rate float64) any { return rate })))
	flags.StringVar(&f.Schedule, "schedule", d.Schedule, "course of the learning rate: "+strings.Join(autoencoder.Schedules(), ", "))
	flags.IntVar(&f.Patience, "patience", d.Patience, "epochs without a better validation loss before stopping; 0 runs them all")
	flags.BoolVar(&f.ZeroStart, "zero-start", false, "start all biases at 0, as the paper does, not at the data's mean with live outputs")
	flags.Float64Var(&f.MIP, "mip", d.Threshold, "charge above which a cell counts as occupied")
}

// recipes says what suits each of the decoders.
func recipes(of func(batch int, rate float64) any) string {
	dense, residual := autoencoder.DecoderDense, autoencoder.DecoderResidual
	return fmt.Sprintf("%v; %v with --decoder %s or %s", of(compare.Recipe(autoencoder.DecoderPaper)), of(compare.Recipe(dense)), dense, residual)
}

// readConfig fills the settings in from a TOML file, calls takeOver, which hands
// on those that are bound elsewhere, and then applies the given flags again.
// Unknown keys and values of the wrong kind are errors that name them.
func readConfig(cmd *cobra.Command, path string, f *encoderConfig, takeOver func()) error {
	if path == "" {
		return nil
	}
	given := map[string][]string{}
	cmd.Flags().Visit(func(g *pflag.Flag) {
		given[g.Name] = []string{g.Value.String()}
		if list, ok := g.Value.(pflag.SliceValue); ok {
			given[g.Name] = list.GetSlice()
		}
	})
	meta, err := toml.DecodeFile(path, f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return fmt.Errorf("%s: unknown key %q; the keys are %s", path, unknown[0], strings.Join(configKeys(), ", "))
	}
	takeOver()
	for name, value := range given {
		g := cmd.Flag(name)
		if list, ok := g.Value.(pflag.SliceValue); ok {
			err = list.Replace(value)
		} else {
			err = g.Value.Set(value[0])
		}
		if err != nil {
			return fmt.Errorf("--%s: %w", name, err)
		}
	}
	return nil
}

// configKeys lists the keys of a configuration file.
func configKeys() []string {
	var keys []string
	t := reflect.TypeFor[encoderConfig]()
	for i := range t.NumField() {
		keys = append(keys, t.Field(i).Tag.Get("toml"))
	}
	return keys
}

// plan turns the settings into a comparison of the named losses.
func (f *encoderConfig) plan(losses, precisions []string, bits []int) (compare.Plan, error) {
	p := compare.Plan{
		Losses: losses, Precisions: precisions, Bits: bits, Seeds: f.Seeds, Seed: f.Seed,
		Epochs: f.Epochs, Batch: f.Batch, Rate: f.Rate, Schedule: f.Schedule, Patience: f.Patience, WeightBits: f.WeightBits,
		Normalisation: f.Normalisation, Range: f.Range, Conditional: f.Conditional, Decoder: f.Decoder, Output: f.Output, Sum: f.Sum, ZeroStart: f.ZeroStart,
		Metric: f.Metric, Threshold: f.MIP, CNN: f.CNN,
	}
	if p.Decoder == autoencoder.DecoderPaper {
		p.Decoder = "" // as in runs of before there were others
	}
	if p.Output == "" {
		p.Output = compare.DefaultOutput(p.Decoder)
	}
	batch, rate := compare.Recipe(p.Decoder)
	if p.Batch == 0 {
		p.Batch = batch
	}
	if p.Rate == 0 {
		p.Rate = rate
	}
	if len(f.Pretrain) > 0 {
		p.Pretraining = &compare.Pretraining{Source: strings.Join(f.Pretrain, ", "), Epochs: f.PretrainEpochs}
	}
	return p, p.Check(true)
}

// oneWidth is the width of the outputs that a training is asked for, by bits or
// by links, as a plan takes it.
func (f *encoderConfig) oneWidth() ([]int, error) {
	switch {
	case f.Links != 0 && f.LatentBits != 0:
		return nil, fmt.Errorf("links = %d and latent_bits = %d: give one of the two", f.Links, f.LatentBits)
	case f.Links != 0:
		b, err := autoencoder.LatentBits(f.Links)
		return []int{b}, err
	case f.LatentBits != 0:
		return []int{f.LatentBits}, nil
	}
	return nil, nil
}

var lossHelp = `Losses:

` + loss.Help() + `
and weighted sums of them such as emd+energy or emd+0.1*telescope. emd@telescope
keeps the encoder that the telescope MSE trains and trains another decoder for
it, with the EMD. Precisions: ` + strings.Join(autoencoder.PresetNames(), ", ") + `.`
