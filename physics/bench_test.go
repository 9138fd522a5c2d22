package physics

import (
	"testing"

	"barrow/simulate"
)

// BenchmarkEvents draws electrons in pile-up 200, and finds their clusters.
func BenchmarkEvents(b *testing.B) {
	source, err := NewSimulated(SimulatedSettings{Events: simulate.EventSettings{Class: simulate.Electron, PileUp: 200}})
	if err != nil {
		b.Fatal(err)
	}
	f := finder(b, FinderSettings{})
	var e Event
	wafers, k := 0, uint64(0)
	b.Run("draw", func(b *testing.B) {
		wafers = 0
		for b.Loop() {
			if err := source.Event(k, &e); err != nil {
				b.Fatal(err)
			}
			k++
			wafers += e.Images.Len()
		}
		b.ReportMetric(float64(wafers)/float64(b.N), "wafers/op")
	})
	b.Run("find", func(b *testing.B) {
		for b.Loop() {
			find(b, f, &e)
		}
	})
}

// BenchmarkMeasure draws electrons in pile-up 200 and measures what arrives of all cells.
func BenchmarkMeasure(b *testing.B) {
	wafers, m := 0, metric(b)
	source, err := NewSimulated(SimulatedSettings{N: 256, Events: simulate.EventSettings{Class: simulate.Electron, PileUp: 200}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		source.done = 0
		for _, block := range measureAll(b, source, MeasureSettings{Metric: m}, NewAllCells()) {
			wafers += block.Wafers
		}
	}
	b.ReportMetric(float64(wafers)/b.Elapsed().Seconds(), "wafers/s")
}
