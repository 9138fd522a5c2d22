package npzio_test

import (
	"bytes"
	"fmt"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/npzio"
)

func Example() {
	image := &wafer.Set{Charge: make([]float64, hgcal.Cells), Columns: []wafer.Column{{Name: "layer", Int: []int64{9}}}}
	image.Charge[3] = 168
	var file bytes.Buffer
	w, err := npzio.Archive{}.Create(&file, wafer.WriteSettings{Unit: "calq"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Write(image); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	r, err := npzio.Archive{}.Open(&wafer.Source{Name: "a.npz", Stream: &file}, wafer.ReadSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	back, err := wafer.ReadAll(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Image(0)[3], r.Info().Unit, back.Columns[0].Name, back.Columns[0].Int)
	// Output: 168 calq layer [9]
}
