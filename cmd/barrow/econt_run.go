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
			notes := remarks(cmd, c)
			if out != "-" {
				if err := outfile.Check(out, force); err != nil {
					return err
				}
			}
			r, err := f.chip(notes)
			if err != nil {
				return err
			}
			rows, err := f.readInput()
			if err != nil {
				return err
			}
			result, err := runChip(r.Config, rows, drain, notes)
			if err != nil {
				return err
			}
			write := func(w io.Writer) error { return econt.WriteOutput(w, result) }
			if out == "-" {
				return write(cmd.OutOrStdout())
			}
			return outfile.Write(out, force, write)
		},
	}
	f.add(cmd)
	onceVar(cmd.Flags(), &out, "out", "-", "output file; - is standard output")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite the output file")
	cmd.Flags().BoolVar(&drain, "drain", false, "go on after the last row until the buffer is empty")
	return cmd
}

// runChip steps through the rows and says what deserves notice.
func runChip(c econt.Config, rows []econt.BunchCrossing, drain bool, notes io.Writer) ([]econt.Output, error) {
	e, err := econt.New(c)
	if err != nil {
		return nil, err
	}
	result := make([]econt.Output, len(rows))
	for i := range rows {
		e.Step(&rows[i], &result[i])
	}
	for more := drain; more; {
		var o econt.Output
		if more = e.Drain(&o); more {
			result = append(result, o)
		}
	}
	remarkCounts(notes, e.Truncated(), e.Overflows(), len(rows))
	return result, nil
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
