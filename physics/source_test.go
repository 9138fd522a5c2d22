package physics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/simulate"
	"barrow/wafer"
	"barrow/wafer/file"
)

// all reads a source to its end, a few events at a time.
func all(t testing.TB, s Source, few int) ([]*Event, error) {
	t.Helper()
	var list []*Event
	for {
		events := make([]*Event, few)
		for i := range events {
			events[i] = &Event{}
		}
		n, err := s.Next(context.Background(), events)
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		if n < 1 || n > few {
			t.Fatalf("%d events of at most %d", n, few)
		}
		list = append(list, events[:n]...)
	}
}

// TestSimulated: events are the same for any number of threads and at a time, their
// wafers those of the generator.
func TestSimulated(t *testing.T) {
	s := SimulatedSettings{First: 10, N: 7, Events: simulate.EventSettings{Class: simulate.Electron, PileUp: 50, Layers: []int{5, 9}, Threads: 1}}
	read := func(few int) []*Event {
		source, err := NewSimulated(s)
		if err != nil {
			t.Fatal(err)
		}
		list, err := all(t, source, few)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	one := read(7)
	s.Events.Threads = 3
	several := read(2)
	if len(one) != 7 || len(several) != 7 {
		t.Fatalf("%d and %d events", len(one), len(several))
	}
	for i, e := range one {
		o := several[i]
		if e.Number != int64(10+i) || o.Number != e.Number || e.Images.Digest() != o.Images.Digest() || !slices.Equal(e.Wafers, o.Wafers) ||
			fmt.Sprint(e.Truth, e.Cones) != fmt.Sprint(o.Truth, o.Cones) {
			t.Errorf("event %d differs", e.Number)
		}
		p := e.Truth[0]
		x, y := Direction(p.Eta, p.Phi)
		if len(e.Cones) != 1 || !e.Holds(x, y, 0.07) || e.Holds(x, y, 0.09) {
			t.Errorf("event %d: cones %v around a particle at %g, %g", e.Number, e.Cones, x, y)
		}
	}
	s.Events.Class, s.N = simulate.Jet, 1
	if e := read(1)[0]; len(e.Cones) != 1+len(e.Truth[0].Parts) || len(e.Cones) < 3 {
		t.Errorf("a jet of %d parts has the cones %v", len(e.Truth[0].Parts), e.Cones)
	}
	s.Events.Class = simulate.PileUp
	if e := read(1)[0]; e.Cones != nil || len(e.Truth) != 0 || e.Images.Len() < 400 || !e.Holds(9, 9, 9) {
		t.Errorf("minimum bias: cones %v, truth %v, %d wafers", e.Cones, e.Truth, e.Images.Len())
	}
	for want, bad := range map[string]SimulatedSettings{
		"-1 events": {N: -1}, "reach NaN": {Reach: math.NaN()}, "nothing to draw": {},
	} {
		if _, err := NewSimulated(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", bad, err, want)
		}
	}
}

// ntuple is rows of a file: event, zside, layer, u, v of the endcap, gen_eta, gen_pt,
// gen_phi, and the charge of cell 5.
type ntuple [][]float64

var ntupleNames = []string{"event", "zside", "layer", "waferu", "waferv", "gen_eta", "gen_pt", "gen_phi"}

// set makes a set of it, without the columns named.
func (n ntuple) set(without ...string) *wafer.Set {
	s := &wafer.Set{Charge: make([]float64, len(n)*hgcal.Cells)}
	for c, name := range ntupleNames {
		if slices.Contains(without, name) {
			continue
		}
		column := wafer.Column{Name: name}
		for i, row := range n {
			if c == 0 {
				s.Image(i)[5] = row[len(ntupleNames)]
			}
			column.Float = append(column.Float, row[c])
		}
		s.Columns = append(s.Columns, column)
	}
	return s
}

func write(t testing.TB, name string, s *wafer.Set) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := file.WriteAll(path, false, s, wafer.WriteSettings{}); err != nil {
		t.Fatal(err)
	}
	return path
}

var nan = math.NaN()

// TestNtuple reads two files, each with an event 1, whose endcaps are mixed.
func TestNtuple(t *testing.T) {
	first := ntuple{
		{7, 1, 9, 3, 0, 2.1, 20, 0.5, 100}, {7, -1, 9, 3, 0, -1.9, 30, 0.5, 200}, {7, 1, 11, 3, -1, 2.1, 20, 0.5, 300},
		{8, -1, 9, 3, 0, nan, nan, nan, 400},
		{1, 1, 9, 3, 0, 1.8, 40, -3, 500},
	}
	second := ntuple{{1, 1, 9, 3, 0, 1.7, 50, 3, 600}}
	for _, ending := range []string{"csv", "npz", "parquet"} {
		for _, without := range [][]string{nil, {"gen_phi"}} {
			n, err := OpenNtuple(context.Background(), NtupleSettings{Class: simulate.Electron},
				write(t, "a."+ending, first.set(without...)), write(t, "b."+ending, second.set(without...)))
			if err != nil {
				t.Fatal(err)
			}
			events, err := all(t, n, 3)
			if err != nil {
				t.Fatal(err)
			}
			if len(events) != 4 || n.Skipped() != 1 {
				t.Fatalf("%s: %d events, %d left out", ending, len(events), n.Skipped())
			}
			for i, want := range []struct {
				number  int64
				zside   int
				charges []float64
				eta, pt float64
				phi     float64
			}{{7, 1, []float64{100, 300}, 2.1, 20, 0.5}, {7, -1, []float64{200}, 1.9, 30, math.Pi - 0.5},
				{1, 1, []float64{500}, 1.8, 40, -3}, {1, 1, []float64{600}, 1.7, 50, 3}} {
				e := events[i]
				p := e.Truth[0]
				if e.Number != want.number || e.Zside != want.zside || len(e.Wafers) != len(want.charges) || p.Eta != want.eta || p.Pt != want.pt ||
					p.Class != simulate.Electron || math.Abs(p.Energy-p.Pt*math.Cosh(p.Eta)) > 1e-9 {
					t.Errorf("%s: event %d is %+v, want %+v", ending, i, e, want)
				}
				if without == nil && math.Abs(p.Phi-want.phi) > 1e-12 || without != nil && !math.IsNaN(p.Phi) {
					t.Errorf("%s: event %d has φ %g", ending, i, p.Phi)
				}
				for k, q := range want.charges {
					w := geometry.Wafer(int(e.Wafers[k]))
					if e.Images.Image(k)[5] != q || w.U != 3 || w.V != -k || w.Module.Layer != 9+2*k || w.Sector != 1 {
						t.Errorf("%s: event %d, image %d: %g on %+v", ending, i, k, e.Images.Image(k)[5], w)
					}
				}
			}
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestNtupleOfSimulated writes simulated events and reads them back, by sector and by
// numbers of the endcap: the clusters are the same.
func TestNtupleOfSimulated(t *testing.T) {
	source, err := NewSimulated(SimulatedSettings{N: 3, Events: simulate.EventSettings{Class: simulate.Photon, PileUp: 20, PtMin: 20}})
	if err != nil {
		t.Fatal(err)
	}
	want, err := all(t, source, 3)
	if err != nil {
		t.Fatal(err)
	}
	f := finder(t, FinderSettings{})
	for _, turned := range []bool{false, true} {
		var set wafer.Set
		for _, e := range want {
			part := *e.Images.Slice(0, e.Images.Len())
			part.Columns = slices.Clone(part.Columns)
			n := part.Len()
			part.Columns = append(part.Columns, wafer.Column{Name: "gen_pt", Float: slices.Repeat([]float64{e.Truth[0].Pt}, n)})
			if turned {
				part.Columns = slices.DeleteFunc(part.Columns, func(c wafer.Column) bool { return c.Name == "sector" })
				u, v := make([]float64, n), make([]float64, n)
				for i, at := range e.Wafers {
					u[i], v[i] = float64(geometry.Wafer(int(at)).U), float64(geometry.Wafer(int(at)).V)
				}
				part.Column("waferu").Float, part.Column("waferv").Float = u, v
			}
			if err := set.Append(&part); err != nil {
				t.Fatal(err)
			}
		}
		n, err := OpenNtuple(context.Background(), NtupleSettings{Class: simulate.Photon}, write(t, "events.parquet", &set))
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		got, err := all(t, n, 2)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d events: %v", len(got), err)
		}
		for i, e := range got {
			if !slices.Equal(e.Wafers, want[i].Wafers) || e.Truth[0].Pt != want[i].Truth[0].Pt {
				t.Errorf("event %d differs", i)
			}
			a, b := find(t, f, e), find(t, f, want[i])
			if len(a) == 0 || fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("event %d: %d clusters, want %d the same", i, len(a), len(b))
			}
		}
	}
}

// TestNtupleOfGenerator reads whole events of Generator: electrons, photons and pions,
// and pile-up alone, which is left out.
func TestNtupleOfGenerator(t *testing.T) {
	g, err := simulate.New(simulate.Settings{Whole: true, Layers: []int{5, 9}, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	var set wafer.Set
	var classes []string
	for k := range uint64(8) {
		var event wafer.Set
		g.Event(k, &event)
		if c := event.Column("class").Text[0]; c != "pileup" {
			classes = append(classes, fmt.Sprintf("%s of %.6f at %.6f", c, event.Column("EventSimEnergy").Float[0], event.Column("gen_eta").Float[0]))
		}
		if err := set.Append(&event); err != nil {
			t.Fatal(err)
		}
	}
	n, err := OpenNtuple(context.Background(), NtupleSettings{Class: simulate.Electron}, write(t, "events.csv", &set))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	list, err := all(t, n, 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		p := e.Truth[0]
		got = append(got, fmt.Sprintf("%v of %.6f at %.6f", p.Class, p.Energy, p.Eta))
	}
	if len(classes) == 0 || len(classes) == 8 || !slices.Equal(got, classes) || n.Skipped() != 8-len(classes) {
		t.Errorf("%q, %d left out, want %q", got, n.Skipped(), classes)
	}
}

// TestAstray: a file whose wafers are elsewhere than in the geometry is remarked on.
func TestAstray(t *testing.T) {
	at, err := geometry.findTurned(9, 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	eta, phi := EtaPhi(geometry.Cell(at, 20))
	for _, c := range []struct {
		zside, phi float64
		want       int
	}{{1, phi, 0}, {-1, math.Pi - phi, 0}, {1, math.Pi - phi, 1}, {1, phi + 1, 1}, {-1, phi, 1}} {
		set := ntuple{{1, c.zside, 9, 3, 0, c.zside * 1.7, 50, 3, 600}}.set()
		set.Columns = append(set.Columns, wafer.Column{Name: "eta", Float: []float64{c.zside * eta}}, wafer.Column{Name: "phi", Float: []float64{c.phi}})
		n, err := OpenNtuple(context.Background(), NtupleSettings{Class: simulate.Electron}, write(t, "a.csv", set))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := all(t, n, 1); err != nil {
			t.Fatal(err)
		}
		if r := n.Remarks(); len(r) != c.want || c.want == 1 && !strings.Contains(r[0], "1 of 1 wafers are elsewhere in geometry v11") {
			t.Errorf("%+v: %q", c, r)
		}
	}
}

// TestNtupleErrors reads files that are no events.
func TestNtupleErrors(t *testing.T) {
	good := []float64{1, 1, 9, 3, 0, 1.7, 50, 3, 600}
	with := func(column int, v float64) ntuple {
		row := slices.Clone(good)
		row[column] = v
		return ntuple{good, row}
	}
	for _, c := range []struct {
		want  string
		set   *wafer.Set
		class simulate.Class
	}{
		{"no column event or entry, waferu: a wafer of an event", ntuple{good}.set("event", "waferu"), simulate.Electron},
		{"no column gen_eta, gen_pt: events without generator truth", ntuple{good}.set("gen_eta", "gen_pt"), simulate.Electron},
		{"layer 10 makes no trigger data in geometry v11", with(2, 10).set(), simulate.Electron},
		{"layer 9 of geometry v11 has no wafer 99, 0", with(3, 99).set(), simulate.Electron},
		{"column waferv is 0.5: want a whole number", with(4, 0.5).set(), simulate.Electron},
		{"column zside is 0: want 1 or -1", with(1, 0).set(), simulate.Electron},
		{"occurs twice in event 1", with(8, 3).set(), simulate.Electron},
		{"has another generated particle", ntuple{good, {1, 1, 11, 3, 0, 1.7, 51, 3, 600}}.set(), simulate.Electron},
		{"generated particle of η 1.7 and p_T -5", with(6, -5)[1:].set(), simulate.Electron},
		{"none of 1 endcaps in the files has a generated particle", ntuple{{1, 1, 9, 3, 0, nan, nan, nan, 5}}.set(), simulate.Electron},
	} {
		path := write(t, "bad.csv", c.set)
		n, err := OpenNtuple(context.Background(), NtupleSettings{Class: c.class}, path)
		if err == nil {
			_, err = all(t, n, 5)
			n.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
		if err != nil && strings.Contains(c.want, "column") && !strings.Contains(err.Error(), "bad.csv") {
			t.Errorf("%v does not name the file", err)
		}
	}
	// Minimum bias needs no truth.
	n, err := OpenNtuple(context.Background(), NtupleSettings{}, write(t, "bias.csv", ntuple{good}.set("gen_eta", "gen_pt", "gen_phi", "zside")))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if list, err := all(t, n, 2); err != nil || len(list) != 1 || len(list[0].Truth) != 0 || list[0].Zside != 1 {
		t.Errorf("minimum bias: %v, %v", list, err)
	}
	if _, err := OpenNtuple(context.Background(), NtupleSettings{}, filepath.Join(t.TempDir(), "none.csv")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := n.Next(ctx, []*Event{{}}); err == nil {
		t.Error("a cancelled context reads on")
	}
}
