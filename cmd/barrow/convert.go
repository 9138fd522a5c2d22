package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"barrow/hgcal"
	"barrow/internal/outfile"
	"barrow/wafer"
	"barrow/wafer/csvio"
)

// newConvert is the command that turns wafer files into others.
func newConvert(c *common) *cobra.Command {
	var order, outOrder, dialect string
	var digits int
	var force bool
	cmd := &cobra.Command{
		Use:   "convert IN OUT",
		Short: "Turn a wafer file into one of another layout or cell order",
		Long: `Convert reads wafer images and writes them again: with another layout of
columns, another cell numbering, or another number of digits. It streams, so
files may be of any size. "-" stands for standard input and output.

Layouts (--dialect):
  header    a header, CALQ_0 ... CALQ_47, then all metadata columns
  charges   a header and the 48 charges
  ecoder    the training files of Ecoder: entry, charges, their metadata
  noheader  the older training files: 57 columns without a header
  plain     48 charges without a header

Images without any charge are converted too, and counted.`,
		Example: `  barrow convert --order postmux econt.csv v9.csv
  barrow convert --dialect plain train.csv -`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, to := csvio.Options{}, csvio.Options{Digits: digits}
			var err error
			if from.Order, err = hgcal.ParseOrder(order); err != nil {
				return err
			}
			if to.Order, err = hgcal.ParseOrder(outOrder); err != nil {
				return err
			}
			if to.Dialect, err = csvio.ParseDialect(dialect); err != nil {
				return err
			}
			stats, err := convert(cmd, args[0], args[1], force, from, to)
			if err != nil {
				return err
			}
			if c.json && args[1] != "-" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]int{"images": stats.Images, "zero_sum": stats.ZeroSum})
			}
			fmt.Fprintf(remarks(cmd, c), "%d images, %d of them without charge\n", stats.Images, stats.ZeroSum)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&order, "order", "v9", "cell numbering of IN: v9, postmux or raster")
	flags.StringVar(&outOrder, "out-order", "v9", "cell numbering of OUT")
	flags.StringVar(&dialect, "dialect", "header", "layout of OUT: "+strings.Join(csvio.Dialects(), ", "))
	flags.IntVar(&digits, "digits", 0, "digits behind the decimal point; 0 writes the shortest exact form")
	flags.BoolVar(&force, "force", false, "overwrite OUT")
	return cmd
}

func convert(cmd *cobra.Command, in, out string, force bool, from, to csvio.Options) (wafer.Stats, error) {
	r, err := openConvert(cmd, in, from)
	if err != nil {
		return wafer.Stats{}, err
	}
	defer r.Close()
	var stats wafer.Stats
	err = writeImages(cmd, out, force, to, func(w wafer.Writer) (err error) {
		stats, err = wafer.Copy(w, r)
		return err
	})
	return stats, err
}

// openConvert opens a wafer file, or the command's standard input for "-".
func openConvert(cmd *cobra.Command, path string, o csvio.Options) (*csvio.Reader, error) {
	if path == "-" {
		return csvio.NewReader(cmd.InOrStdin(), "standard input", o)
	}
	return csvio.Open(path, o)
}

// writeImages lets fill write images to a new file, or to the command's
// standard output for "-".
func writeImages(cmd *cobra.Command, path string, force bool, o csvio.Options, fill func(wafer.Writer) error) error {
	write := func(out io.Writer) error {
		w, err := csvio.NewWriter(out, o)
		if err != nil {
			return err
		}
		if err := fill(w); err != nil {
			return err
		}
		return w.Close()
	}
	if path == "-" {
		return write(cmd.OutOrStdout())
	}
	return outfile.Write(path, force, write)
}
