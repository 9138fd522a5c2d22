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
	"barrow/study/physics"
)

// physicsFlags are what the command takes beside its settings.
type physicsFlags struct {
	runFlags
	quick bool
}

func newPhysics(c *common) *cobra.Command {
	f := &physicsFlags{}
	cmd := &cobra.Command{
		Use:   "physics",
		Short: "What the trigger sees: energy, place and identity of particles by algorithm",
		Long: `Draws events of an endcap (or reads ntuples), sends every wafer through the
trigger chip by each of its algorithms and by trained encoders, on the links that
the modules have, finds and calibrates clusters in what arrives, and measures what
that leaves of particles: response, resolution, position, shape, efficiency, what
tells them from pile-up, and rates, each with its error. Each half of the events
is calibrated by the other. docs/physics.md defines all of it.

Encoders that are not given (--encoder, --compare) are trained first, in the
chip's precision, on wafers of simulated events. A TOML file (--config) may hold
any of the settings; flags outrank it.

Interrupted (Ctrl-C), it saves; the same command goes on from there.`,
		Example: `  barrow physics --quick --out runs/physics
  barrow physics --events 20000 --contenders stc4,bc,telescope,emd --links 3
  barrow physics --encoder mine=runs/asic --encoder other=model.keras
  barrow physics --data 'nt_*.root' --minimum-bias-data mb.root --compare runs/compare`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, c) },
	}
	plan := physics.Default()
	f.add(cmd, "physics", bind.Flags(cmd.Flags(), &plan))
	f.cuts(cmd)
	cmd.Flags().BoolVar(&f.quick, "quick", false, "a small run, of five minutes at most on two cores")
	return cmd
}

func (f *physicsFlags) run(cmd *cobra.Command, c *common) error {
	if err := f.open(); err != nil {
		return err
	}
	plan := physics.Default()
	if f.quick {
		plan = physics.Quick()
	}
	f.settings.Into(&plan)
	plan = plan.Settle(f.settings.Given, remark(cmd, c))
	data := len(plan.Data) > 0
	if err := needless(cmd.Flags(),
		purpose{[]string{"pt", "eta", "pileup"}, "simulated events, without --data", !data || plan.Learns() || plan.MinimumBias > 0 && len(plan.Others) == 0},
		purpose{[]string{"order", "tree", "charge"}, "ntuples, with --data or --minimum-bias-data", data || len(plan.Others) > 0},
		purpose{[]string{"training-images", "epochs"}, "encoders and decoders that are trained here", plan.Learns()},
		purpose{[]string{"decoder", "per-link", "emd-cnn"}, "encoders that are trained here", plan.Trains()},
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
	r, times, err := physics.Start(cmd.Context(), f.out, plan, physics.Settings{Cut: cut, Threads: c.threads, Force: f.force, Progress: bar.set, Remark: remark(cmd, c)})
	if err != nil {
		return f.ended(cmd, c, f.explain(err))
	}
	bar.close()
	return printPhysics(cmd.OutOrStdout(), c, f.out, r, times, time.Since(start))
}

// printPhysics is the closing table.
func printPhysics(w io.Writer, c *common, out string, r *physics.Results, times *physics.Times, elapsed time.Duration) error {
	if c.json {
		return jsonout.Encode(w, struct {
			*physics.Results
			Times *physics.Times `json:"times"`
		}{r, times})
	}
	fmt.Fprintf(w, "%s\n%s\n\n", r.Words(), r.OnLinks())
	head, rows := r.Overview()
	if err := printAligned(w, append([][]string{head}, rows...)); err != nil {
		return err
	}
	for _, note := range r.Notes() {
		fmt.Fprintln(w, note)
	}
	_, err := fmt.Fprintf(w, "\n%s in all; the report is %s\n", elapsed.Round(time.Second), filepath.Join(out, run.Report))
	return err
}
