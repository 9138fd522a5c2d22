package onnx

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/shared"
	"barrow/model"
)

// A backendCase is one of ONNX' own tests, as testdata/backend.py writes it.
type backendCase struct {
	Name    string
	Ops     []string
	PyTorch bool // exported by it
	In, Out int
	Within  float64
	None    string // why there are no arrays: text, sequences
}

// coreOps are the operators of which every one of ONNX' tests must come out right,
// but for what has no numbers of a type that is read, and training.
var coreOps = strings.Fields(`Gemm MatMul Conv ConvTranspose BatchNormalization Relu LeakyRelu Elu Selu Sigmoid Tanh
	Softplus Softsign HardSigmoid Clip PRelu Softmax LogSoftmax Reshape Flatten Transpose Squeeze Unsqueeze Add Sub Mul Div Sum
	Concat AveragePool MaxPool GlobalAveragePool GlobalMaxPool Pad Identity`)

// notCore are tests of the core's operators that are refused.
var notCore = map[string]string{
	"test_batchnorm_example_training_mode":            "training",
	"test_batchnorm_epsilon_training_mode":            "training",
	"test_maxpool_with_argmax_2d_precomputed_strides": "storage order",
	"test_identity_sequence":                          "sequences",
	"test_identity_opt":                               "optional values",
}

// TestWholeBackend runs all of ONNX' own tests that the installed package has: they are
// right, or refused by an operator's name.
func TestWholeBackend(t *testing.T) {
	dir := t.TempDir()
	said := shared.Python(t, "models", "testdata/backend.py", dir)
	b, err := os.ReadFile(filepath.Join(dir, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []backendCase
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, c := range cases {
		core := c.PyTorch || !slices.ContainsFunc(c.Ops, func(op string) bool { return !slices.Contains(coreOps, op) })
		wrong, err := c.run(t, dir)
		switch {
		case wrong != "":
			t.Errorf("%s is wrong: %s", c.Name, wrong)
		case err == nil:
			right++
			if why := notCore[c.Name]; why != "" {
				t.Errorf("%s is right, and an exception: %s", c.Name, why)
			}
		case strings.Contains(err.Error(), "which no node takes"):
		case !slices.ContainsFunc(c.Ops, func(op string) bool { return strings.Contains(err.Error(), op) }):
			t.Errorf("%s is refused without the name of an operator: %v", c.Name, err)
		case core && notCore[c.Name] == "":
			t.Errorf("%s is of the core and is refused: %v", c.Name, err)
		}
	}
	if right < 1000 {
		t.Errorf("%d of %d are right", right, len(cases))
	}
	t.Logf("onnx %s: %d of %d are right, the others refused", strings.Fields(string(said))[0], right, len(cases))
}

// run says what is wrong of a test, or why it is refused.
func (c backendCase) run(t *testing.T, dir string) (wrong string, err error) {
	r, err := Open(filepath.Join(dir, c.Name+".onnx"))
	if err != nil {
		return "", err
	}
	if c.None != "" {
		return "opened, though there are no numbers: " + c.None, nil
	}
	a := readArrays(t, filepath.Join(dir, c.Name+".npz"))
	var in []*model.Array
	for i := range c.In {
		in = append(in, a["x"+string(rune('0'+i))])
	}
	out, err := r.Run(context.Background(), in)
	if err != nil {
		return "", err
	}
	if len(out) != c.Out {
		return "another number of outputs", nil
	}
	for i, got := range out {
		want := a["y"+string(rune('0'+i))]
		if !slices.Equal(got.Shape, want.Shape) {
			return "another shape", nil
		}
		for k, v := range got.Data {
			w := want.Data[k]
			if v != w && !(v != v && w != w) && !(math.Abs(v-w) <= c.Within*(1+math.Abs(w))) {
				return "another number", nil
			}
		}
	}
	return "", nil
}
