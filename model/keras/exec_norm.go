package keras

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

func (r *layerRun) foldNorm(kernel, bias *block) (*block, *block, error) {
	mean, variance := r.w["moving_mean"], r.w["moving_variance"]
	if kernel == nil || mean == nil || variance == nil || len(mean.data) == 0 || len(variance.data) != len(mean.data) || len(kernel.data)%len(mean.data) != 0 {
		return nil, nil, fmt.Errorf("its arrays do not fit")
	}
	n := len(mean.data)
	k, b := &block{kernel.shape, slices.Clone(kernel.data)}, &block{[]int{n}, make([]float64, n)}
	inv := make([]float64, n)
	f := func(v float64) float64 { return float64(float32(v)) }
	for i := range n {
		inv[i] = f(1 / math.Sqrt(f(variance.data[i]+r.epsilon(1e-3))))
		if g := r.w["gamma"]; g != nil && len(g.data) == n {
			inv[i] = f(inv[i] * g.data[i])
		}
		if bias != nil && len(bias.data) == n {
			b.data[i] = bias.data[i]
		}
		b.data[i] = f(inv[i] * f(b.data[i]-mean.data[i]))
		if beta := r.w["beta"]; beta != nil && len(beta.data) == n {
			b.data[i] = f(b.data[i] + beta.data[i])
		}
	}
	for i := range k.data {
		k.data[i] = f(k.data[i] * inv[i%n])
	}
	return k, b, nil
}

func (r *layerRun) epsilon(def float64) float64 { return float64(float32(r.number("epsilon", def))) }

// batchNorm is the normalisation along one axis.
func (r *layerRun) batchNorm(x *block) (*block, error) {
	at := []int{-1}
	if v, ok := ints(r.cfg["axis"]); ok {
		at = v
	}
	if len(at) != 1 {
		return nil, fmt.Errorf("axis %v is not supported; supported is one", at)
	}
	axis, err := x.axis(at[0])
	if err != nil {
		return nil, err
	}
	n := x.shape[axis]
	w := map[string]*block{}
	for _, name := range []string{"gamma", "beta", "moving_mean", "moving_variance"} {
		b := r.w[name]
		if b != nil && len(b.data) != n || b == nil && strings.HasPrefix(name, "moving") {
			return nil, fmt.Errorf("its %s does not fit an input of the shape %v", name, x.shape)
		}
		setting := strings.TrimPrefix(name, "moving_") + "_quantizer"
		if w[name], err = r.quantised(setting, b); err != nil {
			return nil, err
		}
	}
	f := func(v float64) float64 { return float64(float32(v)) }
	scale, shift := make([]float64, n), make([]float64, n)
	for i := range n {
		scale[i] = f(1 / math.Sqrt(f(w["moving_variance"].data[i]+r.epsilon(1e-3))))
		if g := w["gamma"]; g != nil {
			scale[i] = f(scale[i] * g.data[i])
		}
		shift[i] = -w["moving_mean"].data[i] * scale[i]
		if b := w["beta"]; b != nil {
			shift[i] += b.data[i]
		}
	}
	inner := strides(x.shape)[axis]
	y := &block{x.shape, make([]float64, len(x.data))}
	for i, v := range x.data {
		k := i / inner % n
		y.data[i] = f(v*scale[k] + shift[k])
	}
	return y, nil
}

func (r *layerRun) layerNorm(x *block) (*block, error) {
	axes, ok := ints(r.cfg["axis"])
	if !ok {
		axes = []int{-1}
	}
	if len(axes) != 1 || axes[0] != -1 && axes[0] != len(x.shape)-1 || r.flag("rms_scaling", false) {
		return nil, fmt.Errorf("axis %v is not supported; supported is the last one", axes)
	}
	n := x.shape[len(x.shape)-1]
	for _, name := range []string{"gamma", "beta"} {
		if b := r.w[name]; b != nil && len(b.data) != n {
			return nil, fmt.Errorf("its %s does not fit an input of the shape %v", name, x.shape)
		}
	}
	y := &block{x.shape, make([]float64, len(x.data))}
	for from := 0; from < len(x.data); from += n {
		row := x.data[from : from+n]
		mean, square := 0.0, 0.0
		for _, v := range row {
			mean += v / float64(n)
		}
		for _, v := range row {
			square += (v - mean) * (v - mean) / float64(n)
		}
		for i, v := range row {
			v = (v - mean) / math.Sqrt(square+r.number("epsilon", 1e-3))
			if g := r.w["gamma"]; g != nil {
				v *= g.data[i]
			}
			if b := r.w["beta"]; b != nil {
				v += b.data[i]
			}
			y.data[from+i] = float64(float32(v))
		}
	}
	return y, nil
}

// normalise subtracts a mean and divides by a standard deviation: arrays or settings.
func (r *layerRun) normalise(x *block) (*block, error) {
	n := x.shape[len(x.shape)-1]
	get := func(name string) ([]float64, error) {
		if b := r.w[name]; b != nil {
			if len(b.data) != n && len(b.data) != 1 {
				return nil, fmt.Errorf("its %s does not fit an input of the shape %v", name, x.shape)
			}
			return b.data, nil
		}
		b, err := asBlock(r.cfg[name])
		if err != nil || len(b.data) != n && len(b.data) != 1 {
			return nil, fmt.Errorf("its %s does not fit an input of the shape %v", name, x.shape)
		}
		return b.data, nil
	}
	mean, err := get("mean")
	if err != nil {
		return nil, err
	}
	variance, err := get("variance")
	if err != nil {
		return nil, err
	}
	if r.flag("invert", false) {
		return nil, fmt.Errorf("invert is not supported")
	}
	y := &block{x.shape, make([]float64, len(x.data))}
	for i, v := range x.data {
		k := i % n
		y.data[i] = float64(float32((v - mean[k%len(mean)]) / max(math.Sqrt(variance[k%len(variance)]), 1e-7)))
	}
	return y, nil
}

func (r *layerRun) rescale(x *block) (*block, error) {
	scale, err := asBlock(r.cfg["scale"])
	if err != nil {
		return nil, fmt.Errorf("scale: %w", err)
	}
	offset := scalar(0)
	if r.cfg["offset"] != nil {
		if offset, err = asBlock(r.cfg["offset"]); err != nil {
			return nil, fmt.Errorf("offset: %w", err)
		}
	}
	y, err := broadcast(x, scale, binaryOps["multiply"])
	if err != nil {
		return nil, err
	}
	return broadcast(y, offset, binaryOps["add"])
}
