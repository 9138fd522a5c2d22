package keras

import (
	"fmt"
	"slices"
	"strings"
)

// part takes part of an array, or puts something around it.
func (o *op) part(x *block) ([]*block, error) {
	rank := len(x.shape)
	switch o.name {
	case "getitem":
		v := o.get(1, "slice_spec", "key")
		spec, ok := v.([]any)
		if !ok {
			spec = []any{v}
		}
		return one(x.index(spec))
	case "slice":
		begin, ok := o.ints(1, "begin", "start_indices")
		size, ok2 := o.ints(2, "size", "shape")
		if !ok || !ok2 || len(begin) != rank || len(size) != rank {
			return nil, fmt.Errorf("begin %v, size %v of %v", begin, size, x.shape)
		}
		var spec []any
		for i, b := range begin {
			s := slice{start: float64(b)}
			if size[i] >= 0 {
				s.stop = float64(b + size[i])
			}
			if b < 0 || b+max(size[i], 0) > x.shape[i] && i > 0 {
				return nil, fmt.Errorf("begin %v, size %v of %v", begin, size, x.shape)
			}
			spec = append(spec, s)
		}
		return one(x.index(spec))
	case "pad":
		return o.pad(x)
	case "gather":
		k, ok := ints(o.get(1, "indices"))
		axis, given := whole64(o.get(2, "axis"))
		if !given {
			axis = 0
		}
		axis, err := x.axis(axis)
		if err != nil || !ok || axis == 0 {
			return nil, fmt.Errorf("indices %v along axis %d", o.get(1, "indices"), axis)
		}
		var parts []*block
		for _, i := range k {
			spec := make([]any, axis+1)
			for j := range spec {
				spec[j] = slice{}
			}
			if i < 0 {
				i += x.shape[axis]
			}
			spec[axis] = slice{start: float64(i), stop: float64(i + 1)}
			p, err := x.index(spec)
			if err != nil {
				return nil, err
			}
			parts = append(parts, p)
		}
		y, err := concat(parts, axis)
		if _, list := o.get(1, "indices").([]any); err == nil && !list {
			y.shape = slices.Delete(y.shape, axis, axis+1)
		}
		return one(y, err)
	}
	axis, given := whole64(o.get(2, "axis"))
	if !given {
		axis = 0
	}
	axis, err := x.axis(axis)
	sizes, ok := o.ints(1, "num_or_size_splits", "indices_or_sections")
	if err != nil || !ok || axis == 0 {
		return nil, fmt.Errorf("along axis %v", o.get(2, "axis"))
	}
	n := x.shape[axis]
	_, list := o.get(1, "num_or_size_splits", "indices_or_sections").([]any)
	var ends []int
	switch {
	case !list:
		if sizes[0] < 1 || n%sizes[0] != 0 {
			return nil, fmt.Errorf("%d in %d parts", n, sizes[0])
		}
		for i := range sizes[0] {
			ends = append(ends, (i+1)*n/sizes[0])
		}
	case strings.Contains(o.c.module, ".ops"): // where they end
		ends = append(sizes, n)
	default:
		at := 0
		for _, s := range sizes {
			at += s
			ends = append(ends, at)
		}
	}
	var out []*block
	from := 0
	for _, to := range ends {
		spec := make([]any, axis+1)
		for j := range spec {
			spec[j] = slice{}
		}
		spec[axis] = slice{start: float64(from), stop: float64(to)}
		p, err := x.index(spec)
		if err != nil || to < from || to > n {
			return nil, fmt.Errorf("%d in parts that end at %v", n, ends)
		}
		out, from = append(out, p), to
	}
	return out, nil
}

func (o *op) pad(x *block) ([]*block, error) {
	b, err := o.array(1, "paddings", "pad_width", "padding")
	if err != nil || len(b.shape) != 2 || b.shape[1] != 2 {
		if err != nil || len(b.shape) > 1 || len(b.data) == 0 {
			return nil, fmt.Errorf("paddings %v", o.get(1, "paddings", "pad_width"))
		}
		one := b.data // a number, or two for every axis, of Keras 3
		b = &block{shape: []int{len(x.shape), 2}}
		for range x.shape {
			b.data = append(b.data, one[0], one[len(one)-1])
		}
	}
	var widths [][2]int
	for i := range b.shape[0] {
		widths = append(widths, [2]int{int(b.data[2*i]), int(b.data[2*i+1])})
	}
	if len(widths) > 0 && widths[0] != [2]int{} {
		return nil, fmt.Errorf("padding of the samples is not supported")
	}
	mode, _ := o.get(2, "mode").(string)
	with := 0.0
	if v, ok := o.get(3, "constant_values").(float64); ok {
		with = v
	}
	var value func(i, n int) (int, bool)
	switch strings.ToLower(mode) {
	case "", "constant":
	case "reflect", "symmetric":
		edge := 1
		if strings.EqualFold(mode, "symmetric") {
			edge = 0
		}
		value = func(i, n int) (int, bool) {
			if i < 0 {
				i = -i - 1 + edge
			} else {
				i = 2*n - 1 - i - edge
			}
			return min(max(i, 0), n-1), n > 0
		}
	default:
		return nil, fmt.Errorf("mode %s is not supported; supported are CONSTANT, REFLECT and SYMMETRIC", mode)
	}
	return one(x.pad(widths, value, with))
}

// matmul multiplies matrices, the last two axes; what is before them must be the same.
func matmul(x, y *block, transposeY, transposeX bool) (*block, error) {
	if transposeX || len(x.shape) < 2 || len(y.shape) < 2 {
		return nil, fmt.Errorf("shapes %v and %v are not supported", x.shape, y.shape)
	}
	m, n := x.shape[len(x.shape)-2], x.shape[len(x.shape)-1]
	p, q := y.shape[len(y.shape)-2], y.shape[len(y.shape)-1]
	if transposeY {
		p, q = q, p
	}
	before := x.shape[:len(x.shape)-2]
	if n != p || len(y.shape) > 2 && !slices.Equal(before, y.shape[:len(y.shape)-2]) {
		return nil, fmt.Errorf("shapes %v and %v do not fit", x.shape, y.shape)
	}
	out, err := newBlock(append(slices.Clone(before), m, q)...)
	if err != nil {
		return nil, err
	}
	for i := range len(out.data) / max(1, q) {
		w := y.data
		if len(y.shape) > 2 {
			w = y.data[i/m*n*q:]
		}
		for j := range q {
			sum := 0.0
			for k := range n {
				at := k*q + j
				if transposeY {
					at = j*n + k
				}
				sum += x.data[i*n+k] * w[at]
			}
			out.data[i*q+j] = float64(float32(sum))
		}
	}
	return out, nil
}
