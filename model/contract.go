package model

import (
	"cmp"
	"fmt"
	"strings"

	"barrow/autoencoder"
	"barrow/nn"
	"barrow/surrogate"
)

// A Contract says how images meet an autoencoder: what is done to 48 charges
// before the encoder, in which formats it computes, and what its outputs are. An
// image is divided by what Normalisation says and put into Shape as Cells says.
type Contract struct {
	// Normalisation is what an image is divided by: "sumlog2", "sum", "max" or "sumlog2-without-0".
	Normalisation string
	// Shape of the encoder's image: 8×8×1 or 4×4×3.
	Shape nn.Shape
	// Cells is where V9 cell c lies in that image, channels last:
	// (y·W + x)·C + channel. All other places are 0.
	Cells [autoencoder.Cells]int
	// Precision has the number formats of weights, image, hidden layer and
	// outputs, and how single products are rounded; of the precision Custom only the
	// name, the formats being the layers' own.
	Precision autoencoder.Precision
	// LatentBits is the width of an output, of the widest where Architecture.Mask gives each its
	// own; 0 in floating point.
	LatentBits int
	// Conditions names the numbers that follow the 16 outputs into the decoder of
	// a conditional model; nil for others.
	Conditions []string
	// Layers of an encoder that another program left: they have its number formats, and
	// Precision and LatentBits say nothing. Nil of Barrow's own.
	Layers []Layer
	// Architecture is what the model was built as; zero where there are Layers.
	Architecture autoencoder.Architecture
}

func contractOf(m *autoencoder.Model) (Contract, error) {
	a := m.Architecture()
	p, err := a.Formats()
	if err != nil {
		return Contract{}, fmt.Errorf("model: %w", err)
	}
	shape := m.Network().InputShape()
	c := Contract{
		Normalisation: a.Normalisation, Shape: shape, Cells: autoencoder.Arrangement(shape),
		Precision: p, LatentBits: cmp.Or(p.Latent.Bits, a.LatentBits), Architecture: a,
	}
	if a.Conditional {
		c.Conditions = conditionNames[:]
	}
	if a.Precision == autoencoder.Custom {
		encoder, err := m.EncoderNetwork(nn.Settings{})
		if err != nil {
			return c, fmt.Errorf("model: %w", err)
		}
		c.Layers = Layers(encoder)
	}
	return c, nil
}

// conditionNames names what autoencoder.Conditions returns.
var conditionNames = [autoencoder.ConditionCount]string{
	"|eta|/3.1", "waferv/12", "waferu/12", "wafer type 0", "wafer type 1", "wafer type 2", "ln(sum of charges + 1)", "(layer - 1)/46",
}

// divisors say in words what an image is divided by.
var divisors = map[string]string{
	"sumlog2":           "2^floor(log2(sum of its charges)), so that it sums to at least 1 and less than 2",
	"sumlog2-without-0": "2^floor(log2(sum of its charges but that of cell 0)), as the ntuple producer sums",
	"sum":               "the sum of its charges",
	"max":               "its largest charge",
}

// String describes the contract to the reader of an exported file, a line a
// matter.
func (c Contract) String() string {
	var b strings.Builder
	line := func(what, format string, a ...any) {
		fmt.Fprintf(&b, "%-14s %s\n", what+":", fmt.Sprintf(format, a...))
	}
	name, taken := c.Architecture.String(), ""
	if c.Layers != nil {
		name, taken = "an encoder of another program", "; that and the arrangement are assumed: the file did not say it"
	}
	line("Model", "%s", name)
	line("Image", "48 charges in V9 order, divided by %s%s", divisors[c.Normalisation], taken)
	line("Arrangement", "%d x %d pixels of %d channel(s); cells by row, column and channel, - for always 0:", c.Shape.H, c.Shape.W, c.Shape.C)
	b.WriteString(c.grid())
	if c.Layers != nil {
		for _, l := range c.Layers {
			how := "in 32-bit floating point"
			if l.Quantiser != "" {
				how = l.Quantiser
			}
			line("Layer", "%s: %s to %v, %s", l.Name, l.Kind, l.Shape, how)
		}
		c.joined(line)
		return b.String()
	}
	p := c.Precision
	line("Pixels", "%s", format(p.Input, false))
	line("Weights", "%s", format(p.Weights, true))
	if p.Chip {
		line("Products", "each is rounded down before it is added, as on the chip: to 1/128 in the convolution, to 1/256 in the dense layer")
		line("Hidden", "multiples of 1/128, not limited")
	} else {
		line("Hidden", "%s", format(p.Hidden, false))
	}
	line("Outputs", "16 numbers, %s", format(p.Latent, false))
	if m := c.Architecture.Mask; m != "" {
		line("Mask", "of the outputs, in their order, so many highest bits are sent, the others are 0: %s", m)
	}
	c.joined(line)
	c.afterwards(line)
	return b.String()
}

// joined describes the conditions.
func (c Contract) joined(line func(what, format string, a ...any)) {
	if c.Conditions != nil {
		line("Conditions", "after the 16 outputs the decoder takes %s", strings.Join(c.Conditions, ", "))
	}
}

// afterwards is of whoever decodes: it is in no layer, so in none of the files.
func (c Contract) afterwards(line func(what, format string, a ...any)) {
	if done, err := c.Architecture.Afterwards(); err == nil {
		line("Decoded", "what the decoder makes, %s", done)
	}
}

// grid draws the arrangement.
func (c Contract) grid() string {
	cell := make([]string, c.Shape.Size())
	for i := range cell {
		cell[i] = "-"
	}
	for i, at := range c.Cells {
		cell[at] = fmt.Sprint(i)
	}
	var b strings.Builder
	for k := range c.Shape.C {
		if c.Shape.C > 1 {
			fmt.Fprintf(&b, "    channel %d\n", k)
		}
		for y := range c.Shape.H {
			b.WriteString("   ")
			for x := range c.Shape.W {
				fmt.Fprintf(&b, " %2s", cell[(y*c.Shape.W+x)*c.Shape.C+k])
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func format(f autoencoder.Fixed, signed bool) string {
	if f.Bits == 0 {
		return "32-bit floating point"
	}
	rounding, sign, fraction := "to the nearest, ties to even", "not negative", f.Bits-f.Integer
	if f.Floor {
		rounding = "down"
	}
	if signed {
		sign = "signed"
		fraction--
	}
	steps := fmt.Sprintf("%s, in steps of 2^-%d, rounded %s", sign, fraction, rounding)
	if f.Unlimited {
		return steps + ", not limited"
	}
	return fmt.Sprintf("%d bits, %s, limited to what fits", f.Bits, steps)
}

const aboutPotential = `Network:       potentials of the features of two images, then what their bound lacks of the EMD
Images:        48 charges in V9 order, scaled to sum 1
Features:      of what each image has more than the other, x, scaled to sum 1 on either side: 4x, the signed root of 4|x|, and
               the mean distance to one side less that to the other. The side with fewer cells is positive.
Between them:  the potentials are made feasible and climb the smoothed dual, which no format here holds: barrow/surrogate
               does it. The files hold the two networks alone.
`

// aboutCNN describes what an EMD CNN expects.
func aboutCNN(c *surrogate.CNN) string {
	text := `Network:       the EMD of two images
Images:        4 x 4 pixels of 6 channels, the first image's three and the second's; V9 cell c is pixel c mod 16 (row by row), channel
               c div 16. The two orders of the images give the same.
`
	if c.Surplus() {
		return text + `Charges:       each image scaled to sum 1; what both have is taken away, what is left, T on either side, scaled to sum 1
Output:        the EMD in units of the ground metric it was trained with, divided by T
`
	}
	return text + `Charges:       each image scaled to sum 1
Output:        the EMD in units of the ground metric it was trained with
`
}
