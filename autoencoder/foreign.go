package autoencoder

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/nn"
)

// Custom is the Precision of a model whose layers or number formats are none of
// the Presets: a network of another program, evaluated in its own arithmetic. No
// Architecture describes it, so that none is trained or saved.
const Custom = "custom"

// Join puts a decoder's layers behind an encoder's: of a vector of the numbers that
// the encoder makes or, where the decoder takes more, these and conditions.
func Join(encoder, decoder *nn.Network, s nn.Settings) (*nn.Network, error) {
	spec := nn.Spec{Name: encoder.Spec().Name, Input: encoder.InputShape()}
	taken := map[string]bool{}
	unused := func(name string) string {
		free := name
		for k := 2; taken[free]; k++ {
			free = fmt.Sprintf("%s_%d", name, k)
		}
		taken[free] = true
		return free
	}
	values := map[string][]float32{}
	put := func(net *nn.Network) {
		names := map[string]string{}
		for _, l := range net.Spec().Layers {
			old := l.Name
			l.Name = unused(old)
			names[old] = l.Name
			if l.From != "" {
				l.From = names[l.From]
			}
			spec.Layers = append(spec.Layers, l)
		}
		for _, p := range net.Params() {
			slash := strings.LastIndexByte(p.Name, '/')
			values[names[p.Name[:slash]]+p.Name[slash:]] = p.Value
		}
	}
	put(encoder)
	made, takes := encoder.OutputShape(), decoder.InputShape()
	if more := takes.C - made.C; made != takes {
		if made != nn.Vector(made.C) || takes != nn.Vector(takes.C) || more < 0 {
			return nil, fmt.Errorf("autoencoder: a decoder of %v numbers, and the encoder beside it makes %v", takes, made)
		}
		spec.Layers = append(spec.Layers, nn.Layer{Kind: nn.KindConcat, Name: unused(layerConditions), Channels: more})
	}
	put(decoder)
	net, err := nn.New(spec, s)
	if err != nil {
		return nil, fmt.Errorf("autoencoder: %w", err)
	}
	for name, v := range values {
		if err := net.SetParam(name, v); err != nil {
			return nil, fmt.Errorf("autoencoder: %w", err)
		}
	}
	return net, nil
}

// EncoderAlone reports whether a network makes the 16 numbers, with or without
// conditions behind them, of an image.
func EncoderAlone(net *nn.Network) bool {
	out := net.OutputShape()
	return isImage(net.InputShape()) && (out == nn.Vector(Latent) || out == nn.Vector(Latent+ConditionCount))
}

func isImage(s nn.Shape) bool {
	return s == nn.Shape{H: side, W: side, C: 1} || s == nn.Shape{H: 4, W: 4, C: 3}
}

// asRead is a model of the layers that a network has, whatever they are. Between
// image and image it makes 16 numbers, of which alone, and conditions joined to
// them, the rest is computed.
func asRead(net *nn.Network) (*Model, error) {
	layers := net.Layers()
	end, err := latentEnd(layers)
	if err != nil {
		return nil, err
	}
	settings := net.Settings()
	settings.MaxBatch = max(settings.MaxBatch, decodeBatch)
	net, err = net.View(0, len(layers), settings)
	if err != nil {
		return nil, err
	}
	a := Architecture{Precision: Custom, LatentBits: latentBits(layers[:end])}.withDefaults()
	conditions := ""
	if l := layers[end]; l.Kind == nn.KindConcat {
		if l.Channels != ConditionCount {
			return nil, fmt.Errorf("its layer %q joins %d conditions: there are %d", l.Name, l.Channels, ConditionCount)
		}
		a.Conditional, conditions = true, l.Name
	}
	m, err := assemble(a, net)
	if err != nil {
		return nil, err
	}
	m.end, m.conditions = end, conditions
	last := layers[len(layers)-1].Kind
	if last != nn.KindSigmoid {
		m.floor = decodedFloor
	}
	if last == nn.KindSquare { // whose sum says nothing: see Architecture.Sum
		m.total = asSent
	}
	return m, nil
}

// latentEnd is the number of layers up to the 16 numbers: a layer of weights and those
// behind it that act on each number. Nothing behind them looks past them, and only there
// conditions are joined. An error names the layer that is otherwise.
func latentEnd(layers []nn.LayerShape) (int, error) {
	at := slices.IndexFunc(layers, func(l nn.LayerShape) bool { return l.Kind == nn.KindDense && l.Units == Latent })
	if at < 0 {
		var made []string
		for _, l := range layers {
			if l.Kind == nn.KindDense {
				made = append(made, fmt.Sprintf("layer %q makes %d", l.Name, l.Units))
			}
		}
		if made == nil {
			made = []string{"there is no dense layer"}
		}
		return 0, fmt.Errorf("no layer makes the %d numbers that are sent: %s; wanted is a dense layer of %d units between image and image", Latent, strings.Join(made, ", "), Latent)
	}
	end := at + 1
	for end < len(layers) && each(layers[end]) {
		end++
	}
	if end == len(layers) {
		return 0, fmt.Errorf("nothing is computed of the %d numbers of layer %q", Latent, layers[at].Name)
	}
	before := map[string]bool{}
	for i, l := range layers {
		if l.Kind == nn.KindConcat && i != end {
			return 0, fmt.Errorf("layer %q joins %d numbers, and stands elsewhere than behind layer %q, whose %d numbers are sent: conditions are joined to these", l.Name, l.Channels, layers[end-1].Name, Latent)
		}
		if i >= end && before[l.From] {
			return 0, fmt.Errorf("layer %q takes what layer %q makes, past the %d numbers of layer %q, which alone are sent", l.Name, l.From, Latent, layers[end-1].Name)
		}
		if i < end {
			before[l.Name] = true
		}
	}
	return end, nil
}

// each reports whether a layer acts on every number of a vector by itself.
func each(l nn.LayerShape) bool {
	return l.From == "" && l.Kind != nn.KindDense && l.Kind != nn.KindConcat && l.In == nn.Vector(Latent) && l.Out == l.In
}

// latentBits is the width of the outputs that the last quantiser of an encoder leaves;
// 0 in floating point.
func latentBits(encoder []nn.LayerShape) int {
	for i := len(encoder) - 1; i >= 0 && each(encoder[i]); i-- {
		if k := encoder[i].Kind; k == nn.KindQuantizedBits || k == nn.KindQuantizedReLU {
			return encoder[i].Bits
		}
	}
	return 0
}

var errCustom = errors.New("autoencoder: a network of another program, in number formats of its own, is evaluated and not trained or saved: keep its file")
