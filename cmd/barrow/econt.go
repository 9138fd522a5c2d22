package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"barrow/econt"
	"barrow/model/keras"
	"barrow/model/registers"
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
	config               []string
	input, weights       string
	denseOrder, rounding string
	mux, overflow        string
	firstBX              int
}

func (f *chipFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	addConfig(cmd, &f.config, "register file: init.yaml in any of the three dialects; several are read in order, later values winning, in the dialect of the first that tells one")
	fl.StringVar(&f.input, "input", "", "test vector: CSV of RX_DATA_0 to RX_DATA_11")
	fl.IntVar(&f.firstBX, "first-bx", 0, "bunch crossing of the first row")
	wordVar(fl, &f.mux, "mux", "auto", []string{"auto", "prod", "p1"}, "how Mux registers count inputs: prod (bits 27-21 of a word first), p1 (bits 6-0 first), or auto: as the file's dialect does")
	f.addWeights(cmd)
	_ = cmd.MarkFlagRequired("config")
	_ = cmd.MarkFlagRequired("input")
}

// addConfig adds --config, which may be given several times.
func addConfig(cmd *cobra.Command, files *[]string, usage string) {
	cmd.Flags().StringArrayVar(files, "config", nil, usage)
}

func (f *chipFlags) addWeights(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.weights, "weights", "", "encoder weights in place of the registers': Keras HDF5, CSV or YAML, by its ending")
	wordVar(fl, &f.denseOrder, "dense-order", "auto", []string{"auto", "keras", "golden"}, "how an HDF5 dense kernel is read: keras (the trained network), golden (untransposed, as the golden files were made), or auto: golden where that gives the register file's weights")
	f.addRounding(cmd)
	wordVar(fl, &f.overflow, "overflow", "saturate", []string{"saturate", "wrap"}, "AE outputs above nine bits: saturate or wrap; no golden decides")
}

func (f *chipFlags) addRounding(cmd *cobra.Command) {
	wordVar(cmd.Flags(), &f.rounding, "rounding", "auto", []string{"auto", "nearest", "floor"}, "how HDF5 weights become multiples of 1/32: nearest (halves to even, as QKeras computes), floor (as the golden files were made), or auto: floor where that gives the register file's weights or with --dense-order golden, else nearest")
}

// chip reads the configuration and says on remarks what it assumed.
func (f *chipFlags) chip(cmd *cobra.Command, remarks io.Writer) (*econt.Registers, error) {
	r, err := readRegisters(cmd, f.config...)
	if err != nil {
		return nil, err
	}
	names := strings.Join(f.config, " + ")
	remarkAssumed(remarks, names, r, f.mux == "auto")
	if f.mux != "auto" {
		if r.Config.Convention, err = econt.ParseMuxConvention(f.mux); err != nil {
			return nil, err
		}
	}
	if err := f.needless(cmd.Flags(), r.Config.Algorithm); err != nil {
		return nil, err
	}
	f.setOverflow(&r.Config)
	if f.weights != "" {
		if r.Config.Weights, err = f.readWeights(cmd, r.Config.Weights, remarks); err != nil {
			return nil, err
		}
	}
	for _, d := range r.Defaults {
		fmt.Fprintf(remarks, "%s: %s not given: %s, %s\n", names, d.Register, d.Value, d.Source)
	}
	if len(r.Ignored) > 0 {
		fmt.Fprintf(remarks, "%s: without bearing on the output, not emulated: %s\n", names, strings.Join(r.Ignored, ", "))
	}
	return r, nil
}

// needless refuses flags for weights where there are none.
func (f *chipFlags) needless(fl *pflag.FlagSet, a econt.Algorithm) error {
	return needless(fl,
		purpose{[]string{"weights", "overflow"}, "algorithm AE, not " + a.String(), a == econt.Autoencoder},
		purpose{[]string{"dense-order", "rounding"}, "--weights in HDF5", isKeras(f.weights)},
	)
}

// remarkAssumed says that the dialect of registers was assumed, and what hangs
// on it: mux whether the multiplexer's convention does.
func remarkAssumed(remarks io.Writer, names string, r *econt.Registers, mux bool) {
	if !r.Assumed {
		return
	}
	what := "active_etxs is a bit mask"
	if mux {
		what = "Mux counts inputs as prod does, bits 27-21 of a word first (--mux p1: bits 6-0 first), and " + what
	}
	fmt.Fprintf(remarks, "%s: no register tells the dialect (ConfigAlgo: prod, Algorithm: p1, ECON-T: econt_sw); assumed prod: %s\n", names, what)
}

func (f *chipFlags) setOverflow(c *econt.Config) {
	c.Overflow = econt.Saturate
	if f.overflow == "wrap" {
		c.Overflow = econt.Wrap
	}
}

// wordFile is a test vector's file, row by row.
type wordFile[T any] struct {
	econt.Source[T]
	io.Closer
	name string
}

func (w *wordFile[T]) Read(row *T) error {
	err := w.Source.Read(row)
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	return err
}

// openWords opens a test vector's file, whose share read the bar shows unless it
// is nil.
func openWords[T any](cmd *cobra.Command, path string, bar *progressBar, read func(io.Reader) (econt.Source[T], error)) (*wordFile[T], error) {
	in, err := openCounted(cmd, path)
	if err != nil {
		return nil, err
	}
	if bar != nil {
		in.after = func() { bar.set(in.share(), "bunch crossings") }
	}
	rows, err := read(in)
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &wordFile[T]{Source: rows, Closer: in, name: path}, nil
}

func (f *chipFlags) openInput(cmd *cobra.Command, bar *progressBar) (*wordFile[econt.BunchCrossing], error) {
	return openWords(cmd, f.input, bar, func(r io.Reader) (econt.Source[econt.BunchCrossing], error) {
		return econt.NewInputReader(r, f.firstBX)
	})
}

// oneStdin refuses files of which several are standard input.
func oneStdin(paths ...string) error {
	n := 0
	for _, p := range paths {
		if p == "-" {
			n++
		}
	}
	if n > 1 {
		return fmt.Errorf("%d files are -, standard input, which can be read once", n)
	}
	return nil
}

// readRegisters reads register files on top of each other, "-" for standard input.
func readRegisters(cmd *cobra.Command, paths ...string) (*econt.Registers, error) {
	var files []econt.RegisterFile
	for _, path := range paths {
		in, err := openCounted(cmd, path)
		if err != nil {
			return nil, err
		}
		defer in.Close()
		files = append(files, econt.RegisterFile{Name: path, Reader: in})
	}
	return econt.JoinRegisters(files...)
}

// readWeights reads --weights. given are the register file's, which decide
// --dense-order auto.
func (f *chipFlags) readWeights(cmd *cobra.Command, given *econt.Weights, remarks io.Writer) (*econt.Weights, error) {
	switch {
	case isKeras(f.weights):
		return f.readKeras(given, remarks)
	case ending(f.weights) == "csv":
		return readWeightsCSV(f.weights)
	case isYAML(f.weights):
		r, err := readRegisters(cmd, f.weights)
		if err != nil {
			return nil, err
		}
		if r.Config.Weights == nil {
			return nil, fmt.Errorf("%s: no Encoder registers", f.weights)
		}
		return r.Config.Weights, nil
	}
	return nil, fmt.Errorf("%s: weights of an encoder alone end in .hdf5, .h5, .csv, .yaml or .yml; a trained encoder of Barrow becomes registers by \"barrow encoder export\"", f.weights)
}

func readWeightsCSV(path string) (*econt.Weights, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	w, err := econt.ReadWeightsCSV(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}

func isKeras(path string) bool { return slices.Contains([]string{"hdf5", "h5"}, ending(path)) }

func isYAML(path string) bool { return slices.Contains([]string{"yaml", "yml"}, ending(path)) }

func ending(path string) string {
	return strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
}

// readKeras takes the encoder of a Keras file. Where a flag is auto and the
// registers' weights are these, read in some way, that way is taken: the golden
// files' own is floor and untransposed. Otherwise it is the trained network's.
func (f *chipFlags) readKeras(given *econt.Weights, remarks io.Writer) (*econt.Weights, error) {
	orders := choices(f.denseOrder, map[string]econt.DenseOrder{"keras": econt.DenseKeras, "golden": econt.DenseGolden})
	roundings := choices(f.rounding, map[string]econt.Rounding{"nearest": econt.RoundNearest, "floor": econt.RoundFloor})
	if f.denseOrder == "golden" {
		slices.Reverse(roundings) // a user who asks for the golden files' order means their rounding
	}
	var readings []registers.Reading
	for _, o := range orders {
		for _, r := range roundings {
			readings = append(readings, registers.Reading{Order: o, Rounding: r})
		}
	}
	file, err := keras.ReadWeights(f.weights)
	if err != nil {
		return nil, err
	}
	w, err := registers.Read(file, given, readings[0], readings[1:]...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.weights, err)
	}
	f.remarkReading(w, remarks)
	return w.Weights, nil
}

// remarkReading says what was chosen and changed in reading a Keras file.
func (f *chipFlags) remarkReading(w *registers.Weights, remarks io.Writer) {
	if w.Given && w.Reading.Order == econt.DenseGolden && f.denseOrder == "auto" {
		fmt.Fprintf(remarks, "%s: the registers hold this dense kernel untransposed, as the golden files do: not the network that was trained\n", f.weights)
	}
	if n := w.Changed.OffGrid; n > 0 {
		how := "the nearest, as QKeras computes"
		if w.Reading.Rounding == econt.RoundFloor {
			how = "the next below, as the golden files were made: not the network that QKeras computes"
		}
		if w.Given && f.rounding == "auto" {
			how += "; so the registers have it"
		}
		fmt.Fprintf(remarks, "%s: %d of %d weights are no multiples of 1/32 and were rounded to %s (--rounding)\n", f.weights, n, econt.WeightCount, how)
	}
	if n := w.Changed.Clipped; n > 0 {
		fmt.Fprintf(remarks, "%s: %d of %d weights were outside -1 to 31/32 and were clipped\n", f.weights, n, econt.WeightCount)
	}
}

// choices is the one value that a flag names, or for auto all in order.
func choices[T cmp.Ordered](name string, values map[string]T) []T {
	if v, ok := values[name]; ok {
		return []T{v}
	}
	return slices.Sorted(maps.Values(values))
}
