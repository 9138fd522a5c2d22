package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"barrow/econt"
	"barrow/econt/kerasio"
	"barrow/model/keras"
)

func newEcont(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "econt",
		Short: "The trigger chip ECON-T in integers, bit for bit",
		Long: `Runs HGCAL's trigger concentrator on test vectors and on wafer images: its five
algorithms (threshold sum TS, super trigger cells STC, best choice BC, repeater
RPT, autoencoder AE), frames, buffer and registers. docs/econt.md says what is
settled by golden outputs and what is not.`,
		Example: "  barrow econt verify --config AE/init.yaml --input testInput.csv --golden AE/testOutput.csv",
	}
	cmd.AddCommand(newEcontRun(c), newEcontVerify(c), newEcontEncode(c), newEcontWeights(c))
	return cmd
}

// chipFlags choose a configuration of the chip and its input.
type chipFlags struct {
	config, input, weights    string
	denseOrder, mux, overflow string
	firstBX                   int
}

func (f *chipFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.config, "config", "", "register file: init.yaml in any of the three dialects")
	fl.StringVar(&f.input, "input", "", "test vector: CSV of RX_DATA_0 to RX_DATA_11")
	fl.IntVar(&f.firstBX, "first-bx", 0, "bunch crossing of the first row")
	fl.StringVar(&f.mux, "mux", "auto", "how Mux registers count inputs: prod (bits 27-21 of a word first), p1 (bits 6-0 first), or auto: as the file's dialect does")
	f.addWeights(cmd)
	_ = cmd.MarkFlagRequired("config")
	_ = cmd.MarkFlagRequired("input")
}

func (f *chipFlags) addWeights(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.weights, "weights", "", "encoder weights in place of the registers': Keras HDF5, CSV or YAML, by its ending")
	fl.StringVar(&f.denseOrder, "dense-order", "auto", "how an HDF5 dense kernel is read: keras (the trained network), golden (untransposed, as the golden files were made), or auto: golden where that gives the register file's weights")
	fl.StringVar(&f.overflow, "overflow", "saturate", "AE outputs above nine bits: saturate or wrap; no golden decides")
}

// chip reads the configuration and says on remarks what it assumed.
func (f *chipFlags) chip(remarks io.Writer) (*econt.Registers, error) {
	r, err := readRegisters(f.config)
	if err != nil {
		return nil, err
	}
	if f.mux != "auto" {
		if r.Config.Convention, err = econt.ParseMuxConvention(f.mux); err != nil {
			return nil, err
		}
	}
	if err := f.setOverflow(&r.Config); err != nil {
		return nil, err
	}
	if f.weights != "" {
		if r.Config.Weights, err = f.readWeights(r.Config.Weights, remarks); err != nil {
			return nil, err
		}
	}
	for _, d := range r.Defaults {
		fmt.Fprintf(remarks, "%s: %s not given: %s, %s\n", f.config, d.Register, d.Value, d.Source)
	}
	if len(r.Ignored) > 0 {
		fmt.Fprintf(remarks, "%s: without bearing on the output, not emulated: %s\n", f.config, strings.Join(r.Ignored, ", "))
	}
	return r, nil
}

func (f *chipFlags) setOverflow(c *econt.Config) error {
	switch f.overflow {
	case "saturate":
		c.Overflow = econt.Saturate
	case "wrap":
		c.Overflow = econt.Wrap
	default:
		return fmt.Errorf("--overflow %q: want saturate or wrap", f.overflow)
	}
	return nil
}

func (f *chipFlags) readInput() ([]econt.BunchCrossing, error) {
	return readFile(f.input, func(r io.Reader) ([]econt.BunchCrossing, error) {
		return econt.ReadInput(r, f.firstBX)
	})
}

// readFile opens a file, "-" for standard input, and names it in errors.
func readFile[T any](path string, read func(io.Reader) (T, error)) (T, error) {
	var zero T
	in := os.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return zero, err
		}
		defer f.Close()
		in = f
	}
	v, err := read(in)
	if err != nil {
		return zero, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

func readRegisters(path string) (*econt.Registers, error) {
	return readFile(path, econt.ReadRegisters)
}

// readWeights reads --weights. given are the register file's, which decide
// --dense-order auto.
func (f *chipFlags) readWeights(given *econt.Weights, remarks io.Writer) (*econt.Weights, error) {
	switch ending(f.weights) {
	case "hdf5", "h5":
		return f.readKeras(given, remarks)
	case "csv":
		return readFile(f.weights, econt.ReadWeightsCSV)
	case "yaml", "yml":
		r, err := readRegisters(f.weights)
		if err != nil {
			return nil, err
		}
		if r.Config.Weights == nil {
			return nil, fmt.Errorf("%s: no Encoder registers", f.weights)
		}
		return r.Config.Weights, nil
	}
	return nil, fmt.Errorf("%s: weights files end in .hdf5, .h5, .csv, .yaml or .yml", f.weights)
}

func ending(path string) string {
	return strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
}

func (f *chipFlags) readKeras(given *econt.Weights, remarks io.Writer) (*econt.Weights, error) {
	file, err := keras.ReadWeights(f.weights)
	if err != nil {
		return nil, err
	}
	quantise := func(order econt.DenseOrder) (*econt.Weights, int, error) {
		fw, err := kerasio.Decode(file, order)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", f.weights, err)
		}
		w, clipped, err := fw.Quantise()
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", f.weights, err)
		}
		return w, clipped, nil
	}
	order := econt.DenseKeras
	switch f.denseOrder {
	case "keras":
	case "golden":
		order = econt.DenseGolden
	case "auto":
		w, _, err := quantise(econt.DenseGolden)
		if err != nil {
			return nil, err
		}
		if given != nil && *w == *given {
			order = econt.DenseGolden
			fmt.Fprintf(remarks, "%s: the registers hold this dense kernel untransposed, as the golden files do: not the network that was trained\n", f.weights)
		}
	default:
		return nil, fmt.Errorf("--dense-order %q: want auto, keras or golden", f.denseOrder)
	}
	w, clipped, err := quantise(order)
	if err != nil {
		return nil, err
	}
	if clipped > 0 {
		fmt.Fprintf(remarks, "%s: %d of %d weights were outside -1 to 31/32 and were clipped\n", f.weights, clipped, econt.WeightCount)
	}
	return w, nil
}
