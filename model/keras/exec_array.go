package keras

import (
	"fmt"
	"math"
	"slices"
)

// rounded32 rounds to single precision, in place.
func rounded32(v []float64) []float64 {
	for i, x := range v {
		v[i] = float64(float32(x))
	}
	return v
}

func (b *block) each(f func(v float64) float64) *block {
	out := &block{b.shape, make([]float64, len(b.data))}
	for i, v := range b.data {
		out.data[i] = float64(float32(f(v)))
	}
	return out
}

func scalar(v float64) *block { return &block{nil, []float64{float64(float32(v))}} }

// axis makes an axis that may be counted from the end one from the front.
func (b *block) axis(k int) (int, error) {
	if k < 0 {
		k += len(b.shape)
	}
	if k < 0 || k >= len(b.shape) {
		return 0, fmt.Errorf("axis %d of an array of the shape %v", k, b.shape)
	}
	return k, nil
}

// strides are how far apart the neighbours along every axis are.
func strides(shape []int) []int {
	out := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = n
		n *= shape[i]
	}
	return out
}

// view copies what is at from + Σ index·step for all indices of a shape.
func (b *block) view(shape, step []int, from int) (*block, error) {
	out, err := newBlock(shape...)
	if err != nil || len(out.data) == 0 {
		return out, err
	}
	index := make([]int, len(shape))
	at := from
	for i := range out.data {
		out.data[i] = b.data[at]
		for k := len(shape) - 1; k >= 0; k-- {
			index[k]++
			at += step[k]
			if index[k] < shape[k] {
				break
			}
			at -= index[k] * step[k]
			index[k] = 0
		}
	}
	return out, nil
}

// broadcast combines two arrays, of which one may have to be repeated.
func broadcast(a, b *block, f func(x, y float64) float64) (*block, error) {
	rank := max(len(a.shape), len(b.shape))
	shape := make([]int, rank)
	step := [2][]int{make([]int, rank), make([]int, rank)}
	for k, x := range []*block{a, b} {
		s := strides(x.shape)
		for i, d := range x.shape {
			at := rank - len(x.shape) + i
			switch {
			case shape[at] == 0 || shape[at] == 1:
				shape[at] = d
			case d != 1 && d != shape[at]:
				return nil, fmt.Errorf("shapes %v and %v do not fit", a.shape, b.shape)
			}
			if d != 1 {
				step[k][at] = s[i]
			}
		}
	}
	va, err := a.view(shape, step[0], 0)
	if err != nil {
		return nil, err
	}
	vb, err := b.view(shape, step[1], 0)
	if err != nil {
		return nil, err
	}
	for i, x := range va.data {
		va.data[i] = float64(float32(f(x, vb.data[i])))
	}
	return va, nil
}

// reshape gives the same numbers in another shape, of which one dimension may be -1.
func (b *block) reshape(shape []int) (*block, error) {
	shape = slices.Clone(shape)
	known, open := 1, -1
	for i, d := range shape {
		switch {
		case d == -1 && open < 0:
			open = i
		case d < 0 || d > maxBlock:
			return nil, fmt.Errorf("shape %v", shape)
		default:
			if known *= d; known > maxBlock {
				return nil, fmt.Errorf("shape %v", shape)
			}
		}
	}
	if open >= 0 && known > 0 {
		shape[open] = len(b.data) / known
		known *= shape[open]
	}
	if known != len(b.data) {
		return nil, fmt.Errorf("the shape %v does not fit %v", shape, b.shape)
	}
	return &block{shape, b.data}, nil
}

func (b *block) transpose(order []int) (*block, error) {
	if len(order) != len(b.shape) {
		return nil, fmt.Errorf("the order %v does not fit %v", order, b.shape)
	}
	s := strides(b.shape)
	var shape, step []int
	for i, k := range order {
		if k < 0 || k >= len(s) || slices.Contains(order[:i], k) {
			return nil, fmt.Errorf("the order %v does not fit %v", order, b.shape)
		}
		shape, step = append(shape, b.shape[k]), append(step, s[k])
	}
	return b.view(shape, step, 0)
}

// index takes part of an array: by a slice or a number a dimension, nil being a new
// dimension of 1.
func (b *block) index(spec []any) (*block, error) {
	taken := 0
	for _, s := range spec {
		switch s.(type) {
		case pyEllipsis, nil:
		default:
			taken++
		}
	}
	s := strides(b.shape)
	var shape, step []int
	from, at := 0, 0
	keep := func() { shape, step, at = append(shape, b.shape[at]), append(step, s[at]), at+1 }
	for _, v := range spec {
		if _, ok := v.(pyEllipsis); ok {
			for range len(b.shape) - taken {
				keep()
			}
			taken = len(b.shape) // no second one
			continue
		}
		if v == nil {
			shape, step = append(shape, 1), append(step, 0)
			continue
		}
		if at >= len(b.shape) {
			return nil, fmt.Errorf("%d indices of an array of the shape %v", len(spec), b.shape)
		}
		n := b.shape[at]
		if k, ok := whole64(v); ok {
			if k < 0 {
				k += n
			}
			if k < 0 || k >= n {
				return nil, fmt.Errorf("index %d of %d", k, n)
			}
			from += k * s[at]
			at++
			continue
		}
		sl, ok := v.(slice)
		if !ok {
			return nil, fmt.Errorf("an index of another kind than a number or a slice is not supported")
		}
		first, count, by, err := sl.of(n)
		if err != nil {
			return nil, err
		}
		if count > 0 {
			from += first * s[at]
		}
		shape, step, at = append(shape, count), append(step, by*s[at]), at+1
	}
	for at < len(b.shape) {
		keep()
	}
	return b.view(shape, step, from)
}

// of gives the first, how many and the step of a slice of n, by Python's rules.
func (s slice) of(n int) (first, count, by int, err error) {
	num := func(v any, def int) int {
		if v == nil {
			return def
		}
		k, ok := whole64(v)
		if !ok {
			err = fmt.Errorf("a slice by %v is not supported", v)
		}
		return k
	}
	by = num(s.step, 1)
	if by == 0 {
		return 0, 0, 0, fmt.Errorf("a slice with the step 0")
	}
	low, high, start, stop := 0, n, 0, n
	if by < 0 {
		low, high, start, stop = -1, n-1, n-1, -1
	}
	clip := func(v any, def int) int {
		if v == nil {
			return def
		}
		k := num(v, def)
		if k < 0 {
			k += n
		}
		return min(max(k, low), high)
	}
	start, stop = clip(s.start, start), clip(s.stop, stop)
	if by > 0 {
		count = max(0, (stop-start+by-1)/by)
	} else {
		count = max(0, (start-stop-by-1)/-by)
	}
	return start, count, by, err
}

// whole64 is a whole number of an argument, or of an array of one.
func whole64(v any) (int, bool) {
	if b, ok := v.(*block); ok && len(b.data) == 1 {
		v = b.data[0]
	}
	f, ok := v.(float64)
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<40 {
		return 0, false
	}
	return int(f), true
}

func concat(parts []*block, axis int) (*block, error) {
	if len(parts) == 0 {
		return nil, fmt.Errorf("nothing to join")
	}
	axis, err := parts[0].axis(axis)
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(parts[0].shape)
	shape[axis] = 0
	for _, p := range parts {
		if len(p.shape) != len(shape) {
			return nil, fmt.Errorf("shapes %v and %v do not fit", parts[0].shape, p.shape)
		}
		for i, d := range p.shape {
			if i != axis && d != shape[i] {
				return nil, fmt.Errorf("shapes %v and %v do not fit", parts[0].shape, p.shape)
			}
		}
		shape[axis] += p.shape[axis]
	}
	out, err := newBlock(shape...)
	if err != nil {
		return nil, err
	}
	inner := strides(shape)[axis]
	at := 0
	for _, p := range parts {
		n := p.shape[axis] * inner
		if n > 0 {
			for k := range len(p.data) / n {
				copy(out.data[k*shape[axis]*inner+at:], p.data[k*n:(k+1)*n])
			}
		}
		at += n
	}
	return out, nil
}

// pad puts so many numbers before and after along every axis.
func (b *block) pad(widths [][2]int, value func(index int, n int) (int, bool), with float64) (*block, error) {
	if len(widths) != len(b.shape) {
		return nil, fmt.Errorf("paddings of %d dimensions for %v", len(widths), b.shape)
	}
	out := b
	for k, w := range widths {
		if w == [2]int{} {
			continue
		}
		if w[0] < 0 || w[1] < 0 || w[0] > maxBlock || w[1] > maxBlock {
			return nil, fmt.Errorf("padding %v: negative", w)
		}
		shape := slices.Clone(out.shape)
		n := shape[k]
		shape[k] += w[0] + w[1]
		next, err := newBlock(shape...)
		if err != nil {
			return nil, err
		}
		inner := strides(shape)[k]
		for o := range len(next.data) / max(1, inner*shape[k]) {
			for i := range shape[k] {
				to := next.data[(o*shape[k]+i)*inner:][:inner]
				from, ok := i-w[0], i >= w[0] && i < w[0]+n
				if !ok && value != nil {
					from, ok = value(from, n)
				}
				if ok {
					copy(to, out.data[(o*n+from)*inner:][:inner])
					continue
				}
				for j := range to {
					to[j] = with
				}
			}
		}
		out = next
	}
	return out, nil
}

// reduce folds the numbers along the axes, given by how they are summed up.
func (b *block) reduce(axes []int, keep bool, start float64, f func(a, v float64) float64, end func(a float64, n int) float64) (*block, error) {
	gone := make([]bool, len(b.shape))
	for _, k := range axes {
		at, err := b.axis(k)
		if err != nil {
			return nil, err
		}
		gone[at] = true
	}
	if len(gone) > 0 && gone[0] {
		return nil, fmt.Errorf("what joins samples (axis 0) is not supported")
	}
	var kept, full []int
	n := 1
	for i, d := range b.shape {
		if gone[i] {
			n *= d
			full = append(full, 1)
			continue
		}
		kept, full = append(kept, d), append(full, d)
	}
	out, err := newBlock(kept...)
	if err != nil {
		return nil, err
	}
	for i := range out.data {
		out.data[i] = start
	}
	index, step := make([]int, len(b.shape)), make([]int, len(b.shape))
	s := strides(kept)
	for i, k := 0, 0; i < len(b.shape); i++ {
		if !gone[i] {
			step[i], k = s[k], k+1
		}
	}
	at := 0
	for _, v := range b.data {
		out.data[at] = f(out.data[at], v)
		for k := len(b.shape) - 1; k >= 0; k-- {
			index[k]++
			at += step[k]
			if index[k] < b.shape[k] {
				break
			}
			at -= index[k] * step[k]
			index[k] = 0
		}
	}
	for i, v := range out.data {
		if end != nil {
			v = end(v, n)
		}
		out.data[i] = float64(float32(v))
	}
	if keep {
		out.shape = full
	}
	return out, nil
}
