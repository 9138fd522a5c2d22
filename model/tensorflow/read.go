package tensorflow

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"barrow/model"
	"barrow/nn"
)

// files names what is read as a network by the path of a graph: it and, of an encoder
// that has its decoder beside it, the decoder. The two are called alike but for the
// words encoder and decoder, as in CMSSW.
func files(f model.Source) ([]string, error) {
	if f.Weights != "" {
		return nil, fmt.Errorf("tensorflow: %s: a frozen graph holds its weights: %s is a file too many", f.Path, f.Weights)
	}
	folder, name := filepath.Split(f.Path)
	for _, words := range [][2]string{{"encoder", "decoder"}, {"Encoder", "Decoder"}} {
		if !strings.Contains(name, words[0]) {
			continue
		}
		other := folder + strings.Replace(name, words[0], words[1], 1)
		if info, err := os.Stat(other); err == nil && info.Mode().IsRegular() {
			return []string{f.Path, other}, nil
		}
	}
	return []string{f.Path}, nil
}

// read tells a graph as layers, an encoder's with those of its decoder behind them.
func read(f model.Source, s nn.Settings) (*nn.Network, error) {
	paths, err := files(f)
	if err != nil {
		return nil, err
	}
	var whole *chain
	for _, path := range paths {
		g, err := readFile(path)
		if err != nil {
			return nil, err
		}
		c, err := lower(g)
		if err == nil && whole != nil {
			err = whole.append(c)
		}
		if err != nil {
			return nil, fmt.Errorf("tensorflow: %s: %w", path, err)
		}
		if whole == nil {
			whole = c
		}
	}
	name := filepath.Base(f.Path)
	net, err := whole.network(strings.TrimSuffix(name, filepath.Ext(name)), s)
	if err != nil {
		return nil, fmt.Errorf("tensorflow: %s: %w", f.Path, err)
	}
	return net, nil
}

// append puts a decoder's layers behind an encoder's. Where it takes more numbers than
// the encoder makes, the rest are conditions.
func (c *chain) append(d *chain) error {
	made, err := c.spec("").Check()
	if err != nil {
		return err
	}
	out := made[len(made)-1].Out
	if more := d.input.C - out.C; out != d.input {
		if out != nn.Vector(out.C) || d.input != nn.Vector(d.input.C) || more < 0 {
			return fmt.Errorf("a decoder of %v numbers, and the encoder beside it makes %v", d.input, out)
		}
		c.layers = append(c.layers, layer{Layer: nn.Layer{Kind: nn.KindConcat, Name: c.unused("conditions"), Channels: more}})
	}
	names := map[string]string{}
	for _, l := range d.layers {
		name := c.unused(l.Name)
		names[l.Name] = name
		l.Name = name
		if l.From != "" {
			l.From = names[l.From]
		}
		c.layers = append(c.layers, l)
	}
	return nil
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
		g := gridOf(q)
		for _, v := range l.bias.value {
			alike = alike && g.apply(v) == v
		}
		l.bias.raw = l.bias.value
	}
	if alike {
		l.Bits, l.Integer, l.Rounding = q.Bits, q.Integer, q.Rounding
		return
	}
	l.kernel.raw, l.bias.raw = l.kernel.value, l.bias.value
}
