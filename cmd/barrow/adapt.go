package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"barrow/internal/jsonout"
	"barrow/internal/setting/bind"
	"barrow/run"
	"barrow/study/drift"
)

func newAdapt(c *common) *cobra.Command {
	var f runFlags
	quick := false
	cmd := &cobra.Command{
		Use:   "adapt",
		Short: "Follow a detector that changes, off it and without training",
		Long: `Lets a detector change, step by step: radiation takes charge, cells die, noise grows,
the beam moves, pile-up changes. The encoder on it stays as it is. Off the detector a
small vector is tuned by extremum seeking (or SPSA, or along one coordinate after the other), from
what arrives alone: offsets of the encoder's 16 outputs, or the conditions of a
decoder that was trained in simulation for many states of the detector. Beside it stand
doing nothing, correcting the cells' gains by the same images, and training the decoder
or everything anew on the truth. docs/adapt.md has the method.

Drifts, each a table of its own, or TOML files of the same form:
` + driftHelp() + `
Interrupted (Ctrl-C), it saves; the same command goes on from there.`,
		Example: `  barrow adapt --quick --out runs/adapt
  barrow adapt --drifts noise,ageing --seeds 5
  barrow adapt --drifts mine.toml --module 9/1/4 --methods seek,spsa,coordinate`,
		Args: cobra.NoArgs,
	}
	plan := drift.Default()
	f.add(cmd, "adapt", bind.Flags(cmd.Flags(), &plan))
	cmd.Flags().BoolVar(&quick, "quick", false, "a small run, of less than two minutes on two cores: noise alone, one seed, smaller trainings")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.open(); err != nil {
			return err
		}
		plan := drift.Default()
		if quick {
			plan = drift.Quick()
		}
		f.settings.Into(&plan)
		start := time.Now()
		bar := newProgress(cmd.ErrOrStderr(), c)
		defer bar.close()
		r, times, err := drift.Start(cmd.Context(), f.out, plan, drift.Settings{Threads: c.threads, Force: f.force, Progress: bar.set, Remark: remark(cmd, c)})
		if err != nil {
			return f.explain(err)
		}
		bar.close()
		return printDrifts(cmd.OutOrStdout(), c, f.out, r, times, time.Since(start))
	}
	return cmd
}

// driftHelp lists the drifts that come with the program.
func driftHelp() string {
	var b strings.Builder
	for _, name := range drift.Presets() {
		about := "?"
		if d, err := drift.Read(name); err == nil { // a test reads them all
			about = d.About
		}
		fmt.Fprintf(&b, "  %-10s %s\n", name, about)
	}
	return b.String()
}

// printDrifts prints the table of each drift.
func printDrifts(w io.Writer, c *common, out string, r *drift.Results, times *drift.Times, elapsed time.Duration) error {
	if c.json {
		return jsonout.Encode(w, struct {
			*drift.Results
			Times *drift.Times `json:"times"`
		}{r, times})
	}
	for i := range r.Courses {
		t := r.Courses[i].Table()
		fmt.Fprintln(w, t.Title)
		if err := printAligned(w, withHead(t)); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	_, err := fmt.Fprintf(w, "%s\n\n%s in all; the report is %s\n", r.Note(), elapsed.Round(time.Second), filepath.Join(out, run.Report))
	return err
}
