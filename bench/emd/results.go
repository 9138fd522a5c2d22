package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A results is a table of docs/results.
type results struct {
	Command  string           `json:"command"`
	Measured string           `json:"measured"`
	Columns  []column         `json:"columns"`
	Rows     []map[string]any `json:"rows"`
}

type column struct {
	Head string `json:"head"`
	Cell string `json:"cell"`
}

// threeDigits rounds.
func threeDigits(x float64) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	return y
}

// growthTable is the growth with the pixels, a row for each norm and program.
func growthTable(list []growth) results {
	t := results{Columns: []column{{"norm", "{norm}"}, {"program", "{program}"}}}
	var sizes []float64
	for _, g := range list {
		sizes = append(sizes, g.x...)
	}
	slices.Sort(sizes)
	for _, n := range slices.Compact(sizes) {
		t.Columns = append(t.Columns, column{fmt.Sprintf("%.0f², ms", math.Sqrt(n)), fmt.Sprintf("{ms%.0f}", n)})
	}
	if from := fittedFrom(list); from != "" {
		t.Columns = append(t.Columns, column{"pixels to the," + from, "{exponent:.2f}"})
	}
	for _, g := range list {
		row := map[string]any{"norm": g.norm, "program": g.name}
		for k, n := range g.x {
			row[fmt.Sprintf("ms%.0f", n)] = threeDigits(g.y[k])
		}
		if !math.IsNaN(g.exponent) {
			row["exponent"] = g.exponent
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// classTable has a row for each norm and size: medians over the classes of images, in brackets those
// of the ratios to Barrow, where a program solved all of them.
func classTable(rows []largeRow, peers []*largePeer) results {
	t := results{Columns: []column{{"norm", "{norm}"}, {"pixels", "{side}²"}, {"Barrow, ms", "{barrow_ms:.4f}"}, {"slowest class", "{slowest_ms:.3f}"},
		{"prepared in, ms", "{prepare_ms:.3f} ({prepare_percent:.0f} %)"}}}
	for _, p := range peers {
		t.Columns = append(t.Columns, column{p.title, "{" + p.name + "}"})
	}
	t.Columns = append(t.Columns, column{"relative difference", "{max_difference:.1e}"})
	var sizes [][]largeRow
	for _, x := range rows {
		last := len(sizes) - 1
		switch {
		case x.Side == 0:
		case last >= 0 && sizes[last][0].Norm == x.Norm && sizes[last][0].Side == x.Side:
			sizes[last] = append(sizes[last], x)
		default:
			sizes = append(sizes, []largeRow{x})
		}
	}
	slices.SortStableFunc(sizes, func(a, b []largeRow) int { return normRank(a[0].Norm) - normRank(b[0].Norm) })
	for _, of := range sizes {
		t.Rows = append(t.Rows, classRow(of, peers))
	}
	return t
}

func normRank(norm string) int { return slices.Index([]string{"l1", "linf", "l2"}, norm) }

// classRow is that of all classes of a size.
func classRow(of []largeRow, peers []*largePeer) map[string]any {
	medianOf := func(f func(x *largeRow) (float64, bool)) (float64, bool) {
		var v []float64
		for k := range of {
			if y, ok := f(&of[k]); ok {
				v = append(v, y)
			}
		}
		if len(v) < len(of) {
			return 0, false
		}
		return median(v), true
	}
	slowest := 0.0
	row := map[string]any{"norm": of[0].Norm, "side": of[0].Side}
	for _, x := range of {
		slowest = max(slowest, x.BarrowMS)
		if d := x.MaxDifference; d != nil {
			before, _ := row["max_difference"].(float64)
			row["max_difference"] = max(before, *d)
		}
	}
	row["slowest_ms"] = slowest
	row["barrow_ms"], _ = medianOf(func(x *largeRow) (float64, bool) { return x.BarrowMS, true })
	row["prepare_ms"] = of[0].PrepareMS
	row["prepare_percent"], _ = medianOf(func(x *largeRow) (float64, bool) { return 100 * x.PrepareMS / x.BarrowMS, true })
	for _, p := range peers {
		ms, ok := medianOf(func(x *largeRow) (float64, bool) { y, ok := x.Peers[p.name]; return y, ok })
		if ratio, _ := medianOf(func(x *largeRow) (float64, bool) { y, ok := x.Ratios[p.name]; return y, ok }); ok {
			row[p.name] = fmt.Sprintf("%.3g (%.1f)", ms, ratio)
		}
	}
	return row
}

// writeResults writes a table, with what made it.
func writeResults(path string, t results, peers []*largePeer) error {
	t.Command = command(os.Args[1:]) + ", then go run ./docs/tables"
	t.Measured = fmt.Sprintf("%s, %s, processor time of one thread, %s", time.Now().Format(time.DateOnly), cpuName(), runtime.Version())
	for _, p := range peers {
		t.Measured += fmt.Sprintf("; %s %s", p.name, p.version)
	}
	b, err := json.MarshalIndent(t, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// command is how this program was called; of interpreters, which are elsewhere on another machine, the
// names.
func command(args []string) string {
	words := []string{"go run ./bench/emd"}
	python := false
	for _, a := range args {
		name, value, given := strings.Cut(a, "=")
		switch {
		case python:
			a = bases(a)
		case given && strings.TrimLeft(name, "-") == "python":
			a = name + "=" + bases(value)
		}
		python = !given && strings.HasPrefix(a, "-") && strings.TrimLeft(a, "-") == "python"
		if a == "" || strings.ContainsAny(a, " \t'\"") {
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// bases are the names of files without their folders.
func bases(list string) string {
	var names []string
	for _, path := range strings.Split(list, ",") {
		names = append(names, filepath.Base(path))
	}
	return strings.Join(names, ",")
}
