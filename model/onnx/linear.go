package onnx

import (
	"fmt"
	"slices"
)

// maxWork bounds the products of one node: minutes.
const maxWork = 1 << 37

// work checks how many products there are.
func work(factors ...int) error {
	n := 1
	for _, f := range factors {
		if f > 0 && n > maxWork/f {
			return fmt.Errorf("more than %d products are not supported", maxWork)
		}
		n *= f
	}
	return nil
}

func matmul(c *call) (*tensor, error) {
	a, b := c.in[0], c.in[1]
	if len(a.shape) == 0 || len(b.shape) == 0 {
		return nil, fmt.Errorf("matrices of the shapes %v and %v", a.shape, b.shape)
	}
	row, col := len(a.shape) == 1, len(b.shape) == 1
	if row {
		a = a.as([]int{1, a.shape[0]})
	}
	if col {
		b = b.as([]int{b.shape[0], 1})
	}
	ra, rb := len(a.shape)-2, len(b.shape)-2
	m, k, n := a.shape[ra], a.shape[ra+1], b.shape[rb+1]
	if b.shape[rb] != k {
		return nil, fmt.Errorf("matrices of the shapes %v and %v", a.shape, b.shape)
	}
	batch, err := broadcast(a.shape[:ra], b.shape[:rb])
	if err != nil {
		return nil, err
	}
	out, err := newTensor(a.dtype, append(slices.Clone(batch), m, n)...)
	if err != nil {
		return nil, err
	}
	if err := work(len(out.data), k); err != nil {
		return nil, err
	}
	var stop error
	walk(batch, [][]int{spread(a.shape[:ra], batch), spread(b.shape[:rb], batch)}, func(i int, at []int) {
		if stop == nil {
			stop = multiply(c, out.data[i*m*n:(i+1)*m*n], a.data[at[0]*m*k:], b.data[at[1]*k*n:], m, k, n)
		}
	})
	if stop != nil {
		return nil, stop
	}
	shape := batch
	if !row {
		shape = append(shape, m)
	}
	if !col {
		shape = append(shape, n)
	}
	return out.settle().as(shape), nil
}

// multiply adds the product of an m×k and a k×n matrix.
func multiply(c *call, out, a, b []float64, m, k, n int) error {
	for i := range m {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		row := out[i*n : (i+1)*n]
		for j, v := range a[i*k : (i+1)*k] {
			for l, w := range b[j*n : (j+1)*n] {
				row[l] += v * w
			}
		}
	}
	return nil
}

func gemm(c *call) (*tensor, error) {
	a, b, bias := c.in[0], c.in[1], c.input(2)
	if len(a.shape) != 2 || len(b.shape) != 2 {
		return nil, fmt.Errorf("matrices of the shapes %v and %v", a.shape, b.shape)
	}
	if c.int("transA", 0) != 0 {
		a = a.transpose([]int{1, 0})
	}
	if c.int("transB", 0) != 0 {
		b = b.transpose([]int{1, 0})
	}
	m, k, n := a.shape[0], a.shape[1], b.shape[1]
	if b.shape[0] != k {
		return nil, fmt.Errorf("matrices of the shapes %v and %v", a.shape, b.shape)
	}
	out, err := newTensor(a.dtype, m, n)
	if err != nil {
		return nil, err
	}
	if err := work(m, k, n); err != nil {
		return nil, err
	}
	if err := multiply(c, out.data, a.data, b.data, m, k, n); err != nil {
		return nil, err
	}
	alpha, beta := c.float("alpha", 1), c.float("beta", 1)
	if alpha != 1 {
		for i := range out.data {
			out.data[i] *= alpha
		}
	}
	if bias != nil {
		shape, err := broadcast(bias.shape, out.shape)
		if err != nil || !slices.Equal(shape, out.shape) {
			return nil, fmt.Errorf("what is added has the shape %v, the product %v", bias.shape, out.shape)
		}
		walk(shape, [][]int{spread(bias.shape, shape)}, func(i int, at []int) { out.data[i] += beta * bias.data[at[0]] })
	}
	return out.settle(), nil
}

// A window is how a kernel moves over the dimensions behind batch and channels.
type window struct {
	in, out              []int
	kernel, stride, step []int // step is the dilation
	before, after        []int // pads
	taps                 int   // of the kernel
}

// window reads the attributes of convolutions and pools.
func (c *call) window(in, kernel []int, ceil bool) (*window, error) {
	rank := len(in)
	if own := c.list("kernel_shape"); kernel == nil {
		kernel = own
	} else if own != nil && !slices.Equal(own, kernel) {
		return nil, fmt.Errorf("kernel_shape is %v, the weights are of %v", own, kernel)
	}
	w := &window{in: in, kernel: kernel, out: make([]int, rank), stride: c.list("strides"), step: c.list("dilations")}
	ones := slices.Repeat([]int{1}, rank)
	if w.stride == nil {
		w.stride = ones
	}
	if w.step == nil {
		w.step = ones
	}
	if len(w.kernel) != rank || len(w.stride) != rank || len(w.step) != rank {
		return nil, fmt.Errorf("kernel %v, strides %v and dilations %v of %d dimensions", w.kernel, w.stride, w.step, rank)
	}
	for i := range rank {
		for _, v := range []int{w.kernel[i], w.stride[i], w.step[i]} {
			if v < 1 || v > 1<<20 {
				return nil, fmt.Errorf("kernel %v, strides %v and dilations %v, want 1 to %d", w.kernel, w.stride, w.step, 1<<20)
			}
		}
	}
	var err error
	if w.taps, err = sizeOf(w.kernel); err != nil {
		return nil, err
	}
	list, auto := c.list("pads"), c.text("auto_pad", "NOTSET")
	if list == nil || auto != "NOTSET" {
		list = make([]int, 2*rank)
	}
	if len(list) != 2*rank {
		return nil, fmt.Errorf("pads %v of %d dimensions", list, rank)
	}
	for _, v := range list {
		if v < 0 || v > 1<<20 {
			return nil, fmt.Errorf("pads %v, want 0 to %d", list, 1<<20)
		}
	}
	w.before, w.after = slices.Clone(list[:rank]), slices.Clone(list[rank:])
	for i, n := range in {
		reach := (w.kernel[i]-1)*w.step[i] + 1
		switch auto {
		case "NOTSET", "VALID", "":
		case "SAME_UPPER", "SAME_LOWER":
			total := max(((n+w.stride[i]-1)/w.stride[i]-1)*w.stride[i]+reach-n, 0)
			w.before[i], w.after[i] = total/2, total-total/2
			if auto == "SAME_LOWER" {
				w.before[i], w.after[i] = w.after[i], w.before[i]
			}
		default:
			return nil, fmt.Errorf("auto_pad is %q", auto)
		}
		room := n + w.before[i] + w.after[i] - reach
		if room < 0 {
			return nil, fmt.Errorf("a kernel of %v does not fit into %v", w.kernel, in)
		}
		w.out[i] = room/w.stride[i] + 1
		if ceil && room%w.stride[i] > 0 && w.out[i]*w.stride[i] < n+w.before[i] { // a last window begins inside
			w.out[i]++
		}
	}
	return w, nil
}

// A tap is a place of the input that one of the kernel meets.
type tap struct{ in, kernel int }

// each calls f for every place of the output with the taps that lie in the input.
func (w *window) each(c *call, f func(out int, taps []tap)) error {
	n, err := sizeOf(w.out)
	if err != nil {
		return err
	}
	rank := len(w.in)
	own, at, k := strides(w.in), make([]int, rank), make([]int, rank)
	taps := make([]tap, 0, w.taps)
	for o := range n {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		taps = taps[:0]
		clear(k)
		for t := range w.taps {
			off, inside := 0, true
			for d := range rank {
				p := at[d]*w.stride[d] - w.before[d] + k[d]*w.step[d]
				if p < 0 || p >= w.in[d] {
					inside = false
					break
				}
				off += p * own[d]
			}
			if inside {
				taps = append(taps, tap{off, t})
			}
			next(k, w.kernel)
		}
		f(o, taps)
		next(at, w.out)
	}
	return nil
}

// next moves an index on by one.
func next(index, shape []int) {
	for d := len(index) - 1; d >= 0; d-- {
		if index[d]++; index[d] < shape[d] {
			return
		}
		index[d] = 0
	}
}

// conv is a convolution, the channels behind the batch.
func conv(c *call) (*tensor, error) {
	x, w, bias := c.in[0], c.in[1], c.input(2)
	group := c.int("group", 1)
	if len(x.shape) < 3 || len(w.shape) != len(x.shape) || group < 1 || w.shape[1] > maxSize/group || w.shape[1]*group != x.shape[1] || w.shape[0]%group != 0 {
		return nil, fmt.Errorf("weights of %v in %d groups for an input of %v", w.shape, group, x.shape)
	}
	win, err := c.window(x.shape[2:], w.shape[2:], false)
	if err != nil {
		return nil, err
	}
	filters, depth := w.shape[0], w.shape[1]
	if bias != nil && len(bias.data) != filters {
		return nil, fmt.Errorf("%d biases for %d filters", len(bias.data), filters)
	}
	out, err := newTensor(x.dtype, append([]int{x.shape[0], filters}, win.out...)...)
	if err != nil {
		return nil, err
	}
	if err := work(len(out.data), depth, win.taps); err != nil {
		return nil, err
	}
	inner, places := 1, 1
	for i, d := range win.in {
		inner *= d
		places *= win.out[i]
	}
	err = win.each(c, func(o int, taps []tap) {
		for n := range x.shape[0] {
			for f := range filters {
				s := 0.0
				for d := range depth {
					in := x.data[(n*x.shape[1]+f/(filters/group)*depth+d)*inner:]
					row := w.data[(f*depth+d)*win.taps:]
					for _, t := range taps {
						s += in[t.in] * row[t.kernel]
					}
				}
				if bias != nil {
					s += bias.data[f]
				}
				out.data[(n*filters+f)*places+o] = s
			}
		}
	})
	return out.settle(), err
}

// convLast is QONNX' convolution with the channels last, in the kernel, too.
func convLast(c *call) (*tensor, error) {
	if len(c.in[0].shape) < 3 || len(c.in[1].shape) < 3 {
		return nil, fmt.Errorf("weights of %v for an input of %v", c.in[1].shape, c.in[0].shape)
	}
	first := *c
	first.in = slices.Clone(c.in)
	for i := range 2 {
		first.in[i] = c.in[i].transpose(channelsFirst(len(c.in[i].shape)))
	}
	out, err := conv(&first)
	if err != nil {
		return nil, err
	}
	return out.transpose(channelsLast(len(out.shape))), nil
}

// channelsFirst and channelsLast are the orders that move the channels.
func channelsFirst(rank int) []int {
	out := []int{0, rank - 1}
	for i := 1; i < rank-1; i++ {
		out = append(out, i)
	}
	return out
}

func channelsLast(rank int) []int {
	out := []int{0}
	for i := 2; i < rank; i++ {
		out = append(out, i)
	}
	return append(out, 1)
}

// transposed is the geometry of a transposed convolution: of the convolution from its
// output to its input.
func (c *call) transposed(in, kernel []int) (*window, error) {
	rank := len(in)
	or := func(name string, v int) ([]int, error) {
		list := c.list(name)
		if list == nil {
			list = slices.Repeat([]int{v}, rank)
		}
		if len(list) != rank {
			return nil, fmt.Errorf("%s %v of %d dimensions", name, list, rank)
		}
		for _, x := range list {
			if x < v || x > 1<<20 {
				return nil, fmt.Errorf("%s %v, want %d to %d", name, list, v, 1<<20)
			}
		}
		return list, nil
	}
	w := &window{out: in, in: make([]int, rank), kernel: kernel, before: make([]int, rank), after: make([]int, rank)}
	var err error
	if w.stride, err = or("strides", 1); err != nil {
		return nil, err
	}
	if w.step, err = or("dilations", 1); err != nil {
		return nil, err
	}
	extra, err := or("output_padding", 0)
	if err != nil {
		return nil, err
	}
	if own := c.list("kernel_shape"); own != nil && !slices.Equal(own, kernel) {
		return nil, fmt.Errorf("kernel_shape is %v, the weights are of %v", own, kernel)
	}
	if w.taps, err = sizeOf(kernel); err != nil {
		return nil, err
	}
	pads, auto, want := c.list("pads"), c.text("auto_pad", "NOTSET"), c.list("output_shape")
	if len(want) == rank+2 { // with batch and channels, as some write it
		want = want[2:]
	}
	if pads == nil {
		pads = make([]int, 2*rank)
	}
	if len(pads) != 2*rank || want != nil && len(want) != rank {
		return nil, fmt.Errorf("pads %v and output_shape %v of %d dimensions", pads, want, rank)
	}
	for i, n := range in {
		full := (n-1)*w.stride[i] + extra[i] + (kernel[i]-1)*w.step[i] + 1
		w.before[i], w.after[i] = pads[i], pads[rank+i]
		same := auto == "SAME_UPPER" || auto == "SAME_LOWER"
		if want != nil || same {
			w.in[i] = n * w.stride[i]
			if want != nil {
				w.in[i] = want[i]
			}
			total := max(full-w.in[i], 0)
			w.before[i] = total - total/2
			if auto == "SAME_UPPER" || auto == "NOTSET" && want == nil {
				w.before[i] = total / 2
			}
		} else {
			if auto == "VALID" {
				w.before[i], w.after[i] = 0, 0
			} else if auto != "NOTSET" && auto != "" {
				return nil, fmt.Errorf("auto_pad is %q", auto)
			}
			w.in[i] = full - w.before[i] - w.after[i]
		}
		if n < 1 || w.in[i] < 1 || w.in[i] > maxSize || w.before[i] < 0 || w.before[i] > 1<<20 {
			return nil, fmt.Errorf("an input of %v with a kernel of %v, strides %v and pads %v gives an output of %d", in, kernel, w.stride, pads, w.in[i])
		}
	}
	return w, nil
}

func convTranspose(c *call) (*tensor, error) {
	x, w, bias := c.in[0], c.in[1], c.input(2)
	group := c.int("group", 1)
	if len(x.shape) < 3 || len(w.shape) != len(x.shape) || group < 1 || w.shape[0] != x.shape[1] || w.shape[0]%group != 0 || w.shape[1] > maxSize/group {
		return nil, fmt.Errorf("weights of %v in %d groups for an input of %v", w.shape, group, x.shape)
	}
	win, err := c.transposed(x.shape[2:], w.shape[2:])
	if err != nil {
		return nil, err
	}
	each, depth := w.shape[1], w.shape[0]/group // filters and channels of a group
	filters := each * group
	if bias != nil && len(bias.data) != filters {
		return nil, fmt.Errorf("%d biases for %d filters", len(bias.data), filters)
	}
	out, err := newTensor(x.dtype, append([]int{x.shape[0], filters}, win.in...)...)
	if err != nil {
		return nil, err
	}
	if err := work(len(x.data), each, win.taps); err != nil {
		return nil, err
	}
	inner, places := 1, 1
	for i, d := range win.in {
		inner *= d
		places *= win.out[i]
	}
	err = win.each(c, func(o int, taps []tap) {
		for n := range x.shape[0] {
			for d := range w.shape[0] {
				v := x.data[(n*x.shape[1]+d)*places+o]
				for f := range each {
					to := out.data[(n*filters+d/depth*each+f)*inner:]
					row := w.data[(d*each+f)*win.taps:]
					for _, t := range taps {
						to[t.in] += v * row[t.kernel]
					}
				}
			}
		}
	})
	if bias != nil {
		for i := range out.data {
			out.data[i] += bias.data[i/inner%filters]
		}
	}
	return out.settle(), err
}
