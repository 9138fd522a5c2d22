package report_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strings"

	"barrow/report"
)

// A page is plain data; Write draws it.
func ExampleWrite() {
	page := report.Page{
		Title:   "Encoders, two losses",
		Summary: []string{"Mean exact EMD on held-out images."},
		Sections: []report.Section{{
			Title: "Result",
			Figures: []report.Figure{{
				ID:    "emd-mean",
				Title: "Mean EMD per loss",
				Intervals: &report.Intervals{
					X:      report.Axis{Label: "mean EMD", Unit: "half TC pitch"},
					Spread: "95 % bootstrap interval",
					Rows: []report.Interval{
						{Name: "telescope MSE", Value: 1.231, Low: 1.21, High: 1.25},
						{Name: "exact EMD", Value: 0.861, Low: 0.85, High: 0.88},
					},
				},
			}},
		}},
	}
	var b bytes.Buffer
	if err := report.Write(&b, page); err != nil {
		fmt.Println(err)
		return
	}
	html := b.String()
	fmt.Println(html[:15], strings.Count(html, "<svg"), "drawing,", strings.Count(html, "http:"), "requests")
	// Output:
	// <!DOCTYPE html> 1 drawing, 0 requests
}

// Faults in the data are errors that say where.
func ExampleWrite_error() {
	err := report.Write(os.Stdout, report.Page{Title: "t", Sections: []report.Section{{
		Title: "Training",
		Figures: []report.Figure{{
			ID: "loss", Title: "Loss",
			Lines: &report.Lines{X: report.Axis{Label: "epoch"}, Y: report.Axis{Label: "loss"},
				Series: []report.Line{{Name: "validation", X: []float64{1, 2}, Y: []float64{0.5, math.NaN()}}}},
		}},
	}}})
	fmt.Println(err)
	// Output:
	// report: figure "loss": line "validation": y: value 1 is NaN (section 1 "Training")
}

// Single figures become SVG files that follow light and dark settings.
func ExampleSVG() {
	f := report.Figure{
		Title: "EMD against occupancy",
		Profile: &report.Profile{
			X:     report.Axis{Label: "occupancy", Unit: "cells above 1 MIP_T"},
			Y:     report.Axis{Label: "EMD", Unit: "half TC pitch"},
			Edges: []float64{0, 4, 8},
			Series: []report.Band{
				{Name: "exact EMD", Mid: []float64{0.95, 0.94}, Low: []float64{0.70, 0.71}, High: []float64{1.25, 1.2}},
			},
		},
	}
	var b bytes.Buffer
	if err := report.SVG(&b, f); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.Contains(b.String(), "prefers-color-scheme:dark"), strings.Contains(b.String(), "half TC pitch"))
	// Output:
	// true true
}

// PNG puts figures beside each other, for a README.
func ExamplePNG() {
	wafer := make([]float64, 48)
	wafer[5], wafer[6] = 3, 1
	decoded := make([]float64, 48)
	decoded[5], decoded[6], decoded[9] = 2.5, 1, 0.5
	f := report.Figure{Title: "One wafer", Wafers: &report.Wafers{
		Unit: "MIP_T", Columns: []string{"exact EMD"},
		Rows: []report.WaferRow{{Name: "2 cells", Input: wafer, Decoded: [][]float64{decoded}, Notes: []string{"EMD 0.25"}}},
	}}
	var b bytes.Buffer
	err := report.PNG(&b, f)
	fmt.Printf("%q %v\n", b.Bytes()[1:4], err)
	// Output:
	// "PNG" <nil>
}

// Bin counts values for a histogram and says how many lay outside.
func ExampleBin() {
	edges := report.Even(0, 2, 4)
	count, outside, err := report.Bin([]float64{0.1, 0.6, 0.7, 2, 3}, edges)
	fmt.Println(edges, count, outside, err)
	// Output:
	// [0 0.5 1 1.5 2] [1 2 0 1] 1 <nil>
}

// BinXY counts pairs for a density, lowest y first.
func ExampleBinXY() {
	edges := report.Even(0, 2, 2)
	count, outside, err := report.BinXY([]float64{0.5, 1.5, 1.5}, []float64{0.5, 0.5, 2.5}, edges, edges)
	fmt.Println(count, outside, err)
	// Output:
	// [1 1 0 0] 1 <nil>
}
