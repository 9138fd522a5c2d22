package keras

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/h5"
)

// containers are what the groups of a model's layers are called: by Keras 3 and
// tf-keras 2.15, and by Keras 2.12 to 2.14.
var containers = []string{"layers", "_layer_checkpoint_dependencies"}

// varGroup is a layer's weights in a file that names layers by their class and
// number, not by their name: "conv2d_1" is the second convolution or, in Keras 2.12 to
// 2.14, which count layers with weights twice, may be the first's double.
type varGroup struct {
	class   string // "conv2d"
	number  int
	weights []Weight // in the layer's order, by number
	layers  []*varGroup
}

// hasVars reports whether a group has a model's layers in this manner.
func hasVars(g *h5.Group) bool {
	return slices.ContainsFunc(containers, g.Has)
}

// varsOf reads the weights of a layer or model and those within it. total counts all
// numbers.
func varsOf(g *h5.Group, name string, depth int, total *int) (*varGroup, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("%s: models nested more than %d deep are not supported", g.Path(), maxNesting)
	}
	v := &varGroup{class: name}
	if at := strings.LastIndexByte(name, '_'); at > 0 {
		if k, err := strconv.Atoi(name[at+1:]); err == nil && k > 0 {
			v.class, v.number = name[:at], k
		}
	}
	if g.Has("vars") {
		vars, err := g.Group("vars")
		if err != nil {
			return nil, err
		}
		for i := range vars.Names() {
			d, err := vars.Dataset(strconv.Itoa(i))
			if err != nil {
				return nil, fmt.Errorf("%s: its arrays are not numbered 0 to %d: %w", vars.Path(), len(vars.Names())-1, err)
			}
			data, err := numbers(d)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.Path(), err)
			}
			if *total += len(data); *total > maxWeights {
				return nil, fmt.Errorf("more than %d weights are not supported", maxWeights)
			}
			v.weights = append(v.weights, Weight{Shape: d.Shape(), Data: data})
		}
	}
	for _, container := range containers {
		if !g.Has(container) {
			continue
		}
		layers, err := g.Group(container)
		if err != nil {
			return nil, err
		}
		for _, name := range layers.Names() {
			l, err := layers.Group(name)
			if err != nil {
				return nil, err
			}
			inner, err := varsOf(l, name, depth+1, total)
			if err != nil {
				return nil, err
			}
			if inner.any() {
				v.layers = append(v.layers, inner)
			}
		}
		break
	}
	slices.SortFunc(v.layers, func(a, b *varGroup) int {
		return cmp.Or(strings.Compare(a.class, b.class), a.number-b.number)
	})
	return v, nil
}

// any reports whether there are weights, here or within.
func (v *varGroup) any() bool {
	return len(v.weights) > 0 || len(v.layers) > 0 // those without are left out
}

// arrays names the arrays of a layer of a class in the order of Keras.
func (c *layerConfig) arrays() []string {
	norm := []string{"gamma", "beta", "moving_mean", "moving_variance"}
	var names []string
	switch strings.TrimPrefix(c.class, "Q") {
	case "Conv1D", "Conv2D", "Conv1DTranspose", "Conv2DTranspose", "Dense":
		names = []string{"kernel", "bias"}
	case "DepthwiseConv1D", "DepthwiseConv2D":
		names = []string{"depthwise_kernel", "bias"}
	case "SeparableConv1D", "SeparableConv2D":
		names = []string{"depthwise_kernel", "pointwise_kernel", "bias"}
	case "Conv2DBatchnorm", "DenseBatchnorm":
		names = append([]string{"kernel", "bias"}, norm...)
	case "DepthwiseConv2DBatchnorm":
		names = append([]string{"depthwise_kernel", "bias"}, norm...)
	case "BatchNormalization":
		names = norm
	case "LayerNormalization":
		names = norm[:2]
	case "PReLU":
		return []string{"alpha"}
	case "Normalization":
		var cfg struct {
			Mean json.RawMessage `json:"mean"`
		}
		if c.read(&cfg) == nil && (len(cfg.Mean) == 0 || string(cfg.Mean) == "null") {
			return []string{"mean", "variance"}
		}
	}
	o := c.options()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return name == "gamma" && !o.scale || name == "beta" && !o.center || name == "bias" && !o.bias
	})
}

// weighs reports whether a layer has weights.
func (c *layerConfig) weighs() bool {
	if c.nested != nil {
		return slices.ContainsFunc(c.nested.layers, (*layerConfig).weighs)
	}
	return c.arrays() != nil
}

// assign gives the layers of an architecture their weights: of each class the first
// that has any gets those of the first group, and so on. What is left over keeps its
// group's name, so that it is missed.
func (v *varGroup) assign(c *config) []LayerWeights {
	var out []LayerWeights
	taken := map[*varGroup]bool{}
	for _, l := range c.layers {
		if !l.weighs() {
			continue
		}
		class := snake(l.class)
		if l.class == "Model" {
			class = "functional"
		}
		at := slices.IndexFunc(v.layers, func(g *varGroup) bool { return g.class == class && !taken[g] })
		if at < 0 {
			continue // what is missing is told by the layer
		}
		g := v.layers[at]
		taken[g] = true
		out = append(out, LayerWeights{Layer: l.name, Weights: g.named(l)})
	}
	for _, g := range v.layers {
		if !taken[g] {
			out = append(out, g.plain())
		}
	}
	return out
}

// named are a group's weights by the names that Keras 2 would give them.
func (v *varGroup) named(l *layerConfig) []Weight {
	var out []Weight
	if l.nested != nil {
		for _, inner := range v.assign(l.nested) {
			for _, w := range inner.Weights {
				if nested := l.nested.byName[inner.Layer]; nested != nil && nested.nested != nil {
					w.Name = inner.Layer + "/" + w.Name
				}
				out = append(out, w)
			}
		}
		return out
	}
	names := l.arrays()
	for i, w := range v.weights {
		array := strconv.Itoa(i)
		if i < len(names) {
			array = names[i]
		}
		w.Name = l.name + "/" + array + ":0"
		out = append(out, w)
	}
	return out
}

// plain are a group's weights where no architecture gives them names.
func (v *varGroup) plain() LayerWeights {
	name := v.class
	if v.number > 0 {
		name = fmt.Sprintf("%s_%d", name, v.number)
	}
	l := LayerWeights{Layer: name}
	names := []string{"kernel", "bias"}
	if strings.Contains(v.class, "normalization") {
		names = []string{"gamma", "beta", "moving_mean", "moving_variance"}
	}
	for i, w := range v.weights {
		array := strconv.Itoa(i)
		if i < len(names) {
			array = names[i]
		}
		w.Name = name + "/" + array + ":0"
		l.Weights = append(l.Weights, w)
	}
	for _, inner := range v.layers {
		l.Weights = append(l.Weights, inner.plain().Weights...)
	}
	return l
}

// readVars reads a file of weights in this manner.
func (f *File) readVars(root *h5.Group) error {
	total := 0
	v, err := varsOf(root, "", 0, &total)
	if err != nil {
		return errorf("%w", err)
	}
	f.vars = v
	for _, g := range v.layers {
		f.Layers = append(f.Layers, g.plain())
	}
	return nil
}
