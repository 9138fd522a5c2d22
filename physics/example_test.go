package physics_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"barrow/econt"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/physics"
	"barrow/simulate"
	"barrow/wafer"
	"barrow/wafer/file"
)

// Electrons on top of 200 collisions, as clusters of all charges.
func Example() {
	source, err := physics.NewSimulated(physics.SimulatedSettings{N: 2, Events: simulate.EventSettings{
		Seed: 1, Class: simulate.Electron, PtMin: 40, PtMax: 60, PileUp: 200}})
	if err != nil {
		fmt.Println(err)
		return
	}
	finder, err := physics.NewFinder(source.Geometry(), physics.FinderSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	events := []*physics.Event{{}, {}}
	if _, err := source.Next(context.Background(), events); err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range events {
		clusters, err := finder.Find(e, e.Images.Charge)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("η %.2f φ %.2f, found at η %.2f φ %.2f\n", e.Truth[0].Eta, e.Truth[0].Phi, clusters[0].Eta, clusters[0].Phi)
	}
	// Output:
	// η 2.65 φ 1.86, found at η 2.65 φ 1.86
	// η 1.79 φ 2.78, found at η 1.79 φ 2.77
}

// A file of wafers with the particle of each event.
func ExampleOpenNtuple() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "events.parquet")
	images := &wafer.Set{Charge: make([]float64, 2*hgcal.Cells), Columns: []wafer.Column{
		{Name: "event", Int: []int64{4, 4}}, {Name: "zside", Int: []int64{-1, -1}}, {Name: "layer", Int: []int64{9, 11}},
		{Name: "waferu", Int: []int64{3, 3}}, {Name: "waferv", Int: []int64{0, 0}},
		{Name: "gen_eta", Float: []float64{-2.1, -2.1}}, {Name: "gen_pt", Float: []float64{35, 35}}}}
	if err := file.WriteAll(path, false, images, wafer.WriteSettings{}); err != nil {
		fmt.Println(err)
		return
	}
	source, err := physics.OpenNtuple(context.Background(), physics.NtupleSettings{Class: simulate.Electron}, path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	e := &physics.Event{}
	if _, err := source.Next(context.Background(), []*physics.Event{e}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("event %d, %d wafers, %v of %g GeV\n", e.Number, len(e.Wafers), e.Truth[0].Class, e.Truth[0].Pt)
	// Output: event 4, 2 wafers, electron of 35 GeV
}

func ExampleGeometry() {
	g := physics.NewGeometry(hgcal.GeometryV11)
	i, err := g.Find(9, 0, 5, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	eta, phi := physics.EtaPhi(g.Cell(i, 3))
	fmt.Printf("%s in sector 1: η %.2f, φ %.2f\n", g.Wafer(i).Module.Kind, eta, phi)
	// Output: FM in sector 1: η 2.10, φ -3.13
}

// A wafer's charges in the largest cell or spread over sixteen, on the modules' own links.
func ExampleNewAlgorithm() {
	g := physics.NewGeometry(hgcal.GeometryV11)
	wafer, err := g.Find(9, 0, 5, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := &physics.Event{Wafers: []int32{int32(wafer)}}
	e.Images.Charge = make([]float64, hgcal.Cells)
	e.Images.Charge[0], e.Images.Charge[1] = 96, 32.5
	links := physics.ModuleLinks(g)
	for _, decoding := range []evaluate.Decoding{evaluate.DecodeKept, evaluate.DecodeSpread} {
		c, err := physics.NewAlgorithm(evaluate.Scheme{Algorithm: econt.SuperTriggerCell, STCType: econt.STC16A5E4M, Decoding: decoding}, links)
		if err != nil {
			fmt.Println(err)
			return
		}
		out := make([][]float64, 1)
		if err := c.Decode(context.Background(), []*physics.Event{e}, out); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %.2f, %.2f\n", c.Name(), out[0][0], out[0][1])
	}
	// Output:
	// STC16 5E4M, modules' links: 131.50, 0.00
	// STC16 5E4M spread, modules' links: 8.22, 8.22
}

// What all cells leave of two electrons.
func ExampleMeasure() {
	source, err := physics.NewSimulated(physics.SimulatedSettings{N: 2, Events: simulate.EventSettings{
		Seed: 1, Class: simulate.Electron, PtMin: 40, PtMax: 60}})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = physics.Measure(context.Background(), source, []physics.Contender{physics.NewAllCells()}, physics.MeasureSettings{},
		func(b *physics.Block) error {
			for _, r := range b.Records[0] {
				fmt.Printf("η %.2f, found: %v at η %.2f\n", r.Truth.Eta, r.Found, r.Eta)
			}
			return nil
		})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// η 2.65, found: true at η 2.65
	// η 1.79, found: true at η 1.79
}
