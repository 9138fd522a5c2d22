package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"barrow/econt"
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
		if r.Config.Weights, err = f.readWeights(r.Config.Weights, remarks); err != nil {
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

// readWeights reads --weights. given are the register file's, which decide what is
// auto.
func (f *chipFlags) readWeights(given *econt.Weights, notes io.Writer) (*econt.Weights, error) {
	w, remarks, err := registers.ReadFile(f.weights, registers.FileSettings{
		Order:    map[string]*econt.DenseOrder{"keras": new(econt.DenseKeras), "golden": new(econt.DenseGolden)}[f.denseOrder],
		Rounding: map[string]*econt.Rounding{"nearest": new(econt.RoundNearest), "floor": new(econt.RoundFloor)}[f.rounding],
		Given:    given,
	})
	for _, r := range remarks {
		fmt.Fprintln(notes, r)
	}
	return w, err
}

func isKeras(path string) bool { return registers.KindOf(path) == registers.KerasWeights }

func isYAML(path string) bool { return registers.KindOf(path) == registers.YAMLWeights }
