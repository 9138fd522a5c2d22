package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"barrow/econt"
	"barrow/internal/outfile"
)

func newEcontRun(c *common) *cobra.Command {
	f := &chipFlags{}
	var out string
	var force, drain bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the chip on a test vector",
		Long: `Runs the chip on the input words of a test vector and writes its output words
as CSV, in the layout of the golden testOutput.csv: one row a bunch crossing.
Registers that the file leaves out take their reset values, which is said on
standard error.`,
		Example: "  barrow econt run --config BC_5eTx/init.yaml --input testInput.csv --out testOutput.csv",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneStdin(append([]string{f.input}, f.config...)...); err != nil {
				return err
			}
			notes := remarks(cmd, c)
			if out != "-" {
				if err := outfile.Check(out, force); err != nil {
					return err
				}
			}
			r, err := f.chip(cmd, notes)
			if err != nil {
				return err
			}
			write := func(w io.Writer) error { return f.run(cmd, c, r.Config, w, drain) }
			if out == "-" {
				return write(cmd.OutOrStdout())
			}
			return outfile.Write(out, force, write)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&out, "out", "-", "output file; - is standard output")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite the output file")
	cmd.Flags().BoolVar(&drain, "drain", false, "go on after the last row until the buffer is empty")
	return cmd
}

// run steps through the rows of the input and says what deserves notice.
func (f *chipFlags) run(cmd *cobra.Command, c *common, config econt.Config, w io.Writer, drain bool) error {
	chip, err := econt.New(config)
	if err != nil {
		return err
	}
	out := econt.NewOutputWriter(w)
	rows, err := f.step(cmd, c, chip, out, drain)
	if err != nil {
		return err
	}
	remarkCounts(remarks(cmd, c), chip.Truncated(), chip.Overflows(), rows)
	return out.Flush()
}

func (f *chipFlags) step(cmd *cobra.Command, c *common, chip *econt.Emulator, out *econt.OutputWriter, drain bool) (rows int, err error) {
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	in, err := f.openInput(cmd, bar)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	rows, err = chip.Run(cmd.Context(), in, out, drain)
	if err == nil && rows == 0 {
		err = fmt.Errorf("%s: a header and no rows", f.input)
	}
	return rows, err
}

// remarkCounts says how many frames were truncated or not decided by a golden.
func remarkCounts(notes io.Writer, truncated, overflows, rows int) {
	if truncated > 0 {
		fmt.Fprintf(notes, "%d of %d frames were truncated by the buffer\n", truncated, rows)
	}
	if overflows > 0 {
		fmt.Fprintf(notes, "%d of %d frames have an encoder output above nine bits: no golden says what the chip does (--overflow)\n", overflows, rows)
	}
}
