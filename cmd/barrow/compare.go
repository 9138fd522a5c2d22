package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"barrow/internal/jsonout"
	"barrow/internal/setting/bind"
	"barrow/run"
	"barrow/study/compare"
)

func newCompare(c *common) *cobra.Command {
	plan := compare.Default()
	plan.Losses, plan.Seeds = []string{"weighted-mse", "telescope", "emd", "emd+energy"}, 3
	var f runFlags
	var trigger physicsPart
	var protocol protocolPart
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Losses × precisions × output widths × seeds in one table",
		Long: `Trains an encoder with every combination of losses, precisions, output widths
and seeds on the same images at the same budget, as many at a time as there are
threads, and prints what each keeps of held-out images (mean over seeds ± their
standard deviation, the worst seed), how it compares with the telescope MSE of
the same precision, width and seed, and what it costs. Interrupted, the same
command goes on. A TOML file (--config) may hold any of the settings; flags
outrank it.

A protocol (--protocol) is a table of contenders that are compared at equal bits and on
equal images by fidelity, cost and stability, with ranks, some of which need no
training. Those that come with the program:

` + protocolsHere + `
A TOML file of your own may take their place; docs/protocol.md has its keys. Flags and --config
outrank the protocol's settings. --quick takes its quick run's.

With --physics the encoders then go through what "barrow physics" does, in a folder
within the run's, and the table has what they leave of particles.

` + lossHelp,
		Example: `  barrow compare --losses telescope,emd,emd+energy --seeds 5 --out runs/compare
  barrow compare --protocol ten --out runs/ten
  barrow compare --protocol spatial --data ldm.csv --out runs/spatial-ldm
  barrow compare --losses telescope,emd --precisions asic --links 2,3,4,5 --out runs/links
  barrow compare --data ldm.csv --losses telescope,emd-cnn,emd --emd-cnn runs/cnn --epochs 600 --batch 20`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			table, times, err := f.compare(cmd, c, compare.Kind(), &plan, compareParts{&trigger, &protocol})
			if err != nil {
				return f.ended(cmd, c, err)
			}
			if err := printTable(cmd, c, table, times); err != nil || c.json {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nthe report is %s\n", filepath.Join(f.out, run.Report))
			return err
		},
	}
	helpWithProtocols(cmd)
	f.add(cmd, "compare", bind.Flags(cmd.Flags(), &plan))
	f.cuts(cmd)
	trigger.add(cmd.Flags())
	protocol.add(cmd.Flags())
	return cmd
}

// printTable prints a comparison: what it found, then what it cost.
func printTable(cmd *cobra.Command, c *common, t *compare.Table, times *compare.Times) error {
	w := cmd.OutOrStdout()
	if c.json {
		return jsonout.Encode(w, struct {
			*compare.Table
			Times *compare.Times `json:"times"`
		}{t, times})
	}
	seeds := "one seed"
	if n := t.Plan.Seeds; n > 1 {
		seeds = fmt.Sprintf("%d seeds", n)
	}
	fmt.Fprintf(w, "%s: %d training, %d validation, %d held-out images; %s\n\n", t.Plan.Source, t.Images[0], t.Images[1], t.Images[2], seeds)
	if t.Protocol != nil {
		return printProtocol(w, t, times)
	}
	if err := printRows(w, t); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := printChip(w, t.Chip); err != nil {
		return err
	}
	if err := printTrigger(w, t); err != nil {
		return err
	}
	return printCosts(w, t, times)
}

func printRows(w io.Writer, t *compare.Table) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "loss\tprecision\tbits\tmean EMD\tworst seed\tmedian\t16–84 %%\tratio to %s\tmade worse\tp\t", t.Baseline)
	if t.HasMSE() {
		fmt.Fprint(tw, "ratio to mse, 95 %\tlower?\t")
	}
	for _, f := range t.Figures() {
		fmt.Fprint(tw, f.Label, "\t")
	}
	fmt.Fprintln(tw)
	toMSE := t.AgainstMSE()
	for i, r := range t.Rows {
		base := t.AgainstBaseline(r)
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%.3f\t%.3f\t%.2f–%.2f\t%s\t",
			r.Loss, r.Precision, r.Width(), r.EMD.Print(), r.Worst, r.Median.Mean, r.P16.Mean, r.P84.Mean, strings.Join(base[:], "\t"))
		if t.HasMSE() {
			fmt.Fprint(tw, strings.Join(toMSE[i], "\t"), "\t")
		}
		for _, f := range r.Figures {
			fmt.Fprint(tw, f.Print(), "\t")
		}
		fmt.Fprintln(tw)
	}
	return tw.Flush()
}

// printChip prints the chip's other algorithms, if there are any.
func printChip(w io.Writer, c *compare.Chip) error {
	if c == nil {
		return nil
	}
	fmt.Fprintf(w, "The chip's other algorithms on the same images, wafer density %s:\n", c.Density)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range c.Rows() {
		for _, cell := range row {
			fmt.Fprint(tw, cell, "\t")
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

func printCosts(w io.Writer, t *compare.Table, times *compare.Times) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "loss\tprecision\tbits\tseconds a training\tweights\tmultiplications\twafers/s\t")
	for i, r := range t.Rows {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%.1f\t%d\t%d\t%.3g\t\n", r.Loss, r.Precision, r.Width(), times.Rows[i].Seconds,
			r.Cost.Weights, r.Cost.Multiplications, times.Rows[i].Wafers)
	}
	return tw.Flush()
}
