package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/file"
)

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "images.csv")
	images := &wafer.Set{Charge: make([]float64, 2*hgcal.Cells)}
	images.Image(0)[7] = 168
	if err := file.WriteAll(path, false, images, wafer.WriteSettings{}); err != nil {
		fmt.Println(err)
		return
	}
	back, err := file.ReadAll(context.Background(), path, wafer.ReadSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Len(), "images,", back.ZeroSum(), "without charge; cell 7 holds", back.Image(0)[7])
	// Output: 2 images, 1 without charge; cell 7 holds 168
}
