package onnx

import (
	"fmt"
	"math"
)

// pool computes a number of each window: f has the numbers in it and how many places
// the window has that lie in the input or its pads.
func (c *call) pool(f func(v []float64, taps []tap, places int) float64) (*tensor, *window, error) {
	x := c.in[0]
	if len(x.shape) < 3 {
		return nil, nil, fmt.Errorf("an input of the shape %v", x.shape)
	}
	win, err := c.window(x.shape[2:], nil, c.int("ceil_mode", 0) != 0)
	if err != nil {
		return nil, nil, err
	}
	out, err := newTensor(x.dtype, append([]int{x.shape[0], x.shape[1]}, win.out...)...)
	if err != nil {
		return nil, nil, err
	}
	if err := work(len(out.data), win.taps); err != nil {
		return nil, nil, err
	}
	inner, places := 1, 1
	for i, d := range win.in {
		inner *= d
		places *= win.out[i]
	}
	at := make([]int, len(win.out))
	err = win.each(c, func(o int, taps []tap) {
		for p := range x.shape[0] * x.shape[1] {
			out.data[p*places+o] = f(x.data[p*inner:(p+1)*inner], taps, win.padded(at))
		}
		next(at, win.out)
	})
	return out.settle(), win, err
}

// padded is how many places of the window at a place of the output lie in the input
// or its pads.
func (w *window) padded(at []int) int {
	n := 1
	for d, o := range at {
		from, k := o*w.stride[d], 0
		for j := range w.kernel[d] {
			if from+j*w.step[d] < w.in[d]+w.before[d]+w.after[d] {
				k++
			}
		}
		n *= k
	}
	return n
}

func averagePool(c *call) (*tensor, error) {
	pads := c.int("count_include_pad", 0) != 0
	out, _, err := c.pool(func(v []float64, taps []tap, places int) float64 {
		s := 0.0
		for _, t := range taps {
			s += v[t.in]
		}
		if !pads {
			places = len(taps)
		}
		return s / float64(places)
	})
	return out, err
}

func maxPool(c *call) ([]*tensor, error) {
	if c.int("storage_order", 0) != 0 && len(c.out) > 1 {
		return nil, fmt.Errorf("storage_order 1 is not supported")
	}
	var where []float64
	out, win, err := c.pool(func(v []float64, taps []tap, _ int) float64 {
		m, at := math.Inf(-1), 0
		for _, t := range taps {
			if v[t.in] > m || v[t.in] != v[t.in] {
				m, at = v[t.in], t.in
			}
		}
		where = append(where, float64(at))
		return m
	})
	if err != nil || len(c.out) < 2 {
		return []*tensor{out}, err
	}
	// The places were found output by output, each of all channels.
	planes := c.in[0].shape[0] * c.in[0].shape[1]
	inner, _ := sizeOf(win.in)
	index := &tensor{typeInt64, out.shape, make([]float64, len(where))}
	for i, v := range where {
		p := i % planes
		index.data[p*(len(where)/planes)+i/planes] = v + float64(p*inner)
	}
	return []*tensor{out, index}, nil
}

func lpPool(c *call) (*tensor, error) {
	p := float64(c.int("p", 2))
	out, _, err := c.pool(func(v []float64, taps []tap, _ int) float64 {
		s := 0.0
		for _, t := range taps {
			s += math.Pow(math.Abs(v[t.in]), p)
		}
		return math.Pow(s, 1/p)
	})
	return out, err
}

func global(c *call, f func([]float64) float64) (*tensor, error) {
	var list []int
	for i := 2; i < len(c.in[0].shape); i++ {
		list = append(list, i)
	}
	return c.in[0].reduce(list, true, f)
}
