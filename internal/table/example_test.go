package table_test

import (
	"fmt"
	"strings"

	"barrow/internal/table"
)

func Example() {
	r, err := table.New(strings.NewReader("a,b\n1,2\n3,4.5\n"), "two.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	values, err := r.Read(nil, 10)
	fmt.Println(r.Columns(), values, err)
	fmt.Println(r.Place(1))
	// Output:
	// 2 [1 2 3 4.5] <nil>
	// two.csv:3
}
