package physics

import (
	"context"

	"barrow/simulate"
	"barrow/wafer"
)

// Event is an endcap's images of one bunch crossing.
type Event struct {
	// Number is the event's in its source, Zside 1 or −1 its endcap.
	Number int64
	Zside  int
	// Images are those of the wafers, in CALQ, with the source's columns. Wafers
	// without any charge may be missing.
	Images wafer.Set
	// Wafers are the numbers of the images' wafers in the source's Geometry.
	Wafers []int32
	// Truth is what was generated: directions in the endcap's own frame (see the
	// package comment), Phi NaN where the source does not say it. None is minimum bias.
	Truth []simulate.Particle
	// Cones are the parts of the endcap that are there, nil if all of it is: what lies
	// beyond says nothing.
	Cones []simulate.Cone
}

// Holds reports whether all within a radius of the direction x/z, y/z is there.
func (e *Event) Holds(x, y, radius float64) bool {
	if e.Cones == nil {
		return true
	}
	for _, c := range e.Cones {
		if within(x-c.X, y-c.Y, c.Radius-radius) {
			return true
		}
	}
	return false
}

// within reports whether a vector is no longer than a radius.
func within(x, y, radius float64) bool {
	return radius >= 0 && float64(x*x)+float64(y*y) <= float64(radius*radius)
}

// Source is a stream of events.
type Source interface {
	// Geometry is where the events' wafers are.
	Geometry() *Geometry
	// Next replaces the contents of up to len(events) events, reusing their memory, by
	// the following ones and returns how many; io.EOF if there are none left.
	Next(ctx context.Context, events []*Event) (int, error)
	// Close frees what the source holds.
	Close() error
}
