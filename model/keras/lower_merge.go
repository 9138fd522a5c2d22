package keras

import (
	"fmt"
	"slices"

	"barrow/nn"
)

// concatenate joins values along the channels: inputs before any layer, or
// inputs to the end of a value that has gone through layers.
func (l *lowering) concatenate(c *layerConfig, args []value) (value, error) {
	var cfg struct {
		Axis *int `json:"axis"`
	}
	if err := c.read(&cfg); err != nil {
		return value{}, err
	}
	rank := 4
	if args[0].shape.H == 1 && args[0].shape.W == 1 {
		rank = 2
	}
	if cfg.Axis != nil && *cfg.Axis != -1 && *cfg.Axis != rank-1 {
		return value{}, fmt.Errorf("axis %d is not supported; supported is the last one, the channels", *cfg.Axis)
	}
	v := args[0]
	if len(args) == 2 && v.half != [2]int{} {
		return l.halves(v, args[1])
	}
	for _, a := range args {
		if err := a.settled(); err != nil {
			return value{}, err
		}
		if (a.negated || a.exchanged) && len(args) > 1 {
			return value{}, fmt.Errorf("negated or exchanged inputs are not supported here")
		}
	}
	v.inputs = slices.Clone(v.inputs)
	for i, a := range args[1:] {
		if a.shape.H != v.shape.H || a.shape.W != v.shape.W {
			return value{}, fmt.Errorf("shapes %v and %v do not fit", v.shape, a.shape)
		}
		if len(a.layers) > 0 {
			return value{}, fmt.Errorf("input %d has gone through layers; supported are the model's own inputs after the first", i+1)
		}
		if len(v.layers) == 0 {
			v.inputs = append(v.inputs, a.inputs...)
			v.shape.C += a.shape.C
			continue
		}
		if len(a.inputs) != 1 || l.inputs[a.inputs[0]].Side != "" || len(args) != 2 {
			return value{}, fmt.Errorf("supported is one of the model's own inputs, once, after layers")
		}
		in := &l.inputs[a.inputs[0]]
		in.Side = c.id
		v = v.with(nn.Layer{Kind: nn.KindConcat, Name: c.id, Channels: a.shape.C})
		v.shape.C += a.shape.C
	}
	return v, nil
}

// halves joins two slices of one input's channels.
func (l *lowering) halves(a, b value) (value, error) {
	whole := l.inputs[a.inputs[0]].Shape
	h := [2][2]int{{0, whole.C / 2}, {whole.C / 2, whole.C}}
	if whole.C%2 != 0 || !slices.Equal(a.inputs, b.inputs) || !(a.half == h[0] && b.half == h[1] || a.half == h[1] && b.half == h[0]) {
		return value{}, fmt.Errorf("channels %d to %d and %d to %d are joined: supported are the two halves of an input", a.half[0], a.half[1], b.half[0], b.half[1])
	}
	return value{inputs: a.inputs, shape: whole, exchanged: a.half == h[1]}, nil
}

// same reports whether two values are of the same layers and inputs.
func (v value) same(w value) bool {
	return slices.Equal(v.layers, w.layers) && slices.Equal(v.inputs, w.inputs) && v.negated == w.negated && v.exchanged == w.exchanged
}

// residual adds a value to what further layers have made of it.
func residual(c *layerConfig, args []value) (value, error) {
	const supported = "supported is a layer's output added to what the layers after it make of it"
	if len(args) != 2 {
		return value{}, fmt.Errorf("has %d inputs; %s", len(args), supported)
	}
	v, skip := args[0], args[1]
	if len(v.layers) < len(skip.layers) {
		v, skip = skip, v
	}
	n := len(skip.layers)
	if n == 0 || !slices.Equal(v.layers[:n], skip.layers) || !slices.Equal(v.inputs, skip.inputs) || v.negated != skip.negated || v.exchanged != skip.exchanged {
		return value{}, fmt.Errorf("its inputs are not of one chain of layers; %s", supported)
	}
	for _, a := range args {
		if err := a.settled(); err != nil {
			return value{}, err
		}
		if a.shape != v.shape {
			return value{}, fmt.Errorf("shapes %v and %v do not fit", skip.shape, v.shape)
		}
	}
	return v.with(nn.Layer{Kind: nn.KindAdd, Name: c.id, From: skip.layers[n-1].Name}), nil
}

// square multiplies a value by itself.
func square(c *layerConfig, args []value) (value, error) {
	if len(args) != 2 || !args[0].same(args[1]) {
		return value{}, fmt.Errorf("its inputs are not one layer's output twice; supported is a layer's output multiplied by itself")
	}
	if err := args[0].settled(); err != nil {
		return value{}, err
	}
	return args[0].with(nn.Layer{Kind: nn.KindSquare, Name: c.id}), nil
}

// pair joins two calls of one chain of layers: f(a, b) with f(b, a), or f(x)
// with f(−x), by their mean or their difference.
func pair(c *layerConfig, args []value) (value, error) {
	const supported = "supported is one nested model called on (a, b) and on (b, a), or on x and on −x"
	if len(args) != 2 || len(args[0].layers) == 0 || !slices.Equal(args[0].layers, args[1].layers) {
		return value{}, fmt.Errorf("its inputs do not come from the same layers; %s", supported)
	}
	v, w := args[0], args[1]
	for _, l := range v.layers {
		if l.Kind == nn.KindConcat || l.Kind == nn.KindSwapPair || l.Kind == nn.KindNegatePair {
			return value{}, fmt.Errorf("layer %q lies within the nested model; %s", l.Name, supported)
		}
	}
	if err := v.settled(); err != nil {
		return value{}, err
	}
	opening := nn.Layer{Kind: nn.KindSwapPair, Name: c.id + "_swap"}
	swapped := len(v.inputs) == 2 && len(w.inputs) == 2 && v.inputs[0] == w.inputs[1] && v.inputs[1] == w.inputs[0]
	one := slices.Equal(v.inputs, w.inputs)
	switch {
	case swapped && !v.negated && !w.negated && !v.exchanged && !w.exchanged:
	case one && !v.negated && !w.negated && !v.exchanged && w.exchanged:
	case one && !v.negated && w.negated && !v.exchanged && !w.exchanged:
		opening = nn.Layer{Kind: nn.KindNegatePair, Name: c.id + "_negate"}
	default:
		return value{}, fmt.Errorf("its inputs come from inputs %v and %v of the model; %s", v.inputs, w.inputs, supported)
	}
	closing := nn.Layer{Kind: nn.KindPairMean, Name: c.id}
	if c.class == "Subtract" {
		closing.Kind = nn.KindPairDifference
	}
	v.layers = append(append([]nn.Layer{opening}, v.layers...), closing)
	return v, nil
}
