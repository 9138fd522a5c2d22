package registers

import (
	"fmt"
	"slices"
	"strings"

	"barrow/econt"
	"barrow/model/keras"
)

// fromKeras finds the encoder in a Keras weights file: the layer with a kernel
// of shape (3, 3, 1, 8) and 8 biases, and the one with (128, 16) and 16. Other
// layers, such as the decoder's, may be there, and the encoder may be a model
// within that of the file, as one of an autoencoder is. order says how the dense
// kernel is to be read: [econt.DenseKeras] for a trained network,
// [econt.DenseGolden] for the golden AE files.
func fromKeras(f *keras.File, order econt.DenseOrder) (*econt.FloatWeights, error) {
	out := &econt.FloatWeights{Order: order}
	var conv, dense string
	for _, l := range layers(f) {
		switch {
		case l.has([]int{3, 3, 1, 8}, 8):
			if conv != "" {
				return nil, fmt.Errorf("registers: both %s and %s look like the encoder's convolution", conv, l.name)
			}
			conv, out.Conv, out.ConvBias = l.name, widen(l.kernel.Data), widen(l.bias.Data)
		case l.has([]int{128, 16}, 16):
			if dense != "" {
				return nil, fmt.Errorf("registers: both %s and %s look like the encoder's dense layer", dense, l.name)
			}
			dense, out.Dense, out.DenseBias = l.name, widen(l.kernel.Data), widen(l.bias.Data)
		}
	}
	if conv == "" || dense == "" {
		return nil, fmt.Errorf("registers: no encoder in the file: want a kernel (3, 3, 1, 8) with 8 biases and one (128, 16) with 16; it has %s", listed(f))
	}
	return out, nil
}

// A reading is a way to make the chip's integers of a Keras file's numbers.
type reading struct {
	order    econt.DenseOrder
	rounding econt.Rounding
}

// found are the chip's weights of a Keras file.
type found struct {
	*econt.Weights
	reading reading
	changed econt.Quantised
	given   bool // they are the ones given
}

// read makes the chip's weights of a Keras file in the first of the readings that
// gives the weights given, as they stand in a register file say; where none does,
// or given is nil, in the first.
func read(f *keras.File, given *econt.Weights, readings ...reading) (*found, error) {
	var result *found
	for _, r := range readings {
		floats, err := fromKeras(f, r.order)
		if err != nil {
			return nil, err
		}
		w, changed, err := floats.Quantise(r.rounding)
		if err != nil {
			return nil, err
		}
		got := &found{w, r, changed, given != nil && *w == *given}
		if got.given {
			return got, nil
		}
		if result == nil {
			result = got
		}
	}
	return result, nil
}

// A layer is a kernel with its bias.
type layer struct {
	name         string // "encoder/conv2d" of a model within the file's
	kernel, bias *keras.Weight
}

func (l layer) has(kernel []int, bias int) bool {
	return l.kernel != nil && l.bias != nil && slices.Equal(l.kernel.Shape, kernel) && slices.Equal(l.bias.Shape, []int{bias})
}

// layers lists the file's layers with weights, those of models within it too,
// whose arrays lie in the group of the outermost and are told by their names.
func layers(f *keras.File) []layer {
	var out []layer
	for _, g := range f.Layers {
		at := map[string]int{}
		for i := range g.Weights {
			w := &g.Weights[i]
			name := g.Layer
			if k := strings.LastIndexByte(w.Name, '/'); k >= 0 && w.Name[:k] != g.Layer {
				name += "/" + w.Name[:k]
			}
			k, ok := at[name]
			if !ok {
				k = len(out)
				at[name], out = k, append(out, layer{name: name})
			}
			switch len(w.Shape) {
			case 1:
				out[k].bias = w
			case 2, 4:
				out[k].kernel = w
			}
		}
	}
	return out
}

// listed names the kernels that a file has, for an error.
func listed(f *keras.File) string {
	var names []string
	for _, l := range layers(f) {
		if l.kernel != nil {
			names = append(names, fmt.Sprintf("%s %v", l.name, l.kernel.Shape))
		}
	}
	switch n := len(names); {
	case n == 0:
		return "no kernels"
	case n > 6:
		return strings.Join(names[:6], ", ") + fmt.Sprintf(" and %d more", n-6)
	}
	return strings.Join(names, ", ")
}

func widen(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// ToKeras gives the weights as a Keras weights file, with the layer names of the
// public encoders and the exact values w/32.
func ToKeras(w *econt.Weights, order econt.DenseOrder) *keras.File {
	f := w.Float(order)
	layer := func(name string, kernel, bias []float64, shape ...int) keras.LayerWeights {
		return keras.LayerWeights{Layer: name, Weights: []keras.Weight{
			{Name: name + "/kernel:0", Shape: shape, Data: narrow(kernel)},
			{Name: name + "/bias:0", Shape: []int{len(bias)}, Data: narrow(bias)},
		}}
	}
	return &keras.File{KerasVersion: "2.2.4-tf", Backend: "tensorflow", Layers: []keras.LayerWeights{
		layer("conv2d_0_m", f.Conv, f.ConvBias, 3, 3, 1, 8),
		layer("encoded_vector", f.Dense, f.DenseBias, 128, 16),
	}}
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}
