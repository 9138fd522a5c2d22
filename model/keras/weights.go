package keras

import (
	"fmt"
	"slices"
	"strings"

	"barrow/nn"
)

// A slot is one array that a network needs.
type slot struct {
	layer, name string // in nn: "conv2d_1", "kernel"
	from        *layerConfig
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
			{layer: l.Name, name: "gamma", shape: c, optional: true, fill: 1}, {layer: l.Name, name: "beta", shape: c, optional: true},
			{layer: l.Name, name: "moving_mean", shape: c}, {layer: l.Name, name: "moving_variance", shape: c, fill: 1},
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
	group string   // the file's, one for each top-level layer of the model saved
	path  []string // the weight's name, without the number of its output
	w     *Weight
	used  bool
}

// takeWeights finds the file's array for each of the network's. The file is the
// model's own, or that of a model that this one is a part of.
func (m *Model) takeWeights(c *config) error {
	layers, err := m.Spec.Check()
	if err != nil {
		return err
	}
	configs := map[string]*layerConfig{}
	c.walk(nil, func(l *layerConfig) { configs[l.id] = l })
	var wanted []slot
	for _, l := range layers {
		for _, s := range slots(l) {
			if s.from = configs[s.layer]; s.from == nil {
				return fmt.Errorf("layer %q: the architecture has no layer of this name with weights", s.layer)
			}
			wanted = append(wanted, s)
		}
	}
	places := m.File.places()
	index := indexOf(places)
	part, err := whole(c, wanted, places, index)
	if err != nil {
		return err
	}
	for _, s := range wanted {
		p, err := find(index, s, part)
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
		m.Weights[name] = s.from.rounded(s.name, p.w.Data)
	}
	for _, p := range places {
		if !p.used && (part == "" || p.group == part) {
			return fmt.Errorf("layer %q: weight %q (shape %v) is in the file but not in the architecture: they do not belong together", p.group, p.w.Name, p.w.Shape)
		}
	}
	return nil
}

func (f *File) places() []*place {
	var places []*place
	for i := range f.Layers {
		l := &f.Layers[i]
		for j := range l.Weights {
			w := &l.Weights[j]
			places = append(places, &place{group: l.Layer, path: strings.Split(strings.TrimSuffix(w.Name, ":0"), "/"), w: w})
		}
	}
	return places
}

// A placeIndex has the weights of a group and a last name.
type placeIndex map[[2]string][]*place

func indexOf(places []*place) placeIndex {
	index := placeIndex{}
	for _, p := range places {
		k := [2]string{p.group, p.path[len(p.path)-1]}
		index[k] = append(index[k], p)
	}
	return index
}

// whole says which group of the file holds the model, where it is one layer of
// the model that the file is of, as an encoder is of its autoencoder: "" where
// the file is the model's own, that is, has its layers at the top.
func whole(c *config, wanted []slot, places []*place, index placeIndex) (string, error) {
	groups := map[string]bool{}
	for _, p := range places {
		groups[p.group] = true
	}
	if !slices.ContainsFunc(wanted, func(s slot) bool { return !groups[s.from.path[0]] }) {
		return "", nil
	}
	if groups[c.name] {
		return c.name, nil
	}
	var fits []string
	for name := range groups {
		if len(wanted) > 0 && !slices.ContainsFunc(wanted, func(s slot) bool {
			_, err := find(index, s, name)
			return err != nil
		}) {
			fits = append(fits, name)
		}
	}
	switch len(fits) {
	case 0:
		return "", nil // what is missing is told by the layer
	case 1:
		return fits[0], nil
	}
	slices.Sort(fits)
	return "", fmt.Errorf("the file is of a larger model, and the weights of %s fit: rename the model as the one that is meant", strings.Join(fits, " and of "))
}

// find looks for the array of a slot in the group of its top-level layer, or in
// the one named, by the layer's name before the array's. Of several in the group
// it is the one that has most of the models above the layer in its name, too. An
// optional array that the layer was made without gives nil.
func find(index placeIndex, s slot, group string) (*place, error) {
	above := s.from.path[:len(s.from.path)-1]
	if group == "" {
		group = s.from.path[0]
	} else {
		above = append([]string{group}, above...)
	}
	var found, other *place
	best := -1
	for _, p := range index[[2]string{group, s.name}] {
		n := len(p.path)
		if len(above) > 0 && (n < 2 || p.path[n-2] != s.from.name) {
			continue
		}
		k := 0 // names above that agree, from the innermost out
		for k < len(above) && k < n-2 && p.path[n-3-k] == above[len(above)-1-k] {
			k++
		}
		if k > best {
			best, found, other = k, p, nil
		} else if k == best {
			other = p
		}
	}
	o := s.from.options()
	without := s.name == "gamma" && !o.scale || s.name == "beta" && !o.center
	switch {
	case other != nil:
		return nil, fmt.Errorf("layer %q: two weights could be its %s: %q and %q of %q", s.layer, s.name, found.w.Name, other.w.Name, group)
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

func (c *layerConfig) options() options {
	var cfg struct {
		Scale  *bool `json:"scale"`
		Center *bool `json:"center"`
	}
	if c.class != "BatchNormalization" || c.read(&cfg) != nil { // read before, when the layer was mapped
		return options{true, true}
	}
	return options{cfg.Scale == nil || *cfg.Scale, cfg.Center == nil || *cfg.Center}
}
