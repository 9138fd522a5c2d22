package run_test

import (
	"fmt"
	"os"

	"barrow/run"
)

func ExampleOpen() {
	dir, _ := os.MkdirTemp("", "run")
	defer os.RemoveAll(dir)
	id := run.Identity{Kind: run.Kind{Name: "example", Version: 1}, Settings: map[string]int{"seed": 1}}
	first, _ := run.Open(dir, id, run.Settings{})
	first.Close()
	again, err := run.Open(dir, id, run.Settings{})
	fmt.Println(first.Resumed(), again.Resumed(), err)
	os.WriteFile(again.Path(run.Weights, "part"), nil, 0o666)
	again.Close()
	id.Settings = map[string]int{"seed": 2}
	_, err = run.Open(dir, id, run.Settings{})
	fmt.Println(err != nil)
	// Output:
	// false true <nil>
	// true
}
