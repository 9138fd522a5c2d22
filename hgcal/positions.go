package hgcal

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// Metrics are the ground metrics that have a name.
func Metrics() []string { return []string{"benchmark", "cmssw"} }

// Positions returns the 48 cell centres in V9 order of the metric called
// "benchmark" or "cmssw", or those of a CSV file with one line of x,y per cell
// in V9 order. A file may start with a line of column names; then the columns
// whose names begin with x and y count and others are ignored. Positions must
// be finite; their unit is the unit of the distances.
func Positions(name string) ([]Point, error) {
	switch name {
	case "benchmark":
		return Benchmark(), nil
	case "cmssw":
		return CMSSW(), nil
	case "":
		return nil, errors.New("hgcal: no metric named: want benchmark, cmssw or a CSV file of x,y per cell")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("hgcal: metric %q is neither benchmark nor cmssw nor a file: %w", name, err)
	}
	defer f.Close()
	p, err := readPositions(f)
	if err != nil {
		return nil, fmt.Errorf("hgcal: %s:%w", name, err)
	}
	return p, nil
}

// readPositions parses the file of Positions. Errors begin with row:column
// where they have one.
func readPositions(r io.Reader) ([]Point, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	in.ReuseRecord = true
	var points []Point
	x, y, width := 0, 1, 2
	for first := true; ; first = false {
		rec, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if first && isHeader(rec) {
			if x, y = column(rec, "x"), column(rec, "y"); x < 0 || y < 0 {
				return nil, errors.New("1: the header names no column beginning with x, or none with y")
			}
			width = len(rec)
			continue
		}
		row, _ := in.FieldPos(0)
		if len(rec) != width {
			return nil, fmt.Errorf("%d: %d columns, want %d", row, len(rec), width)
		}
		var p Point
		for k, j := range [2]int{x, y} {
			if p[k], err = strconv.ParseFloat(strings.TrimSpace(rec[j]), 64); err != nil ||
				math.IsNaN(p[k]) || math.IsInf(p[k], 0) {
				return nil, fmt.Errorf("%d:%d: %q is not a finite number", row, j+1, rec[j])
			}
		}
		points = append(points, p)
	}
	if len(points) != Cells {
		return nil, fmt.Errorf(" %d positions, want %d, one per trigger cell", len(points), Cells)
	}
	return points, nil
}

func isHeader(rec []string) bool {
	for _, s := range rec {
		if _, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return false
		}
	}
	return true
}

func column(names []string, prefix string) int {
	for j, n := range names {
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(n)), prefix) {
			return j
		}
	}
	return -1
}
