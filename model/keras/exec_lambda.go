package keras

import (
	"fmt"
)

// runLambda follows a Lambda layer's function.
func (r *layerRun) runLambda() ([]*block, error) {
	e, err := r.l.lambda()
	if err != nil {
		return nil, err
	}
	if mask, ok := r.cfg["mask"]; ok && mask != nil {
		return nil, fmt.Errorf("mask is not supported; %s", lambdaAdvice)
	}
	v, err := r.eval(e, 0)
	if err != nil {
		return nil, fmt.Errorf("its function: %w; %s", err, lambdaAdvice)
	}
	if list, ok := v.([]any); ok {
		var out []*block
		for _, x := range list {
			b, err := asBlock(x)
			if err != nil {
				return nil, err
			}
			out = append(out, b)
		}
		return out, nil
	}
	return one(asBlock(v))
}

func (r *layerRun) eval(e *pyExpr, depth int) (any, error) {
	if r.steps++; depth > 100 || r.steps > 1000 { // values may be used many times over
		return nil, errLambda
	}
	var parts []any
	for _, p := range e.parts {
		v, err := r.eval(p, depth+1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, v)
	}
	switch e.op {
	case "arg":
		if k := e.value.(int); k < len(r.a.args) {
			return r.a.args[k], nil
		}
	case "const":
		return e.value, nil
	case "tuple":
		return append([]any{}, parts...), nil
	case "slice":
		s := slice{start: parts[0], stop: parts[1]}
		if len(parts) == 3 {
			s.step = parts[2]
		}
		return s, nil
	case "index":
		if list, ok := parts[0].([]any); ok { // of several inputs
			if k, ok := whole64(parts[1]); ok && k >= 0 && k < len(list) {
				return list[k], nil
			}
			return nil, errLambda
		}
		return single(r.l.operation("getitem", arguments{args: parts, named: map[string]any{}}))
	case "binary":
		return single(r.l.operation(e.name, arguments{args: parts, named: map[string]any{}}))
	case "call":
		a := arguments{args: parts, named: map[string]any{}}
		for name, p := range e.named {
			v, err := r.eval(p, depth+1)
			if err != nil {
				return nil, err
			}
			a.named[name] = v
		}
		name := e.name
		if name == "float" && len(parts) == 1 {
			return parts[0], nil
		}
		return single(r.l.operation(name, a))
	}
	return nil, errLambda
}

func single(out []*block, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if len(out) == 1 {
		return out[0], nil
	}
	var list []any
	for _, b := range out {
		list = append(list, b)
	}
	return list, nil
}
