package root_test

import (
	"fmt"
	"os"

	"barrow/internal/root"
)

// The objects of a file are listed with their folders.
func Example() {
	in, err := os.Open("ttree/testdata/flat-lz4.root")
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
	for _, k := range f.Keys() {
		data, err := f.Bytes(k, nil)
		fmt.Println(k.Path, k.Class, k.Title, len(data) > 0, err)
	}
	// Output: dir/t TTree flat true <nil>
}
