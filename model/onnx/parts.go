package onnx

import (
	"fmt"
	"math"
	"slices"
)

// cut takes n of a dimension, from one on.
func (t *tensor) cut(at, from, n int) (*tensor, error) {
	shape := slices.Clone(t.shape)
	shape[at] = n
	out, err := newTensor(t.dtype, shape...)
	if err != nil {
		return nil, err
	}
	outer, _ := sizeOf(shape[:at])
	inner, _ := sizeOf(shape[at+1:])
	for o := range outer {
		copy(out.data[o*n*inner:(o+1)*n*inner], t.data[(o*t.shape[at]+from)*inner:])
	}
	return out, nil
}

func split(c *call) ([]*tensor, error) {
	t := c.in[0]
	at, err := axis(c.int("axis", 0), len(t.shape))
	if err != nil {
		return nil, err
	}
	parts, err := c.fixed(1, "split")
	if err != nil {
		return nil, err
	}
	n := len(c.out)
	if parts == nil {
		each := (t.shape[at] + n - 1) / n
		if c.opset < 18 && t.shape[at]%n != 0 {
			return nil, fmt.Errorf("%d cannot be split into %d equal parts", t.shape[at], n)
		}
		if m := c.int("num_outputs", n); m != n {
			return nil, fmt.Errorf("num_outputs is %d and it has %d", m, n)
		}
		for left := t.shape[at]; len(parts) < n; left -= each {
			parts = append(parts, max(0, min(each, left)))
		}
	}
	if len(parts) != n {
		return nil, fmt.Errorf("it has %d outputs and is split into %v", n, parts)
	}
	var out []*tensor
	from := 0
	for _, k := range parts {
		if k < 0 || k > t.shape[at]-from {
			return nil, fmt.Errorf("%d cannot be split into %v", t.shape[at], parts)
		}
		piece, err := t.cut(at, from, k)
		if err != nil {
			return nil, err
		}
		out = append(out, piece)
		from += k
	}
	if from != t.shape[at] {
		return nil, fmt.Errorf("%d cannot be split into %v", t.shape[at], parts)
	}
	return out, nil
}

// A span is what a slice takes of one dimension.
type span struct{ from, n, step int }

// spans are what a slice takes of every dimension.
func (c *call) spans(shape []int) ([]span, error) {
	out := make([]span, len(shape))
	for i, d := range shape {
		out[i] = span{0, d, 1}
	}
	var lists [4][]int // starts, ends, axes, steps
	for i, name := range []string{"starts", "ends", "axes", "steps"} {
		var err error
		if lists[i], err = c.fixed(i+1, name); err != nil {
			return nil, err
		}
	}
	starts, ends, list, steps := lists[0], lists[1], lists[2], lists[3]
	if list == nil {
		for i := range starts {
			list = append(list, i)
		}
	}
	list, err := axes(list, len(shape))
	if err != nil {
		return nil, err
	}
	if len(starts) != len(list) || len(ends) != len(list) || steps != nil && len(steps) != len(list) {
		return nil, fmt.Errorf("%d starts, %d ends, %d axes and %d steps", len(starts), len(ends), len(list), len(steps))
	}
	for i, at := range list {
		step, d := 1, shape[at]
		if steps != nil {
			step = steps[i]
		}
		if step == 0 {
			return nil, fmt.Errorf("a step of 0")
		}
		low, high := 0, d // where start and end may lie
		if step < 0 {
			low, high = -1, d-1
		}
		place := func(v int) int {
			if v < 0 {
				v = max(v+d, low)
			}
			return min(max(v, low), high)
		}
		from, to := place(starts[i]), place(ends[i])
		if step < 0 {
			from = max(from, 0)
			if d == 0 {
				from = -1
			}
		}
		n := 0
		switch {
		case step > 0 && to > from:
			n = (to-from-1)/step + 1
		case step < 0 && to < from:
			n = (from-to-1)/max(-step, 1) + 1
			if step == math.MinInt {
				n = 1
			}
		}
		out[at] = span{from, n, step}
	}
	return out, nil
}

func slice(c *call) (*tensor, error) {
	t := c.in[0]
	spans, err := c.spans(t.shape)
	if err != nil {
		return nil, err
	}
	shape, steps, off := make([]int, len(spans)), strides(t.shape), 0
	for i, s := range spans {
		shape[i] = s.n
		off += s.from * steps[i]
		if s.n > 1 {
			steps[i] *= s.step
		}
	}
	out, err := newTensor(t.dtype, shape...)
	if err != nil {
		return nil, err
	}
	walk(shape, [][]int{steps}, func(i int, at []int) { out.data[i] = t.data[off+at[0]] })
	return out, nil
}

func gather(c *call) (*tensor, error) {
	t, which := c.in[0], c.in[1]
	at, err := axis(c.int("axis", 0), len(t.shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Concat(t.shape[:at], which.shape, t.shape[at+1:])
	out, err := newTensor(t.dtype, shape...)
	if err != nil {
		return nil, err
	}
	outer, _ := sizeOf(t.shape[:at])
	inner, _ := sizeOf(t.shape[at+1:])
	for k, v := range which.ints() {
		if v < -t.shape[at] || v >= t.shape[at] {
			return nil, fmt.Errorf("the index %d of %d", v, t.shape[at])
		}
		if v < 0 {
			v += t.shape[at]
		}
		for o := range outer {
			copy(out.data[(o*len(which.data)+k)*inner:][:inner], t.data[(o*t.shape[at]+v)*inner:])
		}
	}
	return out, nil
}
