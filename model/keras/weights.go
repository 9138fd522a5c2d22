package keras

import (
	"fmt"
	"slices"
	"strings"

	"barrow/nn"
)

// A slot is one array that a network needs.
type slot struct {
	layer, name string // "conv2d_1", "kernel"
	shape       []int
	optional    bool // absent where Keras' layer was made without it
	fill        float32
}

// slots lists the arrays of a layer in Keras' order and shape.
func slots(l nn.LayerShape) []slot {
	var kernel []int
	switch l.Kind {
	case nn.KindConv2D:
		kernel = []int{l.Kernel, l.Kernel, l.In.C, l.Filters}
	case nn.KindConv2DTranspose:
		kernel = []int{l.Kernel, l.Kernel, l.Filters, l.In.C}
	case nn.KindDense:
		kernel = []int{l.In.Size(), l.Units}
	case nn.KindBatchNorm:
		c := []int{l.In.C}
		return []slot{
			{l.Name, "gamma", c, true, 1}, {l.Name, "beta", c, true, 0},
			{l.Name, "moving_mean", c, false, 0}, {l.Name, "moving_variance", c, false, 1},
		}
	default:
		return nil
	}
	out := []slot{{layer: l.Name, name: "kernel", shape: kernel}}
	if !l.NoBias {
		out = append(out, slot{layer: l.Name, name: "bias", shape: []int{l.Out.C}})
	}
	return out
}

// A place is a weight of the file and whether the architecture has asked for it.
type place struct {
	layer string // top-level
	w     *Weight
	used  bool
}

// takeWeights finds the file's array for each of the network's.
func (m *Model) takeWeights(c *config) error {
	layers, err := m.Spec.Check()
	if err != nil {
		return err
	}
	var places []*place
	for i := range m.File.Layers {
		l := &m.File.Layers[i]
		for j := range l.Weights {
			places = append(places, &place{layer: l.Layer, w: &l.Weights[j]})
		}
	}
	for _, l := range layers {
		for _, s := range slots(l) {
			p, err := find(places, s, c.options(s.layer))
			if err != nil {
				return err
			}
			name := s.layer + "/" + s.name
			if p == nil {
				n := 1
				for _, d := range s.shape {
					n *= d
				}
				m.Weights[name] = slices.Repeat([]float32{s.fill}, n)
				continue
			}
			p.used = true
			m.Weights[name] = p.w.Data
		}
	}
	for _, p := range places {
		if !p.used {
			return fmt.Errorf("layer %q: weight %q (shape %v) is in the file but not in the architecture: they do not belong together", p.layer, p.w.Name, p.w.Shape)
		}
	}
	return nil
}

// find looks for the array of a slot: in the group of the layer's own name, or,
// for a layer of a nested model, by the layer's name within the weight's name.
// It gives nil for an optional array that the layer was made without.
func find(places []*place, s slot, o options) (*place, error) {
	var found *place
	for _, p := range places {
		parts := strings.Split(strings.TrimSuffix(p.w.Name, ":0"), "/")
		n := len(parts)
		if parts[n-1] != s.name || p.layer != s.layer && (n < 2 || parts[n-2] != s.layer) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("layer %q: two weights could be its %s: %q of %q and %q of %q", s.layer, s.name, found.w.Name, found.layer, p.w.Name, p.layer)
		}
		found = p
	}
	without := s.name == "gamma" && !o.scale || s.name == "beta" && !o.center
	switch {
	case found == nil && s.optional && without:
		return nil, nil
	case found == nil:
		return nil, fmt.Errorf("layer %q: its weight %q of shape %v is missing from the file", s.layer, s.name, s.shape)
	case !slices.Equal(found.w.Shape, s.shape):
		return nil, fmt.Errorf("layer %q: weight %q has shape %v; the architecture wants %v", s.layer, found.w.Name, found.w.Shape, s.shape)
	}
	return found, nil
}

// options are what a layer may be made without.
type options struct{ scale, center bool }

// options looks a layer up by name, in nested models too.
func (c *config) options(name string) options {
	o := options{true, true}
	for _, l := range c.layers {
		if l.nested != nil {
			if got := l.nested.options(name); !got.scale || !got.center {
				return got
			}
		}
		if l.name != name || l.class != "BatchNormalization" {
			continue
		}
		var cfg struct {
			Scale  *bool `json:"scale"`
			Center *bool `json:"center"`
		}
		if l.read(&cfg) == nil { // read before, when the layer was mapped
			o.scale = cfg.Scale == nil || *cfg.Scale
			o.center = cfg.Center == nil || *cfg.Center
		}
	}
	return o
}
