package tensorflow

import (
	"fmt"
	"math"
	"slices"
)

// matMul multiplies matrices; sums are in 64 bits and rounded once.
func matMul(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 2); err != nil {
		return nil, err
	}
	x, y := in[0], in[1]
	if x.kind != float || y.kind != float || len(x.shape) != 2 || len(y.shape) != 2 {
		return nil, fmt.Errorf("it multiplies %v of the shape %v by %v of the shape %v", x.kind, x.shape, y.kind, y.shape)
	}
	rows, k, xr, xk := x.shape[0], x.shape[1], x.shape[1], 1
	if n.attr("transpose_a").GetB() {
		rows, k, xr, xk = x.shape[1], x.shape[0], 1, x.shape[1]
	}
	ky, cols, yk, yc := y.shape[0], y.shape[1], y.shape[1], 1
	if n.attr("transpose_b").GetB() {
		ky, cols, yk, yc = y.shape[1], y.shape[0], 1, y.shape[1]
	}
	if k != ky {
		return nil, fmt.Errorf("it multiplies the shape %v by %v", x.shape, y.shape)
	}
	out, err := newTensor(float, []int{rows, cols})
	if err != nil {
		return nil, err
	}
	sum := make([]float64, cols)
	for r := range rows {
		clear(sum)
		for i := range k {
			v := float64(x.f[r*xr+i*xk])
			for c := range sum {
				sum[c] += v * float64(y.f[i*yk+c*yc])
			}
		}
		for c, v := range sum {
			out.f[r*cols+c] = float32(v)
		}
	}
	return out, nil
}

// bias is BiasAdd.
func bias(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 2); err != nil {
		return nil, err
	}
	if err := n.expect("data_format", "NHWC"); err != nil {
		return nil, err
	}
	x, b := in[0], in[1]
	if len(b.shape) != 1 || len(x.shape) < 2 || x.shape[len(x.shape)-1] != b.shape[0] {
		return nil, fmt.Errorf("it adds %v to %v", b.shape, x.shape)
	}
	return double("AddV2", x, b)
}

// A frame is how the windows of a convolution or pooling lie on an image.
type frame struct {
	kernel, stride, dilation, before, out [2]int // rows and columns
}

// frameOf reads a frame from a node for images of h×w.
func frameOf(n *node, h, w, kh, kw int) (f frame, err error) {
	if err := n.expect("data_format", "NHWC"); err != nil {
		return f, err
	}
	if err := n.expect("padding", "SAME", "VALID", "EXPLICIT"); err != nil {
		return f, err
	}
	f.kernel = [2]int{kh, kw}
	if f.stride, err = perAxis(n, "strides"); err != nil {
		return f, err
	}
	if f.dilation, err = perAxis(n, "dilations"); err != nil {
		return f, err
	}
	explicit := n.attr("explicit_paddings").GetList().GetI()
	padding := string(n.attr("padding").GetS())
	for k, size := range []int{h, w} {
		span := (f.kernel[k]-1)*f.dilation[k] + 1
		switch padding {
		case "SAME":
			f.out[k] = (size + f.stride[k] - 1) / f.stride[k]
			f.before[k] = max((f.out[k]-1)*f.stride[k]+span-size, 0) / 2
		case "EXPLICIT":
			if len(explicit) != 8 || slices.Min(explicit) < 0 || slices.Max(explicit) > 1<<16 {
				return f, fmt.Errorf("its explicit_paddings are %v", explicit)
			}
			f.before[k] = int(explicit[2+2*k])
			f.out[k] = (size+f.before[k]+int(explicit[3+2*k])-span)/f.stride[k] + 1
		default:
			f.out[k] = (size-span)/f.stride[k] + 1
			if size < span {
				f.out[k] = 0
			}
		}
		f.out[k] = max(f.out[k], 0)
	}
	return f, nil
}

// perAxis is an attribute that has a number a dimension, of which samples and channels
// have 1.
func perAxis(n *node, name string) ([2]int, error) {
	v := n.attr(name).GetList().GetI()
	if v == nil {
		return [2]int{1, 1}, nil
	}
	if len(v) != 4 || v[0] != 1 || v[3] != 1 || v[1] < 1 || v[2] < 1 || v[1] > 1<<10 || v[2] > 1<<10 {
		return [2]int{}, fmt.Errorf("its %s are %v; read is 1, rows, columns, 1, to 1,024", name, v)
	}
	return [2]int{int(v[1]), int(v[2])}, nil
}

// taps calls do for every pixel that a window sees: window (y, x), tap (r, c), pixel.
func (f frame) taps(h, w int, do func(window, tap, pixel int)) {
	for y := range f.out[0] {
		for x := range f.out[1] {
			for r := range f.kernel[0] {
				py := y*f.stride[0] + r*f.dilation[0] - f.before[0]
				for c := range f.kernel[1] {
					px := x*f.stride[1] + c*f.dilation[1] - f.before[1]
					if py >= 0 && py < h && px >= 0 && px < w {
						do(y*f.out[1]+x, r*f.kernel[1]+c, py*w+px)
					}
				}
			}
		}
	}
}

// images checks that tensors are floating-point of four dimensions.
func images(in []*tensor) error {
	for _, t := range in {
		if t.kind != float || len(t.shape) != 4 {
			return fmt.Errorf("it takes %v of the shape %v where images are wanted, or kernels", t.kind, t.shape)
		}
	}
	return nil
}

func conv(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 2); err != nil {
		return nil, err
	}
	if err := images(in); err != nil {
		return nil, err
	}
	x, kernel := in[0], in[1]
	h, w, channels := x.shape[1], x.shape[2], x.shape[3]
	filters := kernel.shape[3]
	depthwise := n.Op == "DepthwiseConv2dNative"
	if kernel.shape[2] != channels {
		return nil, fmt.Errorf("its kernel %v does not fit %d channels", kernel.shape, channels)
	}
	if depthwise {
		filters = channels * kernel.shape[3]
	}
	f, err := frameOf(n, h, w, kernel.shape[0], kernel.shape[1])
	if err != nil {
		return nil, err
	}
	out, err := newTensor(float, []int{x.shape[0], f.out[0], f.out[1], filters})
	if err != nil || out.size() == 0 {
		return out, err
	}
	sum := make([]float64, f.out[0]*f.out[1]*filters)
	for k := range x.shape[0] {
		clear(sum)
		image := x.f[k*h*w*channels:]
		f.taps(h, w, func(window, tap, pixel int) {
			to := sum[window*filters:][:filters]
			for c := range channels {
				v := float64(image[pixel*channels+c])
				row := kernel.f[(tap*channels+c)*kernel.shape[3]:][:kernel.shape[3]]
				first := 0
				if depthwise {
					first = c * kernel.shape[3]
				}
				for o, weight := range row {
					to[first+o] += v * float64(weight)
				}
			}
		})
		for j, v := range sum {
			out.f[k*len(sum)+j] = float32(v)
		}
	}
	return out, nil
}

// transposed is Conv2DBackpropInput: what a convolution would have to be given.
func transposed(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 3); err != nil {
		return nil, err
	}
	if err := images(in[1:]); err != nil {
		return nil, err
	}
	shape, err := in[0].whole()
	if err != nil {
		return nil, err
	}
	kernel, x := in[1], in[2]
	if len(shape) == 2 { // rows and columns alone
		shape = []int{x.shape[0], shape[0], shape[1], kernel.shape[2]}
	}
	if len(shape) != 4 {
		return nil, fmt.Errorf("its output's shape is %v", shape)
	}
	out, err := newTensor(float, shape)
	if err != nil {
		return nil, err
	}
	h, w, channels, filters := shape[1], shape[2], shape[3], x.shape[3]
	f, err := frameOf(n, h, w, kernel.shape[0], kernel.shape[1])
	if err != nil {
		return nil, err
	}
	if want := []int{shape[0], f.out[0], f.out[1]}; !slices.Equal(want, x.shape[:3]) || kernel.shape[2] != channels || kernel.shape[3] != filters {
		return nil, fmt.Errorf("no convolution by the kernel %v makes %v of %v", kernel.shape, x.shape, shape)
	}
	sum := make([]float64, h*w*channels)
	for k := range shape[0] {
		clear(sum)
		image := x.f[k*f.out[0]*f.out[1]*filters:]
		f.taps(h, w, func(window, tap, pixel int) {
			for c := range channels {
				row := kernel.f[(tap*channels+c)*filters:][:filters]
				for o, weight := range row {
					sum[pixel*channels+c] += float64(image[window*filters+o]) * float64(weight)
				}
			}
		})
		for j, v := range sum {
			out.f[k*len(sum)+j] = float32(v)
		}
	}
	return out, nil
}

// pool is MaxPool and AvgPool.
func pool(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 1); err != nil {
		return nil, err
	}
	if err := images(in); err != nil {
		return nil, err
	}
	size, err := perAxis(n, "ksize")
	if err != nil {
		return nil, err
	}
	x := in[0]
	h, w, channels := x.shape[1], x.shape[2], x.shape[3]
	f, err := frameOf(n, h, w, size[0], size[1])
	if err != nil {
		return nil, err
	}
	out, err := newTensor(float, []int{x.shape[0], f.out[0], f.out[1], channels})
	if err != nil || out.size() == 0 {
		return out, err
	}
	windows := f.out[0] * f.out[1]
	count, sum := make([]int, windows), make([]float64, windows*channels)
	for k := range x.shape[0] {
		clear(count)
		for j := range sum {
			sum[j] = math.Inf(-1)
			if n.Op == "AvgPool" {
				sum[j] = 0
			}
		}
		f.taps(h, w, func(window, _, pixel int) {
			count[window]++
			for c := range channels {
				v := float64(x.f[(k*h*w+pixel)*channels+c])
				if to := &sum[window*channels+c]; n.Op == "AvgPool" {
					*to += v
				} else {
					*to = max(*to, v)
				}
			}
		})
		for j, v := range sum {
			if n.Op == "AvgPool" {
				v /= float64(max(count[j/channels], 1))
			}
			out.f[k*len(sum)+j] = float32(v)
		}
	}
	return out, nil
}

// normalise is FusedBatchNorm, V2 and V3, by running statistics.
func normalise(n *node, in []*tensor) (*tensor, error) {
	if err := takes(in, 5); err != nil {
		return nil, err
	}
	if err := images(in[:1]); err != nil {
		return nil, err
	}
	if err := n.expect("data_format", "NHWC"); err != nil {
		return nil, err
	}
	if a := n.attr("is_training"); a == nil || a.GetB() {
		return nil, fmt.Errorf("it normalises by the batch, as in training")
	}
	x := in[0]
	channels := x.shape[3]
	for _, t := range in[1:] {
		if t.kind != float || len(t.f) != channels {
			return nil, fmt.Errorf("%v numbers for %d channels", t.shape, channels)
		}
	}
	out, err := newTensor(float, x.shape)
	if err != nil {
		return nil, err
	}
	epsilon := float64(n.attr("epsilon").GetF())
	if n.attr("epsilon") == nil {
		epsilon = 1e-4
	}
	for k, v := range x.f {
		c := k % channels
		scale := float64(in[1].f[c]) / math.Sqrt(float64(in[4].f[c])+epsilon)
		out.f[k] = float32((float64(v)-float64(in[3].f[c]))*scale + float64(in[2].f[c]))
	}
	return out, nil
}
