package keras

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"barrow/nn"
)

func (c *layerConfig) activation(v value, _ node) (value, error) {
	var cfg struct {
		Activation json.RawMessage `json:"activation"`
	}
	if err := c.read(&cfg); err != nil {
		return v, err
	}
	layers, err := c.activationLayers(cfg.Activation, c.id)
	if err != nil {
		return v, err
	}
	return v.with(layers...), nil
}

// activationLayers maps an activation, given by name or as a QKeras quantiser,
// onto the layers that do it: none for "linear".
func (c *layerConfig) activationLayers(raw json.RawMessage, name string) ([]nn.Layer, error) {
	l := nn.Layer{Name: name}
	var word string
	var function struct { // of Keras 3, for some functions
		Class  string `json:"class_name"`
		Config string `json:"config"`
	}
	if json.Unmarshal(raw, &function) == nil && function.Class == "function" {
		raw, _ = json.Marshal(function.Config)
	}
	if err := json.Unmarshal(raw, &word); err == nil || len(raw) == 0 {
		switch word {
		case "", "linear":
			return nil, nil
		case "relu":
			l.Kind = nn.KindReLU
			return []nn.Layer{l}, nil
		case "swish", "silu":
			l.Kind = nn.KindSiLU
			return []nn.Layer{l}, nil
		case "sigmoid":
			l.Kind = nn.KindSigmoid
			return []nn.Layer{l}, nil
		case "tanh":
			l.Kind = nn.KindTanh
			return []nn.Layer{l}, nil
		}
	}
	q, err := parseQuantizer(raw)
	if err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	if q.symmetric && !q.unsigned && q.kind == nn.KindQuantizedBits {
		return nil, fmt.Errorf("activation: quantized_bits with symmetric 1 of data is not supported (of weights it is); %s", supportedQuantizers)
	}
	l.Kind, l.Bits, l.Integer, l.Unsigned = q.kind, q.bits, q.integer, q.unsigned
	return []nn.Layer{l}, nil
}

// A quantizer is QKeras' quantized_bits or quantized_relu.
type quantizer struct {
	kind          string
	bits, integer int
	unsigned      bool
	symmetric     bool   // the most negative number is left out
	alpha         string // "", or "1"
}

const supportedQuantizers = "supported are linear, relu, sigmoid, swish, tanh, and QKeras' quantized_bits and quantized_relu with alpha None or 1, symmetric 0 (of weights also 1), negative_slope 0 and no stochastic rounding"

// parseQuantizer reads a quantiser as QKeras serialises it (class_name and
// config) or as text, such as "quantized_relu(8,1)".
func parseQuantizer(raw json.RawMessage) (quantizer, error) {
	var text string
	var class string
	var args map[string]json.RawMessage
	if err := json.Unmarshal(raw, &text); err == nil {
		if class, args, err = parseCall(text); err != nil {
			return quantizer{}, err
		}
	} else {
		var body struct {
			Class  string                     `json:"class_name"`
			Config map[string]json.RawMessage `json:"config"`
		}
		if err := json.Unmarshal(raw, &body); err != nil {
			return quantizer{}, fmt.Errorf("%s is not supported; %s", raw, supportedQuantizers)
		}
		class, args = body.Class, body.Config
	}
	q := quantizer{bits: 8}
	switch class {
	case "quantized_bits":
		q.kind = nn.KindQuantizedBits
	case "quantized_relu":
		q.kind = nn.KindQuantizedReLU
	default:
		return q, fmt.Errorf("%q is not supported; %s", class, supportedQuantizers)
	}
	for name, raw := range args {
		if err := q.set(name, strings.Trim(string(raw), `"`)); err != nil {
			return q, fmt.Errorf("%s: %w", class, err)
		}
	}
	if q.kind == nn.KindQuantizedBits && !q.unsigned && q.bits == 1 {
		return q, fmt.Errorf("%s: one bit with a sign is not supported; supported are two and more", class)
	}
	return q, nil
}

// set takes one argument of a quantiser; v is JSON or Python.
func (q *quantizer) set(name, v string) error {
	number := func(into *int) error {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || f != float64(int(f)) {
			return fmt.Errorf("%s is %q, not a whole number", name, v)
		}
		*into = int(f)
		return nil
	}
	off := func() bool {
		f, err := strconv.ParseFloat(v, 64)
		return err == nil && f == 0 || v == "false" || v == "False" || v == "null" || v == "None"
	}
	switch name {
	case "bits":
		return number(&q.bits)
	case "integer":
		return number(&q.integer)
	case "keep_negative":
		q.unsigned = off()
	case "alpha", "scale_axis", "relu_upper_bound", "qnoise_factor":
		if f, err := strconv.ParseFloat(v, 64); err == nil && f == 1 && name != "relu_upper_bound" && name != "scale_axis" {
			if name == "alpha" {
				q.alpha = "1"
			}
			return nil
		}
		if v != "null" && v != "None" {
			return fmt.Errorf("%s %s is not supported; %s", name, v, supportedQuantizers)
		}
	case "symmetric":
		q.symmetric = !off()
	case "use_stochastic_rounding", "use_sigmoid", "negative_slope":
		if !off() {
			return fmt.Errorf("%s %s is not supported; %s", name, v, supportedQuantizers)
		}
	case "is_quantized_clip": // both values clip a plain ReLU at the same largest number
	case "use_variables", "var_name", "use_ste", "dtype", "name", "trainable", "elements_per_scale", "min_po2_exponent", "max_po2_exponent", "post_training_scale":
	default:
		return fmt.Errorf("argument %q is not supported; %s", name, supportedQuantizers)
	}
	return nil
}

// parameters are the positional ones of QKeras' quantisers.
var parameters = map[string][]string{
	"quantized_bits": {"bits", "integer", "symmetric", "keep_negative", "alpha", "use_stochastic_rounding", "scale_axis", "qnoise_factor"},
	"quantized_relu": {"bits", "integer", "use_sigmoid", "negative_slope", "use_stochastic_rounding", "relu_upper_bound", "is_quantized_clip", "qnoise_factor"},
	// those that are run, and no layers of nn
	"quantized_tanh":    {"bits", "use_stochastic_rounding", "symmetric", "use_real_tanh"},
	"quantized_sigmoid": {"bits", "symmetric", "use_real_sigmoid", "use_stochastic_rounding"},
	"quantized_hswish":  {"bits", "integer", "symmetric", "alpha", "use_stochastic_rounding", "scale_axis", "qnoise_factor", "var_name", "use_ste", "use_variables", "relu_shift", "relu_upper_bound"},
	"quantized_ulaw":    {"bits", "integer", "symmetric", "u"},
	"binary":            {"use_01", "alpha", "use_stochastic_rounding"},
	"ternary":           {"alpha", "threshold", "use_stochastic_rounding", "number_of_unrolls"},
}

// parseCall reads a quantiser written as a Python call.
func parseCall(text string) (class string, args map[string]json.RawMessage, err error) {
	class, rest, ok := strings.Cut(strings.TrimSpace(text), "(")
	if ok && !strings.HasSuffix(rest, ")") {
		return "", nil, fmt.Errorf("%q is not supported; %s", text, supportedQuantizers)
	}
	args = map[string]json.RawMessage{}
	for i, arg := range strings.Split(strings.TrimSuffix(rest, ")"), ",") {
		arg = strings.TrimSpace(arg)
		if arg == "" {
			continue
		}
		name, v, named := strings.Cut(arg, "=")
		if !named {
			if i >= len(parameters[class]) {
				return "", nil, fmt.Errorf("%q is not supported; %s", text, supportedQuantizers)
			}
			name, v = parameters[class][i], arg
		}
		args[strings.TrimSpace(name)] = json.RawMessage(strings.Trim(strings.TrimSpace(v), `'"`))
	}
	return class, args, nil
}

// quantise sets the layer's fake quantisation from QKeras' quantisers. nn has one for
// kernel and bias, which leaves out no number: weights of others are rounded once and
// for all when they are read (see rounded).
func (c *layerConfig) quantise(l *nn.Layer, w weighted) error {
	none := func(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }
	for _, q := range []struct {
		name string
		raw  json.RawMessage
		into **quantizer
	}{{"kernel_quantizer", w.KernelQ, &c.kernelQ}, {"bias_quantizer", w.BiasQ, &c.biasQ}} {
		if none(q.raw) || q.name == "bias_quantizer" && l.NoBias {
			continue
		}
		found, err := parseQuantizer(q.raw)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", q.name, err)
		case found.kind != nn.KindQuantizedBits || found.unsigned:
			return fmt.Errorf("%s %s is not supported; supported is a signed quantized_bits", q.name, q.raw)
		case found.alpha != "1" && q.into == &c.kernelQ:
			// QKeras makes alpha None the automatic scale "auto_po2" for kernels.
			return fmt.Errorf("kernel_quantizer: alpha None (an automatic scale) is not supported; supported is alpha=1")
		}
		found.alpha = "1" // None is 1 for a bias
		*q.into = &found
	}
	if k := c.kernelQ; k != nil && (l.NoBias || c.biasQ != nil && k.bits == c.biasQ.bits && k.integer == c.biasQ.integer) {
		l.Bits, l.Integer = k.bits, k.integer
	}
	return nil
}

// rounded are a layer's weights as its quantisers leave them, where nn's would leave
// them otherwise.
func (c *layerConfig) rounded(name string, data []float32) []float32 {
	q := c.kernelQ
	same := c.kernelQ != nil && c.biasQ != nil && *c.kernelQ == *c.biasQ || c.biasQ == nil && c.kernelQ != nil && c.withoutBias
	if name == "bias" {
		q = c.biasQ
	}
	if q == nil || same && !q.symmetric {
		return data
	}
	out := make([]float32, len(data))
	for i, v := range data {
		out[i] = nearest(v, q.bits, q.integer)
		if least := float32(math.Exp2(float64(q.integer-q.bits+1)) - math.Exp2(float64(q.integer))); q.symmetric && out[i] < least {
			out[i] = least
		}
	}
	return out
}
