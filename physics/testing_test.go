package physics

import (
	"testing"

	"barrow/hgcal"
)

// shared by all tests: its tables take a moment.
var geometry = NewGeometry(hgcal.GeometryV11)

// put adds a charge in CALQ to a cell of a wafer of an event.
func put(e *Event, wafer, cell int, charge float64) {
	at := -1
	for i, w := range e.Wafers {
		if int(w) == wafer {
			at = i
		}
	}
	if at < 0 {
		at = len(e.Wafers)
		e.Wafers = append(e.Wafers, int32(wafer))
		e.Images.Charge = append(e.Images.Charge, make([]float64, hgcal.Cells)...)
	}
	e.Images.Image(at)[cell] += charge
}

// turn is the event turned by n times 120°.
func turn(t testing.TB, e *Event, n int) *Event {
	t.Helper()
	turned := *e
	turned.Wafers = nil
	for _, at := range e.Wafers {
		w := geometry.Wafer(int(at))
		to, err := geometry.Find(w.Module.Layer, w.Module.U, w.Module.V, (w.Sector+n)%hgcal.Sectors)
		if err != nil {
			t.Fatal(err)
		}
		turned.Wafers = append(turned.Wafers, int32(to))
	}
	return &turned
}
