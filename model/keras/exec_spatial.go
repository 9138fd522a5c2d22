package keras

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A window is how a kernel moves over an image: height and width each.
type window struct {
	kernel, stride, dilation, out, before [2]int
}

// reach is how far a kernel reaches.
func (w *window) reach(k int) int { return (w.kernel[k]-1)*w.dilation[k] + 1 }

// window works out where a kernel goes in an image of n[0]×n[1].
func (r *layerRun) window(kernel [2]int, n [2]int, strides string) (*window, error) {
	w := &window{kernel: kernel, dilation: [2]int{1, 1}}
	var err error
	if w.stride, err = r.spatial(strides, 1); err != nil {
		return nil, err
	}
	if strides == "strides" && r.cfg["strides"] == nil && r.cfg["pool_size"] != nil {
		w.stride = kernel
	}
	if r.cfg["dilation_rate"] != nil {
		if w.dilation, err = r.spatial("dilation_rate", 1); err != nil {
			return nil, err
		}
	}
	padding := r.text("padding", "valid")
	for k := range n {
		reach := w.reach(k)
		switch padding {
		case "same":
			w.out[k] = (n[k] + w.stride[k] - 1) / w.stride[k]
			w.before[k] = max((w.out[k]-1)*w.stride[k]+reach-n[k], 0) / 2
		case "valid":
			w.out[k] = (n[k]-reach)/w.stride[k] + 1
		case "causal":
			w.out[k], w.before[k] = (n[k]+w.stride[k]-1)/w.stride[k], reach-1
		default:
			return nil, fmt.Errorf("padding %q is not supported; supported are \"same\" and \"valid\"", padding)
		}
		if n[k] < reach && padding == "valid" {
			return nil, fmt.Errorf("a kernel of %v is larger than the image of %v", kernel, n)
		}
	}
	return w, nil
}

// conv is a convolution, in groups or of each channel by itself, too.
func (r *layerRun) conv(x *block) (*block, error) {
	name := "kernel"
	depthwise := strings.Contains(r.l.class, "Depthwise")
	if depthwise {
		name = "depthwise_kernel"
	}
	return r.convolve(x, name, depthwise, true)
}

// separable is a convolution of each channel by itself, then one across them.
func (r *layerRun) separable(x *block) (*block, error) {
	y, err := r.convolve(x, "depthwise_kernel", true, false)
	if err != nil {
		return nil, err
	}
	first := r.cfg
	r.cfg = map[string]any{}
	for k, v := range first {
		r.cfg[k] = v
	}
	delete(r.cfg, "strides")
	delete(r.cfg, "dilation_rate")
	return r.convolve(y, "pointwise_kernel", false, true)
}

func (r *layerRun) convolve(x *block, name string, depthwise, finish bool) (*block, error) {
	x, err := r.image(x)
	if err != nil {
		return nil, err
	}
	folded, bias, err := r.folded(name)
	if err != nil {
		return nil, err
	}
	k, err := r.kernel(name, folded)
	if err != nil {
		return nil, err
	}
	groups := 1
	if g, ok := whole64(r.cfg["groups"]); ok {
		groups = g
	}
	in, out := x.shape[3], k.shape[3]
	if depthwise {
		groups, out = in, in*k.shape[3]
	}
	if groups < 1 || !depthwise && (in != groups*k.shape[2] || out%groups != 0) || depthwise && k.shape[2] != in {
		return nil, fmt.Errorf("its kernel of the shape %v in %d groups does not fit an input of the shape %v", k.shape, groups, x.shape)
	}
	w, err := r.window([2]int{k.shape[0], k.shape[1]}, [2]int{x.shape[1], x.shape[2]}, "strides")
	if err != nil {
		return nil, err
	}
	y, err := newBlock(x.shape[0], w.out[0], w.out[1], out)
	if err != nil {
		return nil, err
	}
	perIn, perOut := in/groups, out/groups
	w.taps(x, y, func(from, to, tap int) {
		for g := range groups {
			for i := range perIn {
				v := x.data[from+g*perIn+i]
				if v == 0 {
					continue
				}
				row := (tap*perIn + i) * out
				if depthwise {
					row = tap * out
				}
				for o := range perOut {
					y.data[to+g*perOut+o] += v * k.data[row+g*perOut+o]
				}
			}
		}
	})
	if !finish {
		rounded32(y.data)
		return r.plain(y), nil
	}
	y, err = r.linear(y, bias)
	if err != nil {
		return nil, err
	}
	return r.plain(y), nil
}

// taps calls f for every tap of the kernel at every place of the smaller image: the
// offsets of the larger one's place and of the smaller one's, and the tap's number.
func (w *window) taps(large, small *block, f func(large, small, tap int)) {
	h, wd := large.shape[1], large.shape[2]
	for n := range large.shape[0] {
		for oy := range w.out[0] {
			for ox := range w.out[1] {
				to := ((n*w.out[0]+oy)*w.out[1] + ox) * small.shape[3]
				for ky := range w.kernel[0] {
					y := oy*w.stride[0] + ky*w.dilation[0] - w.before[0]
					if y < 0 || y >= h {
						continue
					}
					for kx := range w.kernel[1] {
						x := ox*w.stride[1] + kx*w.dilation[1] - w.before[1]
						if x >= 0 && x < wd {
							f(((n*h+y)*wd+x)*large.shape[3], to, ky*w.kernel[1]+kx)
						}
					}
				}
			}
		}
	}
}

// convTranspose is the convolution's transpose: the image that it makes is the larger
// one.
func (r *layerRun) convTranspose(x *block) (*block, error) {
	x, err := r.image(x)
	if err != nil {
		return nil, err
	}
	folded, bias, err := r.folded("kernel")
	if err != nil {
		return nil, err
	}
	k, err := r.kernel("kernel", folded)
	if err != nil {
		return nil, err
	}
	if k.shape[3] != x.shape[3] {
		return nil, fmt.Errorf("its kernel of the shape %v does not fit an input of the shape %v", k.shape, x.shape)
	}
	w := &window{kernel: [2]int{k.shape[0], k.shape[1]}, dilation: [2]int{1, 1}, out: [2]int{x.shape[1], x.shape[2]}}
	if w.stride, err = r.spatial("strides", 1); err == nil && r.cfg["dilation_rate"] != nil {
		w.dilation, err = r.spatial("dilation_rate", 1)
	}
	if err != nil {
		return nil, err
	}
	var size [2]int
	extra, given := ints(r.cfg["output_padding"])
	padding := r.text("padding", "valid")
	for i, n := range w.out {
		reach := w.reach(i)
		switch {
		case padding != "same" && padding != "valid":
			return nil, fmt.Errorf("padding %q is not supported; supported are \"same\" and \"valid\"", padding)
		case given:
			size[i] = (n-1)*w.stride[i] + reach + extra[min(i, len(extra)-1)]
			if padding == "same" {
				size[i] -= 2 * (reach / 2)
			}
			if r.series() && i == 0 {
				size[i] = 1
			}
		case padding == "same":
			size[i] = n * w.stride[i]
		default:
			size[i] = n*w.stride[i] + max(reach-w.stride[i], 0)
		}
		if padding == "same" {
			w.before[i] = max((n-1)*w.stride[i]+reach-size[i], 0) / 2
		}
		if size[i] < 1 {
			return nil, fmt.Errorf("makes an image of the size %v", size)
		}
	}
	y, err := newBlock(x.shape[0], size[0], size[1], k.shape[2])
	if err != nil {
		return nil, err
	}
	in, out := k.shape[3], k.shape[2]
	w.taps(y, x, func(to, from, tap int) {
		for o := range out {
			sum := 0.0
			for i, v := range k.data[(tap*out+o)*in : (tap*out+o+1)*in] {
				sum += v * x.data[from+i]
			}
			y.data[to+o] += sum
		}
	})
	y, err = r.linear(y, bias)
	if err != nil {
		return nil, err
	}
	return r.plain(y), nil
}

func (r *layerRun) pool(x *block) (*block, error) {
	x, err := r.image(x)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(r.l.class, "Q") && (r.cfg["average_quantizer"] != nil || r.cfg["activation"] != nil) {
		return nil, fmt.Errorf("average_quantizer and activation are not supported; put a QActivation behind it")
	}
	size, err := r.spatial("pool_size", 2)
	if err != nil {
		return nil, err
	}
	w, err := r.window(size, [2]int{x.shape[1], x.shape[2]}, "strides")
	if err != nil {
		return nil, err
	}
	y, err := newBlock(x.shape[0], w.out[0], w.out[1], x.shape[3])
	if err != nil {
		return nil, err
	}
	largest := strings.Contains(r.l.class, "Max")
	if largest {
		for i := range y.data {
			y.data[i] = math.Inf(-1)
		}
	}
	count := make([]int, len(y.data)/max(1, x.shape[3])) // those within the image
	w.taps(x, y, func(from, to, _ int) {
		count[to/x.shape[3]]++
		for c := range x.shape[3] {
			v := x.data[from+c]
			if largest {
				y.data[to+c] = max(y.data[to+c], v)
			} else {
				y.data[to+c] += v
			}
		}
	})
	for i := range y.data {
		if !largest {
			y.data[i] = float64(float32(y.data[i] / float64(count[i/x.shape[3]])))
		}
	}
	return r.plain(y), nil
}

func (r *layerRun) globalPool(x *block) (*block, error) {
	x, err := r.image(x)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(r.l.class, "Q") && (r.cfg["average_quantizer"] != nil || r.cfg["activation"] != nil) {
		return nil, fmt.Errorf("average_quantizer and activation are not supported; put a QActivation behind it")
	}
	y, err := reductions["mean"](x, []int{1, 2}, r.flag("keepdims", false))
	if strings.Contains(r.l.class, "Max") {
		y, err = reductions["max"](x, []int{1, 2}, r.flag("keepdims", false))
	}
	if err == nil && r.series() && r.flag("keepdims", false) {
		y.shape = []int{y.shape[0], 1, y.shape[3]}
	}
	return y, err
}

// sides are a setting of one number, two, or two pairs: before and after, of height and
// width.
func (r *layerRun) sides(name string) ([2][2]int, error) {
	fail := fmt.Errorf("%s %v is not supported", name, r.cfg[name])
	var out [2][2]int
	if list, ok := r.cfg[name].([]any); ok && len(list) == 2 && !r.series() {
		for i, v := range list {
			k, ok := ints(v)
			if !ok || len(k) == 0 || len(k) > 2 || slices.Min(k) < 0 || slices.Max(k) > maxSetting {
				return out, fail
			}
			out[i] = [2]int{k[0], k[len(k)-1]}
		}
		return out, nil
	}
	k, ok := ints(r.cfg[name])
	if !ok || len(k) == 0 || len(k) > 2 || slices.Min(k) < 0 || slices.Max(k) > maxSetting {
		return out, fail
	}
	out[1] = [2]int{k[0], k[len(k)-1]}
	if !r.series() {
		out[0] = out[1]
	}
	return out, nil
}

func (r *layerRun) zeroPad(x *block) (*block, error) {
	x, err := r.image(x)
	if err != nil {
		return nil, err
	}
	s, err := r.sides("padding")
	if err != nil {
		return nil, err
	}
	y, err := x.pad([][2]int{{}, s[0], s[1], {}}, nil, 0)
	if err != nil {
		return nil, err
	}
	return r.plain(y), nil
}

func (r *layerRun) crop(x *block) (*block, error) {
	x, err := r.image(x)
	if err != nil {
		return nil, err
	}
	s, err := r.sides("cropping")
	if err != nil {
		return nil, err
	}
	shape, from := append([]int{}, x.shape...), 0
	step := strides(x.shape)
	for k, side := range s {
		shape[k+1] -= side[0] + side[1]
		if side[0] < 0 || side[1] < 0 || shape[k+1] < 1 {
			return nil, fmt.Errorf("cropping %v of %v", s, x.shape)
		}
		from += side[0] * step[k+1]
	}
	y, err := x.view(shape, step, from)
	if err != nil {
		return nil, err
	}
	return r.plain(y), nil
}

// upSample repeats rows and columns, or draws lines between them.
func (r *layerRun) upSample(x *block) (*block, error) {
	x, err := r.image(x)
	if err != nil {
		return nil, err
	}
	size, err := r.spatial("size", 2)
	if err != nil {
		return nil, err
	}
	how := r.text("interpolation", "nearest")
	if how != "nearest" && how != "bilinear" {
		return nil, fmt.Errorf("interpolation %q is not supported; supported are \"nearest\" and \"bilinear\"", how)
	}
	h, w, c := x.shape[1], x.shape[2], x.shape[3]
	y, err := newBlock(x.shape[0], h*size[0], w*size[1], c)
	if err != nil {
		return nil, err
	}
	// where in n rows the row i of n·k lies: two of them, and the share of the second
	between := func(i, n, k int) (int, int, float64) {
		if how == "nearest" {
			return i / k, i / k, 0
		}
		at := max((float64(i)+0.5)/float64(k)-0.5, 0)
		low := int(at)
		return low, min(low+1, n-1), at - float64(low)
	}
	for n := range x.shape[0] {
		for oy := range h * size[0] {
			y0, y1, fy := between(oy, h, size[0])
			for ox := range w * size[1] {
				x0, x1, fx := between(ox, w, size[1])
				at := func(yy, xx, k int) float64 { return x.data[((n*h+yy)*w+xx)*c+k] }
				for k := range c {
					top := at(y0, x0, k) + (at(y0, x1, k)-at(y0, x0, k))*fx
					bottom := at(y1, x0, k) + (at(y1, x1, k)-at(y1, x0, k))*fx
					y.data[((n*h*size[0]+oy)*w*size[1]+ox)*c+k] = float64(float32(top + (bottom-top)*fy))
				}
			}
		}
	}
	return r.plain(y), nil
}
