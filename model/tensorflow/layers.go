package tensorflow

import (
	"fmt"
	"slices"

	"barrow/model"
	"barrow/model/tensorflow/internal/graphpb"
	"barrow/nn"
)

// int32s are the attributes of operations on shapes.
var int32s = attrs{"T": kind(graphpb.DataType_DT_INT32)}

// network adds the layers of a network behind the node at, in their own
// arithmetic, under the scope. With chip, single products are rounded down as
// ECON-T rounds them: to 1/128 in the convolution, to 1/256 in the dense layer.
func (b *builder) network(net *nn.Network, scope, at string, chip bool) (string, error) {
	outputs := map[string]string{} // of layers, by their names
	for _, l := range net.Layers() {
		b.scope = scope + "/" + l.Name + "/"
		w, err := weightsOf(net, l)
		if err != nil {
			return "", err
		}
		if at, err = b.layer(l, w, at, outputs, chip); err != nil {
			return "", err
		}
		outputs[l.Name] = at
	}
	return at, nil
}

// weights are a layer's arrays, rounded where the layer rounds them.
type weights struct {
	kernel, bias []float32
	shape        []int // of the kernel
}

func weightsOf(net *nn.Network, l nn.LayerShape) (w weights, err error) {
	if l.Kind != nn.KindConv2D && l.Kind != nn.KindConv2DTranspose && l.Kind != nn.KindDense {
		return w, nil
	}
	kernel := net.Param(l.Name + "/kernel")
	if kernel == nil {
		return w, fmt.Errorf("tensorflow: layer %q: its array %s is not there", l.Name, "kernel")
	}
	w.kernel, w.shape = slices.Clone(kernel.Value), kernel.Shape
	if p := net.Param(l.Name + "/bias"); p != nil {
		w.bias = slices.Clone(p.Value)
	}
	if l.Bits > 0 {
		q := model.GridOf(l.Layer)
		for _, v := range [][]float32{w.kernel, w.bias} {
			for i := range v {
				v[i] = q.Round(v[i])
			}
		}
	}
	return w, nil
}

// layer adds one layer and gives the name of its output.
func (b *builder) layer(l nn.LayerShape, w weights, x string, outputs map[string]string, chip bool) (string, error) {
	switch l.Kind {
	case nn.KindConv2D:
		if chip {
			return b.chipConv(l, w, x), nil
		}
		return b.bias(l, w, b.conv("Conv2D", l, x, b.weights("Conv2D", w.kernel, w.shape, l))), nil
	case nn.KindConv2DTranspose:
		return b.bias(l, w, b.transpose(l, w, x)), nil
	case nn.KindDense:
		if l.In.H*l.In.W > 1 {
			x = b.reshape("Reshape", x, l.In.Size())
		}
		if chip {
			return b.chipDense(w, x), nil
		}
		product := b.opWith("MatMul", "MatMul", attrs{"transpose_a": truth(false), "transpose_b": truth(false)}, x, b.weights("MatMul", w.kernel, w.shape, l))
		return b.bias(l, w, product), nil
	case nn.KindReLU:
		return b.op("Relu", "Relu", x), nil
	case nn.KindSigmoid:
		return b.op("Sigmoid", "Sigmoid", x), nil
	case nn.KindTanh:
		return b.op("Tanh", "Tanh", x), nil
	case nn.KindSiLU:
		return b.op("mul", "Mul", x, b.op("Sigmoid", "Sigmoid", x)), nil
	case nn.KindSquare:
		return b.op("mul", "Mul", x, x), nil
	case nn.KindFlatten:
		return b.reshape("Reshape", x, l.Out.Size()), nil
	case nn.KindReshape:
		if l.Out.H*l.Out.W == 1 {
			return b.reshape("Reshape", x, l.Out.C), nil
		}
		return b.reshape("Reshape", x, l.Out.H, l.Out.W, l.Out.C), nil
	case nn.KindCrop:
		return b.crop(l, x), nil
	case nn.KindAdd:
		return b.op("add", "AddV2", x, outputs[l.From]), nil
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		return b.round(x, model.GridOf(l.Layer)), nil
	}
	return "", fmt.Errorf("tensorflow: layer %q: layers of the kind %s are not written", l.Name, l.Kind)
}

// weights are a constant kernel or bias, and the operations that round it.
func (b *builder) weights(of string, v []float32, shape []int, l nn.LayerShape) string {
	at := b.variable(of, v, shape...)
	if l.Bits > 0 {
		at = b.round(at, model.GridOf(l.Layer))
	}
	return at
}

func (b *builder) bias(l nn.LayerShape, w weights, x string) string {
	if w.bias == nil {
		return x
	}
	return b.opWith("BiasAdd", "BiasAdd", attrs{"data_format": text("NHWC")}, x, b.weights("BiasAdd", w.bias, []int{len(w.bias)}, l))
}

// window are the attributes of a convolution.
func window(stride int, padding string) attrs {
	tf := map[string]string{nn.PaddingSame: "SAME", nn.PaddingValid: "VALID", "": "VALID"}[padding]
	return attrs{
		"strides": wholes(1, stride, stride, 1), "dilations": wholes(1, 1, 1, 1), "explicit_paddings": wholes(),
		"padding": text(tf), "data_format": text("NHWC"), "use_cudnn_on_gpu": truth(true),
	}
}

func (b *builder) conv(name string, l nn.LayerShape, x, kernel string) string {
	return b.opWith(name, "Conv2D", window(max(l.Stride, 1), l.Padding), x, kernel)
}

// transpose adds a transposed convolution: in TensorFlow the gradient of a
// convolution, which wants its output's shape told.
func (b *builder) transpose(l nn.LayerShape, w weights, x string) string {
	const name = "conv2d_transpose"
	size := b.opWith("Shape", "Shape", attrs{"out_type": kind(graphpb.DataType_DT_INT32)}, x)
	n := b.slice("strided_slice", size, "strided_slice", []int{0}, []int{1}, attrs{"T": kind(graphpb.DataType_DT_INT32), "shrink_axis_mask": whole(1)})
	shape := []string{n}
	for i, d := range []int{l.Out.H, l.Out.W, l.Out.C} {
		shape = append(shape, b.ints(fmt.Sprintf("stack/%d", i+1), nil, d))
	}
	to := b.opWith("stack", "Pack", attrs{"T": int32s["T"], "N": whole(4), "axis": whole(0)}, shape...)
	return b.opWith(name, "Conv2DBackpropInput", window(max(l.Stride, 1), l.Padding), to, b.weights(name, w.kernel, w.shape, l), x)
}

// slice keeps x[begin:end] along the first dimensions.
func (b *builder) slice(name, x, scope string, begin, end []int, a attrs) string {
	ones := slices.Repeat([]int{1}, len(begin))
	all := attrs{
		"Index": int32s["T"], "begin_mask": whole(0), "end_mask": whole(0), "ellipsis_mask": whole(0), "new_axis_mask": whole(0), "shrink_axis_mask": whole(0),
	}
	for k, v := range a {
		all[k] = v
	}
	return b.opWith(name, "StridedSlice", all, x, b.vector(scope+"/stack", begin...), b.vector(scope+"/stack_1", end...), b.vector(scope+"/stack_2", ones...))
}

// crop leaves the samples' dimension whole.
func (b *builder) crop(l nn.LayerShape, x string) string {
	return b.slice("strided_slice", x, "strided_slice", []int{0, l.Top, l.Left}, []int{0, l.Top + l.Out.H, l.Left + l.Out.W}, attrs{"begin_mask": whole(1), "end_mask": whole(1)})
}

// reshape gives every sample the shape.
func (b *builder) reshape(name, x string, shape ...int) string {
	return b.opWith(name, "Reshape", attrs{"Tshape": int32s["T"]}, x, b.vector(name+"/shape", append([]int{-1}, shape...)...))
}

// round adds the operations that bring x onto the grid. Steps are powers of two,
// so that the products are exact; Round takes halves to even.
func (b *builder) round(x string, g model.Grid) string {
	x = b.op("mul", "Mul", x, b.scalar("mul/y", 1/g.Step))
	if g.Floor {
		x = b.op("Floor", "Floor", x)
	} else {
		x = b.op("Round", "Round", x)
	}
	x = b.op("clip_by_value/Minimum", "Minimum", x, b.scalar("clip_by_value/Minimum/y", g.High))
	x = b.op("clip_by_value", "Maximum", x, b.scalar("clip_by_value/y", g.Low))
	return b.op("truediv", "RealDiv", x, b.scalar("truediv/y", 1/g.Step))
}

// truncate rounds down to multiples of 1/unit.
func (b *builder) truncate(x string, unit float32) string {
	x = b.op("Floor", "Floor", b.op("products/mul", "Mul", x, b.scalar("products/mul/y", unit)))
	return b.op("products/truediv", "RealDiv", x, b.scalar("products/truediv/y", unit))
}

// chipConv is a convolution of single products rounded down: one that has an output
// for every product, and one that adds them up. All sums are of small multiples
// of powers of two, and exact.
func (b *builder) chipConv(l nn.LayerShape, w weights, x string) string {
	taps, filters := w.shape[0]*w.shape[1]*w.shape[2], w.shape[3]
	single := make([]float32, taps*taps*filters)
	sum := make([]float32, taps*filters*filters)
	for t := range taps {
		for f := range filters {
			single[t*taps*filters+t*filters+f] = w.kernel[t*filters+f]
			sum[(t*filters+f)*filters+f] = 1
		}
	}
	x = b.conv("Conv2D", l, x, b.variable("Conv2D", single, w.shape[0], w.shape[1], w.shape[2], taps*filters))
	x = b.truncate(x, 128)
	x = b.opWith("sum", "Conv2D", window(1, nn.PaddingValid), x, b.floats("sum/filter", sum, 1, 1, taps*filters, filters))
	l.Bits = 0 // the bias has been rounded
	return b.bias(l, w, x)
}

// chipDense is the same for a dense layer.
func (b *builder) chipDense(w weights, x string) string {
	in, out := w.shape[0], w.shape[1]
	x = b.reshape("Reshape_1", x, in, 1)
	x = b.op("products", "Mul", x, b.variable("MatMul", w.kernel, in, out))
	x = b.truncate(x, 256)
	x = b.opWith("Sum", "Sum", attrs{"Tidx": int32s["T"], "keep_dims": truth(false)}, x, b.vector("Sum/reduction_indices", 1))
	return b.bias(nn.LayerShape{}, w, x)
}
