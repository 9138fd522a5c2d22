package onnx

import (
	"math"
	"slices"
)

// reductions make one number of many.
var reductions = map[string]func([]float64) float64{
	"ReduceSum": sum, "ReduceMean": mean, "ReduceMax": largest,
	"ReduceMin": func(v []float64) float64 {
		m := math.Inf(1)
		for _, x := range v {
			m = math.Min(m, x)
		}
		return m
	},
	"ReduceProd": func(v []float64) float64 {
		p := 1.0
		for _, x := range v {
			p *= x
		}
		return p
	},
	"ReduceL1": func(v []float64) float64 {
		s := 0.0
		for _, x := range v {
			s += math.Abs(x)
		}
		return s
	},
	"ReduceL2":        func(v []float64) float64 { return math.Sqrt(squares(v)) },
	"ReduceSumSquare": squares,
	"ReduceLogSum":    func(v []float64) float64 { return math.Log(sum(v)) },
	"ReduceLogSumExp": func(v []float64) float64 {
		top, s := largest(v), 0.0
		if math.IsInf(top, 0) {
			return top
		}
		for _, x := range v {
			s += math.Exp(x - top)
		}
		return top + math.Log(s)
	},
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

func squares(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x * x
	}
	return s
}

func mean(v []float64) float64 { return sum(v) / float64(len(v)) }

func largest(v []float64) float64 {
	m := math.Inf(-1)
	for _, x := range v {
		m = math.Max(m, x)
	}
	return m
}

func reduce(c *call, f func([]float64) float64) (*tensor, error) {
	t := c.in[0]
	list, err := c.fixed(1, "axes")
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		if c.int("noop_with_empty_axes", 0) != 0 {
			return t, nil
		}
		list = nil
		for i := range t.shape {
			list = append(list, i)
		}
	}
	return t.reduce(list, c.int("keepdims", 1) != 0, f)
}

// reduce makes one number of all along the axes.
func (t *tensor) reduce(list []int, keep bool, f func([]float64) float64) (*tensor, error) {
	list, err := axes(list, len(t.shape))
	if err != nil {
		return nil, err
	}
	var perm, kept []int
	n := 1
	shape := []int{}
	for i, d := range t.shape {
		switch {
		case !slices.Contains(list, i):
			perm, kept = append(perm, i), append(kept, d)
			shape = append(shape, d)
		case keep:
			shape = append(shape, 1)
		}
	}
	slices.Sort(list)
	for _, i := range list {
		n *= t.shape[i]
	}
	size, err := sizeOf(kept)
	if err != nil {
		return nil, err
	}
	rows := t.transpose(append(perm, list...))
	out := &tensor{t.dtype, shape, make([]float64, size)}
	least, most := limits(t.dtype)
	for i := range out.data {
		out.data[i] = min(max(f(rows.data[i*n:(i+1)*n]), least), most)
	}
	return out.settle(), nil
}

// argument is the place of the largest number along an axis or, with −1, of the
// smallest.
func argument(c *call, direction float64) (*tensor, error) {
	t := c.in[0]
	at, err := axis(c.int("axis", 0), len(t.shape))
	if err != nil {
		return nil, err
	}
	last := c.int("select_last_index", 0) != 0
	places := &tensor{typeInt64, t.shape, t.data} // what comes out are no numbers of the input's type
	return places.reduce([]int{at}, c.int("keepdims", 1) != 0, func(v []float64) float64 {
		best := 0
		for i, x := range v {
			if d := direction * (x - v[best]); d > 0 || d == 0 && last {
				best = i
			}
		}
		return float64(best)
	})
}
