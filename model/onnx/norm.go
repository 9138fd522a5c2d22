package onnx

import (
	"fmt"
	"math"
)

// channels gives channels and what lies behind them, and checks that each of the
// inputs has a number a channel.
func (c *call) channels(from int) (n, inner int, err error) {
	x := c.in[0]
	if len(x.shape) < 2 {
		return 0, 0, fmt.Errorf("an input of the shape %v", x.shape)
	}
	n, inner = x.shape[1], 1
	for _, d := range x.shape[2:] {
		inner *= d
	}
	for i := from; i < len(c.in); i++ {
		if len(c.in[i].data) != n {
			return 0, 0, fmt.Errorf("its input %d has %d numbers for %d channels", i, len(c.in[i].data), n)
		}
	}
	return n, inner, nil
}

func batchNorm(c *call) (*tensor, error) {
	if c.int("training_mode", 0) != 0 || c.opset < 7 && c.int("is_test", 0) == 0 && len(c.out) > 1 {
		return nil, fmt.Errorf("training is not supported: export the model for inference")
	}
	if c.int("spatial", 1) != 1 {
		return nil, fmt.Errorf("spatial 0 is not supported")
	}
	n, inner, err := c.channels(1)
	if err != nil {
		return nil, err
	}
	x, eps := c.in[0], c.float("epsilon", float64(float32(1e-5)))
	out := &tensor{x.dtype, x.shape, make([]float64, len(x.data))}
	for i, v := range x.data {
		k := i / inner % n
		out.data[i] = c.in[1].data[k]*(v-c.in[3].data[k])/math.Sqrt(c.in[4].data[k]+eps) + c.in[2].data[k]
	}
	return out.settle(), nil
}

// standard subtracts the mean and divides by the deviation.
func standard(row []float64, eps float64) {
	m, s := mean(row), 0.0
	for _, v := range row {
		s += (v - m) * (v - m)
	}
	d := math.Sqrt(s/float64(len(row)) + eps)
	for i, v := range row {
		row[i] = (v - m) / d
	}
}

func instanceNorm(c *call) (*tensor, error) {
	n, inner, err := c.channels(1)
	if err != nil {
		return nil, err
	}
	x, eps := c.in[0], c.float("epsilon", float64(float32(1e-5)))
	out := &tensor{x.dtype, x.shape, append([]float64(nil), x.data...)}
	for p := range x.shape[0] * n {
		row := out.data[p*inner : (p+1)*inner]
		standard(row, eps)
		for i, v := range row {
			row[i] = c.in[1].data[p%n]*v + c.in[2].data[p%n]
		}
	}
	return out.settle(), nil
}

func layerNorm(c *call) (*tensor, error) {
	x := c.in[0]
	at, err := axis(c.int("axis", -1), len(x.shape))
	if err != nil {
		return nil, err
	}
	n, _ := sizeOf(x.shape[at:])
	for _, t := range c.in[1:] {
		if len(t.data) != n {
			return nil, fmt.Errorf("a scale or bias of the shape %v for %v", t.shape, x.shape[at:])
		}
	}
	eps := c.float("epsilon", float64(float32(1e-5)))
	out := &tensor{x.dtype, x.shape, append([]float64(nil), x.data...)}
	for from := 0; from < len(out.data); from += n {
		row := out.data[from : from+n]
		standard(row, eps)
		for i := range row {
			row[i] *= c.in[1].data[i]
			if b := c.input(2); b != nil {
				row[i] += b.data[i]
			}
		}
	}
	return out.settle(), nil
}

func lpNorm(c *call) (*tensor, error) {
	p := float64(c.int("p", 2))
	at, err := axis(c.int("axis", -1), len(c.in[0].shape))
	if err != nil {
		return nil, err
	}
	norms, err := c.in[0].reduce([]int{at}, true, func(v []float64) float64 {
		s := 0.0
		for _, x := range v {
			s += math.Pow(math.Abs(x), p)
		}
		return math.Pow(s, 1/p)
	})
	if err != nil {
		return nil, err
	}
	return combine(c.in[0], norms, c.in[0].dtype, func(a, b float64) float64 {
		if b == 0 {
			return 0
		}
		return a / b
	})
}

func lrn(c *call) (*tensor, error) {
	n, inner, err := c.channels(1)
	if err != nil {
		return nil, err
	}
	size := c.int("size", 0)
	if size < 1 || size > 1<<20 {
		return nil, fmt.Errorf("size is %d", size)
	}
	alpha, beta, bias := c.float("alpha", float64(float32(1e-4))), c.float("beta", 0.75), c.float("bias", 1)
	x := c.in[0]
	out := &tensor{x.dtype, x.shape, make([]float64, len(x.data))}
	if err := work(len(x.data), min(size, n)); err != nil {
		return nil, err
	}
	for i, v := range x.data {
		k := i / inner % n
		s := 0.0
		for j := max(0, k-(size-1)/2); j <= min(n-1, k+size/2); j++ {
			w := x.data[i+(j-k)*inner]
			s += w * w
		}
		out.data[i] = v / math.Pow(bias+alpha/float64(size)*s, beta)
	}
	return out.settle(), nil
}
