package keras

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxSetting bounds the whole numbers of a layer's configuration.
const maxSetting = 1 << 20

// A settingKind says what a setting must be, and tells whether a value, which is not
// null, is that.
type settingKind struct {
	what string
	fits func(v any) bool
}

// wholes is a kind of one whole number or, where so said, of a list of them.
func wholes(what string, least int, list bool) settingKind {
	return settingKind{what, func(v any) bool {
		if _, ok := v.([]any); ok != list && ok {
			return false
		}
		k, ok := ints(v)
		return ok && !slices.ContainsFunc(k, func(k int) bool { return k < least || k > maxSetting })
	}}
}

var (
	countSetting = wholes(fmt.Sprintf("a whole number from 1 to %d", maxSetting), 1, false)
	sizeSetting  = wholes(fmt.Sprintf("whole numbers from 1 to %d", maxSetting), 1, true)
	extraSetting = wholes(fmt.Sprintf("whole numbers from 0 to %d", maxSetting), 0, true)
	axisSetting  = wholes("the number of an axis, or several", -maxSetting, true)
	realSetting  = settingKind{"a number", func(v any) bool { _, ok := v.(float64); return ok }}
	flagSetting  = settingKind{"true or false", func(v any) bool { _, ok := v.(bool); return ok }}
	wordSetting  = settingKind{"a word", func(v any) bool { _, ok := v.(string); return ok }}
)

// settingKinds are those settings that mean the same in every layer that has them.
var settingKinds = map[string]settingKind{
	"filters": countSetting, "units": countSetting, "depth_multiplier": countSetting, "groups": countSetting, "n": countSetting,
	"kernel_size": sizeSetting, "strides": sizeSetting, "dilation_rate": sizeSetting, "pool_size": sizeSetting, "size": sizeSetting,
	"output_padding": extraSetting, "axis": axisSetting,
	"epsilon": realSetting, "negative_slope": realSetting, "threshold": realSetting, "max_value": realSetting, "theta": realSetting,
	"use_bias": flagSetting, "center": flagSetting, "keepdims": flagSetting, "rms_scaling": flagSetting, "normalize": flagSetting, "invert": flagSetting,
	"interpolation": wordSetting, "data_format": wordSetting,
}

// settings refuses settings that are not what they must be, which a layer would else
// take for absent. null is absent.
func (r *layerRun) settings() error {
	for _, name := range slices.Sorted(maps.Keys(r.cfg)) {
		kind, known := settingKinds[name]
		if name == "padding" && (strings.Contains(r.l.class, "Conv") || strings.Contains(r.l.class, "Pooling")) {
			kind, known = wordSetting, true // elsewhere how many rows and columns
		}
		if name == "alpha" && strings.HasSuffix(strings.ToUpper(r.l.class), "ELU") {
			kind, known = realSetting, true // of QKeras it may be text
		}
		if v := r.cfg[name]; known && v != nil && !kind.fits(v) {
			shown, _ := json.Marshal(v) // it came from JSON
			return fmt.Errorf("%s is %s; wanted is %s", name, shown, kind.what)
		}
	}
	return nil
}

// count is a setting that the layer's class always has.
func (r *layerRun) count(name string) (int, error) {
	if k, ok := whole64(r.cfg[name]); ok {
		return k, nil
	}
	return 0, fmt.Errorf("its architecture does not say %s", name)
}

// sized holds the layer's arrays to the shapes that the architecture gives them for an
// input of the shape in, samples first. An array that the layer lacks is left out.
func (r *layerRun) sized(in []int) error {
	want, err := r.shapes(in)
	if err != nil {
		return err
	}
	for _, name := range r.l.arrays() {
		b, shape := r.w[name], want[name]
		if b != nil && shape != nil && !slices.Equal(b.shape, shape) {
			return fmt.Errorf("its weight %q has the shape %v in the file of weights; the architecture wants %v: they do not belong together", name, b.shape, shape)
		}
	}
	return nil
}

// shapes are those of the layer's arrays.
func (r *layerRun) shapes(in []int) (map[string][]int, error) {
	class := strings.TrimPrefix(r.l.class, "Q")
	if len(in) < 2 {
		return nil, fmt.Errorf("an input of the shape %v", in)
	}
	last := in[len(in)-1]
	out := map[string][]int{}
	made := last // the numbers that biases and normalisations are of
	var err error
	switch {
	case strings.HasPrefix(class, "Dense"):
		if made, err = r.count("units"); err != nil {
			return nil, err
		}
		out["kernel"] = []int{last, made}
	case strings.Contains(class, "Conv"):
		if made, err = r.convShapes(class, last, out); err != nil {
			return nil, err
		}
	case class == "BatchNormalization":
		axis := -1
		if k, ok := ints(r.cfg["axis"]); ok && len(k) == 1 {
			axis = k[0]
		}
		if axis < 0 {
			axis += len(in)
		}
		if axis < 1 || axis >= len(in) {
			return nil, fmt.Errorf("axis %v of an input of the shape %v", r.cfg["axis"], in)
		}
		made = in[axis]
	case class == "PReLU":
		shape := slices.Clone(in[1:])
		shared, _ := ints(r.cfg["shared_axes"])
		for _, k := range shared {
			if k < 1 || k > len(shape) {
				return nil, fmt.Errorf("shared_axes %v of an input of the shape %v", shared, in)
			}
			shape[k-1] = 1
		}
		out["alpha"] = shape
		return out, nil
	case class != "LayerNormalization":
		return nil, nil // Normalization checks its own
	}
	for _, name := range []string{"bias", "gamma", "beta", "moving_mean", "moving_variance"} {
		out[name] = []int{made}
	}
	return out, nil
}

// convShapes adds the kernels' shapes of a convolution and says how many channels it
// makes of so many.
func (r *layerRun) convShapes(class string, channels int, out map[string][]int) (int, error) {
	size, ok := ints(r.cfg["kernel_size"])
	rank := 2
	if r.series() {
		rank = 1
	}
	if ok && len(size) == 1 && rank == 2 {
		size = []int{size[0], size[0]}
	}
	if !ok || len(size) != rank {
		return 0, fmt.Errorf("kernel_size %v is not supported; supported are %d whole numbers", r.cfg["kernel_size"], rank)
	}
	kernel := func(in, made int) []int { return append(slices.Clone(size), in, made) }
	if strings.HasPrefix(class, "Depthwise") || strings.HasPrefix(class, "Separable") {
		times := 1
		if r.cfg["depth_multiplier"] != nil {
			times, _ = whole64(r.cfg["depth_multiplier"])
		}
		out["depthwise_kernel"] = kernel(channels, times)
		channels *= times
		if strings.HasPrefix(class, "Depthwise") {
			return channels, nil
		}
	}
	filters, err := r.count("filters")
	if err != nil {
		return 0, err
	}
	groups, ok := whole64(r.cfg["groups"])
	if !ok {
		groups = 1
	}
	switch {
	case strings.HasPrefix(class, "Separable"):
		one := slices.Repeat([]int{1}, rank)
		out["pointwise_kernel"] = append(one, channels, filters)
	case strings.HasSuffix(class, "Transpose"):
		out["kernel"] = kernel(filters, channels)
	case channels%groups != 0:
		return 0, fmt.Errorf("%d channels in %d groups", channels, groups)
	default:
		out["kernel"] = kernel(channels/groups, filters)
	}
	return filters, nil
}
