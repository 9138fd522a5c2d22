package autoencoder

import (
	"fmt"
	"slices"
	"strings"

	"barrow/econt"
	"barrow/internal/setting"
	"barrow/nn"
	"barrow/wafer"
)

// An Architecture says what an autoencoder computes. The zero value is the
// paper's in floating point.
type Architecture struct {
	// Precision is the name of a preset: "float" (the default), "qkeras-5bit",
	// "asic", "cmssw-mainline" or "cmssw-fork"; see Presets.
	Precision string `json:"precision,omitempty" help:"number formats of the encoder"`
	// WeightBits replaces the preset's width of the encoder's weights, sign
	// included; 0 keeps it. Only qkeras-5bit and cmssw-fork can be changed.
	WeightBits int `json:"weight_bits,omitempty" help:"bits of the encoder's weights, sign included (default: the precision's own)"`
	// LatentBits is the width of each of the encoder's outputs; 0 is the
	// preset's, that of five links. LatentBits(links) gives those of fewer.
	LatentBits int `json:"latent_bits,omitempty" help:"bits of each of the encoder's outputs, 1 to 9 (default: the precision's own)"`
	// Mask is the widths of the outputs where they differ, in place of LatentBits: "9x2,7x0" are
	// nine outputs of 2 bits and seven of none (ParseWidths). Each keeps its highest bits, as the
	// chip's keep mask cuts them; only the precision asic has one. On 1 to 5 links there is room
	// for 18, 50, 82, 114 and all 144 bits.
	Mask string `json:"mask,omitempty" help:"bits of the encoder's outputs where they differ, as in 9x2,7x0: nine outputs of 2 bits, seven of none (asic; 18, 50, 82, 114 bits fit on 1 to 4 links)"`
	// Normalisation of the image in front of the encoder: "sumlog2" (the
	// default, by 2^⌊log2 Σ⌋), "sum", "max" or "sumlog2-without-0".
	Normalisation string `json:"normalisation" help:"of the images"`
	// Range is the largest charge that a decoded cell can have, in units of the
	// normalised image: the sigmoid's 1 (also for 0, the default), or 2, the
	// largest that "sumlog2" leaves in a cell. Where a single cell can hold most
	// of an image, a range of 1 makes losses that see the charge smear it.
	Range int `json:"range,omitempty" help:"largest decoded charge in a cell, 1 (default) or 2, in units of the normalised image"`
	// Decoder names the layers behind the 16 outputs: "paper" (the default, 2,833
	// weights) "dense" (three layers of denseUnits) or "residual" (residualBlocks of them). A
	// decoder runs off the detector, where its size is free; the encoder is the same.
	Decoder string `json:"decoder,omitempty" help:"layers off the detector (default paper)"`
	// Output is what the dense and the residual decoder end in: "sigmoid" (the
	// default) or "square". A sigmoid's gradient dies with the value of a cell, so that a decoder
	// that has once put a small image's charge into the wrong cells, as a loss
	// without a gradient from the cells' own charges lets it, stays there.
	Output string `json:"output,omitempty" help:"last layer of the decoder dense or residual (default sigmoid)"`
	// Sum says what a decoded image sums to: what the decoder makes of it, SumDecoded, or the
	// module's sum that the chip sends in nine bits of every frame, SumSent. The shape is the
	// same. By default it is SumSent with squares, whose scale a loss of shapes leaves free, and
	// with cmssw-mainline, else SumDecoded.
	Sum string `json:"sum,omitempty" help:"what decoded images sum to, what the decoder makes of them or the module's sum of every frame, in nine bits (default: sent with squares, else decoded)"`
	// Conditional gives the decoder eight conditions beside the 16 outputs
	// (Conditions) and, unless Decoder says otherwise, the layers of the conditional
	// autoencoder.
	Conditional bool `json:"conditional,omitempty" help:"decode with eight conditions: η, wafer place and type, charge, layer"`
}

// Choices are the values that a setting of the architecture may have.
func (Architecture) Choices(key string) []string {
	switch key {
	case "precision":
		return PresetNames()
	case "normalisation":
		return Normalisations()
	case "decoder":
		return Decoders()
	case "output":
		return Outputs()
	case "sum":
		return sums()
	}
	return nil
}

// A Fixed is a fixed-point format: Bits in all with the sign, Integer of them
// before the point, as QKeras counts them. Bits 0 is floating point.
type Fixed struct {
	Bits, Integer int
	Floor         bool // rounds towards −∞ instead of to the nearest
	// Unlimited numbers are rounded to 2^(Integer−Bits) and have no largest value.
	Unlimited bool
}

// A Precision is a preset: the formats of the encoder. The decoder, which runs
// off the detector, is always in floating point.
type Precision struct {
	Name    string
	Weights Fixed // kernels and biases, signed
	Input   Fixed // pixels, without sign
	Hidden  Fixed // convolution's output after its ReLU, without sign
	Latent  Fixed // the 16 outputs after their ReLU, without sign
	// Chip is the arithmetic of ECON-T, every product truncated, bit for bit
	// as barrow/econt has it.
	Chip bool
	// Rhombi arranges images as 4×4×3, one channel a rhombus, instead of 8×8.
	Rhombi bool
	// Restore scales decoded images to the module's sum, which the chip sends
	// too, and leaves out decoded cells below 0.1 MIP_T (3.5 counts).
	Restore bool
	Source  string
}

// Presets are the precisions there are, "float" first.
//
// "qkeras-5bit" is the paper's quantised encoder, "asic" the chip,
// "cmssw-mainline" the emulation in CMSSW (floating-point weights on 4×4×3
// images, inputs rounded to 1/256, outputs rounded to 2^−b without a limit, decoded
// images scaled to the module's sum),
// "cmssw-fork" the one of the conditional autoencoder.
func Presets() []Precision {
	return []Precision{
		{Name: "float", Source: "arXiv:2306.04712"},
		{Name: "qkeras-5bit", Weights: Fixed{Bits: 5, Integer: 1}, Input: Fixed{Bits: 10, Integer: 3}, Hidden: Fixed{Bits: 11, Integer: 3},
			Latent: Fixed{Bits: 9, Integer: 1}, Source: "the paper's public code, model qK_RTL"},
		{Name: "asic", Weights: Fixed{Bits: 6}, Input: Fixed{Bits: 8, Integer: 1, Floor: true},
			Latent: Fixed{Bits: 9, Integer: 1, Floor: true}, Chip: true, Source: "ECON-T"},
		{Name: "cmssw-mainline", Input: Fixed{Bits: 9, Integer: 1}, Latent: Fixed{Bits: 9, Unlimited: true}, Rhombi: true, Restore: true, Source: "CMSSW"},
		{Name: "cmssw-fork", Weights: Fixed{Bits: 6}, Input: Fixed{Bits: 8, Integer: 1, Floor: true}, Hidden: Fixed{Bits: 8, Integer: 1},
			Latent: Fixed{Bits: 9, Integer: 1, Floor: true}, Source: "CMSSW with the conditional autoencoder"},
	}
}

// PresetNames lists the presets in their order.
func PresetNames() []string {
	var names []string
	for _, p := range Presets() {
		names = append(names, p.Name)
	}
	return names
}

// preset is the architecture's, without its own widths.
func (a Architecture) preset() (p Precision, ok bool) {
	if i := slices.Index(PresetNames(), a.Precision); i >= 0 {
		return Presets()[i], true
	}
	return p, false
}

// Normalisations are the names that Architecture.Normalisation takes.
func Normalisations() []string {
	return []string{wafer.NormSumLog2.String(), wafer.NormSum.String(), wafer.NormMax.String(), wafer.NormSumLog2Without0.String()}
}

// Decoders are the names that Architecture.Decoder takes.
func Decoders() []string { return []string{DecoderPaper, DecoderDense, DecoderResidual} }

// The decoders' names.
const (
	DecoderPaper    = "paper"
	DecoderDense    = "dense"
	DecoderResidual = "residual"
)

// Outputs are the names that Architecture.Output takes.
func Outputs() []string { return []string{OutputSigmoid, OutputSquare} }

// The outputs' names.
const (
	OutputSigmoid = "sigmoid"
	OutputSquare  = "square"
)

// denseUnits is the width of the dense and the residual decoder.
const denseUnits = 256

// residualBlocks is how many blocks the residual decoder has. Each adds to its
// input what two dense layers with a SiLU between them make of it.
const residualBlocks = 3

// free reports whether the decoder is one of ours, which fits every kind of
// image and takes conditions.
func (a Architecture) free() bool {
	return a.Decoder == DecoderDense || a.Decoder == DecoderResidual
}

// bitsByLinks are the bits of an encoder output that 1 to 5 links carry.
var bitsByLinks = [...]int{1, 3, 5, 7, 9}

// LatentBits is how many bits of each of the 16 outputs the given number of
// 1.28 Gb/s links carries: 1, 3, 5, 7, 9 on 1, 2, 3, 4, 5 or more. 0 links or
// fewer, and more than the chip has, are an error.
func LatentBits(links int) (int, error) {
	if links < 1 {
		return 0, fmt.Errorf("autoencoder: %d links carry nothing: want 1 to 5, or more", links)
	}
	if links > econt.MaxETx {
		return 0, fmt.Errorf("autoencoder: %d links: the chip has %d, and 5 carry all bits", links, econt.MaxETx)
	}
	return bitsByLinks[min(links, len(bitsByLinks))-1], nil
}

// maxLatentBits are those of the chip's outputs.
const maxLatentBits = 9

func (a Architecture) withDefaults() Architecture {
	if a.Precision == "" {
		a.Precision = "float"
	}
	if a.Normalisation == "" {
		a.Normalisation = wafer.NormSumLog2.String()
	}
	if a.Decoder == DecoderPaper {
		a.Decoder = "" // as in files of before there were others
	}
	if a.Output == OutputSigmoid {
		a.Output = ""
	}
	if a.Sum == a.defaultSum() {
		a.Sum = ""
	}
	if a.Mask != "" {
		a = a.withMask()
	}
	return a
}

// Check reports what does not fit together, naming the key and what it may be.
func (a Architecture) Check() error {
	_, err := a.withDefaults().precision()
	return err
}

// precision is the preset with the architecture's own widths.
func (a Architecture) precision() (Precision, error) {
	if err := a.choices(); err != nil {
		return Precision{}, fmt.Errorf("autoencoder: %w", err)
	}
	p, _ := a.preset()
	switch {
	case p.Chip && a.Normalisation != wafer.NormSumLog2.String():
		return p, fmt.Errorf("autoencoder: normalisation = %q: the chip shifts, so precision %q wants sumlog2", a.Normalisation, a.Precision)
	case a.Range < 0 || a.Range > 2:
		return p, fmt.Errorf("autoencoder: range = %d: it may be 1 or 2", a.Range)
	case a.Output == OutputSquare && !a.free():
		return p, fmt.Errorf("autoencoder: output = %q: for decoder = %q or %q only", a.Output, DecoderDense, DecoderResidual)
	case a.Output == OutputSquare && a.Range > 1:
		return p, fmt.Errorf("autoencoder: range = %d: a square has no limit; leave the key out", a.Range)
	case a.Sum == SumDecoded && p.Restore:
		return p, fmt.Errorf("autoencoder: sum = %q: precision %q scales to the sum sent, as CMSSW does; leave the key out", a.Sum, a.Precision)
	case a.Conditional && a.Range > 1 && !a.free():
		return p, fmt.Errorf("autoencoder: range = %d: the conditional decoder ends in a ReLU, which has no limit; leave the key out", a.Range)
	case a.Conditional && p.Rhombi && !a.free():
		return p, fmt.Errorf("autoencoder: conditional = true: the conditional decoder makes 8×8 images, precision %q has 4×4×3", a.Precision)
	}
	return p, a.widths(&p)
}

// choices checks the names.
func (a Architecture) choices() error {
	for _, c := range [][2]string{{"precision", a.Precision}, {"normalisation", a.Normalisation}, {"decoder", a.Decoder}, {"output", a.Output}, {"sum", a.Sum}} {
		if c[1] == "" {
			continue
		}
		if err := setting.Choice(c[0], c[1], a.Choices(c[0])); err != nil {
			return err
		}
	}
	return nil
}

// widths gives a preset the architecture's own widths.
func (a Architecture) widths(p *Precision) error {
	if a.WeightBits != 0 {
		switch {
		case p.Weights.Bits == 0:
			return fmt.Errorf("autoencoder: weight_bits = %d: the weights of precision %q are floating point; leave the key out", a.WeightBits, a.Precision)
		case p.Chip && a.WeightBits != p.Weights.Bits:
			return fmt.Errorf("autoencoder: weight_bits = %d: the chip has %d-bit weights", a.WeightBits, p.Weights.Bits)
		case a.WeightBits < p.Weights.Integer+2 || a.WeightBits > 16:
			return fmt.Errorf("autoencoder: weight_bits = %d: want %d to 16, sign included", a.WeightBits, p.Weights.Integer+2)
		}
		p.Weights.Bits = a.WeightBits
	}
	if a.Mask != "" {
		return a.masked(p)
	}
	if a.LatentBits != 0 {
		switch {
		case p.Latent.Bits == 0:
			return fmt.Errorf("autoencoder: latent_bits = %d: the outputs of precision %q are floating point; leave latent_bits (or links) out, or choose another precision: %s", a.LatentBits, a.Precision, strings.Join(PresetNames()[1:], ", "))
		case a.LatentBits < 1 || a.LatentBits > maxLatentBits:
			return fmt.Errorf("autoencoder: latent_bits = %d: want 1 to %d (1, 3, 5, 7, 9 for 1 to 5 links)", a.LatentBits, maxLatentBits)
		}
		p.Latent.Bits = a.LatentBits
	}
	return nil
}

// String names the architecture, as in "asic, 5-bit outputs".
func (a Architecture) String() string {
	a = a.withDefaults()
	s := a.Precision
	if a.WeightBits != 0 {
		s += fmt.Sprintf(", %d-bit weights", a.WeightBits)
	}
	if a.LatentBits != 0 {
		s += fmt.Sprintf(", %d-bit outputs", a.LatentBits)
	}
	if a.Mask != "" {
		s += ", outputs of " + a.Mask + " bits"
	}
	if a.Normalisation != wafer.NormSumLog2.String() {
		s += ", normalised by " + a.Normalisation
	}
	if a.Range > 1 {
		s += fmt.Sprintf(", cells up to %d", a.Range)
	}
	if a.free() {
		s += ", " + a.Decoder + " decoder"
		if a.Output == OutputSquare {
			s += " with squared output"
		}
	}
	if a.Sum != "" {
		s += ", sum " + a.Sum
	}
	if a.Conditional {
		s += ", conditional"
	}
	return s
}

// The layers that the code asks for by name.
const (
	layerConv       = "encoder_conv"
	layerDense      = "encoder_dense"
	layerLatent     = "latent"
	layerConditions = "conditions"
	layerOutput     = "decoder_conv_2" // of every decoder, dense ones too
)

// specName begins the name of every autoencoder's network.
const specName = "autoencoder"

// Spec describes the network: 8×8×1 (or 4×4×3) to the same, encoder first.
func (a Architecture) Spec() (nn.Spec, error) {
	a = a.withDefaults()
	p, err := a.precision()
	if err != nil {
		return nn.Spec{}, err
	}
	s := nn.Spec{Name: specName, Input: nn.Shape{H: side, W: side, C: 1}}
	conv := nn.Layer{Kind: nn.KindConv2D, Name: layerConv, Filters: 8, Kernel: 3, Stride: 2, Padding: nn.PaddingSame, Bits: p.Weights.Bits, Integer: p.Weights.Integer}
	if p.Rhombi {
		s.Input, conv.Stride = nn.Shape{H: 4, W: 4, C: 3}, 1
	}
	if a.Precision != "float" || a.Conditional || a.free() {
		s.Name += " (" + a.String() + ")"
	}
	if p.Input.Bits > 0 {
		s.Layers = append(s.Layers, nn.Layer{Kind: nn.KindQuantizedBits, Name: "input", Bits: p.Input.Bits, Integer: p.Input.Integer, Unsigned: true, Rounding: p.Input.rounding()})
	}
	s.Layers = append(s.Layers, conv, p.Hidden.relu("encoder_conv_relu"),
		nn.Layer{Kind: nn.KindFlatten, Name: "encoder_flatten"},
		nn.Layer{Kind: nn.KindDense, Name: layerDense, Units: Latent, Bits: p.Weights.Bits, Integer: p.Weights.Integer},
		p.Latent.relu(layerLatent))
	if a.Mask != "" {
		s.Layers = append(s.Layers, a.Widths().cut(p.Latent)...)
	}
	s.Layers = append(s.Layers, decoder(a, p, s.Input)...)
	return s, nil
}

func (f Fixed) rounding() string {
	if f.Floor {
		return nn.RoundFloor
	}
	return nn.RoundNearest
}

// unlimitedBits are those of a format that stands for one without a limit.
const unlimitedBits = 20

func (f Fixed) relu(name string) nn.Layer {
	if f.Bits == 0 {
		return nn.Layer{Kind: nn.KindReLU, Name: name}
	}
	if f.Unlimited { // as many integer bits as there is room for
		f.Bits, f.Integer = unlimitedBits, unlimitedBits-f.Bits+f.Integer
	}
	return nn.Layer{Kind: nn.KindQuantizedReLU, Name: name, Bits: f.Bits, Integer: f.Integer, Rounding: f.rounding()}
}

// decoder lists the layers behind the 16 outputs: the paper's, those of the
// conditional autoencoder, or dense ones. image is the shape to end with.
func decoder(a Architecture, p Precision, image nn.Shape) []nn.Layer {
	dense := func(k string, units int) []nn.Layer {
		return []nn.Layer{{Kind: nn.KindDense, Name: "decoder_dense" + k, Units: units}, {Kind: nn.KindReLU, Name: "decoder_dense" + k + "_relu"}}
	}
	reshape := nn.Layer{Kind: nn.KindReshape, Name: "decoder_reshape", Height: 4, Width: 4, Channels: 8}
	var layers []nn.Layer
	if a.Conditional {
		layers = []nn.Layer{{Kind: nn.KindConcat, Name: layerConditions, Channels: ConditionCount}}
	}
	if a.free() {
		if a.Decoder == DecoderResidual {
			layers = append(layers, residual()...)
		} else {
			for _, k := range []string{"_1", "_2", "_3"} {
				layers = append(layers, dense(k, denseUnits)...)
			}
		}
		last := nn.Layer{Kind: nn.KindSigmoid, Name: "decoded"}
		if a.Output == OutputSquare {
			last.Kind = nn.KindSquare
		}
		return append(layers, nn.Layer{Kind: nn.KindDense, Name: layerOutput, Units: image.Size()},
			nn.Layer{Kind: nn.KindReshape, Name: "decoder_reshape", Height: image.H, Width: image.W, Channels: image.C}, last)
	}
	if a.Conditional {
		layers = append(layers, dense("_1", 24)...)
		layers = append(layers, dense("_2", 64)...)
		layers = append(layers, dense("_3", 128)...)
		return append(layers, reshape,
			nn.Layer{Kind: nn.KindConv2DTranspose, Name: layerOutput, Filters: 1, Kernel: 3, Stride: 2, Padding: nn.PaddingValid},
			nn.Layer{Kind: nn.KindCrop, Name: "decoder_crop", Height: side, Width: side},
			nn.Layer{Kind: nn.KindReLU, Name: "decoded"})
	}
	stride, channels := 2, 1
	if p.Rhombi {
		stride, channels = 1, 3
	}
	return append(dense("", 128), reshape,
		nn.Layer{Kind: nn.KindConv2DTranspose, Name: "decoder_conv_1", Filters: 8, Kernel: 3, Stride: stride, Padding: nn.PaddingSame},
		nn.Layer{Kind: nn.KindReLU, Name: "decoder_conv_1_relu"},
		nn.Layer{Kind: nn.KindConv2DTranspose, Name: layerOutput, Filters: channels, Kernel: 3, Stride: 1, Padding: nn.PaddingSame},
		nn.Layer{Kind: nn.KindSigmoid, Name: "decoded"})
}

// residual lists the layers of the residual decoder before its last.
func residual() []nn.Layer {
	last := "decoder_dense"
	layers := []nn.Layer{{Kind: nn.KindDense, Name: last, Units: denseUnits}}
	for k := 1; k <= residualBlocks; k++ {
		block := fmt.Sprintf("decoder_block_%d", k)
		layers = append(layers,
			nn.Layer{Kind: nn.KindDense, Name: block + "_in", Units: denseUnits}, nn.Layer{Kind: nn.KindSiLU, Name: block + "_silu"},
			nn.Layer{Kind: nn.KindDense, Name: block + blockOut, Units: denseUnits}, nn.Layer{Kind: nn.KindAdd, Name: block, From: last})
		last = block
	}
	return append(layers, nn.Layer{Kind: nn.KindSiLU, Name: "decoder_silu"})
}

// blockOut ends the name of a residual block's second layer.
const blockOut = "_out"
