package keras

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"barrow/nn"
)

// A padding is how many rows of zeros are put above and below an image, and how
// many columns before and after it.
type padding [2][2]int

// zeroPad notes padding for the convolution that must follow. ECON_QAE's
// keras_pad pads one row at the bottom and one column at the right.
func (c *layerConfig) zeroPad(v value, _ node) (value, error) {
	if c.class == "keras_pad" {
		return v.padded(padding{{0, 1}, {0, 1}})
	}
	var cfg struct {
		Padding padding `json:"padding"`
	}
	if err := c.read(&cfg); err != nil {
		return v, err
	}
	return v.padded(cfg.Padding)
}

func (v value) padded(p padding) (value, error) {
	if v.pad != (padding{}) || len(v.steps) > 0 {
		return v, v.settled()
	}
	for _, side := range p {
		if side[0] < 0 || side[1] < 0 {
			return v, fmt.Errorf("padding %v: negative", p)
		}
	}
	v.pad = p
	return v, nil
}

// tensorPad is TensorFlow's pad, which Keras 2 records as an operation with the
// call's arguments, and pad of Keras 3, whose own are in its configuration. Both
// pad all four dimensions.
func (c *layerConfig) tensorPad(v value, refs node) (value, error) {
	var cfg struct {
		Width json.RawMessage `json:"pad_width"`
		Mode  json.RawMessage `json:"mode"`
	}
	if err := c.read(&cfg); err != nil {
		return v, err
	}
	if len(refs) != 1 {
		return v, fmt.Errorf("pad of %d tensors is not supported; supported is one", len(refs))
	}
	args := refs[0].kwargs
	if c.class == "TFOpLambda" {
		cfg.Width, cfg.Mode = args["paddings"], args["mode"]
		for _, position := range []string{"0", "1"} { // the tensor takes the other
			if raw, ok := args[position]; ok && cfg.Width == nil {
				cfg.Width = raw
			}
		}
	}
	var mode *string
	var value *float64
	if raw := cfg.Mode; len(raw) > 0 && json.Unmarshal(raw, &mode) != nil || mode != nil && !strings.EqualFold(*mode, "constant") {
		return v, fmt.Errorf("pad with mode %s is not supported; supported is CONSTANT, with zeros", raw)
	}
	if raw := args["constant_values"]; len(raw) > 0 && json.Unmarshal(raw, &value) != nil || value != nil && *value != 0 {
		return v, fmt.Errorf("pad with constant_values %s is not supported; supported is 0", raw)
	}
	var p [][2]int
	if err := json.Unmarshal(cfg.Width, &p); err != nil || !slices.Contains([]int{2, 4}, len(p)) || p[0] != [2]int{} || p[len(p)-1] != [2]int{} {
		return v, fmt.Errorf("pad with paddings %s is not supported; supported are numbers of rows and columns to put around an image, [[0,0], [top, bottom], [left, right], [0,0]]", cfg.Width)
	}
	if len(p) == 2 { // of vectors, nothing
		return v, nil
	}
	return v.padded(padding{p[1], p[2]})
}

// absorb makes a valid convolution of a padded image a "same" one of the image,
// which it is where TensorFlow's "same" would pad alike.
func absorb(l *nn.Layer, v value) error {
	if l.Kind == nn.KindConv2D && l.Padding == nn.PaddingValid && l.Kernel > 0 && l.Stride > 0 {
		same := func(n int) [2]int {
			total := max(((n+l.Stride-1)/l.Stride-1)*l.Stride+l.Kernel-n, 0)
			return [2]int{total / 2, total - total/2}
		}
		if v.pad == (padding{same(v.shape.H), same(v.shape.W)}) {
			l.Padding = nn.PaddingSame
			return nil
		}
	}
	return fmt.Errorf("zero padding of %d and %d rows and %d and %d columns before it is supported only where it equals the padding of a \"same\" convolution", v.pad[0][0], v.pad[0][1], v.pad[1][0], v.pad[1][1])
}
