package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// someRows are two classes at three sizes, whose times are powers of the pixels; one peer gives up.
func someRows() ([]largeRow, []*largePeer) {
	peers := []*largePeer{{peer: &peer{name: "pot_core", title: "POT core, ms", version: "0"}}, {peer: &peer{name: "none", title: "None, ms"}}}
	var rows []largeRow
	for _, side := range []int{8, 16, 32} {
		n := float64(side * side)
		for k, class := range []string{"shapes", "cauchy"} {
			x := largeRow{Class: class, Norm: "l2", Side: side, Points: side * side, BarrowMS: float64(1+k) * n * math.Sqrt(n), Peers: map[string]float64{}, Ratios: map[string]float64{}}
			if side == 8 {
				x.BarrowMS = 1e9 // another program
			}
			if side < 32 || k == 0 {
				worst := n * 1e-16
				x.Peers["pot_core"], x.Ratios["pot_core"], x.MaxDifference = 10*x.BarrowMS, 10, &worst
			}
			rows = append(rows, x)
		}
	}
	return append(rows, largeRow{Class: "cloud", Norm: "l2", Points: 256, BarrowMS: 1e6}), peers
}

// TestGrowths: medians by size, exponents of what is no mask, and no line of a program without times.
func TestGrowths(t *testing.T) {
	rows, peers := someRows()
	list := growths(rows, peers)
	if len(list) != 2 || list[0].name != "Barrow" || list[1].name != "POT core" {
		t.Fatalf("%+v", list)
	}
	g := list[0]
	if !slices.Equal(g.x, []float64{64, 256, 1024}) || math.Abs(g.y[1]-1.5*4096) > 1e-9 || math.Abs(g.exponent-1.5) > 1e-12 {
		t.Errorf("%+v", g)
	}
	if from := fittedFrom(list); from != " from 16² on" {
		t.Errorf("fitted%s", from)
	}
	if g := newGrowth("x", "l2", rows[:2], func(x largeRow) (float64, bool) { return x.BarrowMS, true }); !math.IsNaN(g.exponent) || g.power("^") != "" || fittedFrom([]growth{g}) != "" {
		t.Errorf("an exponent of one size: %+v", g)
	}
	table := growthTable(list)
	if n := len(table.Columns); n != 6 || table.Columns[n-1].Head != "pixels to the, from 16² on" || table.Columns[2].Head != "8², ms" || table.Rows[0]["ms256"] != 6140.0 {
		t.Errorf("%+v", table)
	}
	path := filepath.Join(t.TempDir(), "growth.svg")
	if err := plotGrowth(path, list); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Contains(b, []byte("POT core")) {
		t.Errorf("%s, %v", b, err)
	}
	other := list[0]
	other.norm = "l1"
	if err := plotGrowth(path, append([]growth{other}, list...)); err == nil {
		t.Error("two figures in one SVG")
	}
}

// TestClassTable: medians and their ratios, of programs that solved all classes.
func TestClassTable(t *testing.T) {
	rows, peers := someRows()
	table := classTable(rows, peers)
	if len(table.Rows) != 3 {
		t.Fatalf("%+v", table.Rows)
	}
	row := table.Rows[1]
	if row["side"] != 16 || row["barrow_ms"] != 1.5*4096 || row["slowest_ms"] != 2*4096.0 || row["pot_core"] != "6.14e+04 (10.0)" || row["max_difference"] != 256*1e-16 || row["none"] != nil {
		t.Errorf("%v", row)
	}
	if table.Rows[2]["pot_core"] != nil {
		t.Error("a median of a class too few", table.Rows[2])
	}
	path := filepath.Join(t.TempDir(), "t.json")
	if err := writeResults(path, table, peers); err != nil {
		t.Fatal(err)
	}
	var back results
	if b, err := os.ReadFile(path); err != nil || json.Unmarshal(b, &back) != nil || !strings.HasPrefix(back.Command, "go run ./bench/emd ") || !strings.Contains(back.Measured, "pot_core 0") || len(back.Rows) != 3 {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestCommand(t *testing.T) {
	got := command([]string{"--large", "--classes", "a,b c", "--clouds", "", "--python", "/home/me/bin/python3,/usr/bin/p", "--python=/x/q", "--plot", "a/b.png"})
	if want := "go run ./bench/emd --large --classes 'a,b c' --clouds '' --python python3,p --python=q --plot a/b.png"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestLargeProblems: what is drawn, and what is refused.
func TestLargeProblems(t *testing.T) {
	o := options{seed: 1, large: largeOptions{sides: "4,8", norms: "l1,l2", classes: "shapes,white", clouds: "5"}}
	o.large.classes = "shapes"
	list, err := largeProblems(o)
	if err != nil || len(list) != 6 {
		t.Fatal(len(list), err)
	}
	if b := list[2]; b.side != 8 || b.norm != "l1" || b.points != 64 || len(b.p) != 1 || len(b.p[0]) != 64 || sum(b.p[0]) != sum(b.q[0]) || b.distance(0, 63) != 14 {
		t.Errorf("%d² %s: %v", b.side, b.norm, b.distance(0, 63))
	}
	if one, two := list[4], list[5]; one.placesQ != nil || two.placesQ == nil || sum(one.p[0]) != sum(one.q[0]) || len(two.matrix()) != 25 {
		t.Error("clouds")
	}
	for _, wrong := range []largeOptions{{sides: "1", norms: "l1"}, {sides: "4", norms: "l3"}, {clouds: "x"}, {sides: "4", norms: "l1", classes: "nothing"}} {
		if _, err := largeProblems(options{large: wrong}); err == nil {
			t.Errorf("%+v", wrong)
		}
	}
}

func TestTimed(t *testing.T) {
	n := 0
	value, _, err := timed(0, func() (float64, error) { n++; return 7, nil })
	if n != 1 || value != 7 || err != nil {
		t.Error(n, value, err)
	}
	n = 0
	_, seconds, _ := timed(5*time.Millisecond, func() (float64, error) {
		for range 1000 {
			n++
		}
		return 0, nil
	})
	if n < 2000 || seconds <= 0 || seconds*float64(n/1000) < 0.0049 {
		t.Errorf("%d solves of %v s", n/1000, seconds)
	}
}

// echo is a program that answers as the peers do: seconds, and from for each value.
const echo = `
import struct, sys
sys.stdin.buffer.read(8)
while True:
    request = sys.stdin.buffer.read(24)
    if not request: break
    a, b, least = struct.unpack("<qqq", request)
    sys.stdout.buffer.write(struct.pack("<%dd" % (1 + b - a), least * 1e-6 * (b - a), *range(a, b)))
    sys.stdout.buffer.flush()
`

// TestPeer: requests and answers of the protocol, time included.
func TestPeer(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no Python: ", err)
	}
	p := &peer{name: "echo", out: (*bufio.Reader)(nil)}
	if err := p.launch(exec.Command(python, "-c", echo), []int64{1}); err != nil {
		t.Fatal(err)
	}
	values := make([]float64, 3)
	seconds, err := p.solve(4, 7, 2*time.Second, values)
	if err != nil || seconds != 2 || !slices.Equal(values, []float64{4, 5, 6}) {
		t.Error(seconds, values, err)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}
