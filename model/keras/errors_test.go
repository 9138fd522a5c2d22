package keras

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/nn"
)

// exported is the file of a spec of specs, with random weights.
func exported(t testing.TB, name string) *File {
	t.Helper()
	for _, spec := range specs() {
		if spec.Name == name {
			f, err := Export(randomNetwork(t, spec))
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	t.Fatalf("no spec %q", name)
	return nil
}

// TestUnsupported changes one thing in an architecture and wants an error that
// names the layer and says what is supported.
func TestUnsupported(t *testing.T) {
	for _, c := range []struct {
		model, old, new string
		want            []string
	}{
		{"pair", `"class_name":"Flatten"`, `"class_name":"GlobalMaxPooling2D"`, []string{`"flatten" (GlobalMaxPooling2D)`, "base_model", "supported are InputLayer, Conv2D"}},
		{"pair", `"data_format":"channels_last","dilation_rate"`, `"data_format":"channels_first","dilation_rate"`, []string{`"conv2d_1"`, "channels_first", "supported"}},
		{"pair", `"dilation_rate":[1,1]`, `"dilation_rate":[2,2]`, []string{`"conv2d_1"`, "dilation_rate", "supported is 1"}},
		{"pair", `"groups":1`, `"groups":2`, []string{`"conv2d_1"`, "groups 2"}},
		{"pair", `"kernel_size":[5,5]`, `"kernel_size":[5,3]`, []string{`"conv2d_1"`, "two equal numbers"}},
		{"pair", `"padding":"same"`, `"padding":"causal"`, []string{`"conv2d_1"`, `"causal"`}},
		{"pair", `"axis":[3]`, `"axis":[1]`, []string{`"batchnorm_1"`, "axis 1"}},
		{"pair", `"activation":"relu"`, `"activation":"selu"`, []string{`"relu_1"`, `"selu"`, "supported are linear, relu"}},
		{"pair", `"class_name":"Average"`, `"class_name":"Maximum"`, []string{`"average" (Maximum)`, "supported"}},
		{"pair", `["base_model",2,0,{}]`, `["base_model",3,0,{}]`, []string{`"base_model"`, "no call 3"}},
		{"pair", `["base_model",2,0,{}]`, `["base_model",1,0,{}]`, []string{`"average"`, "(a, b) and on (b, a)"}},
		{"pair", `["conv2d_1",0,0,{}]`, `["conv2d_9",0,0,{}]`, []string{`"conv2d_9"`, "not there"}},
		{"pair", `["conv2d_1",0,0,{}]`, `["relu_1",0,0,{}]`, []string{"depends on itself"}},
		{"pair", `"l1":0`, `"l1":0.5`, nil}, // a penalty of training
		{"pair", `"dtype":"float32","epsilon"`, `"dtype":{"class_name":"Policy","config":{"name":"mixed_float16"}},"epsilon"`, []string{`"batchnorm_1"`, "dtype mixed_float16 is not supported"}},
		{"pair", `[["conv2d_1",0,0,{}]]`, `[["conv2d_1",0,0,{"training":true}]]`, []string{`"batchnorm_1"`, "training=True"}},
		{"pair", `"units":7`, `"units":8`, []string{`"dense_1"`, "dense_1/kernel:0", "wants [80 8]"}},
		{"pair", `"units":7`, `"units":"7"`, []string{`"dense_1"`, "config"}},
		{"pair", `"use_bias":true`, `"use_bias":false`, []string{"conv2d_1/bias:0", "do not belong together"}},
		{"pair", `"dtype":"float32"`, `"dtype":"float64"`, nil}, // the first is an input's, which may be
		{"pair", `[null,4,4,3]`, `[null,null,4,3]`, []string{`"input_1"`, "fixed sizes"}},
		{"pair", `[null,4,4,3]`, `[null,4,3]`, []string{`"input_1"`, "2 dimensions"}},
		{"residual", `"activation":"swish"`, `"activation":"gelu"`, []string{`"smooth"`, `"gelu"`, "swish"}},
		{"residual", `["smooth",0,0,{}]`, `["relu",0,0,{}]`, []string{"depends on itself"}},
		{"residual", `["sum_1",0,0,{}]]]`, `["input_1",0,0,{}]]]`, []string{`"sum_2" (Add)`, "one chain"}},
		{"residual", `["sum_3",0,0,{}]]]`, `["sum_2",0,0,{}]]]`, []string{`"squared" (Multiply)`, "multiplied by itself"}},
		{"residual", `["back",0,0,{}],["in"`, `["smooth",0,0,{}],["in"`, []string{`"sum_1" (Add)`, "shapes 1×1×5 and 1×1×9"}},
		{"odd", `"math.negative"`, `"math.sin"`, []string{`"negative"`, "multiply by 2^f"}},
		{"odd", `"class_name":"Functional"`, `"class_name":"Bidirectional"`, []string{`"Bidirectional"`}},
		{"autoencoder", `"output_padding":null`, `"output_padding":[1,1]`, []string{`"up_1"`, "output_padding"}},
		{"autoencoder", `"target_shape":[4,4,8]`, `"target_shape":[4,4,9]`, []string{`"reshape"`, "does not fit"}},
		{"autoencoder", `"target_shape":[4,4,8]`, `"target_shape":[-1,-1]`, []string{`"reshape"`}},
		{"autoencoder", `"cropping":[[1,`, `"cropping":[[9,`, []string{`"crop"`}},
		{"autoencoder", `"axis":-1`, `"axis":1`, nil}, // of vectors that is the last one
		{"autoencoder", `"axis":-1`, `"axis":0`, []string{`"conditions"`, "axis 0"}},
		{"autoencoder", `"class_name":"Flatten"`, `"class_name":"Dropout"`, []string{`"encoded"`, "put a Flatten"}},
		{"quantised", `"alpha":1`, `"alpha":"auto"`, []string{`"conv2d"`, "alpha auto"}},
		{"quantised", `"alpha":1`, `"alpha":null`, nil}, // the first is a bias's, where that means 1
		{"quantised", `"kernel_quantizer":{"class_name":"quantized_bits","config":{"alpha":1`, `"kernel_quantizer":{"class_name":"quantized_bits","config":{"alpha":null`, []string{`"conv2d"`, "automatic scale"}},
		{"quantised", `quantized_relu(9,2)`, `quantized_relu(9.5)`, []string{`"act"`, "whole number"}},
		{"quantised", `"math.floor"`, `"math.ceil"`, []string{`"floor_floor"`, `"ceil"`, "supported is the sequence"}},
		{"quantised", `"y":1.9375`, `"y":1.9`, []string{`"floor"`, "minimum 1.9"}},
		{"quantised", `"class_name":"Functional"`, `"class_name":"Model"`, nil},
		{"quantised", `{"class_name"`, `{"class_nam`, []string{"architecture"}},
		{"quantised", `"inbound_nodes":[]`, `"inbound_nodes":[{"args":[{"class_name":"__keras_tensor__","config":{}}]}]`, []string{"0 parts where a layer"}},
		{"quantised", `"inbound_nodes":[]`, `"inbound_nodes":[{"args":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}]`, []string{"nested more than 8 deep"}},
		{"quantised", `"name":"act"}`, `"name":"conv2d"}`, []string{`two layers are called "conv2d"`}},
	} {
		f := exported(t, c.model)
		// the outer model's last mention of a nested one comes first in its own
		changed := strings.Replace(f.Config, c.old, c.new, 1)
		if changed == f.Config {
			t.Errorf("%s is not in %s", c.old, f.Config)
			continue
		}
		f.Config = changed
		_, err := NewModel(f)
		if c.want == nil {
			if err != nil {
				t.Errorf("%s → %s: %v", c.old, c.new, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s → %s: no error", c.old, c.new)
			continue
		}
		for _, want := range append(c.want, "keras: ") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s → %s: error %q does not say %q", c.old, c.new, err, want)
			}
		}
	}
}

// TestWeightErrors damages the weights of a good model.
func TestWeightErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(f *File)
		want   string
	}{
		"missing":  {func(f *File) { l := group(f); l.Weights = l.Weights[1:] }, `layer "conv2d_1": its weight "kernel" of shape [5 5 6 5] is missing`},
		"moving":   {func(f *File) { l := group(f); l.Weights = l.Weights[:len(l.Weights)-1] }, `layer "batchnorm_2": its weight "moving_variance"`},
		"shape":    {func(f *File) { group(f).Weights[0].Shape = []int{6, 5, 5, 5} }, `has shape [6 5 5 5]; the architecture wants [5 5 6 5]`},
		"extra":    {func(f *File) { l := group(f); l.Weights = append(l.Weights, Weight{Name: "other/kernel:0"}) }, `weight "other/kernel:0"`},
		"twice":    {func(f *File) { l := group(f); l.Weights = append(l.Weights, l.Weights[0]) }, "two weights could be its kernel"},
		"no model": {func(f *File) { f.Config = "" }, "no architecture"},
		"not JSON": {func(f *File) { f.Config = "{" }, "architecture"},
		"more":     {func(f *File) { f.Config += "{}" }, "something follows"},
	} {
		f := exported(t, "pair")
		c.change(f)
		_, err := NewModel(f)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func group(f *File) *LayerWeights {
	return &f.Layers[slices.IndexFunc(f.Layers, func(l LayerWeights) bool { return l.Layer == "base_model" })]
}

func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data, err := exported(t, "pair").Encode()
	if err != nil {
		t.Fatal(err)
	}
	weights := exported(t, "pair")
	weights.Config = ""
	bare, err := weights.Encode()
	if err != nil {
		t.Fatal(err)
	}
	sparse := write("sparse.h5", []byte(signature))
	if err := os.Truncate(sparse, 3<<30); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/dev/zero"); err == nil {
		if _, err := ReadWeights("/dev/zero"); err == nil || !strings.Contains(err.Error(), "a device or a pipe") {
			t.Errorf("an endless device: %v", err)
		}
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "absent.h5"), "no such file"},
		{write("text.h5", []byte("CALQ_0,CALQ_1\n")), "text with commas, such as a CSV file of images; wanted is a Keras file of weights"},
		{write("new.zip", []byte("PK\x03\x04....")), "a damaged zip file"},
		{write("empty.h5", nil), "the file is empty"},
		{sparse, "3.22 GB? At most 1.07 GB are read"},
		{write("cut.h5", data[:len(data)/2]), "truncated"},
		{write("bare.h5", bare), "weights only"},
		{dir, "a folder"},
	} {
		_, err := ReadModel(c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) || strings.Count(err.Error(), "keras: ") != 1 {
			t.Errorf("%s: error %v, want %q", c.path, err, c.want)
		}
	}
	if _, err := ReadModelJSON(write("bad.json", []byte("[]")), write("w.h5", bare)); err == nil || !strings.Contains(err.Error(), "bad.json") {
		t.Errorf("a JSON file that is no model: %v", err)
	}
	f := exported(t, "pair")
	path := write("there.h5", nil)
	if err := f.Write(path, false); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("overwriting: %v", err)
	}
	f.Layers = append(f.Layers, f.Layers[0])
	if err := f.Write(path, true); err == nil || !strings.Contains(err.Error(), "there twice") {
		t.Errorf("a layer twice: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || len(b) > 0 {
		t.Error("a failed Write touched the file")
	}
}

// TestH5pyErrors reads files of h5py that Keras could not have written.
func TestH5pyErrors(t *testing.T) {
	py := pythonWith(t, "h5py")
	dir := t.TempDir()
	pipe(t, nil, py, "-c", `
import h5py, numpy as np, sys
def file(name, weights=['dense/kernel:0'], **how):
    f = h5py.File(sys.argv[1] + '/' + name, 'w')
    f.attrs['layer_names'] = ['dense']; f.attrs['backend'] = 'tensorflow'; f.attrs['keras_version'] = '2.13.1'
    g = f.create_group('dense'); g.attrs['weight_names'] = weights
    g.create_dataset('dense/kernel:0', data=np.zeros((4, 4), 'f4'), **how)
    return f
file('good.h5', chunks=(2, 2), compression='gzip')
file('scaled.h5', scaleoffset=3)
file('missing.h5', ['dense/kernel:0', 'dense/bias:0'])
file('number.h5').attrs['layer_names'] = 3
file('group.h5', ['dense'])
del file('none.h5').attrs['layer_names']
file('unnamed.h5').attrs['layer_names'] = ['dense', 'other']
file('complex.h5')['dense'].create_dataset('c', data=np.zeros(2, 'c8'))
file('bfloat.h5', ['c'])['dense'].create_dataset('c', data=np.zeros(2, 'V2'))
file('complex.h5', ['c'])['dense'].create_dataset('c', data=np.zeros(2, 'c8'))
`, dir)
	for name, want := range map[string]string{
		"good.h5":    "",
		"scaled.h5":  `layer "dense": weight "dense/kernel:0": hdf5: /dense/dense/kernel:0: compressed with filter 6 (scaleoffset), which is not supported; supported are deflate`,
		"missing.h5": `layer "dense": weight "dense/bias:0" is missing`,
		"number.h5":  "attribute layer_names holds elements of class integer",
		"group.h5":   "is not a dataset",
		"none.h5":    "no attribute layer_names",
		"unnamed.h5": `layer "other"`,
		"complex.h5": "type compound are not numbers",
		"bfloat.h5":  "bfloat16 is not supported",
	} {
		f, err := ReadWeights(filepath.Join(dir, name))
		if want == "" {
			if err != nil || f.Weight("dense", "dense/kernel:0") == nil || f.Weight("dense", "bias") != nil || f.Weight("x", "bias") != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

func TestPredictorErrors(t *testing.T) {
	m, err := NewModel(exported(t, "pair"))
	if err != nil {
		t.Fatal(err)
	}
	p := predictor(t, m)
	good := make([]float32, 96)
	for name, inputs := range map[string][][]float32{
		"one input": {good}, "no input": {}, "cut": {good[:95], good[:95]}, "unequal": {good, good[:48]},
	} {
		if _, err := p.Predict(inputs...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, _, err := p.Gradient(good[:3], good, good); err == nil {
		t.Error("dy of the wrong length: no error")
	}
	out, grads, err := p.Gradient([]float32{2, 2}, good, good)
	if err != nil || len(out) != 2 || len(grads) != 2 || len(grads[0]) != 96 {
		t.Errorf("%v %v %v", out, grads, err)
	}
	none, err := p.Predict(nil, nil)
	if err != nil || len(none) != 0 {
		t.Errorf("no samples: %v, %v", none, err)
	}
}

// TestSequential reads the other class of model, with the activations and
// padding that Export does not write, and a batch normalisation without gamma.
func TestSequential(t *testing.T) {
	config := `{"class_name":"Sequential","config":{"name":"s","layers":[
		{"class_name":"ZeroPadding2D","config":{"name":"pad","padding":[[0,1],[0,1]],"batch_input_shape":[null,4,4,1]}},
		{"class_name":"Conv2D","config":{"name":"c","filters":2,"kernel_size":[3,3],"strides":[2,2],"padding":"valid","activation":"relu","kernel_regularizer":{"class_name":"L2","config":{"l2":0.5}}}},
		{"class_name":"BatchNormalization","config":{"name":"b","axis":-1,"momentum":0.9,"epsilon":0.001,"scale":false}},
		{"class_name":"Flatten","config":{"name":"f"}},
		{"class_name":"Dropout","config":{"name":"drop","rate":0.5}},
		{"class_name":"Dense","config":{"name":"d","units":3,"activation":"sigmoid"}}]}}`
	f := &File{Config: config, Layers: []LayerWeights{
		{Layer: "c", Weights: []Weight{{"c/kernel:0", []int{3, 3, 1, 2}, make([]float32, 18)}, {"c/bias:0", []int{2}, []float32{1, 2}}}},
		{Layer: "b", Weights: []Weight{{"b/beta:0", []int{2}, []float32{3, 4}}, {"b/moving_mean:0", []int{2}, []float32{1, 1}}, {"b/moving_variance:0", []int{2}, []float32{1, 1}}}},
		{Layer: "d", Weights: []Weight{{"d/kernel:0", []int{8, 3}, make([]float32, 24)}, {"d/bias:0", []int{3}, []float32{0, 1, 2}}}},
	}}
	for i := range f.Layers[0].Weights[0].Data {
		f.Layers[0].Weights[0].Data[i] = float32(i%5) - 2
	}
	for i := range f.Layers[2].Weights[0].Data {
		f.Layers[2].Weights[0].Data[i] = float32(i%7)/10 - 0.2
	}
	m, err := NewModel(f)
	if err != nil {
		t.Fatal(err)
	}
	if c := m.Spec.Layers[0]; c.Kind != nn.KindConv2D || c.Padding != nn.PaddingSame || c.L2 != 0.5 {
		t.Errorf("first layer %+v", c)
	}
	inputs := inputsFor(m, 3)
	got, err := predictor(t, m).Predict(inputs...)
	if err != nil {
		t.Fatal(err)
	}
	if d := worst(got, referenceAll(t, m, 3, inputs...), 1); d > 1e-5 || len(got) != 9 {
		t.Errorf("%v differs from the reference by %g", got, d)
	}
	for old, want := range map[string]string{
		`[[0,1],[0,1]]`:                    `"c" (Conv2D) of model "s": zero padding of 0 and 2 rows`,
		`"class_name":"Conv2D"`:            `zero padding is supported only directly before a convolution`,
		`"batch_input_shape":[null,4,4,1]`: `batch_input_shape`,
	} {
		g := *f
		g.Config = strings.Replace(config, old, map[string]string{
			`[[0,1],[0,1]]`: `[[0,2],[0,2]]`, `"class_name":"Conv2D"`: `"class_name":"Flatten"`,
			`"batch_input_shape":[null,4,4,1]`: `"trainable":true`,
		}[old], 1)
		if _, err := NewModel(&g); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v, want %q", old, err, want)
		}
	}
}

// TestNestedSeries reads an encoder and a decoder as layers of one model, the
// way autoencoders are built, with Keras' names for the weights of both kinds.
func TestNestedSeries(t *testing.T) {
	part := func(model, layer string, in, units int) string {
		return fmt.Sprintf(`{"class_name":"Functional","config":{"name":%[1]q,"layers":[
			{"class_name":"InputLayer","name":"in_%[1]s","config":{"name":"in_%[1]s","batch_input_shape":[null,%[3]d]},"inbound_nodes":[]},
			{"class_name":"Dense","name":%[2]q,"config":{"name":%[2]q,"units":%[4]d,"activation":"relu"},"inbound_nodes":[[["in_%[1]s",0,0,{}]]]}],
			"input_layers":[["in_%[1]s",0,0]],"output_layers":[[%[2]q,0,0]]},"name":%[1]q,`, model, layer, in, units)
	}
	config := `{"class_name":"Model","config":{"name":"autoencoder","layers":[
		{"class_name":"InputLayer","name":"x","config":{"name":"x","batch_input_shape":[null,3]},"inbound_nodes":[]},` +
		part("encoder", "dense_1", 3, 2) + `"inbound_nodes":[[["x",0,0,{}]]]},` +
		part("decoder", "dense_2", 2, 3) + `"inbound_nodes":[[["encoder",1,0,{}]]]}],
		"input_layers":[["x",0,0]],"output_layers":[["decoder",1,0]]}}`
	f := &File{Config: config, Layers: []LayerWeights{
		{Layer: "encoder", Weights: []Weight{{"dense_1/kernel:0", []int{3, 2}, []float32{1, -1, 0.5, 2, 0, 1}}, {"dense_1/bias:0", []int{2}, []float32{0.1, 0.2}}}},
		{Layer: "decoder", Weights: []Weight{{"decoder/dense_2/kernel:0", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}}, {"decoder/dense_2/bias:0", []int{3}, []float32{0, 1, 2}}}},
	}}
	m, err := NewModel(f)
	if err != nil {
		t.Fatal(err)
	}
	in := []float32{1, 2, 3, -1, 0, 1}
	got, err := predictor(t, m).Predict(in)
	if err != nil {
		t.Fatal(err)
	}
	if d := worst(got, referenceAll(t, m, 2, in), 1); d > 1e-6 || len(got) != 6 || m.Inputs[0].Name != "x" {
		t.Errorf("%v differs from the reference by %g", got, d)
	}
	f.Config = strings.Replace(config, `[["decoder",1,0]]`, `[["encoder",1,0],["decoder",1,0]]`, 1)
	if _, err := NewModel(f); err == nil || !strings.Contains(err.Error(), "2 outputs") {
		t.Errorf("two outputs: %v", err)
	}
}
