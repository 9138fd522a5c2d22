package onnx

import (
	"fmt"
	"math"
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

// pads are how many numbers are put before and after every dimension, which may be
// negative.
func (c *call) pads(rank int) (before, after []int, err error) {
	name := "pads"
	if c.opset < 2 {
		name = "paddings"
	}
	list, err := c.fixed(1, name)
	if err != nil {
		return nil, nil, err
	}
	before, after = make([]int, rank), make([]int, rank)
	which := make([]int, rank)
	for i := range which {
		which[i] = i
	}
	if t := c.input(3); t != nil {
		if which, err = axes(t.ints(), rank); err != nil {
			return nil, nil, err
		}
	}
	if len(list) != 2*len(which) {
		return nil, nil, fmt.Errorf("%d pads for %d dimensions, want two each", len(list), len(which))
	}
	for i, d := range which {
		before[d], after[d] = list[i], list[len(which)+i]
		for _, v := range []int{before[d], after[d]} {
			if v < -maxSize || v > maxSize {
				return nil, nil, fmt.Errorf("pads of %d", v)
			}
		}
	}
	return before, after, nil
}

// fill is what a pad of the mode constant puts.
func (c *call) fill() (float64, error) {
	if t := c.input(2); t != nil {
		if len(t.data) != 1 {
			return 0, fmt.Errorf("its value has the shape %v, want one number", t.shape)
		}
		return t.data[0], nil
	}
	return c.float("value", 0), nil
}

func pad(c *call) (*tensor, error) {
	t := c.in[0]
	before, after, err := c.pads(len(t.shape))
	if err != nil {
		return nil, err
	}
	fill, err := c.fill()
	if err != nil {
		return nil, err
	}
	mode := c.text("mode", "constant")
	place := map[string]func(v, n int) int{
		"constant": func(v, n int) int { return v },
		"edge":     func(v, n int) int { return min(max(v, 0), n-1) },
		"wrap":     func(v, n int) int { return ((v % n) + n) % n },
		"reflect": func(v, n int) int {
			if n == 1 {
				return 0
			}
			v = ((v % (2*n - 2)) + 2*n - 2) % (2*n - 2)
			return min(v, 2*n-2-v)
		},
	}[mode]
	if place == nil {
		return nil, fmt.Errorf("the mode %q is not supported; supported are constant, reflect, edge and wrap", mode)
	}
	shape := make([]int, len(t.shape))
	for i, d := range t.shape {
		if shape[i] = d + before[i] + after[i]; d == 0 && mode != "constant" {
			return nil, fmt.Errorf("nothing to %s in the shape %v", mode, t.shape)
		}
	}
	out, err := newTensor(t.dtype, shape...)
	if err != nil {
		return nil, err
	}
	// The source of every place along each dimension; −1 where there is none.
	from := make([][]int, len(shape))
	own := strides(t.shape)
	for d, n := range shape {
		from[d] = make([]int, n)
		for i := range n {
			v := place(i-before[d], t.shape[d])
			if v < 0 || v >= t.shape[d] {
				from[d][i] = -1
			} else {
				from[d][i] = v * own[d]
			}
		}
	}
	index := make([]int, len(shape))
	for i := range out.data {
		off, inside := 0, true
		for d, v := range index {
			if from[d][v] < 0 {
				inside = false
				break
			}
			off += from[d][v]
		}
		if out.data[i] = settle(t.dtype, fill); inside {
			out.data[i] = t.data[off]
		}
		for d := len(index) - 1; d >= 0; d-- {
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out, nil
}

func numbers(c *call) (*tensor, error) {
	for i := range 3 {
		if len(c.in[i].data) != 1 {
			return nil, fmt.Errorf("its input %d has the shape %v, want one number", i, c.in[i].shape)
		}
	}
	from, to, step := c.in[0].data[0], c.in[1].data[0], c.in[2].data[0]
	n := math.Ceil((to - from) / step)
	if !(math.Abs(n) <= maxSize) {
		return nil, fmt.Errorf("from %g to %g by %g", from, to, step)
	}
	out, err := newTensor(c.in[0].dtype, max(int(n), 0))
	if err != nil {
		return nil, err
	}
	for i := range out.data {
		out.data[i] = from + float64(i)*step
	}
	return out.settle(), nil
}

// blocks gives the parts of an image tensor for the two below.
func (c *call) blocks() (t *tensor, n int, err error) {
	t, n = c.in[0], c.int("blocksize", 0)
	if len(t.shape) != 4 || n < 1 || n > 1<<12 {
		return nil, 0, fmt.Errorf("blocks of %d in the shape %v", n, t.shape)
	}
	return t, n, nil
}

func depthToSpace(c *call) (*tensor, error) {
	t, n, err := c.blocks()
	if err != nil {
		return nil, err
	}
	s := t.shape
	if s[1]%(n*n) != 0 {
		return nil, fmt.Errorf("%d channels do not make blocks of %d×%d", s[1], n, n)
	}
	k := s[1] / (n * n)
	switch mode := c.text("mode", "DCR"); mode {
	case "DCR":
		t = t.as([]int{s[0], n, n, k, s[2], s[3]}).transpose([]int{0, 3, 4, 1, 5, 2})
	case "CRD":
		t = t.as([]int{s[0], k, n, n, s[2], s[3]}).transpose([]int{0, 1, 4, 2, 5, 3})
	default:
		return nil, fmt.Errorf("the mode %q is not supported; supported are DCR and CRD", mode)
	}
	return t.as([]int{s[0], k, s[2] * n, s[3] * n}), nil
}

func spaceToDepth(c *call) (*tensor, error) {
	t, n, err := c.blocks()
	if err != nil {
		return nil, err
	}
	s := t.shape
	if s[2]%n != 0 || s[3]%n != 0 {
		return nil, fmt.Errorf("%d×%d is not made of blocks of %d×%d", s[2], s[3], n, n)
	}
	t = t.as([]int{s[0], s[1], s[2] / n, n, s[3] / n, n}).transpose([]int{0, 3, 5, 1, 2, 4})
	return t.as([]int{s[0], s[1] * n * n, s[2] / n, s[3] / n}), nil
}
