package hdf5io_test

import (
	"bytes"
	"fmt"

	"barrow/internal/h5"
	"barrow/wafer"
	"barrow/wafer/hdf5io"
)

func Example() {
	tree := &h5.Tree{Scalars: map[string]string{"unit": "calq"}}
	images := h5.Array{Shape: []int{2, 48}, Data: make([]float32, 96)}
	images.Data[7] = 168
	err := tree.SetDataset("CALQ", images)
	if err == nil {
		err = tree.SetDataset("eta", h5.Array{Shape: []int{2}, Data: []float32{1.75, 2.5}})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := h5.Encode(tree)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := hdf5io.Format{}.Open(&wafer.Source{Name: "images.h5", At: bytes.NewReader(file), Size: int64(len(file))}, wafer.ReadSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	s, err := wafer.ReadAll(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Len(), "images in", r.Info().Unit, "at eta", s.Column("eta").Float, "; cell 7 holds", s.Image(0)[7])
	// Output: 2 images in calq at eta [1.75 2.5] ; cell 7 holds 168
}
