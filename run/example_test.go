package run_test

import (
	"fmt"
	"os"

	"barrow/run"
)

func ExampleOpen() {
	dir, _ := os.MkdirTemp("", "run")
	defer os.RemoveAll(dir)
	config := map[string]int{"seed": 1}
	first, _ := run.Open(dir, config, false)
	again, err := run.Open(dir, config, false)
	fmt.Println(first.Resumed(), again.Resumed(), err)
	_, err = run.Open(dir, map[string]int{"seed": 2}, false)
	fmt.Println(err != nil)
	// Output:
	// false true <nil>
	// true
}
