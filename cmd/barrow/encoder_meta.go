package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"barrow/internal/jsonout"
	"barrow/internal/setting/bind"
	"barrow/run"
	"barrow/study/fewshot"
)

func newEncoderMeta(c *common) *cobra.Command {
	settings := fewshot.Default()
	var f runFlags
	var quick bool
	cmd := &cobra.Command{
		Use:   "meta",
		Short: "Learn a start from which an encoder learns new wafers from few of them",
		Long: `Learns a start from many simulated tasks: modules in all places of the endcap, on two
to five links, with different particles and pile-up, new and aged (gain lost, cells
dead or hot, noise). On tasks that are held out it is then tuned for a few steps on
32 wafers, beside a start of pooled training that cost as much, and beside full
training on the whole task. The methods are maml (second order), fomaml (first
order) and reptile; docs/meta.md says how they work and what they gain.

The folder keeps the start of the first method as the weights of an encoder, to begin
other trainings with (barrow encoder train --start FILE), the results and a page with
the EMD by the number of steps. A TOML file (--config) may hold any of the settings;
flags outrank it.

Interrupted (Ctrl-C), it saves; the same command goes on from there.`,
		Example: `  barrow encoder meta --quick --out runs/meta
  barrow encoder meta --method fomaml --method maml --precision asic --precision float --seeds 5
  barrow encoder train --start meta --data wafers.csv --epochs 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.open(); err != nil {
				return err
			}
			p := fewshot.Default()
			if quick {
				p = fewshot.Quick()
			}
			f.settings.Into(&p)
			if err := needless(cmd.Flags(), purpose{[]string{"full-epochs"}, "full training, which --full 0 leaves out", p.Full > 0}); err != nil {
				return err
			}
			start := time.Now()
			bar := newProgress(cmd.ErrOrStderr(), c)
			defer bar.close()
			r, err := fewshot.Start(cmd.Context(), f.out, p, fewshot.Settings{Threads: c.threads, Force: f.force, Remark: remark(cmd, c), Progress: bar.set})
			if err != nil {
				return f.explain(err)
			}
			bar.close()
			return printMeta(cmd.OutOrStdout(), c, f.out, r, time.Since(start))
		},
	}
	f.add(cmd, "meta", bind.Flags(cmd.Flags(), &settings))
	cmd.Flags().BoolVar(&quick, "quick", false, "a small run, of two minutes at most on two cores")
	return cmd
}

// printMeta prints the contenders and what came of it.
func printMeta(w io.Writer, c *common, out string, r *fewshot.Results, elapsed time.Duration) error {
	if c.json {
		return jsonout.Encode(w, r)
	}
	if err := printAligned(w, withHead(r.Table())); err != nil {
		return err
	}
	for _, file := range r.Kept {
		fmt.Fprintf(w, "\nthe start is kept as %s", filepath.Join(out, filepath.FromSlash(file)))
	}
	_, err := fmt.Fprintf(w, "\n\n%s\n%s in all; the report is %s\n", r.Conclusion(), elapsed.Round(time.Second), filepath.Join(out, run.Report))
	return err
}
