package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/file"
)

// convertFlags are those of the convert command.
type convertFlags struct {
	imageFlags
	outOrder, dialect string
	digits            int
	force             bool
}

// newConvert is the command that turns wafer files into others.
func newConvert(c *common) *cobra.Command {
	f := &convertFlags{}
	cmd := &cobra.Command{
		Use:   "convert IN... OUT",
		Short: "Turn wafer files into one of another layout or cell order",
		Long: `Convert reads wafer images and writes them again: with another layout of
columns, another cell numbering, or another number of digits. Several files are
joined. It streams, so files may be of any size. "-" stands for standard input
and output.

Layouts (--dialect):
  header    a header, CALQ_0 ... CALQ_47, then all metadata columns
  charges   a header and the 48 charges
  ecoder    the training files of Ecoder: entry, charges, their metadata
  noheader  the older training files: 57 columns without a header
  plain     48 charges without a header

A header says the cell order where it is not v9: CALQ_postmux_0. Images without
any charge are converted too, and counted.`,
		Example: `  barrow convert --order postmux econt.csv v9.csv
  barrow convert --dialect plain train.csv -`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, c, args[:len(args)-1], args[len(args)-1])
		},
	}
	f.imageFlags.add(cmd)
	flags := cmd.Flags()
	wordVar(flags, &f.outOrder, "out-order", "v9", hgcal.OrderNames(), "cell numbering of OUT")
	wordVar(flags, &f.dialect, "dialect", "", file.Dialects(), "layout of OUT: "+strings.Join(file.Dialects(), ", "))
	flags.IntVar(&f.digits, "digits", 0, "digits behind the decimal point; 0 writes the shortest exact form")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT")
	return cmd
}

func (f *convertFlags) run(cmd *cobra.Command, c *common, in []string, out string) error {
	to := wafer.WriteSettings{Dialect: f.dialect, Digits: f.digits}
	var err error
	if to.Order, err = hgcal.ParseOrder(f.outOrder); err != nil {
		return err
	}
	r, err := f.open(in...)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := createImages(cmd, out, f.force, to)
	if err != nil {
		return err
	}
	defer w.Abort()
	bar := newProgress(cmd.ErrOrStderr(), c)
	stats, err := wafer.Copy(cmd.Context(), w, r, wafer.CopySettings{Progress: bar.set})
	bar.close()
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if to.Order != hgcal.V9 && (f.dialect == "plain" || f.dialect == "noheader") {
		fmt.Fprintf(remarks(cmd, c), "%s: has no header that could say that its cells are numbered %v: name it with --order where it is read\n", out, to.Order)
	}
	if c.json && out != "-" {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]int{"images": stats.Images, "zero_sum": stats.ZeroSum})
	}
	fmt.Fprintf(remarks(cmd, c), "%d images, %d of them without charge\n", stats.Images, stats.ZeroSum)
	return nil
}
