package tensorflow

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

func sameValue(_ *node, in []*tensor) (*tensor, error) {
	if len(in) < 1 {
		return nil, takes(in, 1)
	}
	return in[0], nil
}

// row is a tensor of whole numbers.
func row(n *node, attr string, v []int) (*tensor, error) {
	kind := int32Kind
	if a := n.attr(attr); a != nil {
		kind = a.GetType()
	}
	t, err := newTensor(kind, []int{len(v)})
	if err != nil {
		return nil, err
	}
	if t.kind == float {
		return nil, errors.New("a shape of floating-point numbers")
	}
	for k, x := range v {
		t.i[k] = int64(x)
	}
	return t, nil
}

func shapeOp(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 1); err != nil {
		return nil, err
	}
	return row(n, "out_type", in[0].shape)
}

func reshape(_ *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 2); err != nil {
		return nil, err
	}
	shape, err := in[1].whole()
	if err != nil {
		return nil, err
	}
	shape = slices.Clone(shape)
	open, known := -1, 1
	for k, d := range shape {
		switch {
		case d == -1 && open >= 0:
			return nil, fmt.Errorf("the shape %v has two open sizes", shape)
		case d == -1:
			open = k
		case d < 0:
			return nil, fmt.Errorf("the shape %v has a negative size", shape)
		case d > 0 && known > maxElements/d:
			return nil, fmt.Errorf("the shape %v is too large", shape)
		default:
			known *= d
		}
	}
	if open >= 0 && known > 0 {
		shape[open] = in[0].size() / known
	} else if open >= 0 {
		shape[open] = 0
	}
	if n, err := sizeOf(shape); err != nil || n != in[0].size() {
		return nil, fmt.Errorf("%v does not become %v", in[0].shape, shape)
	}
	return in[0].with(shape), nil
}

func concat(n *node, in []*tensor) (*tensor, error) {
	if len(in) < 2 {
		return nil, fmt.Errorf("it has %d inputs", len(in))
	}
	values := in[:len(in)-1]
	axis, err := axisOf(in[len(in)-1], len(values[0].shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(values[0].shape)
	shape[axis] = 0
	for _, t := range values {
		if t.kind != values[0].kind || len(t.shape) != len(shape) {
			return nil, fmt.Errorf("%v does not lie beside %v", t.shape, values[0].shape)
		}
		for d := range shape {
			if d == axis {
				shape[d] += t.shape[d]
			} else if shape[d] != t.shape[d] {
				return nil, fmt.Errorf("%v does not lie beside %v", t.shape, values[0].shape)
			}
		}
	}
	out, err := newTensor(values[0].kind, shape)
	if err != nil || out.size() == 0 {
		return out, err
	}
	block := 1
	for _, d := range shape[axis+1:] {
		block *= d
	}
	at := 0
	for outer := range out.size() / (block * shape[axis]) {
		for _, t := range values {
			k := t.shape[axis] * block
			if t.kind == float {
				copy(out.f[at:], t.f[outer*k:(outer+1)*k])
			} else {
				copy(out.i[at:], t.i[outer*k:(outer+1)*k])
			}
			at += k
		}
	}
	return out, nil
}

// axisOf is one dimension of several; negative ones count from the last.
func axisOf(t *tensor, rank int) (int, error) {
	v, err := t.whole()
	if err != nil || len(v) != 1 || v[0] < -rank || v[0] >= rank {
		return 0, fmt.Errorf("the axis %v of %d", v, rank)
	}
	return (v[0] + rank) % rank, nil
}

func pack(n *node, in []*tensor) (*tensor, error) {
	if len(in) == 0 {
		return nil, takes(in, 1)
	}
	rank := len(in[0].shape) + 1
	axis := int(n.attr("axis").GetI())
	if axis < -rank || axis >= rank {
		return nil, fmt.Errorf("the axis %d of %d", axis, rank)
	}
	axis = (axis + rank) % rank
	var wide []*tensor
	for _, t := range in {
		if len(t.shape) != rank-1 {
			return nil, fmt.Errorf("%v does not lie on %v", t.shape, in[0].shape)
		}
		wide = append(wide, t.with(slices.Insert(slices.Clone(t.shape), axis, 1)))
	}
	return concat(n, append(wide, &tensor{kind: int32Kind, i: []int64{int64(axis)}}))
}

func squeeze(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 1); err != nil {
		return nil, err
	}
	rank := len(in[0].shape)
	drop := map[int]bool{}
	for _, d := range n.attr("squeeze_dims").GetList().GetI() {
		if d < int64(-rank) || d >= int64(rank) {
			return nil, fmt.Errorf("the dimension %d of %d", d, rank)
		}
		drop[(int(d)+rank)%rank] = true
	}
	shape := []int{}
	for d, size := range in[0].shape {
		switch {
		case size != 1 && drop[d]:
			return nil, fmt.Errorf("dimension %d of %v is not 1", d, in[0].shape)
		case size != 1 || len(drop) > 0 && !drop[d]:
			shape = append(shape, size)
		}
	}
	return in[0].with(shape), nil
}

func expand(_ *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 2); err != nil {
		return nil, err
	}
	axis, err := axisOf(in[1], len(in[0].shape)+1)
	if err != nil {
		return nil, err
	}
	return in[0].with(slices.Insert(slices.Clone(in[0].shape), axis, 1)), nil
}

func transpose(_ *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 2); err != nil {
		return nil, err
	}
	order, err := in[1].whole()
	if err != nil {
		return nil, err
	}
	sorted := slices.Sorted(slices.Values(order))
	shape := make([]int, len(order))
	for k := range sorted {
		if sorted[k] != k || len(order) != len(in[0].shape) {
			return nil, fmt.Errorf("the order %v of %v", order, in[0].shape)
		}
		shape[k] = in[0].shape[order[k]]
	}
	own := steps(in[0].shape)
	return in[0].pick(shape, 0, func(index []int) int {
		at := 0
		for k, i := range index {
			at += i * own[order[k]]
		}
		return at
	})
}

// pad is Pad and PadV2.
func pad(_ *node, in []*tensor) (*tensor, error) {
	if len(in) != 2 && len(in) != 3 {
		return nil, takes(in, 2)
	}
	x, fill := in[0], float32(0)
	if len(in) == 3 {
		if in[2].size() != 1 {
			return nil, fmt.Errorf("it fills with %v numbers", in[2].shape)
		}
		fill = float32(in[2].at(0))
	}
	p := in[1]
	if p.kind == float || len(p.shape) != 2 || p.shape[0] != len(x.shape) || p.shape[1] != 2 {
		return nil, fmt.Errorf("its paddings have the shape %v", p.shape)
	}
	shape := slices.Clone(x.shape)
	for d := range shape {
		before, after := p.i[2*d], p.i[2*d+1]
		if before < 0 || after < 0 || before > maxElements || after > maxElements {
			return nil, fmt.Errorf("it pads by %d and %d", before, after)
		}
		shape[d] += int(before + after)
	}
	own := steps(x.shape)
	return x.pick(shape, fill, func(index []int) int {
		at := 0
		for d, i := range index {
			if i -= int(p.i[2*d]); i < 0 || i >= x.shape[d] {
				return -1
			}
			at += i * own[d]
		}
		return at
	})
}

// fill is Fill.
func fill(_ *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 2); err != nil {
		return nil, err
	}
	shape, err := in[0].whole()
	if err != nil {
		return nil, err
	}
	if in[1].size() != 1 {
		return nil, fmt.Errorf("it fills with %v numbers", in[1].shape)
	}
	return in[1].pick(shape, 0, func([]int) int { return 0 })
}

// tile is Tile.
func tile(_ *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 2); err != nil {
		return nil, err
	}
	times, err := in[1].whole()
	if err != nil {
		return nil, err
	}
	x := in[0]
	if len(times) != len(x.shape) {
		return nil, fmt.Errorf("%v repeated %v times", x.shape, times)
	}
	shape := slices.Clone(x.shape)
	for d, k := range times {
		if k < 0 || k > maxElements {
			return nil, fmt.Errorf("%v repeated %v times", x.shape, times)
		}
		shape[d] *= k
	}
	own := steps(x.shape)
	return x.pick(shape, 0, func(index []int) int {
		at := 0
		for d, i := range index {
			at += i % x.shape[d] * own[d]
		}
		return at
	})
}

// nearest is ResizeNearestNeighbor.
func nearest(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 2); err != nil {
		return nil, err
	}
	if err := images(in[:1]); err != nil {
		return nil, err
	}
	size, err := in[1].whole()
	if err != nil {
		return nil, err
	}
	if len(size) != 2 || n.attr("align_corners").GetB() {
		return nil, errors.New("it resizes by corners, or not to rows and columns")
	}
	x := in[0]
	own, half := steps(x.shape), 0.
	if n.attr("half_pixel_centers").GetB() {
		half = 0.5
	}
	return x.pick([]int{x.shape[0], size[0], size[1], x.shape[3]}, 0, func(index []int) int {
		at := index[0]*own[0] + index[3]
		for k := range 2 {
			scale := float64(x.shape[k+1]) / float64(size[k])
			at += min(int((float64(index[k+1])+half)*scale), x.shape[k+1]-1) * own[k+1]
		}
		return at
	})
}

// reduce is Sum, Mean, Max, Min and Prod over dimensions.
func reduce(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 2); err != nil {
		return nil, err
	}
	x := in[0]
	axes, err := in[1].whole()
	if err != nil {
		return nil, err
	}
	over := make([]bool, len(x.shape))
	for _, a := range axes {
		if a < -len(over) || a >= len(over) {
			return nil, fmt.Errorf("the axis %d of %v", a, x.shape)
		}
		over[(a+len(over))%len(over)] = true
	}
	wide, shape := slices.Clone(x.shape), []int{}
	count := 1
	for d, s := range x.shape {
		switch {
		case !over[d]:
			shape = append(shape, s)
		default:
			wide[d] = 1
			count *= s
			if n.attr("keep_dims").GetB() {
				shape = append(shape, 1)
			}
		}
	}
	out, err := newTensor(x.kind, shape)
	if err != nil {
		return nil, err
	}
	start := map[string]float64{"Prod": 1, "Max": math.Inf(-1), "Min": math.Inf(1)}[n.Op]
	sum := slices.Repeat([]float64{start}, out.size())
	pairs(x.shape, wide, wide, func(k, at, _ int) {
		v := x.at(k)
		switch n.Op {
		case "Prod":
			sum[at] *= v
		case "Max":
			sum[at] = max(sum[at], v)
		case "Min":
			sum[at] = min(sum[at], v)
		default:
			sum[at] += v
		}
	})
	for k, v := range sum {
		if n.Op == "Mean" {
			v /= float64(count)
		}
		if x.kind == float {
			out.f[k] = float32(v)
		} else {
			out.i[k] = int64(v)
		}
	}
	return out, nil
}

// softmax is Softmax over the last dimension.
func softmax(_ *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 1); err != nil {
		return nil, err
	}
	x := in[0]
	if x.kind != float || len(x.shape) == 0 {
		return nil, fmt.Errorf("of %v of the shape %v", x.kind, x.shape)
	}
	out, err := newTensor(float, x.shape)
	if err != nil {
		return nil, err
	}
	last := x.shape[len(x.shape)-1]
	for from := 0; last > 0 && from < len(x.f); from += last {
		most := slices.Max(x.f[from : from+last])
		sum := 0.
		for _, v := range x.f[from : from+last] {
			sum += math.Exp(float64(v - most))
		}
		for k := range last {
			out.f[from+k] = float32(math.Exp(float64(x.f[from+k]-most)) / sum)
		}
	}
	return out, nil
}
