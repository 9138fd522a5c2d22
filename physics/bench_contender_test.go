package physics

import (
	"context"
	"testing"

	"barrow/simulate"
)

// BenchmarkContenders sends the wafers of electrons in pile-up 200 on three links.
func BenchmarkContenders(b *testing.B) {
	source, err := NewSimulated(SimulatedSettings{Events: simulate.EventSettings{Class: simulate.Electron, PileUp: 200}})
	if err != nil {
		b.Fatal(err)
	}
	events := make([]*Event, 8)
	wafers := 0
	for k := range events {
		events[k] = &Event{}
		if err := source.Event(uint64(k), events[k]); err != nil {
			b.Fatal(err)
		}
		wafers += len(events[k].Wafers)
	}
	links, err := SameLinks(source.Geometry(), 3)
	if err != nil {
		b.Fatal(err)
	}
	out := make([][]float64, len(events))
	for _, c := range contenders(b, links, events) {
		b.Run(c.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Decode(context.Background(), events, out); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*wafers)/b.Elapsed().Seconds(), "wafers/s")
		})
	}
}
