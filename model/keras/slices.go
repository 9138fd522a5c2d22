package keras

import (
	"encoding/json"
	"fmt"
	"slices"

	"barrow/nn"
)

// slice is x[:, a:b, c:d] or x[:, a:b, c:d, :], or x[..., a:b].
func (c *layerConfig) slice(v value, refs node) (value, error) {
	fail := fmt.Errorf("this slicing is not supported; %s", supportedSteps)
	if len(refs) != 1 {
		return v, fail
	}
	raw := refs[0].kwargs["slice_spec"]
	if c.class == "GetItem" {
		raw = refs[0].kwargs["1"]
	}
	size := []int{1, v.shape.H, v.shape.W, v.shape.C}
	if v.shape.H == 1 && v.shape.W == 1 {
		size = []int{1, v.shape.C}
	}
	spec, err := parseSlices(raw, len(size))
	if c.class == "Lambda" {
		if spec, err = c.lambdaSlices(len(size)); err != nil {
			return v, err
		}
	}
	if err != nil {
		return v, fail
	}
	from, to := make([]int, len(size)), slices.Clone(size)
	for i, s := range spec {
		if s.Step != nil && *s.Step != 1 || i == 0 && (s.Start != nil || s.Stop != nil) {
			return v, fail
		}
		if s.Start != nil {
			from[i] = *s.Start
		}
		if s.Stop != nil {
			to[i] = min(*s.Stop, size[i])
		}
		if to[i] < 0 && s.Stop != nil { // from the end
			to[i] += size[i]
		}
		if from[i] < 0 {
			from[i] += size[i]
		}
		if from[i] < 0 || to[i] <= from[i] {
			return v, fail
		}
	}
	last := len(size) - 1
	channels := [2]int{from[last], to[last]}
	if channels != [2]int{0, size[last]} {
		if !slices.Equal(from[:last], []int{0, 0, 0}[:last]) || !slices.Equal(to[:last], size[:last]) {
			return v, fail
		}
		if len(v.layers) > 0 || len(v.inputs) != 1 || v.negated || v.exchanged {
			return v.channels(c.id, channels, v.shape), nil
		}
		v.half, v.whole, v.halfName, v.shape.C = channels, v.shape, c.id, channels[1]-channels[0]
		return v, nil
	}
	if last == 1 {
		return v, nil
	}
	return v.with(nn.Layer{Kind: nn.KindCrop, Name: c.id, Top: from[1], Left: from[2], Height: to[1] - from[1], Width: to[2] - from[2]}), nil
}

// channels is a value's channels from one to another: as places of an image, cropped.
func (v value) channels(name string, from [2]int, whole nn.Shape) value {
	n := from[1] - from[0]
	return v.with(
		nn.Layer{Kind: nn.KindReshape, Name: name + "_places", Height: whole.H * whole.W, Width: whole.C, Channels: 1},
		nn.Layer{Kind: nn.KindCrop, Name: name, Left: from[0], Height: whole.H * whole.W, Width: n},
		nn.Layer{Kind: nn.KindReshape, Name: name + "_image", Height: whole.H, Width: whole.W, Channels: n},
	)
}

// taken is a value whose channels wait for the others no longer.
func (v value) taken() value {
	if v.half == [2]int{} {
		return v
	}
	half := v.half
	v.half = [2]int{}
	return v.channels(v.halfName, half, v.whole)
}

// lambdaSlices are the slices that a Lambda layer takes of its input.
func (c *layerConfig) lambdaSlices(rank int) ([]sliced, error) {
	e, err := c.lambda()
	if err != nil {
		return nil, err
	}
	fail := fmt.Errorf("its function does more than a layer here can: supported is a slice of height and width, or of channels, such as x[:, :16]; %s", lambdaAdvice)
	if e.op != "index" || e.parts[0].op != "arg" {
		return nil, fail
	}
	list := []*pyExpr{e.parts[1]}
	if list[0].op == "tuple" {
		list = list[0].parts
	}
	var out []sliced
	for i, p := range list {
		if _, ok := p.value.(pyEllipsis); ok && p.op == "const" {
			for range rank - (len(list) - 1) {
				out = append(out, sliced{})
			}
			rank = len(out) + len(list) - 1 - i // no second one
			continue
		}
		if p.op != "slice" {
			return nil, fail
		}
		var s sliced
		for k, into := range []**int{&s.Start, &s.Stop, &s.Step} {
			if k >= len(p.parts) || p.parts[k].op == "const" && p.parts[k].value == nil {
				continue
			}
			n, ok := whole64(p.parts[k].value)
			if !ok || p.parts[k].op != "const" {
				return nil, fail
			}
			*into = &n
		}
		out = append(out, s)
	}
	if len(out) == 0 || len(out) > rank {
		return nil, fail
	}
	return out, nil
}

// A sliced says what is taken of a dimension; nil is the beginning, end or 1.
type sliced struct{ Start, Stop, Step *int }

// parseSlices reads slices as Keras 2 or 3 keeps them, an ellipsis among them, and
// gives as many as there are dimensions, or fewer, for the first of them.
func parseSlices(raw json.RawMessage, rank int) ([]sliced, error) {
	var list []struct {
		sliced
		Class  string `json:"class_name"`
		Config sliced `json:"config"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	var out []sliced
	for i, s := range list {
		switch s.Class {
		case "":
			out = append(out, s.sliced)
		case "__slice__":
			out = append(out, s.Config)
		case "__ellipsis__":
			for range rank - (len(list) - 1) {
				out = append(out, sliced{})
			}
			rank = len(out) + len(list) - 1 - i // no second one
		default:
			return nil, fmt.Errorf("%s", s.Class)
		}
	}
	if len(out) == 0 || len(out) > rank {
		return nil, fmt.Errorf("%d slices of %d dimensions", len(out), rank)
	}
	return out, nil
}
