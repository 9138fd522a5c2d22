package tensorflow_test

import (
	"context"
	"fmt"

	"barrow/autoencoder"
	"barrow/model"
	"barrow/model/tensorflow"
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
	files, err := tensorflow.Format().Export(context.Background(), m)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range files[:4] {
		fmt.Println(f.Name)
	}
	// Output:
	// encoder_8x8.pb
	// encoder_8x8.pb.ascii
	// decoder_8x8.pb
	// decoder_8x8.pb.ascii
}
