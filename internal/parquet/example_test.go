package parquet_test

import (
	"bytes"
	"errors"
	"fmt"

	"barrow/internal/parquet"
)

func Example() {
	var file bytes.Buffer
	w, err := parquet.NewWriter(&file, []parquet.NewColumn{{Name: "n", Kind: parquet.Ints}, {Name: "pair", Kind: parquet.Floats, List: 2}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	errInts := w.Ints(0, []int64{7, 8, 9})
	errFloats := w.Floats(1, []float64{1, 2, 3, 4, 5, 6})
	if err := errors.Join(errInts, errFloats, w.Close()); err != nil {
		fmt.Println(err)
		return
	}
	f, err := parquet.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Rows, "rows")
	for _, leaf := range f.Leaves {
		c := f.Column(leaf)
		defer c.Close()
		var v parquet.Values
		n, err := c.Read(&v, 100)
		fmt.Println(leaf.Name(), leaf.Type(), n, v.Int, v.Float, v.Rep, err)
	}
	// Output:
	// 3 rows
	// n int64 3 [7 8 9] [] [] <nil>
	// pair.list.element list<double> 6 [] [1 2 3 4 5 6] [0 1 0 1 0 1] <nil>
}
