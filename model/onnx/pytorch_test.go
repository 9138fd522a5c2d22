package onnx

import (
	"testing"

	"barrow/model"
	"barrow/nn"
)

// TestExporters: what PyTorch's two exporters write of one network is one network.
func TestExporters(t *testing.T) {
	var nets [2]*nn.Network
	for i, name := range []string{"testdata/pytorch.onnx", "testdata/dynamo.onnx"} {
		net, err := Read(model.Source{Path: name}, nn.Settings{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		nets[i] = net
	}
	x := make([]float32, 3*48)
	for i := range x {
		x[i] = float32(i*7%48) / 48
	}
	var out [2]*model.Array
	for i, net := range nets {
		r, err := model.RunNetwork(net, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.Run(t.Context(), []*model.Array{model.Floats(x, 3, 4, 4, 3)})
		if err != nil {
			t.Fatal(err)
		}
		out[i] = v[0].Array
	}
	if !near(out[1].Data, out[0].Data, 1e-6, 1e-6) {
		t.Errorf("%v, and of the other exporter %v", out[1].Data[:5], out[0].Data[:5])
	}
}
