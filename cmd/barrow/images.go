package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/csvio"
)

// imageFlags are the flags of commands that read images.
type imageFlags struct {
	order string
}

func (f *imageFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.order, "order", "v9", "cell numbering of wafer files: v9, postmux or raster")
}

// read joins wafer files into one set without metadata and without images that
// hold no charge, and says on remarks how many those were.
func (f *imageFlags) read(paths []string, remarks io.Writer) (*wafer.Set, error) {
	order, err := hgcal.ParseOrder(f.order)
	if err != nil {
		return nil, err
	}
	all := &wafer.Set{}
	for _, path := range paths {
		s, err := csvio.ReadFile(path, csvio.Options{Order: order})
		if err != nil {
			return nil, err
		}
		s, zero := s.WithoutColumns().NonZero()
		if zero > 0 {
			fmt.Fprintf(remarks, "%s: %d images without charge left out, %d kept\n", path, zero, s.Len())
		}
		if err := all.Append(s); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if all.Len() == 0 {
		return nil, fmt.Errorf("%s: no image with charge", strings.Join(paths, ", "))
	}
	return all, nil
}

// readAll reads one wafer file with every row as it is.
func (f *imageFlags) readAll(path string) (*wafer.Set, error) {
	order, err := hgcal.ParseOrder(f.order)
	if err != nil {
		return nil, err
	}
	return csvio.ReadFile(path, csvio.Options{Order: order})
}

// remarks is where a command says what a user should know but did not ask for.
func remarks(cmd *cobra.Command, c *common) io.Writer {
	if c.quiet {
		return io.Discard
	}
	return printer{cmd.ErrOrStderr()}
}
