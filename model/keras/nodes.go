package keras

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// parseNodes reads inbound_nodes: for each call of the layer a list of what it
// is given, or, for TensorFlow operations on one tensor, that one alone; in
// Keras 3 an object with the arguments, tensors among them.
func parseNodes(raw json.RawMessage) (nodes []node, keras3 bool, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, false, nil
	}
	var calls []json.RawMessage
	if err := json.Unmarshal(raw, &calls); err != nil {
		return nil, false, err
	}
	for _, call := range calls {
		var refs node
		if bytes.HasPrefix(bytes.TrimSpace(call), []byte("{")) {
			keras3 = true
			refs, err = parseCall3(call)
		} else {
			if refs, err = parseRefs(call); err == nil {
				refs, err = constants(refs)
			}
		}
		if err != nil {
			return nil, false, err
		}
		nodes = append(nodes, refs)
	}
	return nodes, keras3, nil
}

// errOdd is what is wrong with a call that is of no layer in a chain, and may be run
// all the same.
var errOdd = errors.New("is not supported")

// constantLayer is what Keras 2 writes for an argument that is no layer's output.
const constantLayer = "_CONSTANT_VALUE"

// constants puts a call's tensor first and what else was given by position among
// the named arguments, as argument k: Keras 2 keeps constants between the tensors
// or, where the first argument is one, the tensors among the named ones.
func constants(refs node) (node, error) {
	var out node
	named := map[string]json.RawMessage{}
	found := false
	for k, r := range refs {
		for _, name := range slices.Sorted(maps.Keys(r.kwargs)) {
			raw := r.kwargs[name]
			var parts []json.RawMessage
			if r.constant != nil && json.Unmarshal(raw, &parts) == nil && len(parts) >= 3 && bytes.HasPrefix(bytes.TrimSpace(parts[0]), []byte(`"`)) {
				tensor, err := parseRef(parts)
				if err != nil {
					return nil, err
				}
				out = append(out, tensor)
				continue
			}
			named[name] = raw
		}
		if r.constant != nil {
			found = true
			named[fmt.Sprint(k)] = r.constant
			continue
		}
		out = append(out, r)
	}
	if !found {
		return refs, nil
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("a call of constants alone %w", errOdd)
	}
	out[0].kwargs = named
	return out, nil
}

// parseCall3 reads a call as Keras 3 keeps it. The keyword arguments that are no
// tensors go to the first of the tensors, as Keras 2 has it.
func parseCall3(raw json.RawMessage) (node, error) {
	var call struct {
		Args   []json.RawMessage          `json:"args"`
		Kwargs map[string]json.RawMessage `json:"kwargs"`
	}
	if err := json.Unmarshal(raw, &call); err != nil {
		return nil, err
	}
	var refs node
	kwargs := map[string]json.RawMessage{}
	for k, arg := range call.Args {
		n := len(refs)
		if err := tensors(arg, &refs, 0); err != nil {
			return nil, err
		}
		if len(refs) == n && k > 0 { // given by position: argument k
			kwargs[fmt.Sprint(k)] = arg
		}
	}
	for name, arg := range call.Kwargs {
		n := len(refs)
		if err := tensors(arg, &refs, 0); err != nil {
			return nil, err
		}
		switch {
		case len(refs) == n:
			kwargs[name] = arg
		case name != "inputs" && name != "x" || n > 0:
			return nil, fmt.Errorf("a tensor given by the name %q %w", name, errOdd)
		}
	}
	if len(refs) > 0 && len(kwargs) > 0 {
		refs[0].kwargs = kwargs
	}
	return refs, nil
}

// tensors appends the tensors in an argument of a Keras 3 call: one, or a list
// of them and of other things.
func tensors(raw json.RawMessage, refs *node, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("arguments nested more than %d deep are not supported", maxNesting)
	}
	switch raw = bytes.TrimSpace(raw); {
	case bytes.HasPrefix(raw, []byte("[")):
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		for _, item := range list {
			if err := tensors(item, refs, depth+1); err != nil {
				return err
			}
		}
	case bytes.HasPrefix(raw, []byte("{")):
		var tensor struct {
			Class  string `json:"class_name"`
			Config struct {
				History []json.RawMessage `json:"keras_history"`
			} `json:"config"`
		}
		if err := json.Unmarshal(raw, &tensor); err != nil {
			return err
		}
		if tensor.Class != "__keras_tensor__" {
			return nil
		}
		r, err := parseRef(tensor.Config.History)
		if err != nil {
			return err
		}
		*refs = append(*refs, r)
	}
	return nil
}

// parseRefs reads [name, node, tensor, arguments] or a list of those.
func parseRefs(raw json.RawMessage) ([]ref, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, nil
	}
	if bytes.HasPrefix(bytes.TrimSpace(items[0]), []byte(`"`)) {
		r, err := parseRef(items)
		return []ref{r}, err
	}
	refs := make([]ref, 0, len(items))
	for _, item := range items {
		var parts []json.RawMessage
		if err := json.Unmarshal(item, &parts); err != nil {
			return nil, err
		}
		r, err := parseRef(parts)
		if err != nil {
			return nil, err
		}
		refs = append(refs, r)
	}
	return refs, nil
}

func parseRef(parts []json.RawMessage) (r ref, err error) {
	if len(parts) < 3 || len(parts) > 4 {
		return r, fmt.Errorf("%d parts where a layer, a node and a tensor are expected", len(parts))
	}
	if err = json.Unmarshal(parts[0], &r.layer); err == nil && r.layer == constantLayer {
		r.constant = parts[2]
		if len(parts) == 4 {
			err = json.Unmarshal(parts[3], &r.kwargs)
		}
		return r, err
	}
	if err == nil {
		err = json.Unmarshal(parts[1], &r.node)
	}
	if err == nil {
		err = json.Unmarshal(parts[2], &r.tensor)
	}
	if err == nil && len(parts) == 4 {
		err = json.Unmarshal(parts[3], &r.kwargs)
	}
	return r, err
}

// identify gives every layer the name that it has in nn: its own, or, where that
// is not the only one of its name, with the models before it that it lies in. The
// names are such as Keras takes, so that Export can write them.
func (c *config) identify() {
	count := map[string]int{}
	c.walk(nil, func(l *layerConfig) { count[l.name]++ })
	taken := map[string]bool{}
	c.walk(nil, func(l *layerConfig) {
		l.id = l.name
		if count[l.name] > 1 && len(l.path) > 1 {
			l.id = strings.Join(l.path, "_")
			for count[l.id] > 0 || taken[l.id] {
				l.id += "_"
			}
			taken[l.id] = true
		}
	})
}

// walk calls f with every layer, those of nested models too, its path set.
func (c *config) walk(path []string, f func(l *layerConfig)) {
	for _, l := range c.layers {
		l.path = append(slices.Clone(path), l.name)
		f(l)
		if l.nested != nil {
			l.nested.walk(l.path, f)
		}
	}
}
