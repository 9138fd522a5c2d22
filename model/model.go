package model

import (
	"context"
	"fmt"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/loss"
	"barrow/nn"
	"barrow/surrogate"
)

// A Model is a trained model as formats see it: an autoencoder, an encoder or a decoder
// alone ([OfNetwork]), a network that estimates the EMD, or a decoder of the chip's frames
// ([OfDecoder]). It is used by one goroutine at a time.
type Model struct {
	parts   []Part
	encoder *Encoder
	about   string
	draw    func(ctx context.Context, n int) (Vectors, error)
	encode  func(ctx context.Context, x []float32) ([]float32, error)
	beside  []File
}

// A Part is one network of a model, which a format may write alone.
type Part struct {
	// Name is "encoder", "decoder" or "whole" of an autoencoder; "emd" of an EMD
	// CNN; "potential" and "gap" of a network of potentials; "shares" of a decoder of frames.
	Name  string
	About string // what it makes of what, in a few words
	// Network shares the model's weights. Nil of what a format makes up around one, for
	// a second arrangement.
	Network *nn.Network
	Inputs  []Input
	Output  string // the test vectors' array that it makes of those of Inputs
}

// An Input is an input of a part.
type Input struct {
	Name  string // of the test vectors' array: "x", "latent", "cond"
	Shape nn.Shape
	// Side names the concat layer that takes it (see nn.Network.SetSide). The
	// inputs without one make up the network's input, one behind the other.
	Side string
}

// An Encoder makes 16 numbers of an image. It is the part "encoder" of an
// autoencoder with what is known of it besides.
type Encoder struct {
	Contract
	// Network maps an image of Contract.Shape to the outputs. It shares the
	// model's weights. Where Chip is not nil, single products are truncated, too,
	// which no network does: the network is near the encoder, and Chip is it.
	Network *nn.Network
	Chip    *econt.Weights
}

// Exact reports whether the encoder's outputs are the same in every tool to the bit:
// with number formats everywhere, no sum depends on the order of its terms.
func (e *Encoder) Exact() bool {
	rounded := false // all that there is now are multiples of a step
	for _, l := range e.Network.Layers() {
		switch l.Kind {
		case nn.KindQuantizedBits, nn.KindQuantizedReLU:
			rounded = true
		case nn.KindConv2D, nn.KindDense:
			if !rounded || l.Bits == 0 {
				return false
			}
		case nn.KindReLU, nn.KindFlatten, nn.KindReshape, nn.KindCrop:
		default:
			return false
		}
	}
	return rounded
}

// Step is between the encoder's outputs, where its last layer rounds them; 0 in floating
// point.
func (e *Encoder) Step() float64 {
	layers := e.Network.Layers()
	l := layers[len(layers)-1]
	if l.Kind != nn.KindQuantizedBits && l.Kind != nn.KindQuantizedReLU {
		return 0
	}
	return float64(GridOf(l.Layer).Step)
}

// What the parts of an autoencoder make of what.
const (
	aboutEncoder     = "16 numbers of an image"
	aboutDecoder     = "an image of the 16 numbers"
	aboutConditional = "an image of the 16 numbers and, behind them, the 8 conditions"
)

// Of is a trained autoencoder as formats see it: its encoder, its decoder, of 16
// inputs or, where it is conditional, 24, and the whole.
func Of(m *autoencoder.Model) (*Model, error) {
	contract, err := contractOf(m)
	if err != nil {
		return nil, err
	}
	encoder, err := m.EncoderNetwork(nn.Settings{})
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	decoder, err := m.DecoderNetwork(nn.Settings{})
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	x := Input{Name: "x", Shape: contract.Shape}
	latent := Input{Name: "latent", Shape: nn.Vector(autoencoder.Latent)}
	whole, rest := []Input{x}, []Input{latent}
	if first := decoder.Layers()[0]; contract.Conditions != nil {
		conditions := Input{Name: "cond", Shape: nn.Vector(autoencoder.ConditionCount)}
		rest = append(rest, conditions)
		conditions.Side = first.Name
		whole = append(whole, conditions)
		// Behind the layer that joins them: a network of one input.
		if decoder, err = decoder.View(1, len(decoder.Layers()), nn.Settings{}); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
	}
	out := &Model{encoder: &Encoder{Contract: contract, Network: encoder}}
	out.parts = []Part{
		{"encoder", aboutEncoder, encoder, []Input{x}, "latent"},
		{"decoder", aboutDecoder, decoder, rest, "y"},
		{"whole", "encoder and decoder", m.Network(), whole, "y"},
	}
	if contract.Conditions != nil {
		out.parts[1].About = aboutConditional
	}
	if contract.Precision.Chip {
		if out.encoder.Chip, err = m.ChipWeights(); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
	}
	out.encode = m.EncodeInputs
	out.about = contract.String()
	out.draw = func(ctx context.Context, n int) (Vectors, error) { return drawImages(ctx, m, out, n) }
	return out, nil
}

// OfEstimator is a network that estimates the EMD as formats see it. A distance
// that no network computes is an error.
func OfEstimator(d loss.Distance) (*Model, error) {
	out := &Model{}
	switch d := d.(type) {
	case *surrogate.CNN:
		out.parts = []Part{
			{"emd", "the EMD of two images", d.Network(), []Input{{Name: "x", Shape: d.Network().InputShape()}}, "y"},
		}
		out.about = aboutCNN(d)
		out.draw = func(ctx context.Context, n int) (Vectors, error) { return drawPairs(ctx, d, out, n) }
	case *surrogate.Potential:
		potential, gap := d.Networks()
		out.parts = []Part{
			{"potential", "48 potentials of the features of two images", potential, []Input{{Name: "x", Shape: potential.InputShape()}}, "y"},
			{"gap", "what the potentials' bound lacks of the EMD, before a softplus, as a share of the bound", gap, []Input{{Name: "x_gap", Shape: gap.InputShape()}}, "y_gap"},
		}
		out.about = aboutPotential
		out.draw = func(ctx context.Context, n int) (Vectors, error) { return drawFeatures(ctx, d, out, n) }
	default:
		return nil, fmt.Errorf("model: a distance of the type %T is no network", d)
	}
	return out, nil
}

// Parts are the model's networks, the first being what it is there for.
func (m *Model) Parts() []Part { return m.parts }

// Part is the part of that name, or nil.
func (m *Model) Part(name string) *Part {
	for i := range m.parts {
		if m.parts[i].Name == name {
			return &m.parts[i]
		}
	}
	return nil
}

// Encoder is the part of an autoencoder that runs on the detector; nil of a decoder alone
// and of a network that estimates the EMD.
func (m *Model) Encoder() *Encoder { return m.encoder }

// Runner runs the model: an autoencoder, whose encoder also gives latent, a part that is
// alone, an EMD CNN, or the two networks of potentials and gap, of inputs and outputs of their own.
func (m *Model) Runner() Runner {
	if m.Part("whole") == nil {
		return several(m.parts)
	}
	return whole{m}
}

// Beside are files that belong to an export of the model in any format: of a decoder of frames
// what no network says.
func (m *Model) Beside() []File { return m.beside }

// String describes to the reader of an exported file what it expects, a line a
// matter.
func (m *Model) String() string { return m.about }

// Vectors draws n samples and computes what every part makes of them, in the
// model's own arithmetic, to the bit. The same n gives the same numbers.
//
// Of an autoencoder: charge (n×48 whole CALQ counts, V9 order), x (images of
// Contract.Shape, channels last), cond (n×8) where it is conditional, latent (n×16)
// and y, the image as the decoder gives it. Of an EMD CNN: x (n×4×4×6) and y (n×1).
// Of an encoder alone all but y, of a decoder alone latent, cond and y.
// Of a network of potentials: x and y (n×48), x_gap and y_gap (n×1). Of a decoder of frames:
// what frames say (sent, known, group, sums, carrier and limit or, of AE, latent; cond where it
// takes conditions), x, y (n×48 shares) and image (n×48 charges, V9 order).
func (m *Model) Vectors(ctx context.Context, n int) (Vectors, error) {
	v, err := m.draw(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return v, nil
}
