package arrays

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/wafer"
)

// list is an array of numbers, shape behind the rows.
func list(name string, rows int, shape ...int) Part {
	return Part{Name: name, Path: name, Rows: rows, Shape: shape, Numbers: true, Kind: fmt.Sprintf("float64 (%d, %v)", rows, shape)}
}

// cells are arrays of 5 numbers called prefix and a count from first.
func cells(prefix string, first int) []Part {
	var parts []Part
	for k := range hgcal.Cells {
		parts = append(parts, list(fmt.Sprint(prefix, k+first), 5))
	}
	return parts
}

func Example() {
	parts := []Part{
		{Name: "CALQ", Path: "CALQ", Rows: 5, Shape: []int{48}, Numbers: true, Kind: "float64 (5, 48)"},
		{Name: "layer", Path: "layer", Rows: 5, Numbers: true, Kind: "int64 (5,)"},
		{Name: "edges", Path: "edges", Rows: 7, Numbers: true, Kind: "float64 (7,)"},
	}
	var r Roles
	if found, err := r.Named(parts, wafer.ReadSettings{}); !found || err != nil {
		fmt.Println(err)
		return
	}
	if err := r.Settle(parts, "", "calq", wafer.ReadSettings{}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Charges, r.Columns, r.Unit, r.Remarks)
	// Output: [0] [1] calq [left out: edges: float64 (7,) (there are 5 images, and this is no list of as many)]
}

func TestRoles(t *testing.T) {
	backward := cells("CALQ_postmux_", 0)
	slices.Reverse(backward)
	swap := func(parts []Part, i int, p Part) []Part {
		parts[i] = p
		return parts
	}
	unread := Part{Name: "CALQ", Kind: "object (5,)", Unread: "objects"}
	for name, c := range map[string]struct {
		parts       []Part
		order, unit string
		s           wafer.ReadSettings
		want        string // of the error, or the charges
	}{
		"whole":           {parts: []Part{list("x", 5, 48), list("calq", 5, 48)}, want: "[1]"},
		"cells":           {parts: append(cells("CALQ_", 0), list("layer", 5)), want: "[0 1 2 "},
		"backward":        {parts: backward, s: wafer.ReadSettings{Order: hgcal.PostMux}, want: "[47 46 45 "},
		"order":           {parts: backward, want: "order=postmux"},
		"order said":      {parts: []Part{list("CALQ", 5, 48)}, order: "raster", s: wafer.ReadSettings{Order: hgcal.Raster}, want: "[0]"},
		"order said v9":   {parts: []Part{list("CALQ", 5, 48)}, order: "v9", s: wafer.ReadSettings{Order: hgcal.Raster}, want: "order=v9"},
		"two orders":      {parts: []Part{list("CALQ_raster", 5, 48)}, order: "postmux", want: "the file says that their order is postmux"},
		"no order":        {parts: []Part{list("CALQ", 5, 48)}, order: "spiral", want: "is \"spiral\", which is none of v9, postmux, raster"},
		"no order, asked": {parts: []Part{list("CALQ", 5, 48)}, order: "spiral", s: wafer.ReadSettings{Order: hgcal.Raster}, want: "[0]"},
		"no order, named": {parts: []Part{list("CALQ_v9", 5, 48)}, order: "spiral", want: "[0]"},
		"mixed":           {parts: swap(cells("CALQ_", 0), 3, list("CALQ_raster_3", 5)), want: "more than one cell order"},
		"two":             {parts: []Part{list("CALQ", 5, 48), list("wafer_CALQ", 5, 48)}, want: "tree=CALQ (float64 (5, [48])), or tree=wafer_CALQ"},
		"whole and cells": {parts: append(cells("CALQ_", 0), list("CALQ", 5, 48)), want: "tree=CALQ"},
		"two of none":     {parts: []Part{list("CALQ", 5, 64), list("wafer_CALQ", 5, 64)}, want: "none is N×48"},
		"from one":        {parts: cells("CALQ_", 1), want: "header=first"},
		"from one, said":  {parts: cells("CALQ_", 1), s: wafer.ReadSettings{Header: "first"}, want: "[0 1 2 "},
		"49":              {parts: append(cells("CALQ_", 0), list("CALQ_48", 5)), want: "49 charges"},
		"missing":         {parts: cells("CALQ_", 0)[1:], want: "no CALQ_0"},
		"twice":           {parts: append(cells("CALQ_", 0), list("CALQ07", 5)), want: "both CALQ_7 and CALQ07 are charge 7"},
		"unequal":         {parts: swap(cells("CALQ_", 0), 3, list("CALQ_3", 4)), want: "must be as many"},
		"wide":            {parts: swap(cells("CALQ_", 0), 3, list("CALQ_3", 5, 2)), want: "not one number an image"},
		"transposed":      {parts: []Part{list("CALQ", 48, 5)}, want: "transposed"},
		"one image":       {parts: []Part{list("CALQ", 48)}, want: "one image"},
		"64":              {parts: []Part{list("CALQ", 5, 64)}, want: "has 48 charges"},
		"arranged":        {parts: []Part{list("CALQ", 5, 8, 8)}, want: "arrangement"},
		"unread":          {parts: []Part{unread}, want: "objects"},
		"empty":           {parts: []Part{list("CALQ", 0, 48)}, want: "no images"},
	} {
		var r Roles
		found, err := r.Named(c.parts, c.s)
		if err == nil && found {
			err = r.Settle(c.parts, c.order, c.unit, c.s)
		}
		got := fmt.Sprint(r.Charges)
		if err != nil {
			got = err.Error()
		}
		if !found || !strings.Contains(got, c.want) || (err == nil) != (c.want[0] == '[') {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	var r Roles
	if found, err := r.Named([]Part{list("x", 5, 48)}, wafer.ReadSettings{}); found || err != nil {
		t.Errorf("a name that is no charges': %v, %v", found, err)
	}
}

func TestCheck(t *testing.T) {
	cells := hgcal.PostMux.ToV9()
	where := func(i, j int) (string, bool) { return fmt.Sprint(i, " ", j), j == 7 }
	for want, change := range map[string]func(charge []float64){
		"":                                     func(c []float64) { c[0], c[cells[6]] = 1<<52, 1<<60 },
		"1 6: charge -1 is not a finite":       func(c []float64) { c[48+cells[6]] = -1 },
		"0 0: charge NaN is not":               func(c []float64) { c[cells[0]] = math.NaN() },
		"1 47: charge +Inf is not":             func(c []float64) { c[48+cells[47]] = math.Inf(1) },
		"1 7: charge 9.007199254740992e+15 is": func(c []float64) { c[48+cells[7]] = 1 << 53 },
		"1 -1: the charges sum to more":        func(c []float64) { c[48], c[49] = math.MaxFloat64, math.MaxFloat64 },
	} {
		charge := make([]float64, 2*hgcal.Cells)
		change(charge)
		err := Check(charge, &cells, where)
		if err == nil {
			err = errors.New("")
		}
		if got := err.Error(); got != want && (want == "" || !strings.HasPrefix(got, want)) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestOnly: charges of another name are remarked on, unless there are no names.
func TestOnly(t *testing.T) {
	for name, want := range map[string]int{"x": 1, "": 0} {
		var r Roles
		parts := []Part{{Name: name, Path: "a/" + name, Shape: []int{48}, Rows: 3, Numbers: true}}
		if err := r.Only(parts, 0); err != nil || len(r.Charges) != 1 || len(r.Remarks) != want {
			t.Errorf("%q: %v, %+v", name, err, r)
		}
		if want > 0 && !strings.Contains(r.Remarks[0], "a/x is taken for the charges") {
			t.Errorf("remarks %q", r.Remarks)
		}
	}
}
