package nn_test

import (
	"fmt"

	. "barrow/nn"
)

func ExampleNew() {
	net, err := New(Spec{Input: Shape{8, 8, 1}, Layers: []Layer{
		{Kind: KindConv2D, Filters: 8, Kernel: 3, Stride: 2, Padding: PaddingSame},
		{Kind: KindReLU},
		{Kind: KindDense, Units: 16},
	}}, Settings{Seed: 7})
	fmt.Println(err)
	for _, p := range net.Params() {
		fmt.Println(p.Name, p.Shape)
	}
	y, err := net.Forward(NewTensor(10, net.InputShape()), Inference)
	fmt.Println(y.N, y.Shape, err)
	// Output:
	// <nil>
	// conv2d_1/kernel [3 3 1 8]
	// conv2d_1/bias [8]
	// dense_1/kernel [128 16]
	// dense_1/bias [16]
	// 10 1×1×16 <nil>
}
