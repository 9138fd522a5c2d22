package estimate_test

import (
	"context"
	"fmt"
	"os"

	"barrow/study/estimate"
)

func ExampleTrain() {
	dir, _ := os.MkdirTemp("", "run")
	defer os.RemoveAll(dir)
	p := estimate.Default()
	p.Events, p.Pairs, p.Epochs, p.Architecture = 200, 200, 1, "4x3x1-8-surplus"
	r, err := estimate.Train(context.Background(), dir, p, estimate.Settings{})
	fmt.Println(r.Accuracy.N, len(r.Curve), err)
	// Output: 5000 1 <nil>
}
