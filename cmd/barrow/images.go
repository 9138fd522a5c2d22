package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/file"
)

// imageFlags are the flags of commands that read images.
type imageFlags struct {
	order, header, layout, tree, charge string

	quirks []string

	cmd    *cobra.Command
	opened []*file.Reader
}

func (f *imageFlags) add(cmd *cobra.Command) {
	f.cmd = cmd
	cmd.PostRun = func(cmd *cobra.Command, _ []string) { f.remark(cmd) }
	flags := cmd.Flags()
	wordVar(flags, &f.order, "order", "v9", hgcal.OrderNames(), "cell numbering of wafer files: v9, postmux or raster")
	wordVar(flags, &f.header, "header", "", []string{"first", "none"}, "first line of wafer files without CALQ_0…: first (it is names) or none (it is an image); by default told by what it looks like")
	flags.StringVar(&f.layout, "layout", "", "columns of wafer files without CALQ_0…, as in index,charges,eta: the 48 charges, names of others, - for none, ... for the rest")
	flags.StringVar(&f.tree, "tree", "", "table of wafer files that have several, with its folder, as in hgcalTriggerNtuplizer/HGCalTriggerNtuple (default the only one with images)")
	wordVar(flags, &f.charge, "charge", "", wafer.Charges(), "what the charges of ntuples' trigger cells are: "+strings.Join(wafer.Charges(), ", ")+" (default "+wafer.Charges()[0]+")")
	flags.StringSliceVar(&f.quirks, "quirk", nil, "mistakes of other programs to repeat: first-row (readers that lose the first image of a file without header), sum-without-0 (a column sumCALQ that leaves out cell 0)")
}

// settings are what the flags say about files.
func (f *imageFlags) settings() (wafer.ReadSettings, error) {
	order, err := hgcal.ParseOrder(f.order)
	if err != nil {
		return wafer.ReadSettings{}, err
	}
	s := wafer.ReadSettings{Order: order, Header: f.header, Layout: f.layout, Tree: f.tree, Charge: f.charge, Quirks: f.quirks}
	if err := s.Check(); err != nil {
		return s, err
	}
	return s, nil
}

// open opens wafer files as one stream of images; "-" is standard input.
func (f *imageFlags) open(paths ...string) (*file.Reader, error) {
	s, err := f.settings()
	if err != nil {
		return nil, err
	}
	inputs, err := waferInputs(f.cmd, paths)
	if err != nil {
		return nil, err
	}
	r, err := file.New(f.cmd.Context(), s, inputs...)
	if err != nil {
		return nil, err
	}
	if s.Order != hgcal.V9 && !r.Info().OrderSaid {
		fmt.Fprintf(quietly(f.cmd), "%s: does not say how its cells are numbered: %v, as given\n", inputs[0].Name, s.Order)
	}
	f.opened = append(f.opened, r)
	return r, nil
}

// remark says, when all went well, what the files' readers have to say of how they read them.
func (f *imageFlags) remark(cmd *cobra.Command) {
	said := map[string]bool{} // a file may be read twice
	for _, r := range f.opened {
		for _, text := range r.Remarks() {
			if !said[text] {
				fmt.Fprintln(quietly(cmd), text)
			}
			said[text] = true
		}
	}
}

// waferInputs are the files that a command names.
func waferInputs(cmd *cobra.Command, paths []string) ([]file.Input, error) {
	var inputs []file.Input
	for i, p := range paths {
		in := file.Input{Name: p}
		if p == "-" {
			if slices.Contains(paths[:i], p) {
				return nil, errors.New("standard input, -, is named twice")
			}
			in = file.Input{Name: "standard input", Stream: cmd.InOrStdin()}
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// create starts a wafer file in the cell order in which the command reads; "-" is
// standard output.
func (f *imageFlags) create(cmd *cobra.Command, path string, force bool) (*file.Writer, error) {
	s, err := f.settings()
	if err != nil {
		return nil, err
	}
	return createImages(cmd, path, force, wafer.WriteSettings{Order: s.Order})
}

// createImages starts a wafer file, or the command's standard output for "-".
func createImages(cmd *cobra.Command, path string, force bool, s wafer.WriteSettings) (*file.Writer, error) {
	if path == "-" {
		return file.NewWriter(cmd.OutOrStdout(), s)
	}
	return file.Create(path, force, s)
}

// metricRemark says what is assumed about a metric that is a file.
func metricRemark(cmd *cobra.Command, name string) {
	if p, err := hgcal.ReadPositions(name); err == nil && p.Note != "" {
		fmt.Fprintln(quietly(cmd), p.Note)
	}
}

// remarks is where a command says what a user should know but did not ask for.
func remarks(cmd *cobra.Command, c *common) io.Writer {
	if c.quiet {
		return io.Discard
	}
	return printer{cmd.ErrOrStderr()}
}

// quietly is remarks where the common flags are not at hand.
func quietly(cmd *cobra.Command) io.Writer {
	if quiet, err := cmd.Flags().GetBool("quiet"); err == nil && quiet {
		return io.Discard
	}
	return printer{cmd.ErrOrStderr()}
}
