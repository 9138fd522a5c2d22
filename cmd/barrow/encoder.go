package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/run"
	"barrow/simulate"
	"barrow/study/compare"
	"barrow/surrogate"
	"barrow/wafer"
	"barrow/wafer/csvio"
)

func newEncoder(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "encoder",
		Short:   "Train and measure the autoencoder of the trigger chip",
		Example: "  barrow encoder train --loss emd+energy --precision asic --out runs/asic\n  barrow encoder eval --weights runs/asic images.csv",
	}
	cmd.AddCommand(newEncoderTrain(c), newEncoderEval(c))
	return cmd
}

type encoderTrain struct {
	encoderConfig
	training trainingFlags
	config   string
}

func newEncoderTrain(c *common) *cobra.Command {
	f := &encoderTrain{}
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train the autoencoder with any loss, in floating point or quantised",
		Long: `Trains the encoder of the trigger chip with its decoder on wafer images,
simulated or yours. The folder keeps the weights, the training curves and the
evaluation on held-out images. Interrupted, the same command goes on.

With --seeds N it trains N times, from N starts on the same images, and keeps
the one with the smallest validation loss. A TOML file (--config) may hold any
of the settings; flags outrank it. The precision asic computes what the chip
computes, bit for bit.

` + lossHelp,
		Example: `  barrow encoder train --loss emd+energy --out runs/emd
  barrow encoder train --precision asic --links 3 --seeds 5 --out runs/asic
  barrow encoder train --config encoder.toml --data ldm.csv --out runs/ldm`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, c) },
	}
	flags := cmd.Flags()
	f.training.add(cmd, filepath.Join("runs", "encoder"))
	f.budgetFlags(flags)
	flags.StringVar(&f.config, "config", "", "TOML `file` with settings")
	flags.StringVar(&f.Loss, "loss", "emd", "loss to train with")
	flags.StringVar(&f.Precision, "precision", "float", "number formats: "+strings.Join(autoencoder.PresetNames(), ", "))
	flags.IntVar(&f.LatentBits, "latent-bits", 0, "bits of each of the encoder's outputs, 1 to 9 (default: the precision's own)")
	flags.IntVar(&f.Links, "links", 0, "the same by links: 1, 3, 5, 7, 9 bits on 1 to 5")
	flags.IntVar(&f.Seeds, "seeds", 1, "trainings, from --seed on")
	return cmd
}

func (f *encoderTrain) run(cmd *cobra.Command, c *common) error {
	f.Data, f.Events, f.Preset = f.training.data, f.training.events, f.training.preset
	f.Order, f.Metric, f.Seed = f.training.order, f.training.metric, c.seed
	takeOver := func() {
		f.training.data, f.training.events, f.training.preset = f.Data, f.Events, f.Preset
		f.training.order, f.training.metric, c.seed = f.Order, f.Metric, f.Seed
	}
	if err := readConfig(cmd, f.config, &f.encoderConfig, takeOver); err != nil {
		return err
	}
	f.Metric, f.Seed = f.training.metric, c.seed
	bits, err := f.oneWidth()
	if err != nil {
		return err
	}
	plan, err := f.plan([]string{f.Loss}, []string{f.Precision}, bits)
	if err != nil {
		return err
	}
	table, times, folder, err := f.training.compare(cmd, c, compare.EncoderKind(), plan, f.Pretrain)
	if err != nil {
		return err
	}
	defer folder.Close()
	best := bestJob(table)
	weights := compare.Weights(folder, best)
	model, err := autoencoder.Load(weights, nn.Settings{Threads: c.threads})
	if err != nil {
		return err
	}
	kept := folder.Path(run.Weights, run.EncoderWeights+best.Loss+run.WeightsEnding)
	if err := model.Save(kept); err != nil {
		return err
	}
	if c.json {
		return printTable(cmd, c, table, times)
	}
	if err := printTable(cmd, c, table, times); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "\nthe encoder of seed %d is kept as %s\n", best.Seed, kept)
	return nil
}

// bestJob is the training with the smallest validation loss in a table of one
// kind.
func bestJob(t *compare.Table) compare.Job {
	best := 0
	for k, v := range t.Rows[0].Validation {
		if v < t.Rows[0].Validation[best] {
			best = k
		}
	}
	return t.Plan.Jobs()[best]
}

// compare carries out a plan on the images that the flags name, after a training
// on those of the files pretrain.
func (f *trainingFlags) compare(cmd *cobra.Command, c *common, kind run.Kind, plan compare.Plan, pretrain []string) (*compare.Table, *compare.Times, *run.Folder, error) {
	ctx := cmd.Context()
	if _, err := groundMetric(plan.Metric); err != nil {
		return nil, nil, nil, err
	}
	resources := compare.Resources{Threads: c.threads}
	var err error
	if resources.CNN, err = network(&plan); err != nil {
		return nil, nil, nil, err
	}
	images, source, err := f.labelled(ctx, c, remarks(cmd, c))
	if err != nil {
		return nil, nil, nil, err
	}
	plan.Source, plan.Digest = source, images.Digest()
	if plan.Conditional {
		if _, err := autoencoder.Conditions(images); err != nil {
			return nil, nil, nil, err
		}
	}
	data, err := compare.Split(images, plan.Seed)
	if err != nil {
		return nil, nil, nil, err
	}
	if plan.Pretraining != nil {
		if data.Pretraining, err = f.readLabelled(pretrain, remarks(cmd, c)); err != nil {
			return nil, nil, nil, err
		}
		plan.Pretraining.Digest = data.Pretraining.Digest()
	}
	id, err := plan.Identity(kind)
	if err != nil {
		return nil, nil, nil, err
	}
	folder, err := f.open(cmd, c, id)
	if err != nil {
		return nil, nil, nil, err
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	resources.Progress = func(r compare.Report) {
		bar.set(r.Share, fmt.Sprintf("training %d of %d", min(r.Done+1, r.Jobs), r.Jobs))
	}
	table, times, err := compare.Run(ctx, folder, plan, data, resources)
	bar.close()
	if err != nil {
		folder.Close()
		return nil, nil, nil, f.explain(err)
	}
	return table, times, folder, nil
}

// network is how to load the EMD network that a plan's losses need: the one it
// names, or the one that comes with the program.
func network(plan *compare.Plan) (func() (loss.Distance, error), error) {
	needed := slices.ContainsFunc(plan.Losses, func(l string) bool { t, err := loss.Describe(l); return err == nil && t.CNN })
	if !needed {
		if plan.CNN != "" {
			return nil, fmt.Errorf("--emd-cnn %s: no loss needs it: %s", plan.CNN, strings.Join(plan.Losses, ", "))
		}
		return nil, nil
	}
	if plan.CNN == "" {
		if plan.Metric != "benchmark" {
			return nil, fmt.Errorf("the loss emd-cnn needs a network for the metric %s: train one with \"barrow surrogate train\" and name it with --emd-cnn", plan.Metric)
		}
		plan.CNN = compare.BuiltIn
		return func() (loss.Distance, error) { return surrogate.BuiltIn(nn.Settings{Threads: 1}) }, nil
	}
	if _, err := loadSurrogate(plan.CNN, 1); err != nil {
		return nil, err
	}
	name := plan.CNN
	return func() (loss.Distance, error) { return loadSurrogate(name, 1) }, nil
}

// labelled is images with the metadata columns kept.
func (f *trainingFlags) labelled(ctx context.Context, c *common, remarks io.Writer) (*wafer.Set, string, error) {
	if len(f.data) > 0 {
		set, err := f.readLabelled(f.data, remarks)
		return set, strings.Join(f.data, ", "), err
	}
	if f.events < 1 {
		return nil, "", fmt.Errorf("--events %d: must be at least 1", f.events)
	}
	set, err := simulate.Generate(f.events, simulate.Settings{Preset: f.preset, Seed: c.seed, Threads: c.threads})
	if err != nil {
		return nil, "", err
	}
	set, _ = set.NonZero()
	return set, fmt.Sprintf("%d simulated images (%s)", f.events, f.preset), ctx.Err()
}

// readLabelled joins wafer files with their metadata, or without it where the
// files' columns differ.
func (f *imageFlags) readLabelled(paths []string, remarks io.Writer) (*wafer.Set, error) {
	order, err := hgcal.ParseOrder(f.order)
	if err != nil {
		return nil, err
	}
	all := &wafer.Set{}
	for _, path := range paths {
		s, err := csvio.ReadFile(path, csvio.Options{Order: order})
		if err != nil {
			return nil, err
		}
		s, zero := s.NonZero()
		if zero > 0 {
			fmt.Fprintf(remarks, "%s: %d images without charge left out, %d kept\n", path, zero, s.Len())
		}
		if err := all.Append(s); err != nil {
			fmt.Fprintf(remarks, "%s: %v: the columns are left out\n", path, err)
			all = all.WithoutColumns()
			if err := all.Append(s.WithoutColumns()); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	if all.Len() == 0 {
		return nil, fmt.Errorf("%s: no image with charge", strings.Join(paths, ", "))
	}
	return all, nil
}

func printEncoder(cmd *cobra.Command, c *common, e *evaluate.Encoder) error {
	w := cmd.OutOrStdout()
	if c.json {
		return json.NewEncoder(w).Encode(e)
	}
	fmt.Fprintf(w, "%d images: mean EMD %.4f, median %.4f, 16–84 %% %.4f–%.4f; response %.3f ± %.3f\n",
		e.EMD.N, e.EMD.Mean, e.EMD.Median, e.EMD.P16, e.EMD.P84, e.Response.Mean, e.Response.Std)
	if e.Shapes != nil {
		fmt.Fprintf(w, "centre of gravity moved by %.3f, width by %+.3f on average\n", e.Shapes.Centre.Mean, e.Shapes.Width.Mean)
	}
	for _, b := range e.ByOccupancy {
		fmt.Fprintf(w, "%2.0f–%-2.0f cells hit: median %.3f, 16–84 %% %.3f–%.3f (%d images)\n", b.Low, b.High-1, b.Median, b.P16, b.P84, b.N)
	}
	for _, b := range e.ByEta {
		fmt.Fprintf(w, "|η| %.2f–%.2f: median %.3f, 16–84 %% %.3f–%.3f (%d images)\n", b.Low, b.High, b.Median, b.P16, b.P84, b.N)
	}
	return nil
}
