package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/run"
	"barrow/study/compare"
	"barrow/study/reproduce"
	"barrow/wafer"
)

// reproduceFlags are what the main job takes.
type reproduceFlags struct {
	training      trainingFlags
	quick, full   bool
	epochs, pairs int
	threshold     float64
	losses        []string
	density       string

	// Of a full run only.
	decoder        string
	output, sum    string
	precisions     []string
	schedule       string
	size           int
	pretrain       []string
	pretrainEpochs int
}

func newReproduce(c *common) *cobra.Command {
	f := &reproduceFlags{}
	cmd := &cobra.Command{
		Use:   "reproduce",
		Short: "The main job: train the EMD CNN and the encoders, evaluate, report",
		Long: `Draws wafer images (or reads yours), trains the EMD CNN on exact distances,
trains the encoder with weighted MSE, telescope MSE, EMD-CNN loss and exact-EMD
loss (alone, and with one that keeps the energy) at equal budget, evaluates them
on held-out images, beside the chip's other algorithms at equal bandwidth, and
leaves report.html, results.json, times.json and the weights in a folder.

Interrupted (Ctrl-C), it saves; the same command goes on from there. About five
minutes on two cores, about one with --quick.`,
		Example: `  barrow reproduce
  barrow reproduce --quick --out runs/quick
  barrow reproduce --data ldm.csv --data hdm.csv --out runs/real`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, c) },
	}
	flags := cmd.Flags()
	f.training.add(cmd, filepath.Join("runs", "reproduce"))
	events := cmd.Flag("events")
	events.Usage, events.DefValue = events.Usage+"; 20000 with --quick", "60000"
	flags.BoolVar(&f.quick, "quick", false, "a small run of about one minute")
	flags.BoolVar(&f.full, "full", false, "five losses, three precisions, five seeds, beside the paper's figures: up to two hours; --preset electrons is nearest to the paper's images")
	cmd.MarkFlagsMutuallyExclusive("quick", "full")
	flags.IntVar(&f.epochs, "epochs", 0, "epochs of each encoder (default: what the budget allows)")
	flags.IntVar(&f.pairs, "pairs", 0, "pairs that the EMD CNN learns from (default 4000000, quick 1000000)")
	flags.Float64Var(&f.threshold, "mip", 0, "charge above which a cell counts as occupied (default 35 ADC counts, 1 MIP_T)")
	flags.StringVar(&f.density, "density", "", "wafers' density for the chip's other algorithms: ld or hd (default: what a column HD_LD says of each image, else ld)")
	flags.StringSliceVar(&f.losses, "losses", nil, "losses of the encoders (default "+strings.Join(reproduce.Losses(), ",")+")")
	flags.StringVar(&f.decoder, "decoder", "", "with --full: layers off the detector: "+strings.Join(autoencoder.Decoders(), ", "))
	flags.StringSliceVar(&f.precisions, "precisions", nil, "with --full: number formats (default "+strings.Join(reproduce.FullPrecisions(), ",")+")")
	flags.StringVar(&f.schedule, "schedule", compare.Default().Schedule, "with --full: course of the learning rate: "+strings.Join(autoencoder.Schedules(), ", "))
	flags.StringVar(&f.output, "output", "", "with --full: last layer of the decoder dense or residual")
	flags.StringVar(&f.sum, "sum", "", "with --full: what decoded images sum to")
	flags.IntVar(&f.size, "range", 0, "with --full: largest decoded charge in a cell, 1 (default) or 2")
	flags.StringArrayVar(&f.pretrain, "pretrain", nil, "with --full: wafer `file` that all networks learn from first; may be repeated")
	flags.IntVar(&f.pretrainEpochs, "pretrain-epochs", 30, "with --full: epochs on the images of --pretrain")
	return cmd
}

// onlyFull are the flags of a full run.
var onlyFull = []string{"decoder", "precisions", "schedule", "range", "output", "sum", "pretrain", "pretrain-epochs"}

func (f *reproduceFlags) run(cmd *cobra.Command, c *common) error {
	if f.full {
		return f.runFull(cmd, c)
	}
	for _, name := range onlyFull {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s is for the full comparison: add --full", name)
		}
	}
	ctx := cmd.Context()
	start := time.Now()
	budget := reproduce.DefaultBudget()
	if f.quick {
		budget = reproduce.QuickBudget()
	}
	if !cmd.Flags().Changed("events") {
		f.training.events = budget.Images
	}
	if cmd.Flags().Changed("pairs") {
		if err := positive(cmd, "pairs"); err != nil {
			return err
		}
		budget.Pairs = f.pairs
	}
	images, source, err := f.training.labelled(ctx, c)
	if err != nil {
		return err
	}
	if len(f.training.data) == 0 {
		source = "simulated images"
	}
	images = withDensity(images)
	config, err := f.config(cmd, images, source, c.seed, budget)
	if err != nil {
		return err
	}
	if err := config.Check(images); err != nil {
		return err
	}
	id, err := config.Identity()
	if err != nil {
		return err
	}
	folder, err := f.training.open(cmd, c, id)
	if err != nil {
		return err
	}
	defer folder.Close()
	bar := newProgress(cmd.ErrOrStderr(), c)
	results, times, err := reproduce.Run(ctx, folder, config, images, reproduce.Settings{Threads: c.threads, Progress: bar.set})
	bar.close()
	if err != nil {
		return f.training.explain(err)
	}
	return printReproduced(cmd.OutOrStdout(), c, f.training.out, results, times, time.Since(start))
}

func (f *reproduceFlags) config(cmd *cobra.Command, images *wafer.Set, source string, seed uint64, b reproduce.Budget) (reproduce.Config, error) {
	config := reproduce.NewConfig(images, source, f.training.metric, seed, b)
	if cmd.Flags().Changed("epochs") {
		if err := positive(cmd, "epochs"); err != nil {
			return config, err
		}
		config.Epochs = f.epochs
	}
	if cmd.Flags().Changed("mip") {
		if !(f.threshold > 0) {
			return config, fmt.Errorf("--mip %v: must be positive", f.threshold)
		}
		config.Threshold = f.threshold
	}
	if cmd.Flags().Changed("losses") {
		config.Losses = f.losses
	}
	config.Density = f.density
	return config, nil
}

// withDensity leaves of the metadata what says which wafers are of high density.
func withDensity(set *wafer.Set) *wafer.Set {
	out := set.WithoutColumns()
	if c := set.Find(wafer.Density); c != nil {
		out.Columns = []wafer.Column{*c}
	}
	return out
}

// printReproduced is the closing table.
func printReproduced(w io.Writer, c *common, out string, r *reproduce.Results, t reproduce.Times, elapsed time.Duration) error {
	if c.json {
		return json.NewEncoder(w).Encode(struct {
			*reproduce.Results
			Times reproduce.Times `json:"times"`
		}{r, t})
	}
	fmt.Fprintf(w, "%s: %d training, %d validation, %d held-out images\n\n", r.Config.Source, r.Split.Train, r.Split.Validation, r.Split.Test)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "encoder loss\tmean EMD\tmedian\t16–84 %\tratio to telescope\traw response\tseconds\t")
	for _, e := range r.Encoders {
		ratio := "–"
		if e.Ratio > 0 {
			ratio = fmt.Sprintf("%.3f", e.Ratio)
		}
		fmt.Fprintf(tw, "%s\t%.3f\t%.3f\t%.2f–%.2f\t%s\t%.3f\t%.1f\t\n", e.Loss, e.EMD.Mean, e.EMD.Median, e.EMD.P16, e.EMD.P84, ratio, e.Response.Mean, t.Seconds("encoder "+e.Loss))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if err := printBandwidth(w, r); err != nil {
		return err
	}
	fmt.Fprintln(w)
	fmt.Fprintln(tw, "EMD CNN on held-out pairs\tbias\tspread\tgradient cosine\tseconds\t")
	for _, p := range r.Surrogate.Pairs {
		fmt.Fprintf(tw, "%s\t%+.3f\t%.3f\t%.3f\t%.1f\t\n", p.Name, p.Bias, p.Spread, p.CosineMedian, t.Seconds("emd-cnn"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s in all; the report is %s\n", elapsed.Round(time.Second), filepath.Join(out, run.Report))
	return err
}

// printBandwidth sets the chip's other algorithms beside the encoders.
func printBandwidth(w io.Writer, r *reproduce.Results) error {
	b := r.Bandwidth
	if b.Missing != "" {
		_, err := fmt.Fprintf(w, "\nthe chip's other algorithms are not compared: %s\n", b.Missing)
		return err
	}
	fmt.Fprintf(w, "\nthe encoders with their outputs cut to what the links carry:\n")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "links\t")
	for _, x := range r.Encoders[0].OnLinks {
		fmt.Fprintf(tw, "%d (%d bits)\t", x.Links, x.Bits)
	}
	fmt.Fprintln(tw)
	for _, e := range r.Encoders {
		fmt.Fprintf(tw, "%s\t", e.Loss)
		for _, x := range e.OnLinks {
			fmt.Fprintf(tw, "%.3f\t", x.EMD.Mean)
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nthe chip's other algorithms on up to %d links, wafer density %s:\n", b.EncoderLinks, b.Density)
	return printBaselines(w, b.EncoderLinks, b.List())
}
