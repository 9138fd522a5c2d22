package file

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/model"
	"barrow/nn"
	"barrow/run"
	"barrow/surrogate"
)

// ErrNoModel is wrapped where a file looks like no model of any sort.
var ErrNoModel = errors.New("no model")

// An Inspection is what Inspect finds.
type Inspection struct {
	Kind  string `json:"kind"`
	Parts []Part `json:"parts"`
	// Exports says of every format that is written whether it can hold the model.
	Exports []Holds `json:"formats"`
}

// A Part is one network of a model, layer by layer.
type Part struct {
	Name            string        `json:"name"`
	Inputs          []string      `json:"inputs"` // "x (N, 8, 8, 1)"
	Layers          []model.Layer `json:"layers"`
	Parameters      int           `json:"parameters"`
	Multiplications int           `json:"multiplications"`
}

// Holds says of a format whether it can hold a model.
type Holds struct {
	Name string `json:"name"`
	Why  string `json:"why_not,omitempty"` // it cannot, or ""
}

// Inspect says what is in a model: of a run's folder, of Barrow, or of another program.
// What looks like none is an error that wraps [ErrNoModel]. What looks like one and
// cannot be read may be something else: HDF5 holds tables, too.
func Inspect(path string) (*Inspection, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return inspectRun(path)
	}
	kind, format, err := recognise(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoModel, err)
	}
	if kind != foreign {
		return inspectOwn(path)
	}
	text := "a model in the format " + format.Name
	src := model.Source{Path: path}
	if format.Read != nil {
		net, err := format.Read(src, nn.Settings{})
		if err == nil {
			ports := model.Ports(net)
			if format.Open != nil { // which tells inputs that the network sees as one
				if r, err := format.Open(src, nn.Settings{}); err == nil {
					ports = r.Inputs()
				}
			}
			found := &Inspection{Kind: text, Parts: []Part{part(net.Spec().Name, ports, model.Layers(net))}}
			m, err := known(net)
			found.Exports = holds(m, err)
			return found, nil
		}
		if format.Open == nil {
			return nil, err
		}
	}
	if format.Open == nil {
		return nil, fmt.Errorf("%w: %s: the format %s is not read", ErrNoModel, path, format.Name)
	}
	r, err := format.Open(src, nn.Settings{})
	if err != nil {
		return nil, err
	}
	var layers []model.Layer
	if d, ok := r.(model.Describer); ok {
		layers = d.Layers()
	}
	return &Inspection{
		Kind: text, Parts: []Part{part("model", r.Inputs(), layers)},
		Exports: holds(nil, errors.New("it is no network of wafer images that Barrow could train")),
	}, nil
}

// inspectRun says what a run's folder holds: the model of one that has a single one.
func inspectRun(path string) (*Inspection, error) {
	of, err := run.Inspect(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoModel, err)
	}
	text := "the folder of a run of the kind " + of.Name
	if !of.Finished {
		text += ", not finished"
	}
	found := &Inspection{}
	if weights, err := anyWeights(path, ""); err == nil {
		if one, err := inspectOwn(weights); err == nil {
			found = one
			text += "; " + weights + ": " + one.Kind
		}
	} else if errors.Is(err, ErrSeveral) {
		text += "; " + strings.TrimSuffix(strings.TrimPrefix(err.Error(), "model: "+path+" holds "), ": "+ErrSeveral.Error()) + ": name a file of its folder " + run.Weights
	}
	found.Kind = text
	return found, nil
}

// inspectOwn inspects a weights file of Barrow.
func inspectOwn(path string) (*Inspection, error) {
	s := nn.Settings{}
	var m *model.Model
	text := ""
	if a, err := autoencoder.Load(path, s); err == nil {
		if m, err = model.Of(a); err != nil {
			return nil, err
		}
		text = fmt.Sprintf("an autoencoder of Barrow: %s", a.Architecture())
	} else if d, err := surrogate.Open(path, s); err == nil {
		if m, err = model.OfEstimator(d); err != nil {
			return nil, err
		}
		text = "an EMD CNN of Barrow"
		if _, ok := d.(*surrogate.Potential); ok {
			text = "a network of potentials of Barrow, which estimates the EMD"
		}
	} else if d, err := decoder.Load(path, s); err == nil {
		if m, err = model.OfDecoder(d); err != nil {
			return nil, err
		}
		text = fmt.Sprintf("a decoder of Barrow, of frames of %v", d.Chip())
	} else {
		net, err := nn.Load(path, s)
		if err != nil {
			return nil, err
		}
		return &Inspection{
			Kind: "a network of Barrow", Parts: []Part{part(net.Spec().Name, model.Ports(net), model.Layers(net))},
			Exports: holds(nil, errors.New("it is neither an autoencoder, nor a network that estimates the EMD, nor a decoder of frames")),
		}, nil
	}
	found := &Inspection{Kind: text, Exports: holds(m, nil)}
	for _, p := range m.Parts() {
		if p.Name != "whole" { // encoder and decoder once more
			found.Parts = append(found.Parts, part(p.Name, p.Ports(), model.Layers(p.Network)))
		}
	}
	return found, nil
}

func part(name string, ports []model.Port, layers []model.Layer) Part {
	p := Part{Name: name, Layers: layers}
	for _, port := range ports {
		p.Inputs = append(p.Inputs, port.Name+" "+lengths(port.Shape))
	}
	for _, l := range layers {
		p.Parameters += l.Parameters
		p.Multiplications += l.Multiplications
	}
	return p
}

// known is what another program's network is to Barrow.
func known(net *nn.Network) (*model.Model, error) {
	m, err := ofAutoencoder(net)
	if err == nil {
		return m, nil
	}
	if d, bad := surrogate.FromNetwork(net); bad == nil {
		return model.OfEstimator(d)
	}
	return nil, err
}

// holds asks every format that is written; without a model none can hold it, for the
// reason given.
func holds(m *model.Model, none error) []Holds {
	var out []Holds
	for _, f := range Formats() {
		if f.Export == nil {
			continue
		}
		h, err := Holds{Name: f.Name}, none
		if m != nil && f.Check != nil {
			err = f.Check(m)
		}
		if err != nil {
			h.Why = err.Error()
		}
		out = append(out, h)
	}
	return out
}
