package rootio_test

import (
	"context"
	"fmt"
	"os"

	"barrow/wafer"
	"barrow/wafer/rootio"
)

func Example() {
	f, err := os.Open("testdata/small.root")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		fmt.Println(err)
		return
	}
	src := &wafer.Source{Name: "small.root", Stream: f, At: f, Size: info.Size()}
	objects, err := rootio.Format{}.Inspect(context.Background(), src, wafer.InspectSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, o := range objects {
		fmt.Printf("%s %s: %d entries, %d columns\n", o.Kind, o.Name, o.Entries, len(o.Columns))
		fmt.Println(o.Images)
	}
	r, err := rootio.Format{}.Open(src, wafer.ReadSettings{Charge: "data"})
	if err != nil {
		fmt.Println(err)
		return
	}
	images, err := wafer.ReadAll(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(images.Len(), "images, charges as", r.Info().Unit)
	// Output:
	// TTree ntuple/HGCalTriggerNtuple: 2 entries, 15 columns
	// an image a wafer and event, of the trigger cells tc_*, charges as calq; trigger cells an event: about 82
	// 6 images, charges as data
}
