package ttree_test

import (
	"fmt"
	"os"

	"barrow/internal/root"
	"barrow/internal/root/ttree"
)

// A column is read some entries at a time.
func Example() {
	in, err := os.Open("testdata/flat-zstd.root")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer in.Close()
	info, _ := in.Stat()
	f, err := root.Open(in, info.Size())
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := f.Key("dir/t")
	if err != nil {
		fmt.Println(err)
		return
	}
	tree, err := ttree.Open(f, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	i, err := root.Find(tree, "x")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tree.Entries(), "entries of", tree.Columns()[i].Type)
	r, err := tree.Reader(i)
	if err != nil {
		fmt.Println(err)
		return
	}
	var a root.Array
	err = r.Read(&a, 2, 3)
	fmt.Println(a.Offsets, a.Float, err)
	// Output:
	// 20 entries of float[]
	// [0 2 5 5] [2 2.5 3 3.5 4] <nil>
}
