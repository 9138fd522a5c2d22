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
	"barrow/study/decoders"
)

// tableFlags are what the command takes beside its settings.
type tableFlags struct {
	runFlags
	quick bool
}

func newDecoderTable(c *common) *cobra.Command {
	f := &tableFlags{}
	cmd := &cobra.Command{
		Use:   "table",
		Short: "Algorithms × links × images, each with rules by hand and learned decoders",
		Long: `Trains decoders of several seeds for each of the chip's algorithms on each number
of links, on simulated images and then on those of wafer files, and measures them on
held-out images beside the rules by hand: mean exact EMD, response, the ratio to the
better rule with its interval, and what is best. A TOML file (--config) may hold any
of the settings; flags outrank it.

Interrupted (Ctrl-C), it saves; the same command goes on from there.`,
		Example: `  barrow decoder table --quick --out runs/decoders
  barrow decoder table --ld ldm.csv --hd hdm.csv --links 3,4,5
  barrow decoder table --algorithms bc,stc4 --seeds 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, c) },
	}
	plan := decoders.Default()
	f.add(cmd, "decoders", bind.Flags(cmd.Flags(), &plan))
	cmd.Flags().BoolVar(&f.quick, "quick", false, "a small run, of five minutes at most on two cores")
	return cmd
}

func (f *tableFlags) run(cmd *cobra.Command, c *common) error {
	if err := f.open(); err != nil {
		return err
	}
	plan := decoders.Default()
	if f.quick {
		plan = decoders.Quick()
	}
	f.settings.Into(&plan)
	if err := needless(cmd.Flags(),
		purpose{[]string{"order", "header", "layout", "tree", "charge", "quirk", "tune-epochs"}, "wafer files, with --data, --ld or --hd", len(plan.Data)+len(plan.Low)+len(plan.High) > 0},
	); err != nil {
		return err
	}
	start := time.Now()
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	r, times, err := decoders.Start(cmd.Context(), f.out, plan, decoders.Settings{Threads: c.threads, Force: f.force, Progress: bar.set, Remark: remark(cmd, c), Stream: stream(cmd)})
	if err != nil {
		return f.explain(err)
	}
	bar.close()
	return printDecoders(cmd.OutOrStdout(), c, f.out, r, times, time.Since(start))
}

// printDecoders prints the tables of all sets.
func printDecoders(w io.Writer, c *common, out string, r *decoders.Results, times *decoders.Times, elapsed time.Duration) error {
	if c.json {
		return jsonout.Encode(w, struct {
			*decoders.Results
			Times *decoders.Times `json:"times"`
		}{r, times})
	}
	for _, t := range r.Tables() {
		fmt.Fprintln(w, t.Title)
		if err := printAligned(w, t.Rows); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%s\n\n", decoders.Legend)
	_, err := fmt.Fprintf(w, "%s in all; the report is %s\n", elapsed.Round(time.Second), filepath.Join(out, run.Report))
	return err
}
