package parquetio_test

import (
	"bytes"
	"errors"
	"fmt"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/parquetio"
)

func Example() {
	images := &wafer.Set{Charge: make([]float64, 2*hgcal.Cells), Columns: []wafer.Column{{Name: "layer", Int: []int64{9, 11}}}}
	images.Image(0)[7] = 168
	var file bytes.Buffer
	w, err := parquetio.Format{}.Create(&file, wafer.WriteSettings{Unit: "calq"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := errors.Join(w.Write(images), w.Close()); err != nil {
		fmt.Println(err)
		return
	}
	r, err := parquetio.Format{}.Open(&wafer.Source{Name: "images.parquet", At: bytes.NewReader(file.Bytes()), Size: int64(file.Len())}, wafer.ReadSettings{})
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
	fmt.Println(back.Len(), "images in", r.Info().Unit, "of layers", back.Column("layer").Int, "; cell 7 holds", back.Image(0)[7])
	// Output: 2 images in calq of layers [9 11] ; cell 7 holds 168
}
