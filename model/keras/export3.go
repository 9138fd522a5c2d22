package keras

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"barrow/internal/h5"
	"barrow/model"
)

// The entries of a .keras file.
const (
	entryConfig   = "config.json"
	entryMetadata = "metadata.json"
	entryWeights  = "model.weights.h5"
)

// exportKeras3 writes a part as Keras 3 does.
func exportKeras3(p model.Part) ([]model.File, error) {
	g, err := graphOf(p.Network, plainLayers(p.Network), partInputs(p))
	if err != nil {
		return nil, err
	}
	g.name = p.Name
	data, err := g.zip()
	if err != nil {
		return nil, err
	}
	name := p.Name + ".keras"
	return []model.File{{Name: name, Data: data, Part: &p, About: fmt.Sprintf("%s. Keras 3 loads it: keras.models.load_model(%q)", about(p), name)}}, nil
}

// zip is the graph with its weights as a .keras file.
func (g *graph) zip() ([]byte, error) {
	config, err := json.Marshal(obj{
		"module": "keras.src.models.functional", "class_name": "Functional", "config": g.keras3(), "registered_name": "Functional",
	})
	if err != nil {
		return nil, errorf("%w", err)
	}
	tree := &h5.Tree{}
	if err := g.vars(tree); err != nil {
		return nil, err
	}
	weights, err := h5.Encode(tree)
	if err != nil {
		return nil, errorf("%w", err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range []struct {
		name string
		data []byte
	}{{entryMetadata, []byte(`{"keras_version": "3.0.0"}`)}, {entryConfig, config}, {entryWeights, weights}} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(e.data)
		}
		if err != nil {
			return nil, errorf("%w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, errorf("%w", err)
	}
	return b.Bytes(), nil
}

// keras3 is the graph as Keras 3 describes it.
func (g *graph) keras3() obj {
	layers, inputs := []obj{}, []any{}
	for _, n := range g.nodes {
		l := obj{"module": "keras.layers", "class_name": n.class, "registered_name": nil, "name": n.name}
		config := obj{"name": n.name}
		for k, v := range n.config {
			config[k] = modern(v)
		}
		if n.class == "BatchNormalization" {
			config["axis"] = -1 // a number, not a list
		}
		var args []any // behind the tensors
		switch {
		case n.class == "InputLayer":
			config["batch_shape"], config["dtype"], config["sparse"] = dims(n.out), "float32", false
			inputs = append(inputs, []any{n.name, 0, 0})
		case n.nested != nil:
			config = n.nested.keras3()
			l["module"], l["registered_name"] = "keras.src.models.functional", "Functional"
		case n.op == "slice":
			l["module"], l["class_name"], l["registered_name"] = "keras.src.ops.numpy", "GetItem", "GetItem"
			args = []any{n.slices(func(from, to any) any {
				return obj{"class_name": "__slice__", "config": obj{"start": from, "stop": to, "step": nil}}
			})}
		case n.op == "negative":
			l["module"], l["class_name"], l["registered_name"] = "keras.src.ops.numpy", "Negative", "Negative"
		default:
			config["trainable"] = true
			config["dtype"] = obj{"module": "keras", "class_name": "DTypePolicy", "config": obj{"name": "float32"}, "registered_name": nil}
		}
		calls := []any{}
		for _, call := range n.calls {
			tensors := []any{}
			for _, t := range call {
				tensors = append(tensors, t.keras3())
			}
			first := any(tensors)
			if len(tensors) == 1 {
				first = tensors[0]
			}
			calls = append(calls, obj{"args": append([]any{first}, args...), "kwargs": obj{}})
		}
		l["config"], l["inbound_nodes"] = config, calls
		layers = append(layers, l)
	}
	return obj{"name": g.name, "trainable": true, "layers": layers, "input_layers": inputs, "output_layers": []any{[]any{g.last.name, g.last.call, 0}}}
}

// modern gives initialisers and regularisers the module that Keras 3 looks for,
// and activations the names that it has.
func modern(v any) any {
	if v == "swish" {
		return "silu"
	}
	o, ok := v.(obj)
	if !ok || o["class_name"] == nil {
		return v
	}
	out := obj{"module": "keras.initializers", "class_name": o["class_name"], "config": o["config"], "registered_name": nil}
	if o["class_name"] == "L1L2" {
		out["module"] = "keras.regularizers"
	}
	return out
}

func (t tensor) keras3() obj {
	return obj{"class_name": "__keras_tensor__", "config": obj{
		"shape": dims(t.shape), "dtype": "float32", "keras_history": []any{t.name, t.call, 0},
	}}
}

// vars puts the weights where Keras 3 looks for them: by the layers' classes, and
// numbers of those that are of one class, in their order.
func (g *graph) vars(into *h5.Tree) error {
	into.Group("vars").Scalars = map[string]string{"name": g.name}
	seen := map[string]int{}
	for _, n := range g.nodes {
		if n.op != "" {
			continue
		}
		name := snake(n.class)
		if k := seen[snake(n.class)]; k > 0 {
			name = fmt.Sprintf("%s_%d", name, k)
		}
		seen[snake(n.class)]++
		at := into.Group("layers/" + name)
		if n.nested != nil {
			if err := n.nested.vars(at); err != nil {
				return err
			}
			continue
		}
		vars := at.Group("vars")
		vars.Scalars = map[string]string{"name": n.name}
		for i, w := range n.weights {
			if err := vars.SetDataset(fmt.Sprint(i), h5.Array{Shape: w.Shape, Data: w.Data}); err != nil {
				return errorf("layer %q: %w", n.name, err)
			}
		}
	}
	return nil
}

var (
	wordStart = regexp.MustCompile("(.)([A-Z][a-z]+)")
	wordEnd   = regexp.MustCompile("([a-z])([A-Z])")
)

// snake is a class's name as Keras writes it in paths: conv2d_transpose.
func snake(class string) string {
	return strings.ToLower(wordEnd.ReplaceAllString(wordStart.ReplaceAllString(class, "${1}_${2}"), "${1}_${2}"))
}
