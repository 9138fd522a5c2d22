package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"barrow/internal/setting/bind"
	"barrow/nn"
	"barrow/run"
	"barrow/simulate"
	"barrow/wafer"
)

// runFlags are those of a command that fills a run's folder, beside its settings.
type runFlags struct {
	out, config string
	force       bool
	settings    *bind.Binding
}

// add makes the flags; the run's folder is called name by default.
func (f *runFlags) add(cmd *cobra.Command, name string, settings *bind.Binding) {
	flags := cmd.Flags()
	f.settings = settings
	flags.StringVar(&f.out, "out", filepath.Join("runs", name), "`folder` of the run")
	flags.BoolVar(&f.force, "force", false, "replace the run that the folder holds")
	flags.StringVar(&f.config, "config", "", "TOML `file` with settings, called as the flags are, with _ for - (rate: learning_rate)")
}

// explain adds to an interruption's error how to go on.
func (f *runFlags) explain(err error) error {
	if errors.Is(err, context.Canceled) {
		return saved{err, f.out}
	}
	return err
}

// remark is where a library says what a user should know but did not ask for.
func remark(cmd *cobra.Command, c *common) func(string) {
	w := remarks(cmd, c)
	return func(text string) { fmt.Fprintln(w, text) }
}

// trainingFlags are those of every command that trains.
type trainingFlags struct {
	imageFlags
	data        []string
	events      int
	preset      string
	out, metric string
	force       bool
}

func (f *trainingFlags) add(cmd *cobra.Command, out string) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.data, "data", nil, "wafer `file` to train on instead of simulated images; may be repeated")
	flags.IntVar(&f.events, "events", 50_000, "simulated images")
	flags.StringVar(&f.preset, "preset", "mixed", "what is simulated: "+strings.Join(simulate.Presets(), ", "))
	flags.StringVar(&f.out, "out", out, "`folder` of the run")
	flags.StringVar(&f.metric, "metric", "benchmark", "ground metric: benchmark, cmssw or a CSV `file` of x,y per cell")
	flags.BoolVar(&f.force, "force", false, "replace the run that the folder holds")
	f.imageFlags.add(cmd)
}

// images reads or simulates the images and says in words where they are from.
func (f *trainingFlags) images(ctx context.Context, c *common) (*wafer.Set, string, error) {
	if len(f.data) > 0 {
		set, err := f.read(f.data)
		return set, strings.Join(f.data, ", "), err
	}
	if f.events < 1 {
		return nil, "", fmt.Errorf("--events %d: must be at least 1", f.events)
	}
	set, err := simulate.Generate(f.events, simulate.Settings{Preset: f.preset, Seed: c.seed, Threads: c.threads})
	if err != nil {
		return nil, "", err
	}
	set, _ = set.WithoutColumns().NonZero()
	return set, "simulated images", ctx.Err()
}

// open makes or resumes the run's folder, which the caller closes.
func (f *trainingFlags) open(cmd *cobra.Command, c *common, id run.Identity) (*run.Folder, error) {
	say := func(text string) { fmt.Fprintln(remarks(cmd, c), text) }
	folder, err := run.Open(f.out, id, run.Settings{Force: f.force, Remark: say})
	if err == nil && folder.Resumed() {
		say("going on with the interrupted run in " + f.out)
	}
	return folder, err
}

// explain adds to an interruption's error how to go on.
func (f *trainingFlags) explain(err error) error {
	if errors.Is(err, context.Canceled) {
		return saved{err, f.out}
	}
	return err
}

func lossCurve(h *nn.History) [][2]float64 {
	curve := make([][2]float64, len(h.Epochs))
	for i, e := range h.Epochs {
		curve[i] = [2]float64{e.Loss, e.Validation}
	}
	return curve
}

// printNumbers prints one %.12g number a line.
func printNumbers(w io.Writer, values []float64) error {
	b := make([]byte, 0, 1<<16)
	for _, v := range values {
		b = append(strconv.AppendFloat(b, v, 'g', 12, 64), '\n')
		if len(b) > 1<<15 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	_, err := w.Write(b)
	return err
}
