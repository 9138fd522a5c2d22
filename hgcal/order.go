package hgcal

import (
	"fmt"
	"slices"
	"strings"
)

// Order is a numbering of the 48 trigger cells. Three are in circulation;
// reading a file in the wrong one silently corrupts every distance, so every
// reader takes it explicitly. The zero value is V9.
type Order int

const (
	// V9 is CMSSW's numbering, that of the training CSVs and of the ground
	// metrics. All of Barrow works in it.
	V9 Order = iota
	// PostMux is the numbering of ECON-T's channels behind its multiplexer, used
	// by the super-trigger-cell and best-choice algorithms.
	PostMux
	// Raster is the numbering of the autoencoder block's input: the occupied
	// pixels of the 8×8 arrangement, row by row.
	Raster
)

// Orders lists all numberings.
func Orders() []Order { return []Order{V9, PostMux, Raster} }

// OrderNames are those that ParseOrder takes.
func OrderNames() []string { return slices.Clone(orderNames[:]) }

var orderNames = [...]string{V9: "v9", PostMux: "postmux", Raster: "raster"}

// String returns the name that ParseOrder accepts.
func (o Order) String() string {
	if o < 0 || int(o) >= len(orderNames) {
		return fmt.Sprintf("Order(%d)", int(o))
	}
	return orderNames[o]
}

// ParseOrder returns the numbering called v9, postmux or raster.
func ParseOrder(name string) (Order, error) {
	for o, n := range orderNames {
		if n == name {
			return Order(o), nil
		}
	}
	return 0, fmt.Errorf("hgcal: unknown cell order %q: want %s", name, strings.Join(orderNames[:], ", "))
}

// Check reports a numbering that is none of Orders.
func (o Order) Check() error {
	if o < V9 || o > Raster {
		return fmt.Errorf("hgcal: no such cell order: %d; want one of %s", int(o), strings.Join(orderNames[:], ", "))
	}
	return nil
}

// postMux[i] is the ECON-T channel of V9 cell i. Source: column
// ECON_TC_Number_PostMux of LDM_TC_Mapping.csv in dnoonan08/HGCAL_Scripts.
var postMux = [Cells]int{
	31, 30, 27, 26, 28, 29, 24, 25, 19, 18, 23, 22, 16, 17, 20, 21,
	15, 14, 11, 10, 12, 13, 8, 9, 3, 2, 7, 6, 0, 1, 4, 5,
	47, 46, 43, 42, 44, 45, 40, 41, 35, 34, 39, 38, 32, 33, 36, 37,
}

// ToV9 returns the V9 cell of each position of the order: the charge that a
// file has at position j belongs to V9 cell ToV9()[j]. For an order that is
// none of Orders it is that of V9.
func (o Order) ToV9() [Cells]int {
	var cell [Cells]int
	switch o {
	case PostMux:
		for i, j := range postMux {
			cell[j] = i
		}
	case Raster:
		j := 0
		for _, i := range Arrange8x8() {
			if i >= 0 {
				cell[j] = i
				j++
			}
		}
	default:
		for j := range cell {
			cell[j] = j
		}
	}
	return cell
}

// FromV9 is the inverse of ToV9: the position in the order of each V9 cell.
func (o Order) FromV9() [Cells]int {
	var at [Cells]int
	for j, i := range o.ToV9() {
		at[i] = j
	}
	return at
}

// Map returns, for each position of order to, the position of the same cell in
// order from: dst[j] = src[Map(from, to)[j]] renumbers an image.
func Map(from, to Order) [Cells]int {
	at, cell := from.FromV9(), to.ToV9()
	for j, i := range cell {
		cell[j] = at[i]
	}
	return cell
}
