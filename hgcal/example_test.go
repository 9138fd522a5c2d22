package hgcal_test

import (
	"fmt"

	"barrow/hgcal"
)

func ExampleOrder_ToV9() {
	// A line of an ECON-T file counts channels as the chip does.
	order, err := hgcal.ParseOrder("postmux")
	if err != nil {
		fmt.Println(err)
		return
	}
	cell := order.ToV9()
	fmt.Println("channel 0 is trigger cell", cell[0])
	// Output: channel 0 is trigger cell 28
}

func ExamplePositions() {
	p, err := hgcal.Positions("benchmark")
	fmt.Printf("%d cells, cell 5 at (%.3f, %.3f) %v\n", len(p), p[5][0], p[5][1], err)
	// Output: 48 cells, cell 5 at (1.732, -3.000) <nil>
}
