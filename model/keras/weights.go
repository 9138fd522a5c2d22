package keras

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
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
	return unused(places, part)
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

// groups names the first few layers that the file has weights of.
func (x placeIndex) groups() string {
	seen := map[string]bool{}
	for k := range x {
		seen[fmt.Sprintf("%q", k[0])] = true
	}
	names := slices.Sorted(maps.Keys(seen))
	switch n := len(names); {
	case n == 0:
		return "no weights"
	case n > maxNamed:
		return fmt.Sprintf("weights of %s and %d more", strings.Join(names[:maxNamed], ", "), n-maxNamed)
	}
	return "weights of " + strings.Join(names, ", ")
}

// maxNamed is how many layers an error names.
const maxNamed = 6

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
	case found == nil && s.shape == nil:
		return nil, fmt.Errorf("layer %q: its weight %q is missing from the file, which has %s", s.layer, s.name, index.groups())
	case found == nil:
		return nil, fmt.Errorf("layer %q: its weight %q of shape %v is missing from the file, which has %s", s.layer, s.name, s.shape, index.groups())
	case s.shape != nil && !slices.Equal(found.w.Shape, s.shape):
		return nil, fmt.Errorf("layer %q: weight %q has shape %v; the architecture wants %v", s.layer, found.w.Name, found.w.Shape, s.shape)
	}
	return found, nil
}

// options are what a layer may be made without.
type options struct{ scale, center, bias bool }

func (c *layerConfig) options() options {
	var cfg struct {
		Scale  *bool `json:"scale"`
		Center *bool `json:"center"`
		Bias   *bool `json:"use_bias"`
	}
	if norm := strings.HasSuffix(strings.ToLower(c.class), "norm") || strings.HasSuffix(c.class, "Normalization"); c.read(&cfg) != nil || !norm { // read before, when the layer was mapped
		return options{true, true, cfg.Bias == nil || *cfg.Bias}
	}
	yes := func(b *bool) bool { return b == nil || *b }
	return options{yes(cfg.Scale), yes(cfg.Center), yes(cfg.Bias)}
}

// fitted is the file with its weights named as the architecture names them: where it
// names none, or others, they are matched as Keras itself does when it loads them, the
// first layer that has any with the first that the file has, and so on. Where the numbers
// of layers or arrays, or the arrays' dimensions, differ, it stays as it is.
func (f *File) fitted(c *config) *File {
	if f.vars != nil {
		named := *f
		named.Layers, named.vars = f.vars.assign(c), nil
		return &named
	}
	var layers []*layerConfig
	for _, l := range c.layers {
		if l.weighs() {
			layers = append(layers, l)
		}
	}
	var groups []LayerWeights
	for _, g := range f.Layers {
		if len(g.Weights) > 0 {
			groups = append(groups, g)
		}
	}
	known := func(l *layerConfig) bool {
		return slices.ContainsFunc(groups, func(g LayerWeights) bool { return g.Layer == l.name })
	}
	if len(layers) != len(groups) || !slices.ContainsFunc(layers, func(l *layerConfig) bool { return !known(l) }) {
		return f
	}
	named := *f
	named.Layers = nil
	for i, l := range layers {
		early, late := l.order("")
		names := append(early, late...)
		if len(names) != len(groups[i].Weights) {
			return f
		}
		out := LayerWeights{Layer: l.name}
		for k, w := range groups[i].Weights {
			if names[k].rank > 0 && names[k].rank != len(w.Shape) {
				return f
			}
			w.Name = names[k].name
			out.Weights = append(out.Weights, w)
		}
		named.Layers = append(named.Layers, out)
	}
	return &named
}

// agrees refuses weights whose layers have the architecture's names in another order, and
// would fit by the order as well: Keras goes by the order, where Barrow goes by the names.
func (f *File) agrees(c *config) error {
	if f.vars != nil {
		return nil // of a file without the layers' names
	}
	groups := map[string]LayerWeights{}
	var theirs, ours []string
	for _, g := range f.Layers {
		if len(g.Weights) > 0 {
			groups[g.Layer], theirs = g, append(theirs, fmt.Sprintf("%q", g.Layer))
		}
	}
	shapes := func(name string) (out [][]int) {
		for _, w := range groups[name].Weights {
			out = append(out, w.Shape)
		}
		return out
	}
	i, first := 0, -1
	for _, l := range c.layers {
		if !l.weighs() {
			continue
		}
		if _, ok := groups[l.name]; !ok || i >= len(theirs) {
			return nil // matched by the order, or not at all
		}
		ours = append(ours, fmt.Sprintf("%q", l.name))
		if ours[i] != theirs[i] {
			other, _ := strconv.Unquote(theirs[i])
			if !slices.EqualFunc(shapes(l.name), shapes(other), slices.Equal) {
				return nil // which Keras refuses
			}
			if first < 0 {
				first = i
			}
		}
		i++
	}
	if first < 0 || i != len(theirs) {
		return nil
	}
	return fmt.Errorf("the architecture has the layer %s where the weights have %s: Keras goes by the order, and the names say otherwise; save both of the same model, or give the layers the names that they have in the file of weights", ours[first], theirs[first])
}

// An ordered is an array by its name and its number of dimensions, 0 if any.
type ordered struct {
	name string
	rank int
}

// order gives a layer's arrays in the order of Keras: those that are trained, those of
// a model within included, before those that are not.
func (c *layerConfig) order(above string) (early, late []ordered) {
	if c.nested != nil {
		for _, l := range c.nested.layers {
			inner := above
			if l.nested != nil {
				inner += l.name + "/"
			}
			e, o := l.order(inner)
			early, late = append(early, e...), append(late, o...)
		}
		return early, late
	}
	for _, name := range c.arrays() {
		a := ordered{above + c.name + "/" + name + ":0", 1}
		switch {
		case strings.Contains(c.class, "2D") && strings.HasSuffix(name, "kernel"):
			a.rank = 4
		case strings.Contains(c.class, "1D") && strings.HasSuffix(name, "kernel"):
			a.rank = 3
		case name == "kernel":
			a.rank = 2
		case name == "alpha":
			a.rank = 0
		}
		if strings.HasPrefix(name, "moving_") {
			late = append(late, a)
		} else {
			early = append(early, a)
		}
	}
	return early, late
}
