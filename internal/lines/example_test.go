package lines_test

import (
	"fmt"
	"strings"

	"barrow/internal/lines"
)

func ExampleSplit() {
	in, err := lines.New(strings.NewReader("cell;\"x; y\"\n0;1\n"), 1000)
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		line, err := in.Next()
		if err != nil {
			break
		}
		fields, err := lines.Split(nil, line, ';')
		fmt.Printf("%d: %q %v\n", in.Row(), fields, err)
	}
	// Output:
	// 1: ["cell" "x; y"] <nil>
	// 2: ["0" "1"] <nil>
}
