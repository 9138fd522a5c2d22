package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/study/compare"
)

type compareFlags struct {
	encoderConfig
	training           trainingFlags
	losses, precisions []string
	bits, links        []int
}

func newCompare(c *common) *cobra.Command {
	f := &compareFlags{}
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Losses × precisions × output widths × seeds in one table",
		Long: `Trains an encoder with every combination of losses, precisions, output widths
and seeds on the same images at the same budget, as many at a time as there are
threads, and prints what each keeps of held-out images (mean over seeds ± their
standard deviation, the worst seed), how it compares with the telescope MSE of
the same precision, width and seed, and what it costs. Interrupted, the same
command goes on.

` + lossHelp,
		Example: `  barrow compare --losses telescope,emd,emd+energy --seeds 5 --out runs/compare
  barrow compare --losses telescope,emd --precisions asic --links 2,3,4,5 --out runs/links
  barrow compare --data ldm.csv --losses telescope,emd-cnn,emd --emd-cnn runs/cnn --epochs 600 --batch 20`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, c) },
	}
	flags := cmd.Flags()
	f.training.add(cmd, filepath.Join("runs", "compare"))
	f.budgetFlags(flags)
	flags.StringSliceVar(&f.losses, "losses", []string{"weighted-mse", "telescope", "emd", "emd+energy"}, "losses to train with")
	flags.StringSliceVar(&f.precisions, "precisions", []string{"float"}, "number formats: "+strings.Join(autoencoder.PresetNames(), ", "))
	flags.IntSliceVar(&f.bits, "latent-bits", nil, "bits of each of the encoder's outputs, 1 to 9 (default: the precision's own)")
	flags.IntSliceVar(&f.links, "links", nil, "the same by links: 1, 3, 5, 7, 9 bits on 1 to 5")
	flags.IntVar(&f.Seeds, "seeds", 3, "trainings of each kind, from --seed on")
	return cmd
}

func (f *compareFlags) run(cmd *cobra.Command, c *common) error {
	if len(f.links) > 0 && len(f.bits) > 0 {
		return fmt.Errorf("--links and --latent-bits: give one of the two")
	}
	bits := f.bits
	for _, n := range f.links {
		b, err := autoencoder.LatentBits(n)
		if err != nil {
			return err
		}
		bits = append(bits, b)
	}
	f.Metric, f.Seed = f.training.metric, c.seed
	plan, err := f.plan(f.losses, f.precisions, bits)
	if err != nil {
		return err
	}
	table, times, folder, err := f.training.compare(cmd, c, compare.Kind(), plan, f.Pretrain)
	if err != nil {
		return err
	}
	defer folder.Close()
	return printTable(cmd, c, table, times)
}

// printTable prints a comparison: what it found, then what it cost.
func printTable(cmd *cobra.Command, c *common, t *compare.Table, times *compare.Times) error {
	w := cmd.OutOrStdout()
	if c.json {
		return json.NewEncoder(w).Encode(struct {
			*compare.Table
			Times *compare.Times `json:"times"`
		}{t, times})
	}
	fmt.Fprintf(w, "%s: %d training, %d validation, %d held-out images; %d seeds\n\n", t.Plan.Source, t.Images[0], t.Images[1], t.Images[2], t.Plan.Seeds)
	if err := printRows(w, t); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return printCosts(w, t, times)
}

func printRows(w io.Writer, t *compare.Table) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "loss\tprecision\tbits\tmean EMD\tworst seed\tmedian\t16–84 %%\tratio to %s\tmade worse\tp\tresponse\tcentre\twidth\t\n", t.Baseline)
	for _, r := range t.Rows {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%.3f ± %.3f\t%.3f\t%.3f\t%.2f–%.2f\t%.3f ± %.3f\t%.1f %%\t%.3f\t%.3f ± %.3f\t%.3f\t%+.3f\t\n",
			r.Loss, r.Precision, bitsText(r.Bits), r.EMD.Mean, r.EMD.Std, r.Worst, r.Median.Mean, r.P16.Mean, r.P84.Mean, r.Ratio.Mean, r.Ratio.Std,
			100*r.Worse, r.P, r.Response.Mean, r.ResponseWidth, r.Centre, r.Width)
	}
	return tw.Flush()
}

func printCosts(w io.Writer, t *compare.Table, times *compare.Times) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "loss\tprecision\tbits\tseconds a training\tweights\tmultiplications\twafers/s\t")
	for i, r := range t.Rows {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%.1f\t%d\t%d\t%.3g\t\n", r.Loss, r.Precision, bitsText(r.Bits), times.Rows[i].Seconds,
			r.Cost.Weights, r.Cost.Multiplications, times.Rows[i].Wafers)
	}
	return tw.Flush()
}

func bitsText(bits int) string {
	if bits == 0 {
		return "–"
	}
	return fmt.Sprint(bits)
}
