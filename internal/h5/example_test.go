package h5_test

import (
	"fmt"

	"barrow/internal/h5"
)

func Example() {
	tree := &h5.Tree{Scalars: map[string]string{"backend": "tensorflow"}}
	err := tree.SetDataset("dense/kernel:0", h5.Array{Shape: []int{1, 2}, Data: []float32{0.5, -2}})
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := h5.Encode(tree)
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := h5.Parse(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	root, _ := f.Root()
	d, _ := root.Dataset("dense/kernel:0")
	v, err := d.Float32s()
	fmt.Println(d.Path(), d.Shape(), v, err)
	// Output:
	// /dense/kernel:0 [1 2] [0.5 -2] <nil>
}
