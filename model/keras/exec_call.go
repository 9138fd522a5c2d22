package keras

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// arguments are what a call is given: *block, []any, float64, string, bool, nil, slice
// or pyEllipsis.
type arguments struct {
	args  []any
	named map[string]any
}

// blocks are the arrays among the arguments.
func (a arguments) blocks() []*block {
	var out []*block
	var add func(v any)
	add = func(v any) {
		switch v := v.(type) {
		case *block:
			out = append(out, v)
		case []any:
			for _, x := range v {
				add(x)
			}
		}
	}
	for _, v := range a.args {
		add(v)
	}
	for _, name := range []string{"inputs", "x", "value", "input"} {
		if len(out) == 0 {
			add(a.named[name])
		}
	}
	return out
}

// arguments reads a call in the form of Keras 2 or 3.
func (f *frame) arguments(l *layerConfig, raw json.RawMessage) (arguments, error) {
	a := arguments{named: map[string]any{}}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		var c struct {
			Args   []any          `json:"args"`
			Kwargs map[string]any `json:"kwargs"`
		}
		if err := json.Unmarshal(raw, &c); err != nil {
			return a, err
		}
		for _, v := range c.Args {
			d, err := f.decode(v, 0)
			if err != nil {
				return a, err
			}
			a.args = append(a.args, d)
		}
		for k, v := range c.Kwargs {
			d, err := f.decode(v, 0)
			if err != nil {
				return a, err
			}
			a.named[k] = d
		}
		return a, nil
	}
	var list []any
	if err := json.Unmarshal(raw, &list); err != nil {
		return a, err
	}
	first, err := f.first(list, &a, 0)
	if err != nil {
		return a, err
	}
	if many, ok := first.([]any); ok && len(many) == 1 {
		first = many[0]
	}
	a.args = []any{first}
	return a, nil
}

// first reads the first argument of a call of Keras 2, with the others, by name, in its
// parts.
func (f *frame) first(list []any, a *arguments, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("arguments nested more than %d deep are not supported", maxNesting)
	}
	if len(list) >= 3 {
		if name, ok := list[0].(string); ok {
			if len(list) == 4 {
				named, _ := list[3].(map[string]any)
				for k, v := range named {
					if _, ok := a.named[k]; ok {
						continue
					}
					d, err := f.decode(v, 0)
					if err != nil {
						return nil, err
					}
					a.named[k] = d
				}
			}
			if name == constantLayer {
				return f.decode(list[2], 0)
			}
			return f.ref(list)
		}
	}
	out := []any{}
	for _, v := range list {
		inner, ok := v.([]any)
		if !ok {
			return nil, fmt.Errorf("a call of %v", v)
		}
		x, err := f.first(inner, a, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func (f *frame) ref(list []any) (*block, error) {
	raw, err := json.Marshal(list[:3])
	if err != nil {
		return nil, err
	}
	refs, err := parseRefs(raw)
	if err != nil || len(refs) != 1 {
		return nil, fmt.Errorf("%v is no reference to a layer", list)
	}
	return f.follow(refs[0])
}

// A slice says what is taken of a dimension; nil is the beginning, end or 1.
type slice struct{ start, stop, step any }

// decode makes an argument of JSON.
func (f *frame) decode(v any, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("arguments nested more than %d deep are not supported", maxNesting)
	}
	switch v := v.(type) {
	case []any:
		if len(v) == 3 {
			name, ok := v[0].(string)
			_, number := v[1].(float64)
			if _, known := f.c.byName[name]; ok && number && known {
				return f.ref(v)
			}
		}
		out := []any{}
		for _, x := range v {
			d, err := f.decode(x, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
		return out, nil
	case map[string]any:
		config, _ := v["config"].(map[string]any)
		switch v["class_name"] {
		case "__keras_tensor__":
			history, _ := config["keras_history"].([]any)
			if len(history) != 3 {
				return nil, fmt.Errorf("%v is no reference to a layer", v)
			}
			return f.ref(history)
		case "__slice__":
			return f.decodeSlice(config, depth)
		case "__ellipsis__":
			return pyEllipsis{}, nil
		case "__numpy__", "__tensor__":
			return f.decode(config["value"], depth+1)
		case nil:
			if _, ok := v["start"]; ok {
				return f.decodeSlice(v, depth)
			}
			if v["type"] == "Ellipsis" || v["value"] == "Ellipsis" {
				return pyEllipsis{}, nil
			}
		}
		return v, nil
	}
	return v, nil
}

func (f *frame) decodeSlice(v map[string]any, depth int) (any, error) {
	var s slice
	for name, into := range map[string]*any{"start": &s.start, "stop": &s.stop, "step": &s.step} {
		d, err := f.decode(v[name], depth+1)
		if err != nil {
			return nil, err
		}
		*into = d
	}
	return s, nil
}
