package keras

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"barrow/internal/shared"
	"barrow/nn"
)

// TestCases: networks with L1 penalties and .h5 files of Keras 3 compute what
// NumPy makes of their arrays.
func TestCases(t *testing.T) {
	for _, c := range []struct{ dir, file string }{
		{"07-keras3-h5", "functional.h5"}, {"07-keras3-h5", "sequential.h5"}, {"08-l1-regulariser", "l1.h5"}, {"08-l1-regulariser", "l1l2.h5"},
	} {
		t.Run(c.file, func(t *testing.T) {
			m, err := ReadModel(shared.Case(t, c.dir, c.file))
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(shared.Case(t, c.dir, "right.json"))
			if err != nil {
				t.Fatal(err)
			}
			var right struct {
				Input  [][]float32
				Output [][]float64
			}
			if err := json.Unmarshal(b, &right); err != nil {
				t.Fatal(err)
			}
			got, err := predictor(t, m).Predict(right.Input[0])
			if err != nil {
				t.Fatal(err)
			}
			if d := worst(got, right.Output[0], 1); d > 1e-6 {
				t.Errorf("%v, right is %v", got, right.Output[0])
			}
		})
	}
}

// padNode is TensorFlow's pad as a layer, called with x as the line says.
func padNode(call string) string {
	return `{"class_name":"TFOpLambda","name":"tf.pad","config":{"name":"tf.pad","trainable":true,"dtype":"float32","function":"FUNCTION"},"inbound_nodes":[` + call + `]}`
}

// padded is a model with a padding before its convolution.
func padded(pad string) string {
	return `{"class_name":"Functional","config":{"name":"m","layers":[
		{"class_name":"InputLayer","name":"x","config":{"name":"x","batch_input_shape":[null,8,8,1],"dtype":"float32"},"inbound_nodes":[]},` + pad + `,
		{"class_name":"Conv2D","name":"conv","config":{"name":"conv","filters":8,"kernel_size":[3,3],"strides":[2,2],"padding":"valid"},"inbound_nodes":[[["tf.pad",0,0,{}]]]}],
		"input_layers":[["x",0,0]],"output_layers":[["conv",0,0]]}}`
}

func padModel(pad string) (*Model, error) {
	f := &File{Config: padded(pad), Layers: []LayerWeights{{Layer: "conv", Weights: []Weight{
		{Name: "conv/kernel:0", Shape: []int{3, 3, 1, 8}, Data: make([]float32, 72)}, {Name: "conv/bias:0", Shape: []int{8}, Data: make([]float32, 8)}}}}}
	for i := range f.Layers[0].Weights[0].Data {
		f.Layers[0].Weights[0].Data[i] = float32(i%11) - 5
	}
	return NewModel(f)
}

// TestPad: every way in which Keras records the padding with one row at the
// bottom and one column at the right makes the convolution the "same" one.
func TestPad(t *testing.T) {
	const p = `[[0,0],[0,1],[0,1],[0,0]]`
	spellings := []string{
		`{"class_name":"ZeroPadding2D","name":"tf.pad","config":{"name":"tf.pad","padding":[[0,1],[0,1]],"data_format":"channels_last"},"inbound_nodes":[[["x",0,0,{}]]]}`,
		`{"class_name":"keras_pad","name":"tf.pad","config":{"name":"tf.pad"},"inbound_nodes":[[["x",0,0,{}]]]}`,
		`{"class_name":"Pad","module":"keras.src.ops.numpy","name":"tf.pad","config":{"name":"tf.pad","pad_width":` + p + `,"mode":"constant"},"inbound_nodes":[{"args":[{"class_name":"__keras_tensor__","config":{"keras_history":["x",0,0]}}],"kwargs":{"constant_values":null}}]}`,
	}
	for _, function := range []string{"compat.v1.pad", "pad"} {
		for _, call := range []string{
			`["x",0,0,{"paddings":` + p + `}]`,
			`["x",0,0,{"paddings":` + p + `,"mode":"CONSTANT","name":null,"constant_values":0}]`,
			`["x",0,0,{"paddings":` + p + `,"mode":"constant","name":"pad","constant_values":0.0}]`,
			`["x",0,0,{"paddings":` + p + `,"mode":null,"constant_values":null}]`,
			`[["x",0,0,{"paddings":` + p + `}]]`,
			`[["x",0,0,{}],["_CONSTANT_VALUE",-1,` + p + `,{}]]`,
			`["_CONSTANT_VALUE",-1,` + p + `,{"tensor":["x",0,0],"mode":"CONSTANT"}]`,
		} {
			spellings = append(spellings, strings.Replace(padNode(call), "FUNCTION", function, 1))
		}
	}
	for _, pad := range spellings {
		m, err := padModel(pad)
		if err != nil {
			t.Errorf("%s: %v", pad, err)
			continue
		}
		if l := m.Spec.Layers[0]; len(m.Spec.Layers) != 1 || l.Kind != nn.KindConv2D || l.Padding != nn.PaddingSame {
			t.Errorf("%s: %+v", pad, m.Spec.Layers)
		}
	}
	for call, want := range map[string]string{
		`["x",0,0,{"paddings":[[0,0],[1,0],[1,0],[0,0]]}]`:     "zero padding of 1 and 0 rows",
		`["x",0,0,{"paddings":[[0,1],[0,1],[0,1],[0,0]]}]`:     "supported are numbers of rows and columns",
		`["x",0,0,{"paddings":[[0,0],[0,1],[0,1],[0,1]]}]`:     "supported are numbers of rows and columns",
		`["x",0,0,{"paddings":[[0,0],[0,-1],[0,1],[0,0]]}]`:    "negative",
		`["x",0,0,{"paddings":` + p + `,"mode":"REFLECT"}]`:    `mode "REFLECT"`,
		`["x",0,0,{"paddings":` + p + `,"constant_values":1}]`: "constant_values 1",
		`["x",0,0,{}]`:                                    "supported are numbers",
		`["_CONSTANT_VALUE",-1,` + p + `,{}]`:             "constants alone",
		`[["x",0,0,{"paddings":` + p + `}],["x",0,0,{}]]`: "has 2 inputs",
	} {
		if _, err := padModel(strings.Replace(padNode(call), "FUNCTION", "pad", 1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", call, err, want)
		}
	}
}

// TestPadCase: the encoder with tf.pad computes what it does with ZeroPadding2D.
func TestPadCase(t *testing.T) {
	m, err := ReadModelJSON(shared.Case(t, "05-tf-pad-layer", "encoder.json"), shared.Case(t, "05-tf-pad-layer", "encoder.hdf5"))
	if err != nil {
		t.Fatal(err)
	}
	if m.Spec.Layers[1].Kind != nn.KindConv2D || m.Spec.Layers[1].Padding != nn.PaddingSame {
		t.Errorf("%+v", m.Spec.Layers[1])
	}
	var top map[string]any
	if err := json.Unmarshal([]byte(m.File.Config), &top); err != nil {
		t.Fatal(err)
	}
	layer := top["config"].(map[string]any)["layers"].([]any)[2].(map[string]any)
	layer["class_name"] = "ZeroPadding2D"
	layer["config"] = map[string]any{"padding": [][]int{{0, 1}, {0, 1}}}
	layer["inbound_nodes"] = []any{[]any{[]any{"in_q", 0, 0, map[string]any{}}}}
	b, err := json.Marshal(top)
	if err != nil {
		t.Fatal(err)
	}
	other := *m.File
	other.Config = string(b)
	zero, err := NewModel(&other)
	if err != nil {
		t.Fatal(err)
	}
	x := inputsFor(m, 200)
	got, err := predictor(t, m).Predict(x...)
	if err != nil {
		t.Fatal(err)
	}
	want, err := predictor(t, zero).Predict(x...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("output %d: %v, with ZeroPadding2D %v", i, got[i], want[i])
		}
	}
	if d := worst(got, referenceAll(t, m, 200, x...), 1); d != 0 {
		t.Errorf("differs from the reference by %g", d)
	}
}

// TestSymmetricPad: padding on both sides is what "same" does with stride 1.
func TestSymmetricPad(t *testing.T) {
	pad := `{"class_name":"ZeroPadding2D","name":"tf.pad","config":{"name":"tf.pad","padding":[[1,1],[1,1]]},"inbound_nodes":[[["x",0,0,{}]]]}`
	if _, err := padModel(pad); err == nil || !strings.Contains(err.Error(), "1 and 1 rows and 1 and 1 columns") {
		t.Errorf("stride 2: %v", err)
	}
	f := &File{Config: strings.Replace(padded(pad), `"strides":[2,2]`, `"strides":[1,1]`, 1), Layers: []LayerWeights{{Layer: "conv", Weights: []Weight{
		{Name: "conv/kernel:0", Shape: []int{3, 3, 1, 8}, Data: make([]float32, 72)}, {Name: "conv/bias:0", Shape: []int{8}, Data: make([]float32, 8)}}}}}
	m, err := NewModel(f)
	if err != nil {
		t.Fatal(err)
	}
	if m.Spec.Layers[0].Padding != nn.PaddingSame {
		t.Errorf("%+v", m.Spec.Layers[0])
	}
}

// TestPenalties: no regulariser, of whatever kind and on whatever, keeps a
// network from being read, and of the kernel's the L2 part is kept.
func TestPenalties(t *testing.T) {
	pad := `{"class_name":"ZeroPadding2D","name":"tf.pad","config":{"name":"tf.pad","padding":[[0,1],[0,1]]},"inbound_nodes":[[["x",0,0,{}]]]}`
	for penalty, want := range map[string]float64{
		`null`: 0, `{"class_name":"L1","config":{"l1":0.1}}`: 0, `{"class_name":"L2","config":{"l2":0.25}}`: 0.25,
		`{"class_name":"L1L2","config":{"l1":0.1,"l2":0.25}}`:                                           0.25,
		`{"module":"keras.regularizers","class_name":"L2","config":{"l2":0.25},"registered_name":null}`: 0.25,
		`{"class_name":"OrthogonalRegularizer","config":{"factor":0.01,"mode":"rows"}}`:                 0,
		`{"class_name":"Mine","config":{"l2":3}}`:                                                       0, `"l2"`: 0, `{"class_name":"L2","config":{"l2":"?"}}`: 0,
		`{"class_name":"L2","config":{"l2":-1}}`: 0,
	} {
		f := &File{Config: strings.Replace(padded(pad), `"filters":8`, `"filters":8,"bias_regularizer":`+penalty+`,"activity_regularizer":`+penalty+`,"kernel_regularizer":`+penalty, 1)}
		f.Layers = []LayerWeights{{Layer: "conv", Weights: []Weight{{Name: "conv/kernel:0", Shape: []int{3, 3, 1, 8}, Data: make([]float32, 72)}, {Name: "conv/bias:0", Shape: []int{8}, Data: make([]float32, 8)}}}}
		m, err := NewModel(f)
		if err != nil {
			t.Errorf("%s: %v", penalty, err)
		} else if m.Spec.Layers[0].L2 != want {
			t.Errorf("%s: L2 %v, want %v", penalty, m.Spec.Layers[0].L2, want)
		}
	}
}
