package decode_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"barrow/study/decode"
)

// A decoder of best choice on two links, measured beside the two rules by hand.
func ExampleTrain() {
	dir, _ := os.MkdirTemp("", "run")
	defer os.RemoveAll(dir)
	p := decode.Quick()
	p.Links, p.Events, p.Epochs, p.PerEpoch = 2, 2000, 3, 4000
	r, err := decode.Train(context.Background(), filepath.Join(dir, "bc2"), p, decode.Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Frames, len(r.Rules), r.Best, r.Against.Ratio < 0.98)
	// Output: BC on 2 links 2 learned true
}
