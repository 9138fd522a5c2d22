package onnx

import (
	"fmt"
	"slices"
)

// fixed is a list of whole numbers that is an attribute in older opsets, an input in
// newer ones: input i, or the attribute of the name.
func (c *call) fixed(i int, name string) ([]int, error) {
	if t := c.input(i); t != nil {
		if !t.whole() || len(t.shape) > 1 {
			return nil, fmt.Errorf("its input %d is of %s in the shape %v, want whole numbers in a row", i, numerics[t.dtype].name, t.shape)
		}
		return t.ints(), nil
	}
	return c.list(name), nil
}

func constant(c *call) (*tensor, error) {
	if len(c.attrs) != 1 {
		return nil, fmt.Errorf("%d attributes, want one value", len(c.attrs))
	}
	switch a := c.attrs[0]; a.name {
	case "value":
		if a.decoded == nil {
			return nil, fmt.Errorf("its value is no tensor")
		}
		return a.decoded, nil
	case "value_float":
		return &tensor{typeFloat, []int{}, []float64{float64(a.f)}}, nil
	case "value_int":
		return &tensor{typeInt64, []int{}, []float64{float64(a.i)}}, nil
	case "value_ints":
		return vectorOf(typeInt64, c.list(a.name)...), nil
	default:
		t := &tensor{typeFloat, []int{len(a.floats)}, nil}
		for _, v := range a.floats {
			t.data = append(t.data, float64(v))
		}
		return t, nil
	}
}

func constantOfShape(c *call) (*tensor, error) {
	dtype, v := int64(typeFloat), 0.0
	if a := c.attr("value"); a != nil {
		if a.decoded == nil || len(a.decoded.data) != 1 {
			return nil, fmt.Errorf("its value is not one number")
		}
		dtype, v = a.decoded.dtype, a.decoded.data[0]
	}
	shape, err := c.fixed(0, "")
	if err != nil {
		return nil, err
	}
	out, err := newTensor(dtype, shape...)
	if err != nil {
		return nil, err
	}
	for i := range out.data {
		out.data[i] = v
	}
	return out, nil
}

func shapeOf(c *call) (*tensor, error) {
	s := c.in[0].shape
	bound := func(name string, or int) int {
		v := c.int(name, or)
		if v < 0 {
			v += len(s)
		}
		return min(max(v, 0), len(s))
	}
	from, to := bound("start", 0), bound("end", len(s))
	return vectorOf(typeInt64, s[from:max(from, to)]...), nil
}

func cast(c *call) (*tensor, error) {
	a := c.attr("to")
	if a == nil {
		return nil, fmt.Errorf("the attribute %q is missing", "to")
	}
	if c.opset >= 6 || a.kind != attrString {
		return castTo(c.in[0], int64(c.int("to", 0)))
	}
	names := map[string]int64{
		"FLOAT": typeFloat, "DOUBLE": typeDouble, "FLOAT16": typeFloat16, "BOOL": typeBool, "INT8": typeInt8, "INT16": typeInt16, "INT32": typeInt32, "INT64": typeInt64,
		"UINT8": typeUint8, "UINT16": typeUint16, "UINT32": typeUint32, "UINT64": typeUint64,
	}
	return castTo(c.in[0], names[string(a.s)])
}

func castTo(t *tensor, dtype int64) (*tensor, error) {
	if _, ok := numerics[dtype]; !ok {
		return nil, fmt.Errorf("numbers of the type %d are not supported", dtype)
	}
	out := &tensor{dtype, t.shape, make([]float64, len(t.data))}
	for i, v := range t.data {
		out.data[i] = settle(dtype, v)
	}
	return out, nil
}

func dropout(c *call) ([]*tensor, error) {
	if t := c.input(2); t != nil && len(t.data) == 1 && t.data[0] != 0 || c.opset < 7 && c.int("is_test", 0) == 0 && c.opset < 6 {
		return nil, fmt.Errorf("training is not supported: export the model for inference")
	}
	mask := &tensor{typeBool, c.in[0].shape, slices.Repeat([]float64{1}, len(c.in[0].data))}
	return []*tensor{c.in[0], mask}, nil
}

// reshaped is the shape that a tensor of a shape gets: 0 keeps a dimension, −1 is what
// is left.
func reshaped(shape, want []int, allowZero bool) ([]int, error) {
	fail := func() error { return fmt.Errorf("the shape %v does not become %v", shape, want) }
	total, err := sizeOf(shape)
	if err != nil {
		return nil, err
	}
	out, open := slices.Clone(want), -1
	for i, d := range want {
		switch {
		case d == 0 && !allowZero:
			if i >= len(shape) {
				return nil, fail()
			}
			out[i] = shape[i]
		case d == -1:
			if open >= 0 {
				return nil, fail()
			}
			open, out[i] = i, 1
		case d < 0:
			return nil, fail()
		}
	}
	n, err := sizeOf(out)
	if err != nil {
		return nil, err
	}
	if open >= 0 {
		if n == 0 || total%n != 0 {
			return nil, fail()
		}
		out[open] = total / n
	} else if n != total {
		return nil, fail()
	}
	return out, nil
}

func reshape(c *call) (*tensor, error) {
	want, err := c.fixed(1, "shape")
	if err != nil {
		return nil, err
	}
	if want == nil && c.input(1) == nil && c.attr("shape") == nil {
		return nil, fmt.Errorf("its shape is missing")
	}
	shape, err := reshaped(c.in[0].shape, want, c.int("allowzero", 0) != 0)
	if err != nil {
		return nil, err
	}
	return c.in[0].as(shape), nil
}

func flatten(c *call) (*tensor, error) {
	s := c.in[0].shape
	at := c.int("axis", 1)
	if at < 0 {
		at += len(s)
	}
	if at < 0 || at > len(s) {
		return nil, fmt.Errorf("axis %d of a tensor of %d dimensions", at, len(s))
	}
	a, _ := sizeOf(s[:at])
	b, _ := sizeOf(s[at:])
	return c.in[0].as([]int{a, b}), nil
}

// permutation is the attribute perm, checked.
func (c *call) permutation(rank int) ([]int, error) {
	perm := c.list("perm")
	if c.attr("perm") == nil {
		for i := rank - 1; i >= 0; i-- {
			perm = append(perm, i)
		}
		return perm, nil
	}
	if len(perm) != rank {
		return nil, fmt.Errorf("perm %v of a tensor of %d dimensions", perm, rank)
	}
	return axes(perm, rank)
}

func transpose(c *call) (*tensor, error) {
	perm, err := c.permutation(len(c.in[0].shape))
	if err != nil {
		return nil, err
	}
	return c.in[0].transpose(perm), nil
}

// squeezed drops dimensions of 1: those of list, or all where it is nil.
func squeezed(shape, list []int) ([]int, error) {
	if list == nil {
		for i, d := range shape {
			if d == 1 {
				list = append(list, i)
			}
		}
	}
	drop, err := axes(list, len(shape))
	if err != nil {
		return nil, err
	}
	out := []int{}
	for i, d := range shape {
		if !slices.Contains(drop, i) {
			out = append(out, d)
		} else if d != 1 {
			return nil, fmt.Errorf("dimension %d of %v is not 1", i, shape)
		}
	}
	return out, nil
}

func unsqueezed(shape, list []int) ([]int, error) {
	rank := len(shape) + len(list)
	put, err := axes(list, rank)
	if err != nil {
		return nil, err
	}
	var out []int
	k := 0
	for i := range rank {
		if slices.Contains(put, i) {
			out = append(out, 1)
		} else {
			out = append(out, shape[k])
			k++
		}
	}
	return out, nil
}

func squeeze(c *call) (*tensor, error) {
	list, err := c.fixed(1, "axes")
	if err != nil {
		return nil, err
	}
	shape, err := squeezed(c.in[0].shape, list)
	if err != nil {
		return nil, err
	}
	return c.in[0].as(shape), nil
}

func unsqueeze(c *call) (*tensor, error) {
	list, err := c.fixed(1, "axes")
	if err != nil {
		return nil, err
	}
	shape, err := unsqueezed(c.in[0].shape, list)
	if err != nil {
		return nil, err
	}
	return c.in[0].as(shape), nil
}

func concat(c *call) (*tensor, error) {
	if len(c.in) == 0 {
		return nil, fmt.Errorf("no inputs")
	}
	first := c.in[0]
	or := len(first.shape) // no axis at all
	if c.opset < 4 {
		or = 1
	}
	at, err := axis(c.int("axis", or), len(first.shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(first.shape)
	shape[at] = 0
	for i, t := range c.in {
		if t == nil || t.dtype != first.dtype || len(t.shape) != len(shape) {
			return nil, fmt.Errorf("its input %d is left out, or of another type or number of dimensions than the first", i)
		}
		for d, n := range t.shape {
			if d != at && n != shape[d] {
				return nil, fmt.Errorf("the shapes %v and %v cannot be put together along the axis %d", first.shape, t.shape, at)
			}
		}
		shape[at] += t.shape[at]
	}
	out, err := newTensor(first.dtype, shape...)
	if err != nil {
		return nil, err
	}
	outer, _ := sizeOf(shape[:at])
	inner, _ := sizeOf(shape[at:])
	for k, off := 0, 0; k < len(c.in); k++ {
		n := len(c.in[k].data) / max(outer, 1)
		for o := range outer {
			copy(out.data[o*inner+off:][:n], c.in[k].data[o*n:])
		}
		off += n
	}
	return out, nil
}

func expand(c *call) (*tensor, error) {
	want, err := c.fixed(1, "")
	if err != nil {
		return nil, err
	}
	if _, err := sizeOf(want); err != nil {
		return nil, err
	}
	shape, err := broadcast(c.in[0].shape, want)
	if err != nil {
		return nil, err
	}
	out, err := newTensor(c.in[0].dtype, shape...)
	if err != nil {
		return nil, err
	}
	walk(shape, [][]int{spread(c.in[0].shape, shape)}, func(i int, at []int) { out.data[i] = c.in[0].data[at[0]] })
	return out, nil
}

func tile(c *call) (*tensor, error) {
	t := c.in[0]
	times, err := c.fixed(1, "")
	if err != nil {
		return nil, err
	}
	if c.opset < 6 || c.input(2) != nil {
		return nil, fmt.Errorf("tiles before opset 6 are not supported")
	}
	if len(times) != len(t.shape) {
		return nil, fmt.Errorf("%d repeats of %d dimensions", len(times), len(t.shape))
	}
	for _, n := range times {
		if n < 0 || n > maxSize {
			return nil, fmt.Errorf("%d repeats, want 0 to %d", n, maxSize)
		}
	}
	shape := make([]int, len(times))
	for i, n := range times {
		shape[i] = n * t.shape[i]
	}
	out, err := newTensor(t.dtype, shape...)
	if err != nil {
		return nil, err
	}
	own, index := strides(t.shape), make([]int, len(shape))
	for i := range out.data {
		off := 0
		for d, v := range index {
			off += v % t.shape[d] * own[d]
		}
		out.data[i] = t.data[off]
		for d := len(index) - 1; d >= 0; d-- {
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out, nil
}
