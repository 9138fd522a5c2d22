// Package kerasio reads and writes the weights of ECON-T's encoder as Keras
// HDF5 files. It is apart from econt so that the chip alone links no networks.
package kerasio

import (
	"fmt"
	"slices"

	"barrow/econt"
	"barrow/model/keras"
)

// Decode finds the encoder in a Keras weights file: the layer with a kernel
// of shape (3, 3, 1, 8) and 8 biases, and the one with (128, 16) and 16. Other
// layers, such as the decoder's, may be there. order says how the dense kernel
// is to be read: [econt.DenseKeras] for a trained network, [econt.DenseGolden]
// for the golden AE files.
func Decode(f *keras.File, order econt.DenseOrder) (*econt.FloatWeights, error) {
	out := &econt.FloatWeights{Order: order}
	var convLayer, denseLayer string
	for _, l := range f.Layers {
		kernel, bias := kernelAndBias(l)
		if kernel == nil || bias == nil {
			continue
		}
		switch {
		case slices.Equal(kernel.Shape, []int{3, 3, 1, 8}) && slices.Equal(bias.Shape, []int{8}):
			if convLayer != "" {
				return nil, fmt.Errorf("kerasio: both %s and %s look like the encoder's convolution", convLayer, l.Layer)
			}
			convLayer, out.Conv, out.ConvBias = l.Layer, widen(kernel.Data), widen(bias.Data)
		case slices.Equal(kernel.Shape, []int{128, 16}) && slices.Equal(bias.Shape, []int{16}):
			if denseLayer != "" {
				return nil, fmt.Errorf("kerasio: both %s and %s look like the encoder's dense layer", denseLayer, l.Layer)
			}
			denseLayer, out.Dense, out.DenseBias = l.Layer, widen(kernel.Data), widen(bias.Data)
		}
	}
	if convLayer == "" || denseLayer == "" {
		return nil, fmt.Errorf("kerasio: no encoder in the file: want a kernel (3, 3, 1, 8) with 8 biases and one (128, 16) with 16")
	}
	return out, nil
}

// kernelAndBias picks a layer's arrays by their rank.
func kernelAndBias(l keras.LayerWeights) (kernel, bias *keras.Weight) {
	for i := range l.Weights {
		switch len(l.Weights[i].Shape) {
		case 1:
			bias = &l.Weights[i]
		case 2, 4:
			kernel = &l.Weights[i]
		}
	}
	return kernel, bias
}

func widen(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// Encode gives the weights as a Keras weights file, with the layer names of the
// public encoders and the exact values w/32.
func Encode(w *econt.Weights, order econt.DenseOrder) *keras.File {
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
