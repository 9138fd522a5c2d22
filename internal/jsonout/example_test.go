package jsonout_test

import (
	"fmt"
	"math"

	"barrow/internal/jsonout"
)

func ExampleJoin() {
	b, err := jsonout.Join(struct {
		Kind string `json:"kind"`
	}{"scan"}, struct {
		Spread float64 `json:"spread"`
	}{math.NaN()})
	fmt.Println(string(b), err)
	// Output: {"kind":"scan","spread":null} <nil>
}
