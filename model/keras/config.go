package keras

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A config is an architecture: Keras' description of a model, whole or nested.
type config struct {
	class   string
	name    string
	layers  []*layerConfig
	byName  map[string]*layerConfig
	inputs  []ref // of a functional model
	outputs []ref
}

// A layerConfig is one layer of a config.
type layerConfig struct {
	class   string
	name    string
	id      string   // its name in nn, where names are unique: see identify
	path    []string // the models that it lies in, from the second on, then its name
	module  string   // of Keras 3: where the class comes from
	keras3  bool     // its calls are in the form of Keras 3
	raw     json.RawMessage
	build   json.RawMessage   // shapes that Keras 2.13 notes
	nodes   []node            // one for each call of the layer
	calls   []json.RawMessage // the calls as they are written
	oddCall error             // why nodes lacks them
	nested  *config           // of a model used as a layer
	inModel string            // path of names above it, for errors

	kernelQ, biasQ *quantizer // of QKeras, once the layer is mapped
	withoutBias    bool
}

// A node is one call of a layer: what it is given.
type node []ref

// A ref is an output of a layer's call.
type ref struct {
	layer  string
	node   int
	tensor int
	output bool // one of the model's list of outputs
	kwargs map[string]json.RawMessage
	// constant is what stands in the place of an output where it is none.
	constant json.RawMessage
}

// maxNesting is how deep models within models may go.
const maxNesting = 8

// strict is json.Unmarshal for files: it wants exactly one value.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the JSON is empty or cut short")
		}
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON")
	}
	return nil
}

// parseConfig reads the JSON of model_config or of to_json.
func parseConfig(data []byte) (*config, error) {
	var top struct {
		Class  string          `json:"class_name"`
		Config json.RawMessage `json:"config"`
		Module string          `json:"module"`
	}
	if err := strict(data, &top); err != nil {
		return nil, fmt.Errorf("architecture: %w", err)
	}
	c, err := parseModel(top.Class, top.Config, "", 0)
	if err == nil {
		c.identify()
	}
	return c, err
}

func isModel(class string) bool {
	return class == "Functional" || class == "Model" || class == "Sequential"
}

func parseModel(class string, raw json.RawMessage, path string, depth int) (*config, error) {
	if !isModel(class) {
		return nil, fmt.Errorf("architecture: class %q is not supported; supported are Functional (Model) and Sequential", class)
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("architecture: models nested more than %d deep are not supported", maxNesting)
	}
	var body struct {
		Name    string            `json:"name"`
		Layers  []json.RawMessage `json:"layers"`
		Inputs  json.RawMessage   `json:"input_layers"`
		Outputs json.RawMessage   `json:"output_layers"`
	}
	// Keras before 2.2.3 gave a Sequential model's layers as a plain list.
	if class == "Sequential" && bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		if err := json.Unmarshal(raw, &body.Layers); err != nil {
			return nil, fmt.Errorf("architecture: model: %w", err)
		}
	} else if err := json.Unmarshal(raw, &body); err != nil {
		return nil, fmt.Errorf("architecture: model: %w", err)
	}
	c := &config{class: class, name: body.Name, byName: map[string]*layerConfig{}}
	at := path + body.Name
	for i, r := range body.Layers {
		l, err := parseLayer(r, at, depth)
		if err != nil {
			return nil, fmt.Errorf("architecture: model %q: layer %d: %w", at, i, err)
		}
		if c.byName[l.name] != nil {
			return nil, fmt.Errorf("architecture: model %q: two layers are called %q", at, l.name)
		}
		c.layers, c.byName[l.name] = append(c.layers, l), l
	}
	if len(c.layers) == 0 {
		return nil, fmt.Errorf("architecture: model %q has no layers", at)
	}
	if class == "Sequential" {
		return c, nil
	}
	var err error
	if c.inputs, err = parseRefs(body.Inputs); err == nil {
		c.outputs, err = parseRefs(body.Outputs)
	}
	if err != nil {
		return nil, fmt.Errorf("architecture: model %q: input_layers or output_layers: %w", at, err)
	}
	if len(c.inputs) == 0 || len(c.outputs) == 0 {
		return nil, fmt.Errorf("architecture: model %q has %d inputs and %d outputs; supported are models with one output", at, len(c.inputs), len(c.outputs))
	}
	return c, nil
}

func parseLayer(raw json.RawMessage, model string, depth int) (*layerConfig, error) {
	var body struct {
		Class  string          `json:"class_name"`
		Name   string          `json:"name"`
		Module string          `json:"module"`
		Config json.RawMessage `json:"config"`
		Build  json.RawMessage `json:"build_config"`
		Nodes  json.RawMessage `json:"inbound_nodes"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, err
	}
	l := &layerConfig{class: body.Class, name: body.Name, module: body.Module, raw: body.Config, build: body.Build, inModel: model}
	if l.name == "" { // a Sequential model's layers have it in their config only
		var named struct {
			Name string `json:"name"`
		}
		_ = json.Unmarshal(body.Config, &named) // a list, in an old nested Sequential: no name, reported below
		l.name = named.Name
	}
	if l.class == "" || l.name == "" {
		return nil, fmt.Errorf("without class_name or name")
	}
	var err error
	if len(body.Nodes) > 0 && json.Unmarshal(body.Nodes, &l.calls) != nil {
		return nil, fmt.Errorf("%q: inbound_nodes is no list", l.name)
	}
	if l.nodes, l.keras3, err = parseNodes(body.Nodes); err != nil {
		if !errors.Is(err, errOdd) {
			return nil, fmt.Errorf("%q: inbound_nodes: %w", l.name, err)
		}
		l.oddCall = fmt.Errorf("inbound_nodes: %w", err)
	}
	if isModel(l.class) {
		if l.nested, err = parseModel(l.class, l.raw, model+"/", depth+1); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// JSON is the architecture as Keras' to_json gives it: the Config with
// keras_version and backend beside it.
func (f *File) JSON() ([]byte, error) {
	if f.Config == "" {
		return nil, errorf("the file has no architecture to write as JSON")
	}
	var top struct {
		Class   string          `json:"class_name"`
		Config  json.RawMessage `json:"config"`
		Version string          `json:"keras_version"`
		Backend string          `json:"backend"`
	}
	if err := strict([]byte(f.Config), &top); err != nil {
		return nil, errorf("architecture: %w", err)
	}
	top.Version, top.Backend = f.KerasVersion, f.Backend
	data, err := json.Marshal(top)
	if err != nil {
		return nil, errorf("architecture: %w", err)
	}
	return data, nil
}
