package hgcal

import (
	"bufio"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// links16 is the column trigLinks of geometry_hgcal.txt.
const links16 = 24

func TestModules(t *testing.T) {
	for _, c := range []struct {
		g              Geometry
		modules        int
		layers, first  int
		last, em, full int
	}{
		{GeometryV11, 3464, 36, 1, 50, 14, 2815},
		{GeometryV16, 3052, 34, 1, 47, 13, 2590},
	} {
		all, layers := c.g.Modules(), c.g.TriggerLayers()
		em, full := 0, 0
		for _, l := range layers {
			if c.g.Electromagnetic(l) {
				em++
			}
		}
		for _, m := range all {
			if m.Full() {
				full++
			}
			if eta := m.Eta(); eta < 1.2 || eta > 3.3 || m.Z < 320 || m.Z > 525 || m.Links < 0 || m.Links > 11 {
				t.Errorf("%v: %+v, η %.2f", c.g, m, eta)
			}
			if phi := math.Atan2(m.Y, m.X); c.g == GeometryV11 && (phi < math.Pi/3-1e-3 || phi > math.Pi) {
				t.Errorf("%+v is outside of the sector", m)
			}
		}
		if len(all) != c.modules || len(layers) != c.layers || layers[0] != c.first || layers[len(layers)-1] != c.last ||
			em != c.em || full != c.full {
			t.Errorf("%v: %d modules (%d full), layers %v (%d electromagnetic)", c.g, len(all), full, layers, em)
		}
		if got, err := ParseGeometry(c.g.String()); err != nil || got != c.g {
			t.Error(got, err)
		}
	}
	if _, err := ParseGeometry("v8"); err == nil {
		t.Error("geometry v8 was accepted")
	}
}

// TestModulesAgainstTable compares the embedded table with its origin, row by
// row.
func TestModulesAgainstTable(t *testing.T) {
	f, err := os.Open(data(t, "geometry/geometry_hgcal.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	type key struct{ layer, u, v int }
	have := map[key]Module{}
	for _, m := range GeometryV16.Modules() {
		have[key{m.Layer, m.U, m.V}] = m
	}
	number := func(s string) int { x, _ := strconv.ParseFloat(s, 64); return int(x) }
	links, rows := 0, 0
	in := bufio.NewScanner(f)
	for in.Scan() {
		r := strings.Fields(in.Text())
		if r[0] == "plane" {
			continue
		}
		rows++
		m, ok := have[key{number(r[0]), number(r[1]), number(r[2])}]
		if !ok {
			if number(r[links16]) != 0 {
				t.Errorf("plane %s, wafer %s, %s has links but is not in the table", r[0], r[1], r[2])
			}
			continue
		}
		x, _ := strconv.ParseFloat(r[4], 64)
		y, _ := strconv.ParseFloat(r[5], 64)
		if m.Kind != r[3] || math.Abs(10*m.X-x) > 0.051 || math.Abs(10*m.Y-y) > 0.051 || m.Links != number(r[links16]) {
			t.Errorf("%+v, want %v", m, r[:24])
		}
		links += m.Links
	}
	if rows != 4342 || links == 0 {
		t.Errorf("%d rows, %d links", rows, links)
	}
}

func TestCellAt(t *testing.T) {
	for i, c := range CellCentres() {
		if got, ok := CellAt(c); !ok || got != i {
			t.Errorf("the centre of cell %d is in %d, %t", i, got, ok)
		}
	}
	if got, ok := CellAt(Point{}); !ok || got%16 != 3 {
		t.Errorf("the wafer's centre is in cell %d, %t", got, ok)
	}
	hit := [Cells]int{}
	const n = 400
	for a := range n {
		for b := range n {
			p := Point{16 * ((float64(a)+0.4)/n - 0.5), 16 * ((float64(b)+0.7)/n - 0.5)}
			cell, ok := CellAt(p)
			if ok != inside(p) {
				t.Fatalf("%v: in a cell %t, in the wafer %t", p, ok, inside(p))
			}
			if ok {
				hit[cell]++
			}
		}
	}
	for i, h := range hit {
		if h < 2000 || h > 2350 {
			t.Errorf("cell %d covers %d points, want about %d", i, h, 2165)
		}
	}
}

// TestRoom: nothing changes within a point's room, on the wafer and off it, and it is as large as it
// may be.
func TestRoom(t *testing.T) {
	for i, c := range CellCentres() {
		if got, want := Room(c), math.Sqrt(3)/2; math.Abs(got-want) > 1e-8 {
			t.Errorf("cell %d: %g around its centre, want %g", i, got, want)
		}
	}
	if got, want := Room(Point{11, 0}), 11-4*math.Sqrt(3); math.Abs(got-want) > 1e-8 {
		t.Errorf("%g beside the wafer, want %g", got, want)
	}
	const n, directions = 160, 36
	for a := range n {
		for b := range n {
			p := Point{20 * ((float64(a)+0.4)/n - 0.5), 20 * ((float64(b)+0.7)/n - 0.5)}
			cell, ok := CellAt(p)
			room := Room(p)
			for d := range directions {
				sin, cos := math.Sincos(2 * math.Pi * float64(d) / directions)
				q := Point{p[0] + room*cos, p[1] + room*sin}
				if c, in := CellAt(q); c != cell || in != ok {
					t.Fatalf("%v is in cell %d, %t, and %v, %g from it, in %d, %t", p, cell, ok, q, room, c, in)
				}
			}
		}
	}
}
