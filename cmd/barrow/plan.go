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
	"barrow/study/plan"
)

// planFlags are what the command takes beside its settings.
type planFlags struct {
	runFlags
	quick bool
}

func newPlan(c *common) *cobra.Command {
	f := &planFlags{}
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Which algorithm to load on which module of an endcap",
		Long: `Says how each module of an endcap should be set: with which of the trigger chip's
algorithms, or which encoder with which bits of its outputs, and how what it sends is
decoded, by hand or as a decoder has learned. Modules of equal links and density, near
in layer and |η|, are a class; its candidates are measured on images, simulated or of
wafer files, and the best is measured once more on others. docs/plan.md has all of it.

Leaves plan.csv, a row a module, register files in the three dialects for every setting,
results.json and a page with each layer coloured by choice. A TOML file (--config) may
hold any of the settings; flags outrank it.

Interrupted (Ctrl-C), it saves; the same command goes on from there.`,
		Example: `  barrow plan --quick --out runs/plan
  barrow plan --geometry v16 --figure worst --weights-limit 4
  barrow plan --modules modules.csv --data 'wafers-*.parquet'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, c) },
	}
	settings := plan.Default()
	f.add(cmd, "plan", bind.Flags(cmd.Flags(), &settings))
	f.cuts(cmd)
	cmd.Flags().BoolVar(&f.quick, "quick", false, "a small run, of ten minutes at most on two cores")
	return cmd
}

func (f *planFlags) run(cmd *cobra.Command, c *common) error {
	if err := f.open(); err != nil {
		return err
	}
	settings := plan.Default()
	if f.quick {
		settings = plan.Quick()
	}
	f.settings.Into(&settings)
	data := len(settings.Data) > 0
	if err := needless(cmd.Flags(),
		purpose{[]string{"class-images"}, "simulated images, without --data", !data},
		purpose{[]string{"order", "header", "layout", "tree", "charge", "quirk", "tune-epochs"}, "wafer files, with --data", data},
		purpose{[]string{"events", "epochs"}, "encoders and decoders, which --encoder-links 0 and --decoders 0 leave out", settings.Learns()},
		purpose{[]string{"mask"}, "encoders, which --encoder-links 0 leaves out", settings.Encodes()},
	); err != nil {
		return err
	}
	cut, err := f.cut(cmd)
	if err != nil {
		return err
	}
	start := time.Now()
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	r, times, err := plan.Start(cmd.Context(), f.out, settings, plan.Settings{
		Cut: cut, Threads: c.threads, Force: f.force, Progress: bar.set, Remark: remark(cmd, c), Stream: stream(cmd),
	})
	if err != nil {
		return f.ended(cmd, c, f.explain(err))
	}
	bar.close()
	return printPlan(cmd.OutOrStdout(), c, f.out, r, times, time.Since(start))
}

// printPlan is the closing table.
func printPlan(w io.Writer, c *common, out string, r *plan.Results, times *plan.Times, elapsed time.Duration) error {
	if c.json {
		return jsonout.Encode(w, struct {
			*plan.Results
			Times *plan.Times `json:"times"`
		}{r, times})
	}
	fmt.Fprintf(w, "%s\n\n", r.Words())
	if err := printPlanTable(w, r.Overview); err != nil {
		return err
	}
	if head, _ := r.Seeds(); head != nil {
		fmt.Fprintln(w)
		if err := printPlanTable(w, r.Seeds); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n%s in all; the modules are in %s, the report is %s\n", r.Conclusion(), elapsed.Round(time.Second),
		filepath.Join(out, run.Modules), filepath.Join(out, run.Report))
	return err
}

// printPlanTable prints one.
func printPlanTable(w io.Writer, table func() ([]string, [][]string)) error {
	head, rows := table()
	return printAligned(w, append([][]string{head}, rows...))
}
