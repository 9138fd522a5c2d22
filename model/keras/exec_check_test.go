package keras

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// weighing are layers of every class with arrays, for inputs of 8×6×2 or 8×2, and the
// arrays' shapes as Keras makes them.
var weighing = []struct {
	class, config, input string
	shapes               map[string][]int
}{
	{"Dense", `"units":4`, `8,6,2`, map[string][]int{"kernel": {2, 4}, "bias": {4}}},
	{"Conv2D", `"filters":4,"kernel_size":[3,5]`, `8,6,2`, map[string][]int{"kernel": {3, 5, 2, 4}, "bias": {4}}},
	{"Conv2D", `"filters":4,"kernel_size":[3,3],"groups":2`, `8,6,2`, map[string][]int{"kernel": {3, 3, 1, 4}, "bias": {4}}},
	{"Conv1D", `"filters":4,"kernel_size":[3]`, `8,2`, map[string][]int{"kernel": {3, 2, 4}, "bias": {4}}},
	{"Conv2DTranspose", `"filters":4,"kernel_size":[3,5]`, `8,6,2`, map[string][]int{"kernel": {3, 5, 4, 2}, "bias": {4}}},
	{"Conv1DTranspose", `"filters":4,"kernel_size":[3]`, `8,2`, map[string][]int{"kernel": {3, 4, 2}, "bias": {4}}},
	{"DepthwiseConv2D", `"kernel_size":[3,5],"depth_multiplier":3`, `8,6,2`, map[string][]int{"depthwise_kernel": {3, 5, 2, 3}, "bias": {6}}},
	{"DepthwiseConv1D", `"kernel_size":[3],"depth_multiplier":3`, `8,2`, map[string][]int{"depthwise_kernel": {3, 2, 3}, "bias": {6}}},
	{"SeparableConv2D", `"filters":4,"kernel_size":[3,5],"depth_multiplier":3`, `8,6,2`, map[string][]int{"depthwise_kernel": {3, 5, 2, 3}, "pointwise_kernel": {1, 1, 6, 4}, "bias": {4}}},
	{"SeparableConv1D", `"filters":4,"kernel_size":[3]`, `8,2`, map[string][]int{"depthwise_kernel": {3, 2, 1}, "pointwise_kernel": {1, 2, 4}, "bias": {4}}},
	{"BatchNormalization", `"axis":[1]`, `8,6,2`, map[string][]int{"gamma": {8}, "beta": {8}, "moving_mean": {8}, "moving_variance": {8}}},
	{"LayerNormalization", `"axis":[3]`, `8,6,2`, map[string][]int{"gamma": {2}, "beta": {2}}},
	{"PReLU", `"shared_axes":[1,2]`, `8,6,2`, map[string][]int{"alpha": {1, 1, 2}}},
	{"PReLU", `"shared_axes":null`, `8,6,2`, map[string][]int{"alpha": {8, 6, 2}}},
	{"QDense", `"units":4`, `8,6,2`, map[string][]int{"kernel": {2, 4}, "bias": {4}}},
	{"QConv2D", `"filters":4,"kernel_size":[3,3]`, `8,6,2`, map[string][]int{"kernel": {3, 3, 2, 4}, "bias": {4}}},
	{"QDepthwiseConv2D", `"kernel_size":[3,3],"depth_multiplier":1`, `8,6,2`, map[string][]int{"depthwise_kernel": {3, 3, 2, 1}, "bias": {2}}},
	{"QConv2DBatchnorm", `"filters":4,"kernel_size":[3,3]`, `8,6,2`, map[string][]int{"kernel": {3, 3, 2, 4}, "bias": {4}, "gamma": {4}, "beta": {4}, "moving_mean": {4}, "moving_variance": {4}}},
	{"QDenseBatchnorm", `"units":4`, `8,6,2`, map[string][]int{"kernel": {2, 4}, "bias": {4}, "gamma": {4}, "beta": {4}, "moving_mean": {4}, "moving_variance": {4}}},
}

// oneLayer is a file of one layer between an input and, so that it is no chain of nn's
// layers, a softmax.
func oneLayer(class, config, input string, shapes map[string][]int) *File {
	f := &File{Config: fmt.Sprintf(`{"class_name":"Sequential","config":{"name":"s","layers":[
		{"class_name":"InputLayer","config":{"name":"x","batch_input_shape":[null,%s]}},
		{"class_name":%q,"config":{"name":"l",%s}},
		{"class_name":"Softmax","config":{"name":"last"}}]}}`, input, class, config), Layers: []LayerWeights{{Layer: "l"}}}
	for name, shape := range shapes {
		n := 1
		for _, d := range shape {
			n *= d
		}
		f.Layers[0].Weights = append(f.Layers[0].Weights, Weight{"l/" + name + ":0", shape, slices.Repeat([]float32{0.5}, n)})
	}
	return f
}

// TestArrayShapes: an array of another shape than the architecture's is refused, in
// every dimension and of every class.
func TestArrayShapes(t *testing.T) {
	for _, c := range weighing {
		if _, err := executionOf(oneLayer(c.class, c.config, c.input, c.shapes)); err != nil {
			t.Errorf("%s {%s}: %v", c.class, c.config, err)
			continue
		}
		for name, shape := range c.shapes {
			for i := range shape {
				wrong := map[string][]int{}
				for k, s := range c.shapes {
					wrong[k] = slices.Clone(s)
				}
				wrong[name][i]++
				_, err := executionOf(oneLayer(c.class, c.config, c.input, wrong))
				if err == nil || !strings.Contains(err.Error(), `"l"`) || !strings.Contains(err.Error(), fmt.Sprint(wrong[name])) || !strings.Contains(err.Error(), fmt.Sprint(shape)) {
					t.Errorf("%s {%s} with a %s of %v: %v", c.class, c.config, name, wrong[name], err)
				}
			}
		}
	}
	for _, c := range weighing {
		for _, name := range []string{"kernel", "depthwise_kernel", "alpha"} {
			if shape := c.shapes[name]; shape != nil {
				flat := map[string][]int{}
				n := 1
				for k, s := range c.shapes {
					flat[k] = s
				}
				for _, d := range shape {
					n *= d
				}
				flat[name] = []int{n}
				if _, err := executionOf(oneLayer(c.class, c.config, c.input, flat)); err == nil {
					t.Errorf("%s with a flat %s: no error", c.class, name)
				}
			}
		}
	}
}

// TestSettings: settings that are no such thing are refused by name.
func TestSettings(t *testing.T) {
	setting := regexp.MustCompile(`"(\w+)":(\[[^\]]*\]|[^,]+)`)
	for _, c := range weighing {
		for _, m := range setting.FindAllStringSubmatch(c.config, -1) {
			name, value := m[1], m[2]
			if name == "shared_axes" || name == "axis" {
				continue
			}
			for _, bad := range []string{"-3", `"12"`, "2.5", "1000000000000", "0", "true", "{}"} {
				if strings.HasPrefix(value, "[") {
					bad = "[" + bad + strings.TrimLeft(value, "[0123456789")
				}
				config := strings.Replace(c.config, m[0], fmt.Sprintf("%q:%s", name, bad), 1)
				_, err := executionOf(oneLayer(c.class, config, c.input, c.shapes))
				if err == nil || !strings.Contains(err.Error(), name+" is "+bad) || !strings.Contains(err.Error(), "wanted") {
					t.Errorf("%s {%s}: %v", c.class, config, err)
				}
			}
		}
	}
	for _, c := range []struct{ class, config, want string }{
		{"Conv2D", `"filters":4,"kernel_size":[3,3],"strides":["2",2]`, "strides"},
		{"Conv2D", `"filters":4,"kernel_size":[3,3],"padding":1`, "padding"},
		{"Conv2D", `"filters":4,"kernel_size":[3,3],"dilation_rate":-1`, "dilation_rate"},
		{"Conv2D", `"kernel_size":[3,3]`, "filters"},
		{"Conv2D", `"filters":4,"kernel_size":[3]`, ""}, // of one number: both
		{"Conv2D", `"filters":4,"kernel_size":[3,3,3]`, "kernel_size"},
		{"Conv2D", `"filters":4,"kernel_size":[3,3],"groups":3`, "groups"},
		{"Conv2D", `"filters":4,"kernel_size":[3,3],"use_bias":"no"`, "bias"},
		{"ZeroPadding2D", `"padding":[[0,-1],[0,1]]`, "padding"},
		{"ZeroPadding2D", `"padding":[[],[0,1]]`, "padding"},
		{"Cropping2D", `"cropping":[[0,1e9],[0,1]]`, "cropping"},
		{"UpSampling2D", `"size":[2.5,2]`, "size"},
		{"MaxPooling2D", `"pool_size":"2"`, "pool_size"},
		{"GlobalMaxPooling2D", `"keepdims":1`, "keepdims"},
		{"ELU", `"alpha":"1"`, "alpha"},
		{"LeakyReLU", `"negative_slope":[1]`, "negative_slope"},
		{"ReLU", `"max_value":"6"`, "max_value"},
	} {
		var shapes map[string][]int
		if strings.HasPrefix(c.class, "Conv") {
			shapes = map[string][]int{"kernel": {3, 3, 2, 4}, "bias": {4}}
		}
		_, err := executionOf(oneLayer(c.class, c.config, `8,6,2`, shapes))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s {%s}: %v, want %q", c.class, c.config, err, c.want)
		}
	}
}

// dense is a model of Dense layers on vectors of 3, and the weights of it, by the order.
func dense(names, weights []string) *File {
	f := &File{}
	var layers strings.Builder
	for _, n := range names {
		fmt.Fprintf(&layers, `,{"class_name":"Dense","config":{"name":%q,"units":3,"activation":"elu"}}`, n)
	}
	for i, n := range weights {
		f.Layers = append(f.Layers, LayerWeights{n, []Weight{{n + "/kernel:0", []int{3, 3}, slices.Repeat([]float32{float32(i)}, 9)}, {n + "/bias:0", []int{3}, make([]float32, 3)}}})
	}
	f.Config = `{"class_name":"Sequential","config":{"name":"s","layers":[{"class_name":"InputLayer","config":{"name":"x","batch_input_shape":[null,3]}}` + layers.String() + `]}}`
	return f
}

// TestOrder: names in another order than the file's are refused where Keras, which goes
// by the order, would take the weights, too.
func TestOrder(t *testing.T) {
	for _, activation := range []string{"elu", "relu"} { // run as they stand, and by nn
		for _, c := range []struct {
			weights string
			refused bool
		}{{"a b c", false}, {"b a c", true}, {"a c b", true}, {"d e f", false}, {"c b a", true}} {
			f := dense([]string{"a", "b", "c"}, strings.Fields(c.weights))
			f.Config = strings.ReplaceAll(f.Config, "elu", activation)
			_, err := NewModel(f)
			if activation == "elu" {
				_, err = executionOf(f)
			}
			if c.refused != (err != nil) || err != nil && !strings.Contains(err.Error(), "Keras goes by the order") {
				t.Errorf("%s, %s: %v", activation, c.weights, err)
			}
		}
		f := dense([]string{"a", "b", "c"}, []string{"b", "a", "c"})
		f.Config = strings.ReplaceAll(f.Config, "elu", activation)
		f.Config = strings.Replace(f.Config, `"name":"b","units":3`, `"name":"b","units":4`, 1)
		f.Layers[0].Weights[0] = Weight{"b/kernel:0", []int{3, 4}, make([]float32, 12)}
		f.Layers[0].Weights[1] = Weight{"b/bias:0", []int{4}, make([]float32, 4)}
		f.Layers[2].Weights[0] = Weight{"c/kernel:0", []int{4, 3}, make([]float32, 12)}
		if _, err := executionOf(f); err != nil {
			t.Errorf("shapes that the order does not fit: %v", err)
		}
	}
}

// TestRefusals: what a model that is not run has is named, before what follows of it.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		old, new string
		group    string // that has one array more
		want     []string
	}{
		{`"activation":"elu"`, `"activation":"foo"`, "", []string{`"a"`, `activation "foo"`, "gelu", "softmax"}},
		{`"units":3`, `"units":3,"dtype":{"class_name":"QuantizedDTypePolicy","config":{"name":"int8_from_float32"}}`, "a", []string{`"a"`, "int8_from_float32", "float32"}},
		{`"units":3`, `"units":3,"lora_rank":2`, "a", []string{`"a"`, "lora_rank 2", ".keras"}},
		{`"class_name":"Dense"`, `"class_name":"MultiHeadAttention"`, "", []string{`"a"`, `"MultiHeadAttention"`, "not supported"}},
		{`"name":"a"`, `"name":"z"`, "", []string{`"z"`, `"kernel"`, "missing", `weights of "a", "b", "c"`}},
		{`"name":"a"`, `"name":"a"`, "a", []string{"do not belong together"}},
	} {
		f := dense([]string{"a", "b", "c"}, []string{"a", "b", "c"})
		if c.new == `"name":"z"` {
			f.Layers[1].Weights = f.Layers[1].Weights[:1] // or the order would do
		}
		f.Config = strings.Replace(f.Config, c.old, c.new, 1)
		if c.group != "" {
			f.Layers[0].Weights = append(f.Layers[0].Weights, Weight{"a/more:0", []int{3, 2}, make([]float32, 6)})
		}
		_, err := executionOf(f)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", c.new, err, want)
			}
		}
	}
}
