package pick_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/file"
	"barrow/wafer/pick"
)

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "images.csv")
	images := &wafer.Set{Charge: make([]float64, 4*hgcal.Cells), Columns: []wafer.Column{{Name: "layer", Int: []int64{7, 9, 9, 11}}}}
	images.Image(2)[7] = 168
	if err := file.WriteAll(path, false, images, wafer.WriteSettings{}); err != nil {
		fmt.Println(err)
		return
	}
	all, err := file.Open(context.Background(), wafer.ReadSettings{}, path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer all.Close()
	some, err := pick.New(context.Background(), all, pick.Settings{Select: "layer == 9 && sum > 100"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer some.Close()
	set, err := wafer.ReadAll(some)
	fmt.Println(set.Len(), "image of layer", set.Columns[0].Value(0), err)
	// Output: 1 image of layer 9 <nil>
}
