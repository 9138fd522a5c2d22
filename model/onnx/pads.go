package onnx

import (
	"fmt"
	"math"
)

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
