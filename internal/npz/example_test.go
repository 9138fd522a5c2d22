package npz_test

import (
	"bytes"
	"fmt"
	"io"

	"barrow/internal/npz"
)

func Example() {
	var file bytes.Buffer
	w := npz.NewWriter(&file)
	defer w.Abort()
	if err := w.Add(npz.Array{Name: "x", Type: npz.Float32, Row: []int{2}}); err != nil {
		fmt.Println(err)
		return
	}
	for _, rows := range [][]float32{{1, 2}, {3, 4, 5, 6}} {
		if err := w.Append("x", rows); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := w.Commit(); err != nil {
		fmt.Println(err)
		return
	}
	a, err := npz.NewArchive(bytes.NewReader(file.Bytes()), int64(file.Len()), "a.npz")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := a.Open(0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	fmt.Println(a.Names, r.Type(), r.Dims())
	for {
		n, err := r.Next(2)
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(n, "rows:", r.Floats(&r.Fields[0], nil))
	}
	// Output:
	// [x] float32 (3, 2)
	// 2 rows: [1 2 3 4]
	// 1 rows: [5 6]
}
