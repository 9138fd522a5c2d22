package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"barrow/econt"
	"barrow/internal/outfile"
	"barrow/model/registers"
)

func newEcontWeights(c *common) *cobra.Command {
	f := &chipFlags{}
	var config []string
	var dialect string
	var force bool
	cmd := &cobra.Command{
		Use:   "weights IN OUT",
		Short: "Convert encoder weights and registers between their formats",
		Long: `Converts the encoder's 2,144 six-bit weights, and with YAML all registers,
between register YAML (dialects prod, p1 and econt_sw), Keras HDF5 and CSV,
told by the endings. A YAML file made from bare weights has the chip's reset
values elsewhere and algorithm AE, or the registers of --config. Float weights
are multiplied by 32, rounded (--rounding) and clipped to -32..31.`,
		Example: "  barrow econt weights encoder.hdf5 init.yaml --dialect prod\n  barrow econt weights init.yaml weights.csv",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.weights = args[0]
			d, err := econt.ParseDialect(dialect)
			if err != nil {
				return err
			}
			err = needless(cmd.Flags(),
				purpose{[]string{"config", "dialect"}, "YAML output", isYAML(args[1])},
				purpose{[]string{"rounding"}, "HDF5 input", isKeras(args[0])},
				purpose{[]string{"dense-order"}, "HDF5 input or output", isKeras(args[0]) || isKeras(args[1])},
			)
			if err != nil {
				return err
			}
			chip, err := f.convert(cmd, config, remarks(cmd, c))
			if err != nil {
				return err
			}
			return writeChip(args[1], chip, d, f.denseOrder, force)
		},
	}
	fl := cmd.Flags()
	addConfig(cmd, &config, "register file whose other registers a YAML output takes; several are read in order, later values winning")
	wordVar(fl, &dialect, "dialect", "prod", []string{"prod", "p1", "econt_sw"}, "dialect of a YAML output: prod, p1 or econt_sw")
	wordVar(fl, &f.denseOrder, "dense-order", "keras", []string{"keras", "golden"}, "layout of an HDF5 dense kernel: keras (the trained network) or golden (untransposed, as the golden files were made)")
	f.addRounding(cmd)
	fl.BoolVar(&force, "force", false, "overwrite the output file")
	return cmd
}

// convert reads the input as a whole configuration.
func (f *chipFlags) convert(cmd *cobra.Command, config []string, notes io.Writer) (*econt.Config, error) {
	if err := oneStdin(config...); err != nil {
		return nil, err
	}
	base := config
	whole := len(base) == 0 && isYAML(f.weights)
	if whole {
		base = []string{f.weights}
	}
	c := econt.Defaults()
	c.Algorithm = econt.Autoencoder
	if len(base) > 0 {
		r, err := readRegisters(cmd, base...)
		if err != nil {
			return nil, err
		}
		names := strings.Join(base, " + ")
		remarkAssumed(notes, names, r, true)
		for _, d := range r.Defaults {
			fmt.Fprintf(notes, "%s: %s not given: %s\n", names, d.Register, d.Value)
		}
		c = r.Config
	}
	if !whole {
		w, err := f.readWeights(nil, notes)
		if err != nil {
			return nil, err
		}
		c.Weights = w
	}
	return &c, nil
}

// writeChip writes by the ending of the path.
func writeChip(path string, c *econt.Config, d econt.Dialect, denseOrder string, force bool) error {
	if !isYAML(path) && c.Weights == nil {
		return fmt.Errorf("%s: the input has no encoder weights", path)
	}
	switch {
	case isYAML(path):
		return outfile.Write(path, force, func(w io.Writer) error { return econt.WriteRegisters(w, c, d) })
	case registers.KindOf(path) == registers.CSVWeights:
		return outfile.Write(path, force, c.Weights.WriteCSV)
	case isKeras(path):
		order := econt.DenseKeras
		if denseOrder == "golden" {
			order = econt.DenseGolden
		}
		return registers.ToKeras(c.Weights, order).Write(path, force)
	}
	return fmt.Errorf("%s: want an ending of .yaml, .yml, .csv, .hdf5 or .h5", path)
}
