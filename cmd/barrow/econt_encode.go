package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/internal/jsonout"
	"barrow/internal/outfile"
	"barrow/study/decode"
	"barrow/wafer"
)

// encodeFlags choose a baseline.
type encodeFlags struct {
	chip                     chipFlags
	algorithm, density, keep string
	entry, share, point      string
	etx, stcType, drop       int
	threshold                uint32
	useSum, zeroCode         bool
	pedestal, rest           bool
	out, metric, model       string
	decoder                  string
	force                    bool
	shard                    shardFlag
	images                   imageFlags
}

func newEcontEncode(c *common) *cobra.Command {
	f := &encodeFlags{}
	cmd := &cobra.Command{
		Use:   "encode IMAGES",
		Short: "Send wafer images through an algorithm of the chip and decode them",
		Long: `Sends every image of a wafer file through one algorithm of the chip on a number
of 32-bit links, decodes the frames and prints the bits used and the exact EMD
between image and decoded image; one of which nothing arrives is scored as the same
charge in all cells. The column HD_LD says of each image whether its wafer is of high
density, --density says it of all. --out writes the decoded images, with the
columns bits (information in the frame) and, for AE, AE0 to AE15.

Charges are CALQ counts; fractions are cut off. An empty cell stays empty unless
--entry erx sends the image through the readout's 4E3M code first, whose code 0
the chip reads as 1 (low density) or 4 (high). A decoder reads code 0 of a
transmitted charge as 0 unless --zero-code is given; --pedestal takes away what
empty inputs add.

AE takes a trained model of the preset asic (--model), encoder and decoder, or
an encoder alone (--weights), which gives outputs but no images.

--decoder decodes the frames with a decoder of "barrow decoder train" in place of
the rules by hand. Flags of the chip that are not given are then as they were in
its training.`,
		Example: "  barrow econt encode wafers.csv --algorithm BC --etx 4 --out decoded.csv\n  barrow econt encode wafers.csv --decoder runs/bc3 --out decoded.csv",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, c, args[0])
		},
	}
	fl := cmd.Flags()
	wordVar(fl, &f.algorithm, "algorithm", "BC", []string{"TS", "STC", "BC", "RPT", "AE"}, "TS, STC, BC, RPT or AE")
	fl.IntVar(&f.etx, "etx", 4, "output links, 32 bits each a bunch crossing")
	wordVar(fl, &f.density, "density", "", []string{"ld", "hd"}, "wafers' density, ld or hd: input codes in units of 2 or 8 counts, 1 or 3 bits dropped (default: what a column HD_LD says of each image, else ld)")
	fl.IntVar(&f.drop, "drop-lsb", -1, "bits dropped before 4E3M, not of STC's types 0, 1 and 4; -1 is the density's")
	fl.IntVar(&f.stcType, "stc-type", 0, "STC: 0 4×5E4M, 1 16×5E4M, 2 coarse 4E3M, 3 4×4E3M, 4 coarse 5E4M")
	fl.Uint32Var(&f.threshold, "threshold", 47, "TS: lowest charge sent, in CALQ counts")
	fl.BoolVar(&f.useSum, "use-sum", false, "TS and BC with --rest: send the sum of all cells, not of those left out")
	wordVar(fl, &f.keep, "keep", "top", []string{"top", "all"}, "AE with --weights: top (the bits meant for the number of links) or all (of 144, as far as they fit)")
	wordVar(fl, &f.entry, "entry", "calq", []string{"calq", "erx"}, "calq or erx: whether images go through the readout's code")
	wordVar(fl, &f.point, "point", "middle", []string{"middle", "lowest"}, "decoder: middle or lowest value of a code's interval")
	wordVar(fl, &f.share, "share", "largest", []string{"largest", "equal"}, "decoder of STC's types 0, 1 and 3: sum of a super trigger cell to the largest cell, or equal to all")
	fl.BoolVar(&f.zeroCode, "zero-code", false, "decoder: where bits are dropped, read code 0 as the point of its interval")
	fl.BoolVar(&f.pedestal, "pedestal", false, "decoder: subtract what an empty input adds inside the chip")
	fl.BoolVar(&f.rest, "rest", false, "decoder: spread the module sum of TS and BC over the cells not sent")
	fl.StringVar(&f.model, "model", "", "AE: run folder or weights file of a model trained with the preset asic")
	fl.StringVar(&f.decoder, "decoder", "", "run `folder` or weights file of a decoder that makes the images")
	f.chip.addWeights(cmd)
	f.images.add(cmd)
	metricVar(fl, &f.metric, "ground metric: benchmark, cmssw or a CSV file of x,y per cell")
	fl.StringVar(&f.out, "out", "", "CSV file for the decoded images; - is standard output, in place of the results")
	fl.BoolVar(&f.force, "force", false, "overwrite the output file")
	f.shard.add(cmd)
	return cmd
}

// encoder gives the weights for AE, with the decoder if there is one.
func (f *encodeFlags) encoder(cmd *cobra.Command, threads int, notes io.Writer) (m *autoencoder.Model, w *econt.Weights, err error) {
	switch {
	case f.model != "" && f.chip.weights != "":
		return nil, nil, fmt.Errorf("--model and --weights: give one")
	case f.model != "":
		if m, err = openEncoder(f.model, threads); err != nil {
			return nil, nil, err
		}
		decoderRemark(cmd, f.model)
		if w, err = m.ChipWeights(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f.model, err)
		}
		return m, w, nil
	case f.chip.weights != "":
		w, err = f.chip.readWeights(nil, notes)
		return nil, w, err
	}
	return nil, nil, fmt.Errorf("algorithm AE needs --model, a trained autoencoder, or --weights, an encoder as Keras HDF5, CSV or register YAML")
}

// config is the chip of a density that the flags describe; w is for AE.
func (f *encodeFlags) config(a econt.Algorithm, high bool, w *econt.Weights) (c econt.Config, err error) {
	if c, err = econt.BaselineConfig(a, f.etx, high, w); err != nil {
		return c, err
	}
	if f.keep == "all" {
		c.Keep = econt.KeepAll()
	}
	if f.drop < -1 || f.drop > 7 {
		return c, fmt.Errorf("--drop-lsb %d: want 0 to 7, or -1 for the density's", f.drop)
	}
	if f.drop >= 0 {
		c.DropLSB = uint8(f.drop)
	}
	if f.stcType < 0 || f.stcType > 4 {
		return c, fmt.Errorf("--stc-type %d: want 0 to 4", f.stcType)
	}
	c.STCType = econt.STCType(f.stcType)
	c.UseSum = f.useSum
	for ch := range c.Threshold {
		c.Threshold[ch] = f.threshold
	}
	f.chip.setOverflow(&c)
	return c, nil
}

// needless refuses flags of which the algorithm makes nothing.
func (f *encodeFlags) needless(fl *pflag.FlagSet, c *econt.Config) error {
	ae, stc := c.Algorithm == econt.Autoencoder, c.Algorithm == econt.SuperTriggerCell
	sums, byHand := c.Algorithm == econt.ThresholdSum || c.Algorithm == econt.BestChoice, f.decoder == ""
	err := needless(fl,
		purpose{[]string{"rest", "share"}, "decoding by hand, without --decoder", byHand},
		purpose{[]string{"threshold"}, "algorithm TS", c.Algorithm == econt.ThresholdSum},
		purpose{[]string{"stc-type"}, "algorithm STC", stc},
		purpose{[]string{"rest"}, "algorithms TS and BC", sums},
		purpose{[]string{"use-sum"}, "algorithms TS and BC with --rest, which spreads that sum", sums && (f.rest || !byHand)},
		purpose{[]string{"share"}, "algorithm STC with types that send an address, 0, 1 and 3", stc && c.STCType.Addressed()},
		purpose{[]string{"drop-lsb", "zero-code"}, "algorithms that drop bits: TS, BC, RPT and STC of types 2 and 3", c.Algorithm.Drops(c.STCType)},
		purpose{[]string{"point", "pedestal"}, "algorithms that send charges, not AE", !ae},
		purpose{[]string{"model", "weights"}, "algorithm AE", ae},
		purpose{[]string{"keep"}, "algorithm AE with --weights; a model has its own bits", ae && f.model == ""},
		purpose{[]string{"metric"}, "images that are decoded: AE needs --model or --decoder for that", !ae || f.model != "" || !byHand},
	)
	if err != nil {
		return err
	}
	return f.chip.needless(fl, c.Algorithm)
}

// settings are the baseline's.
func (f *encodeFlags) settings() econt.BaselineSettings {
	s := econt.BaselineSettings{Decoder: econt.DecoderSettings{ZeroCode: f.zeroCode, Pedestal: f.pedestal, Rest: f.rest}}
	if f.entry == "erx" {
		s.Entry = econt.EntryERx
	}
	if f.point == "lowest" {
		s.Decoder.Point = econt.Lowest
	}
	if f.share == "equal" {
		s.Decoder.Share = econt.ShareEqual
	}
	return s
}

func (f *encodeFlags) run(cmd *cobra.Command, c *common, path string) error {
	if f.out != "" && f.out != "-" {
		if err := outfile.Check(f.out, f.force); err != nil {
			return err
		}
	}
	set := evaluate.TransmitSettings{Threads: c.threads}
	if err := f.openDecoder(cmd.Flags(), c.threads, &set); err != nil {
		return err
	}
	chips, model, err := f.baselines(cmd, c.threads, remarks(cmd, c))
	if err != nil {
		return err
	}
	base := chips[0]
	if f.density == "" {
		set.High = chips[1]
	}
	if model != nil {
		set.Codec = model
	}
	if set.Metric, err = groundMetric(f.metric); err != nil {
		return err
	}
	metricRemark(cmd, f.metric)
	if f.shard.given() {
		return f.part(cmd, c, path, base, set)
	}
	result, err := f.transmit(cmd, c, path, base, set, f.out, f.force, nil)
	var image *evaluate.ImageError
	if errors.As(err, &image) {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if f.out == "-" { // which has the images
		out = remarks(cmd, c)
	}
	if result.Seen != nil {
		seenRemark(remarks(cmd, c), path, *result.Seen, result.Wafers)
	}
	if c.json {
		return jsonout.Encode(out, result)
	}
	return printTransmission(out, result)
}

// openDecoder opens the decoder, if there is one, and takes what was not said of the chip from
// its training.
func (f *encodeFlags) openDecoder(fl *pflag.FlagSet, threads int, set *evaluate.TransmitSettings) error {
	if f.decoder == "" {
		return nil
	}
	m, chip, err := decode.Open(f.decoder, threads)
	if err != nil {
		return fmt.Errorf("--decoder: %w", err)
	}
	set.Decoder = m
	if set.Seen, err = decode.Seen(f.decoder); err != nil {
		return fmt.Errorf("--decoder: %w", err)
	}
	if fl.Changed("algorithm") && f.algorithm != chip.Algorithm {
		return fmt.Errorf("--decoder %s: trained for frames of %v, not of --algorithm %s", f.decoder, m.Chip(), f.algorithm)
	}
	fill(fl, "algorithm", &f.algorithm, chip.Algorithm)
	fill(fl, "etx", &f.etx, chip.Links)
	fill(fl, "density", &f.density, chip.Density)
	fill(fl, "drop-lsb", &f.drop, chip.DropLSB)
	fill(fl, "stc-type", &f.stcType, chip.STCType)
	fill(fl, "threshold", &f.threshold, uint32(chip.Threshold))
	fill(fl, "use-sum", &f.useSum, chip.UseSum)
	fill(fl, "entry", &f.entry, chip.Entry)
	fill(fl, "point", &f.point, chip.Point)
	fill(fl, "zero-code", &f.zeroCode, chip.ZeroCode)
	fill(fl, "pedestal", &f.pedestal, chip.Pedestal)
	if !fl.Changed("weights") {
		fill(fl, "model", &f.model, chip.Model)
	}
	return nil
}

// fill sets a flag's value unless the flag was given.
func fill[T any](fl *pflag.FlagSet, name string, value *T, v T) {
	if !fl.Changed(name) {
		*value = v
	}
}

// transmit sends a file's images through the chip, a batch at a time.
// part, if any, is the shard whose images are sent.
func (f *encodeFlags) transmit(cmd *cobra.Command, c *common, path string, base *econt.Baseline, set evaluate.TransmitSettings, to string, force bool, part *sharded) (r *evaluate.Transmission, err error) {
	images, err := f.images.open(path)
	if err != nil {
		return nil, err
	}
	defer images.Close()
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	wafers := 0
	from := wafer.Reader(wafer.Counts(images, f.density == ""))
	if part != nil {
		first, behind := part.rows(0)
		if err := images.GoTo(part.in.Rows[0], first); err != nil {
			return nil, err
		}
		from = &firstOf{from, behind - first}
	}
	watched := watchedReader{from, func(n int) {
		wafers += n
		if share, ok := images.Share(); ok {
			bar.set(share, fmt.Sprintf("%d wafers", wafers))
		}
	}}
	if to == "" {
		return evaluate.Transmit(cmd.Context(), base, watched, nil, set)
	}
	out, err := f.images.create(cmd, to, force)
	if err != nil {
		return nil, err
	}
	defer out.Abort()
	if r, err = evaluate.Transmit(cmd.Context(), base, watched, out, set); err != nil {
		return nil, err
	}
	return r, out.Close()
}

// part sends the images of a shard.
func (f *encodeFlags) part(cmd *cobra.Command, c *common, path string, base *econt.Baseline, set evaluate.TransmitSettings) error {
	s, err := f.images.settings()
	if err != nil {
		return err
	}
	in, err := f.images.imageInputs(path)
	if err != nil {
		return err
	}
	p, err := f.shard.begin(cmd, c, f.out, pieces(f.out, wafer.WriteSettings{Order: s.Order}), in)
	if err != nil {
		return err
	}
	if p.done {
		return p.close(remarks(cmd, c), 0)
	}
	if from, to := p.rows(0); from == to {
		return p.close(remarks(cmd, c), 0)
	}
	r, err := f.transmit(cmd, c, path, base, set, p.Path(), true, p)
	if err != nil {
		return err
	}
	return p.close(remarks(cmd, c), r.Wafers)
}

// baselines are the chips of low and of high density, or twice that of the density given, with
// their decoders; model is nil but for AE with one.
func (f *encodeFlags) baselines(cmd *cobra.Command, threads int, notes io.Writer) (chips [2]*econt.Baseline, model *autoencoder.Model, err error) {
	a, err := econt.ParseAlgorithm(f.algorithm)
	if err != nil {
		return chips, nil, err
	}
	var weights *econt.Weights
	if a == econt.Autoencoder {
		if model, weights, err = f.encoder(cmd, threads, notes); err != nil {
			return chips, nil, err
		}
	}
	for k := range chips {
		config, err := f.config(a, k == 1 && f.density == "" || f.density == "hd", weights)
		if err != nil {
			return chips, nil, err
		}
		if err := f.needless(cmd.Flags(), &config); err != nil {
			return chips, nil, err
		}
		if model != nil {
			config.Keep = model.Architecture().Widths().Keep()
			if links := config.Keep.Links(); links > f.etx {
				return chips, nil, fmt.Errorf("%s: outputs of %d bits in all, which take %d links: give --etx %d, or a model that was trained with fewer bits",
					f.model, config.Keep.Count(), links, links)
			}
		}
		if chips[k], err = econt.NewBaseline(config, f.settings()); err != nil {
			return chips, nil, err
		}
	}
	return chips, model, nil
}

func printTransmission(w io.Writer, r *evaluate.Transmission) error {
	_, err := fmt.Fprintf(w, "%s on %d links (%d bits a bunch crossing): %d wafers, %.1f bits of information each, at most %d\n",
		r.Algorithm, r.ETx, r.LinkBits, r.Wafers, r.MeanBits, r.MaxBits)
	if r.MeanEMD != nil && err == nil {
		_, err = fmt.Fprintf(w, "EMD to the image: mean %.4f, median %.4f, 95 %% below %.4f\n", *r.MeanEMD, *r.MedianEMD, *r.Q95EMD)
	}
	if r.Nothing > 0 && err == nil {
		_, err = fmt.Fprintf(w, "nothing arrives of %d wafers (%.1f %%): scored as the same charge in all cells\n", r.Nothing, 100*float64(r.Nothing)/float64(r.Wafers))
	}
	if r.Empty > 0 && err == nil {
		_, err = fmt.Fprintf(w, "%d wafers without charge are not scored\n", r.Empty)
	}
	if r.Density != "" && err == nil {
		_, err = fmt.Fprintf(w, "wafer density: %s\n", r.Density)
	}
	return err
}
