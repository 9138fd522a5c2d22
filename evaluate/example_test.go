package evaluate_test

import (
	"context"
	"fmt"

	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/wafer"
)

// One image with all its charge in cell 5, decoded with all of it in the
// neighbouring cell 9 and a tenth too much.
func ExampleImages() {
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		fmt.Println(err)
		return
	}
	image, decoded := &wafer.Set{Charge: make([]float64, evaluate.Cells)}, &wafer.Set{Charge: make([]float64, evaluate.Cells)}
	image.Charge[5], decoded.Charge[9] = 100, 110
	e, err := evaluate.Images(context.Background(), metric, image, decoded, evaluate.Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{evaluate.EMD, evaluate.Response} {
		fmt.Println(e.Of(name).Label, e.Of(name).Print())
	}
	// Output:
	// EMD 2.000
	// response 1.100 ± 0.000
}

// An image of two cells through the chip on one link: best choice sends the
// larger cell alone, with its charge, and the sum of the rest. 5E3M reads the
// 64 counts as 64 to 71.
func ExampleChip() {
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		fmt.Println(err)
		return
	}
	image := &wafer.Set{Charge: make([]float64, evaluate.Cells)}
	image.Charge[5], image.Charge[9] = 128, 64 // neighbours, 2 apart
	list, err := evaluate.Chip(context.Background(), metric, image, evaluate.Schemes(1)[:2], evaluate.ChipSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range list {
		fmt.Printf("%s, %s: %.0f of %d bits, EMD %.3f, response %.2f\n", b.Name, b.Decoding, b.Bits, b.LinkBits, b.Fidelity.Of(evaluate.EMD).Mean, b.Fidelity.Of(evaluate.Response).Mean)
	}
	// Output:
	// best choice, kept: 25 of 32 bits, EMD 0.667, response 0.71
	// best choice, spread: 25 of 32 bits, EMD 2.190, response 1.06
}

// The chip's algorithms for a module with two links, those with sums of bits that are dropped.
func ExampleSchemesOn() {
	for _, s := range evaluate.SchemesOn(2) {
		if s.Decoding == evaluate.DecodeSpread {
			same, err := evaluate.ParseShort(s.Short())
			fmt.Println(s.Short(), s.Links, s.Drops(), s.Learns(), same.STCType == s.STCType, err)
		}
	}
	// Output:
	// BC 2 true true true <nil>
	// STC4 5E4M 2 false true true <nil>
	// STC16 5E4M 2 false true true <nil>
	// CTC4 4E3M 2 true true true <nil>
	// STC4 4E3M 2 true true true <nil>
	// CTC4 5E4M 2 false true true <nil>
	// TS 2 true true true <nil>
}
