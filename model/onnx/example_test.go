package onnx_test

import (
	"context"
	"fmt"

	"barrow/model"
	"barrow/model/onnx"
)

// A model is run on arrays in its own layout. This one is max(0, x·w), the weights
// within.
func Example() {
	r, err := onnx.Open("testdata/dense.onnx")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Inputs()[0].Name, r.Inputs()[0].Shape)
	out, err := r.Run(context.Background(), []*model.Array{model.Floats([]float32{1, 2, 3, 4}, 2, 2)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out[0].Name, out[0].Shape, out[0].Data)
	// Output:
	// x [-1 2]
	// y [2 3] [5 0 2 11 0 4]
}
