package registers_test

import (
	"fmt"
	"os"
	"path/filepath"

	"barrow/econt"
	"barrow/model/registers"
)

func ExampleReadFile() {
	w := new(econt.Weights)
	w.Dense[7][3] = -16 // hidden unit 3 to output 7
	file := registers.ToKeras(w, econt.DenseKeras)
	kernel := file.Weight("encoded_vector", "encoded_vector/kernel:0")
	fmt.Println(kernel.Shape, kernel.Data[3*16+7])
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "encoder.h5")
	if err := file.Write(path, false); err != nil {
		fmt.Println(err)
		return
	}
	back, remarks, err := registers.ReadFile(path, registers.FileSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*back == *w, remarks)
	// Output:
	// [128 16] -0.5
	// true []
}
