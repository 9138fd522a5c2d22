package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"barrow/internal/setting/bind"
	"barrow/run"
)

// runFlags are those of a command that fills a run's folder, beside its settings.
type runFlags struct {
	out, config string
	force       bool
	shard       shardFlag // of commands that call cuts
	settings    *bind.Binding
	before      os.FileInfo // of the run that the folder held, if any
}

// add makes the flags; the run's folder is called name by default.
func (f *runFlags) add(cmd *cobra.Command, name string, settings *bind.Binding) {
	flags := cmd.Flags()
	f.settings = settings
	flags.StringVar(&f.out, "out", filepath.Join("runs", name), "`folder` of the run")
	flags.BoolVar(&f.force, "force", false, "replace the run that the folder holds")
	usage := "TOML `file` with settings, called as the flags are, with _ for -"
	if renamed := settings.Renamed(); renamed != "" {
		usage += " (" + renamed + ")"
	}
	flags.StringVar(&f.config, "config", "", usage)
}

// open reads the configuration file and looks at what the folder holds.
func (f *runFlags) open() error {
	if err := f.settings.ReadTOML(f.config); err != nil {
		return err
	}
	if info, err := os.Stat(filepath.Join(f.out, run.Config)); err == nil {
		f.before = info
	}
	return nil
}

// read is open for studies of images. It refuses flags that would change nothing beside
// the other settings. Keys of a file may: it can serve several commands.
func (f *runFlags) read(cmd *cobra.Command) error {
	if err := f.open(); err != nil {
		return err
	}
	data, first := !f.settings.Zero("data"), !f.settings.Zero("pretrain")
	return needless(cmd.Flags(),
		purpose{[]string{"events", "preset"}, "simulated images, without --data", !data},
		purpose{[]string{"order", "header", "layout", "tree", "charge", "quirk"}, "wafer files, with --data", data || first},
		purpose{[]string{"pretrain-epochs"}, "a first training, with --pretrain", first},
	)
}

// explain adds to an interruption's error how to go on, once there is a folder to go on in.
func (f *runFlags) explain(err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	now, none := os.Stat(filepath.Join(f.out, run.Config))
	if none != nil {
		return err
	}
	if f.before != nil && os.SameFile(f.before, now) {
		// Resumed; or the run that is there is another, to be replaced or in the way.
		if of, bad := run.Inspect(f.out); f.force || bad != nil || of.Finished {
			return err
		}
	}
	return saved{err, f.out, f.force}
}

// remark is where a library says what a user should know but did not ask for.
func remark(cmd *cobra.Command, c *common) func(string) {
	w := remarks(cmd, c)
	return func(text string) { fmt.Fprintln(w, text) }
}

// stream is what a study reads for the name of standard input.
func stream(cmd *cobra.Command) func(string) io.Reader {
	return func(name string) io.Reader {
		if name == "-" {
			return cmd.InOrStdin()
		}
		return nil
	}
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
