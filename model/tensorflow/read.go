package tensorflow

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"barrow/model"
	"barrow/nn"
)

// read tells a graph as layers.
func read(f model.Source, s nn.Settings) (*nn.Network, error) {
	g, err := readFile(f.Path)
	if err != nil {
		return nil, err
	}
	c, err := lower(g)
	if err != nil {
		return nil, fmt.Errorf("tensorflow: %s: %w", f.Path, err)
	}
	name := filepath.Base(f.Path)
	net, err := c.network(strings.TrimSuffix(name, filepath.Ext(name)), s)
	if err != nil {
		return nil, fmt.Errorf("tensorflow: %s: %w", f.Path, err)
	}
	return net, nil
}

func (c *chain) spec(name string) nn.Spec {
	s := nn.Spec{Name: name, Input: c.input}
	for _, l := range c.layers {
		s.Layers = append(s.Layers, l.Layer)
	}
	return s
}

// maxValues bounds the values between all layers for one sample.
const maxValues = 1 << 26

// network makes a network of a chain.
func (c *chain) network(name string, s nn.Settings) (*nn.Network, error) {
	for i := range c.layers {
		c.layers[i].settle()
	}
	spec := c.spec(name)
	shapes, err := spec.Check()
	if err != nil {
		return nil, err
	}
	total := 0
	for _, s := range shapes {
		if total += s.Out.Size(); total > maxValues {
			return nil, errors.New("the layers have too many values")
		}
	}
	net, err := nn.New(spec, s)
	if err != nil {
		return nil, err
	}
	for _, l := range c.layers {
		arrays := map[string][]float32{"kernel": l.kernel.raw, "bias": l.bias.raw}
		for name, v := range l.norm {
			arrays[name] = v
		}
		for name, v := range arrays {
			if v == nil {
				continue
			}
			if err := net.SetParam(l.Name+"/"+name, v); err != nil {
				return nil, err
			}
		}
	}
	return net, nil
}

// settle decides whether a layer rounds its weights itself, as it does where the graph
// rounds all of them alike. If not, they are as they come out.
func (l *layer) settle() {
	q := l.kernel.rounding
	alike := q.Bits > 0
	if alike && l.bias.rounding != q {
		g := model.GridOf(q)
		for _, v := range l.bias.value {
			alike = alike && g.Round(v) == v
		}
		l.bias.raw = l.bias.value
	}
	if alike {
		l.Bits, l.Integer, l.Rounding = q.Bits, q.Integer, q.Rounding
		return
	}
	l.kernel.raw, l.bias.raw = l.kernel.value, l.bias.value
}
