package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"barrow/evaluate"
	"barrow/internal/jsonout"
	"barrow/internal/setting/bind"
	"barrow/run"
	"barrow/study/reproduce"
)

// reproduceFlags are what the main job takes beside its settings.
type reproduceFlags struct {
	runFlags
	quick, full bool
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

A TOML file (--config) may hold any of the settings; flags outrank it.

Interrupted (Ctrl-C), it saves; the same command goes on from there. Three to six
minutes on two cores, half a minute to a whole one with --quick.`,
		Example: `  barrow reproduce
  barrow reproduce --quick --out runs/quick
  barrow reproduce --data ldm.csv --data hdm.csv --out runs/real`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, c) },
	}
	config := reproduce.Default()
	f.add(cmd, "reproduce", bind.Flags(cmd.Flags(), &config))
	flags := cmd.Flags()
	flags.BoolVar(&f.quick, "quick", false, "a small run, of a minute at most on two cores")
	flags.BoolVar(&f.full, "full", false, "five losses, three precisions, five seeds, beside the paper's figures: up to two hours; --preset electrons is nearest to the paper's images")
	return cmd
}

// run carries out one of the kinds of run, on its defaults and the settings that were given.
func (f *reproduceFlags) run(cmd *cobra.Command, c *common) error {
	if f.quick && f.full {
		return errors.New("--quick and --full: give one of the two")
	}
	if err := f.read(cmd); err != nil {
		return err
	}
	config := reproduce.Default()
	switch {
	case f.quick:
		config = reproduce.Quick()
	case f.full:
		config = reproduce.FullDefault()
	}
	f.settings.Into(&config)
	ctx, start := cmd.Context(), time.Now()
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	s := reproduce.Settings{Threads: c.threads, Progress: bar.set, Force: f.force, Remark: remark(cmd, c), Stream: stream(cmd)}
	if f.full {
		results, times, err := reproduce.StartFull(ctx, f.out, config, s)
		if err != nil {
			return f.explain(err)
		}
		bar.close()
		return printFull(cmd, c, f.out, results, times, time.Since(start))
	}
	results, times, err := reproduce.Start(ctx, f.out, config, s)
	if err != nil {
		return f.explain(err)
	}
	bar.close()
	return printReproduced(cmd.OutOrStdout(), c, f.out, results, times, time.Since(start))
}

// printReproduced is the closing table.
func printReproduced(w io.Writer, c *common, out string, r *reproduce.Results, t reproduce.Times, elapsed time.Duration) error {
	if c.json {
		return jsonout.Encode(w, struct {
			*reproduce.Results
			Times reproduce.Times `json:"times"`
		}{r, t})
	}
	fmt.Fprintf(w, "%s: %d training, %d validation, %d held-out images\n\n", r.Config.Source, r.Split.Train, r.Split.Validation, r.Split.Test)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "encoder loss\tmean EMD\tmedian\t16–84 %\tratio to telescope\t")
	for _, f := range r.Encoders[0].Fidelity.Others() {
		fmt.Fprint(tw, f.Label, "\t")
	}
	fmt.Fprintln(tw, "seconds\t")
	for _, e := range r.Encoders {
		ratio := "–"
		if e.Ratio > 0 {
			ratio = fmt.Sprintf("%.3f", e.Ratio)
		}
		v := e.Fidelity.Of(evaluate.EMD)
		fmt.Fprintf(tw, "%s\t%.3f\t%.3f\t%.2f–%.2f\t%s\t", e.Loss, v.Mean, v.Median, v.P16, v.P84, ratio)
		for _, f := range e.Fidelity.Others() {
			fmt.Fprint(tw, f.Figure.Print(f.Mean), "\t")
		}
		fmt.Fprintf(tw, "%.1f\t\n", t.Seconds("encoder "+e.Loss))
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
