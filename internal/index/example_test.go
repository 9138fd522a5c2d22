package index_test

import (
	"fmt"

	"barrow/internal/index"
)

// Where to begin for a row in the middle of a text of which every tenth line was noted.
func Example() {
	x := index.Index{Rows: 100}
	for row := 0; row < x.Rows; row += 10 {
		x.Note(index.Mark{Row: row, At: int64(7 * row)})
	}
	m, _ := x.Before(42)
	fmt.Println("from byte", m.At, "skip", 42-m.Row, "rows")
	// Output: from byte 280 skip 2 rows
}
