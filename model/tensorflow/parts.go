package tensorflow

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// gather is GatherV2 along one axis.
func gather(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 3); err != nil {
		return nil, err
	}
	x := in[0]
	axis, err := axisOf(in[2], len(x.shape))
	if err != nil {
		return nil, err
	}
	if n.attr("batch_dims").GetI() != 0 || in[1].kind == float {
		return nil, errors.New("it gathers within samples, or by floating-point numbers")
	}
	for _, v := range in[1].i {
		if v < 0 || v >= int64(x.shape[axis]) {
			return nil, fmt.Errorf("the index %d of %d", v, x.shape[axis])
		}
	}
	shape := slices.Concat(x.shape[:axis], in[1].shape, x.shape[axis+1:])
	own, of, k := steps(x.shape), steps(in[1].shape), len(in[1].shape)
	return x.pick(shape, 0, func(index []int) int {
		at, which := 0, 0
		for d, i := range index {
			switch {
			case d < axis:
				at += i * own[d]
			case d < axis+k:
				which += i * of[d-axis]
			default:
				at += i * own[d-k+1]
			}
		}
		return at + int(in[1].i[which])*own[axis]
	})
}

// strided is StridedSlice.
func strided(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 4); err != nil {
		return nil, err
	}
	var spec [3][]int
	for k := range spec {
		var err error
		if spec[k], err = in[k+1].whole(); err != nil {
			return nil, err
		}
		if len(spec[k]) != len(spec[0]) {
			return nil, errors.New("begins, ends and steps of different counts")
		}
	}
	mask := func(name string, k int) bool { return n.attr(name+"_mask").GetI()>>k&1 == 1 }
	x := in[0]
	entries := len(spec[0])
	if entries > 32 {
		return nil, fmt.Errorf("slices of %d dimensions", entries)
	}
	var shape, begins, strides, from []int // from: the dimension of x; −1 for a new one
	result := []int{}
	d := 0
	whole := func(until int) {
		for ; d < until; d++ {
			shape, begins, strides, from = append(shape, x.shape[d]), append(begins, 0), append(strides, 1), append(from, d)
			result = append(result, x.shape[d])
		}
	}
	for k := range entries {
		rest := 0 // dimensions that entries behind k take
		for j := k + 1; j < entries; j++ {
			if !mask("new_axis", j) {
				rest++
			}
		}
		switch {
		case mask("ellipsis", k):
			whole(len(x.shape) - rest)
			continue
		case mask("new_axis", k):
			shape, begins, strides, from = append(shape, 1), append(begins, 0), append(strides, 0), append(from, -1)
			result = append(result, 1)
			continue
		case d >= len(x.shape):
			return nil, fmt.Errorf("%d slices of the shape %v", entries, x.shape)
		}
		size := x.shape[d]
		begin, end, step := spec[0][k], spec[1][k], spec[2][k]
		if step == 0 {
			return nil, errors.New("slices in steps of 0")
		}
		if mask("shrink_axis", k) {
			if begin < 0 {
				begin += size
			}
			if begin < 0 || begin >= size {
				return nil, fmt.Errorf("the index %d of %d", spec[0][k], size)
			}
			shape, begins, strides, from = append(shape, 1), append(begins, begin), append(strides, 0), append(from, d)
			d++
			continue
		}
		lo, hi := 0, size // where begin and end may be
		if step < 0 {
			lo, hi = -1, size-1
		}
		limit := func(v int) int {
			if v < 0 {
				v += size
			}
			return max(lo, min(hi, v))
		}
		b, e := limit(begin), limit(end)
		if mask("begin", k) {
			b = map[bool]int{true: 0, false: size - 1}[step > 0]
		}
		if mask("end", k) {
			e = map[bool]int{true: size, false: -1}[step > 0]
		}
		count := max(0, int(math.Ceil(float64(e-b)/float64(step))))
		shape, begins, strides, from = append(shape, count), append(begins, b), append(strides, step), append(from, d)
		result = append(result, count)
		d++
	}
	whole(len(x.shape))
	own := steps(x.shape)
	out, err := x.pick(shape, 0, func(index []int) int {
		at := 0
		for k, i := range index {
			if from[k] >= 0 {
				at += (begins[k] + i*strides[k]) * own[from[k]]
			}
		}
		return at
	})
	if err != nil {
		return nil, err
	}
	return out.with(result), nil
}

// slice is Slice.
func slice(_ *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 3); err != nil {
		return nil, err
	}
	x := in[0]
	begin, err := in[1].whole()
	if err != nil {
		return nil, err
	}
	size, err := in[2].whole()
	if err != nil {
		return nil, err
	}
	if len(begin) != len(x.shape) || len(size) != len(x.shape) {
		return nil, fmt.Errorf("a slice of %d dimensions of %v", len(begin), x.shape)
	}
	size = slices.Clone(size)
	for d := range size {
		if size[d] == -1 {
			size[d] = x.shape[d] - begin[d]
		}
		if begin[d] < 0 || size[d] < 0 || begin[d]+size[d] > x.shape[d] {
			return nil, fmt.Errorf("%d from %d on, of %v", size[d], begin[d], x.shape)
		}
	}
	own := steps(x.shape)
	return x.pick(size, 0, func(index []int) int {
		at := 0
		for d, i := range index {
			at += (begin[d] + i) * own[d]
		}
		return at
	})
}
