package setting_test

import (
	"fmt"

	"barrow/internal/setting"
)

// The settings of a struct, by the tags of its fields.
func ExampleFields() {
	s := struct {
		Epochs int     `json:"epochs" help:"epochs at most"`
		Rate   float64 `json:"learning_rate" flag:"rate" help:"learning rate"`
		Digest string  `json:"digest"` // no help text: no setting
	}{Epochs: 100}
	for _, f := range setting.Fields(&s, false) {
		fmt.Println(f.Key, f.Flag, f.Text(), f.Help)
	}
	// Output:
	// epochs epochs 100 epochs at most
	// learning_rate rate 0 learning rate
}

func ExampleChoice() {
	fmt.Println(setting.Choice("decoder", "residul", []string{"paper", "dense", "residual"}))
	// Output: decoder = "residul": it may be paper, dense, residual; did you mean residual?
}
