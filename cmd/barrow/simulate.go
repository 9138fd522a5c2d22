package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/simulate"
	"barrow/wafer"
	"barrow/wafer/file"
)

// simulateFlags are what a user can set about simulated images.
type simulateFlags struct {
	preset, eta, energy, unit, geometry, links, parameters string
	layers, elinks                                         []int
	pileUp, threshold, index                               float64
	compress, keepEmpty, whole                             bool

	events         int
	first          uint64
	out            string
	force          bool
	order, dialect string
	print          bool
	shard          shardFlag
}

func newSimulate(c *common) *cobra.Command {
	f := &simulateFlags{}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Draw wafer images",
		Long: `Simulate draws images of HGCAL wafers: pile-up of 200 collisions, showers of
electrons, photons and pions, the electronics. Image k of a seed is always the
same, whatever the number of threads. The truth is in the metadata columns.

Presets:
  mixed      pile-up with and without a particle, with and without zero
             suppression (the default)
  pileup200  pile-up alone
  electrons, photons, pions
             one particle without pile-up; --pileup adds it

An option that is not given has the preset's value. docs/simulation.md says what
the model does and what it leaves out; "barrow simulate validate" compares it
with published distributions.`,
		Example: `  barrow simulate --events 100000 --out wafers.csv
  barrow simulate --events 100000 --out wafers.parquet
  barrow simulate --preset electrons --energy 10:100 --layer 7,9 --events 1000 --out -
  barrow simulate --whole --preset pions --pileup 200 --events 1 --out event.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.settings(c)
			if err != nil {
				return err
			}
			if f.print {
				return s.Parameters.Write(cmd.OutOrStdout())
			}
			return f.run(cmd, c, s)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.events, "events", 0, "images to draw, or whole events with --whole")
	flags.Uint64Var(&f.first, "first", 0, "number of the first image, to draw a set in parts")
	flags.StringVar(&f.out, "out", "", "wafer file to write, in the format of its ending, CSV by default; - is standard output")
	flags.BoolVar(&f.force, "force", false, "overwrite --out")
	wordVar(flags, &f.order, "order", "v9", hgcal.OrderNames(), "cell numbering of the file: v9, postmux or raster")
	wordVar(flags, &f.dialect, "dialect", "", file.Dialects(), "layout of the file: "+strings.Join(file.Dialects(), ", "))
	flags.BoolVar(&f.print, "print-parameters", false, "print the parameters of the model as TOML and end")
	f.shard.add(cmd)
	f.addModel(cmd)
	cmd.AddCommand(newSimulateValidate(c))
	return cmd
}

// addModel adds the flags that say what an image is of.
func (f *simulateFlags) addModel(cmd *cobra.Command) {
	flags := cmd.Flags()
	wordVar(flags, &f.preset, "preset", "mixed", simulate.Presets(), "what to draw: "+strings.Join(simulate.Presets(), ", "))
	flags.StringVar(&f.eta, "eta", "1.6:2.9", "range of pseudorapidity")
	flags.StringVar(&f.energy, "energy", "5:500", "range of the particle's energy in GeV")
	flags.Float64Var(&f.index, "energy-index", 0, "energies have the density E^-index; 1 is uniform in the logarithm, 0 the preset's")
	flags.IntSliceVar(&f.layers, "layer", nil, "trigger layers (default the preset's)")
	flags.IntSliceVar(&f.elinks, "elinks", nil, "only modules with so many output links")
	wordVar(flags, &f.links, "links", "signal", []string{"signal", "module"}, "how links are allocated: signal (by layer) or module (the geometry's)")
	flags.Float64Var(&f.pileUp, "pileup", 0, "mean number of collisions; 0 is the preset's, negative none")
	wordVar(flags, &f.unit, "unit", "calq", []string{"calq", "adc", "mipt"}, "unit of the charges: calq (35 to a MIP_T), adc (not transverse) or mipt")
	flags.Float64Var(&f.threshold, "threshold", 0, "zero-suppress cells below so many MIP_T; 0 is the preset's choice, negative never")
	flags.BoolVar(&f.compress, "compress", false, "pass charges through the front end's 7-bit format")
	flags.BoolVar(&f.keepEmpty, "keep-empty", false, "keep images without any charge")
	flags.BoolVar(&f.whole, "whole", false, "draw whole endcap events: all wafers that a particle crosses and that pile-up hits")
	wordVar(flags, &f.geometry, "geometry", "v11", []string{"v11", "v16"}, "version of the detector: v11 or v16")
	flags.StringVar(&f.parameters, "parameters", "", "TOML file with parameters of the model")
}

func (f *simulateFlags) settings(c *common) (simulate.Settings, error) {
	s := simulate.Settings{
		Preset: f.preset, Seed: c.seed, Threads: c.threads, Layers: f.layers, Links: f.elinks, PileUp: f.pileUp, EnergyIndex: f.index,
		Threshold: f.threshold, Compress: f.compress, KeepEmpty: f.keepEmpty, Whole: f.whole,
	}
	var err error
	parse := func(e error) { err = errors.Join(err, e) }
	var e error
	s.Geometry, e = hgcal.ParseGeometry(f.geometry)
	parse(e)
	s.Allocation, e = simulate.ParseAllocation(f.links)
	parse(e)
	s.Unit, e = simulate.ParseUnit(f.unit)
	parse(e)
	s.EtaMin, s.EtaMax, e = parseRange("--eta", f.eta)
	parse(e)
	s.EnergyMin, s.EnergyMax, e = parseRange("--energy", f.energy)
	parse(e)
	if f.parameters != "" {
		s.Parameters, e = simulate.ReadParameters(f.parameters)
		parse(e)
	} else {
		p := simulate.DefaultParameters()
		s.Parameters = &p
	}
	return s, err
}

// parseRange reads "a:b", or "a" for a range of one value.
func parseRange(flag, text string) (a, b float64, err error) {
	lo, hi, two := strings.Cut(text, ":")
	if !two {
		hi = lo
	}
	a, err1 := strconv.ParseFloat(lo, 64)
	b, err2 := strconv.ParseFloat(hi, 64)
	if err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("%s %q: want LOW:HIGH", flag, text)
	}
	if a == 0 || b == 0 {
		return 0, 0, fmt.Errorf("%s %q: want a range above 0", flag, text)
	}
	return a, b, nil
}

// maxEvents is more than anybody draws at once.
const maxEvents = 1_000_000_000

func (f *simulateFlags) run(cmd *cobra.Command, c *common, s simulate.Settings) error {
	if f.events < 1 {
		return fmt.Errorf("--events %d: want at least 1", f.events)
	}
	if err := limit.Count("--events", f.events, maxEvents); err != nil {
		return err
	}
	if f.first+uint64(f.events) < f.first {
		return fmt.Errorf("--first %d: want at most 2^64 less --events", f.first)
	}
	if f.out == "" {
		return errors.New("--out is missing: name a wafer file, or - for standard output")
	}
	o := wafer.WriteSettings{Dialect: f.dialect, Unit: map[string]string{"calq": "calq", "adc": "data", "mipt": "mippt"}[f.unit]}
	var err error
	if o.Order, err = hgcal.ParseOrder(f.order); err != nil {
		return err
	}
	g, err := simulate.New(s)
	if err != nil {
		return err
	}
	if f.shard.given() {
		return f.part(cmd, c, g, o)
	}
	stats, err := f.draw(cmd, c, g, f.first, f.events, f.out, f.force, o)
	if err != nil {
		return err
	}
	if c.json && f.out != "-" {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]int{"images": stats.Images})
	}
	fmt.Fprintf(remarks(cmd, c), "%d images\n", stats.Images)
	return nil
}

// draw writes images to a file.
func (f *simulateFlags) draw(cmd *cobra.Command, c *common, g *simulate.Generator, first uint64, events int, out string, force bool, o wafer.WriteSettings) (wafer.Copied, error) {
	w, err := createImages(cmd, out, force, o)
	if err != nil {
		return wafer.Copied{}, err
	}
	defer w.Abort()
	bar := newProgress(cmd.ErrOrStderr(), c)
	stats, err := wafer.Copy(cmd.Context(), w, g.Reader(first, events), wafer.CopySettings{Progress: bar.set})
	bar.close()
	if err != nil {
		return stats, err
	}
	return stats, w.Close()
}

// part draws the images of a shard.
func (f *simulateFlags) part(cmd *cobra.Command, c *common, g *simulate.Generator, o wafer.WriteSettings) error {
	join := pieces(f.out, o)
	p, err := f.shard.begin(cmd, c, f.out, join, nil)
	if err != nil {
		return err
	}
	var stats wafer.Copied
	if from, to := p.Range(f.events); !p.done && to > from {
		if stats, err = f.draw(cmd, c, g, f.first+uint64(from), to-from, p.Path(), true, o); err != nil {
			return err
		}
	}
	return p.close(remarks(cmd, c), stats.Images)
}
