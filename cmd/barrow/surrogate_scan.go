package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"barrow/internal/jsonout"
	"barrow/internal/setting/bind"
	"barrow/study/estimate"
)

func newSurrogateScan(c *common) *cobra.Command {
	plan := estimate.DefaultScan()
	var f runFlags
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Train a list of architectures with several losses, best first",
		Long: `Trains every architecture with every loss, --repeats times from different
starts, and prints a row for each as it is done; at the end all rows again, the
smallest root mean square of the relative difference on held-out pairs first.
Networks that are done are kept in the folder: interrupted, the same command goes
on. A TOML file (--config) may hold any of the settings; flags outrank it.

By default the paper's list of eight architectures, its three losses and three
repeats: 72 networks, the larger ones ten times as costly as the first.`,
		Example: `  barrow surrogate scan --pairs 50000 --epochs 20 --out runs/scan
  barrow surrogate scan --architectures n1,paper,potential --losses mse --repeats 1 --out runs/three`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, done, err := f.estimate(cmd, c)
			if err != nil {
				return err
			}
			if s.Cut, err = f.cut(cmd); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if !c.json {
				head := scanHead + "\n"
				s.Trial = func(t estimate.Trial) {
					fmt.Fprint(out, head, scanRow(t), "\n")
					head = ""
				}
			}
			r, err := estimate.Scan(cmd.Context(), f.out, plan, s)
			done()
			if err != nil {
				return f.ended(cmd, c, f.explain(err))
			}
			if c.json {
				return jsonout.Encode(out, r)
			}
			return printScan(out, r)
		},
	}
	f.add(cmd, "scan", bind.Flags(cmd.Flags(), &plan))
	f.cuts(cmd)
	return cmd
}

const scanHead = "architecture         loss       no.     bias  spread  cosine     p10  best epoch"

func scanRow(t estimate.Trial) string {
	a := t.Accuracy
	return fmt.Sprintf("%-20s %-10s %3d  %+.4f  %.4f  %.4f  %.4f  %10d", t.Architecture, t.Loss, t.Repeat, a.Bias, a.Spread, a.CosineMedian, a.CosineP10, t.BestEpoch)
}

func printScan(w io.Writer, r *estimate.ScanResults) error {
	if _, err := fmt.Fprintf(w, "\nBest first:\n%s\n", scanHead); err != nil {
		return err
	}
	for _, t := range r.Trials {
		if _, err := fmt.Fprintln(w, scanRow(t)); err != nil {
			return err
		}
	}
	return nil
}
