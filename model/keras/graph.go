package keras

import (
	"encoding/json"
	"slices"
	"strings"

	"barrow/nn"
)

type obj = map[string]any

// A graph is a functional model on its way out, in terms of neither version of Keras.
type graph struct {
	name   string
	nodes  []*graphNode
	inputs []string
	last   tensor // the next layer's input; in the end the output
}

// A graphNode is a layer of a graph, a model within it, or an operation.
type graphNode struct {
	class, name string
	config      obj // without name, dtype, trainable
	calls       [][]tensor
	out         nn.Shape
	weights     []Weight // by their bare names: "kernel"
	nested      *graph
	// op is the operation that a node is instead of a layer: "slice" of the channels
	// from to to, "negative", or those that round down, with their number.
	op       string
	from, to int
	number   any
}

// A tensor is what one call of a node makes.
type tensor struct {
	name  string
	call  int
	shape nn.Shape
}

func (g *graph) add(n *graphNode) tensor {
	g.nodes = append(g.nodes, n)
	return tensor{n.name, len(n.calls) - 1, n.out}
}

// chain adds a layer behind the last one.
func (g *graph) chain(class, name string, out nn.Shape, config obj) *graphNode {
	n := &graphNode{class: class, name: name, config: config, calls: [][]tensor{{g.last}}, out: out}
	g.last = g.add(n)
	return n
}

func (g *graph) input(name string, s nn.Shape) tensor {
	g.inputs = append(g.inputs, name)
	g.nodes = append(g.nodes, &graphNode{class: "InputLayer", name: name, out: s})
	return tensor{name, 0, s}
}

func (g *graph) node(name string) *graphNode {
	return g.nodes[slices.IndexFunc(g.nodes, func(n *graphNode) bool { return n.name == name })]
}

// dims is a shape with the batch in front.
func dims(s nn.Shape) []any {
	if s.H == 1 && s.W == 1 {
		return []any{nil, s.C}
	}
	return []any{nil, s.H, s.W, s.C}
}

// keras2 is the graph as Keras 2 describes it.
func (g *graph) keras2() obj {
	ref := func(t tensor, args obj) []any {
		call := t.call
		if g.node(t.name).nested != nil {
			call++ // the first is the model as it was made
		}
		return []any{t.name, call, 0, args}
	}
	layers, inputs := []obj{}, []any{}
	for _, n := range g.nodes {
		config := obj{"name": n.name, "dtype": "float32"}
		class, inbound := n.class, []any{}
		if class != "InputLayer" {
			config["trainable"] = true
		}
		for k, v := range n.config {
			config[k] = v
		}
		for _, call := range n.calls {
			list := []any{}
			for _, t := range call {
				list = append(list, ref(t, obj{}))
			}
			inbound = append(inbound, list)
		}
		switch {
		case class == "InputLayer":
			config["batch_input_shape"], config["sparse"], config["ragged"] = dims(n.out), false, false
			inputs = append(inputs, []any{n.name, 0, 0})
		case n.nested != nil:
			config = n.nested.keras2()
		case n.op == "slice":
			class, config["function"] = "SlicingOpLambda", "__operators__.getitem"
			inbound = []any{ref(n.calls[0][0], obj{"slice_spec": n.slices(func(from, to any) any {
				return obj{"start": from, "stop": to, "step": nil}
			})})}
		case n.op != "":
			args := obj{"name": nil}
			if n.number != nil {
				args["y"] = n.number
			}
			class, config["function"] = "TFOpLambda", "math."+n.op
			inbound = []any{ref(n.calls[0][0], args)}
		}
		layers = append(layers, obj{"class_name": class, "name": n.name, "config": config, "inbound_nodes": inbound})
	}
	return obj{"name": g.name, "layers": layers, "input_layers": inputs, "output_layers": []any{ref(g.last, obj{})[:3]}}
}

// slices are a slice of the channels as a list of one item a dimension.
func (n *graphNode) slices(item func(from, to any) any) []any {
	out := []any{}
	for range len(dims(n.out)) - 1 {
		out = append(out, item(nil, nil))
	}
	return append(out, item(n.from, n.to))
}

// file is the graph with its weights as a file of Keras 2.
func (g *graph) file() (*File, error) {
	config, err := json.Marshal(obj{"class_name": "Functional", "config": g.keras2()})
	if err != nil {
		return nil, errorf("%w", err)
	}
	f := &File{KerasVersion: exportVersion, Backend: "tensorflow", Config: string(config)}
	for _, n := range g.nodes {
		l := LayerWeights{Layer: n.name}
		if n.nested == nil {
			l.Weights = n.named()
		} else {
			var late []Weight // what is not trained is last of the model's
			for _, inner := range n.nested.nodes {
				for _, w := range inner.named() {
					if strings.Contains(w.Name, "/moving_") {
						late = append(late, w)
					} else {
						l.Weights = append(l.Weights, w)
					}
				}
			}
			l.Weights = append(l.Weights, late...)
		}
		f.Layers = append(f.Layers, l)
	}
	return f, nil
}

// named are a layer's weights by their full names.
func (n *graphNode) named() []Weight {
	out := slices.Clone(n.weights)
	for i := range out {
		out[i].Name = n.name + "/" + out[i].Name + ":0"
	}
	return out
}
