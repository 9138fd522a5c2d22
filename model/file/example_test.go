package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"barrow/autoencoder"
	"barrow/model"
	"barrow/model/file"
	"barrow/nn"
)

// A model for the chip becomes the chip's register files, with test vectors beside
// them.
func ExampleExport() {
	whole, err := autoencoder.Architecture{Precision: "asic", LatentBits: 5}.New(nn.Settings{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := model.Of(whole)
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	paths, err := file.Export(context.Background(), m, "registers", dir, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range paths[3:] {
		fmt.Println(filepath.Base(p))
	}
	// Output:
	// vectors.npz
	// vectors_charge.csv
	// vectors_x.csv
	// vectors_latent.csv
	// vectors_y.csv
	// README.txt
}
