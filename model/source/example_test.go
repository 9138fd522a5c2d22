package source_test

import (
	"context"
	"fmt"

	"barrow/autoencoder"
	"barrow/model"
	"barrow/model/source"
	"barrow/nn"
)

func Example() {
	trained, err := autoencoder.Architecture{Precision: "asic"}.New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := model.Of(trained)
	if err != nil {
		fmt.Println(err)
		return
	}
	files, err := source.Cpp().Export(context.Background(), m)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range files {
		fmt.Println(f.Name)
	}
	// Output:
	// encoder.h
	// test.cpp
}
