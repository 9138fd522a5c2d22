package hgcal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/limit"
	"barrow/internal/lines"
)

// Metrics are the ground metrics that have a name.
func Metrics() []string { return []string{"benchmark", "cmssw"} }

// Placement is where the 48 cells of a ground metric are.
type Placement struct {
	// Points are the centres in V9 order; their unit is the unit of the distances.
	Points []Point
	// Note says in words what was assumed about a file, "" of a built-in metric.
	Note string
}

// Positions returns the points of ReadPositions alone.
func Positions(name string) ([]Point, error) {
	p, err := ReadPositions(name)
	return p.Points, err
}

// maxMetric bounds the size of a metric file.
const maxMetric = 1 << 20

// ReadPositions returns the cell centres of the metric called "benchmark" or
// "cmssw", or those of a CSV file with one line per cell.
//
// A file without names has two columns, x and y, and its lines are cells 0 … 47
// in V9 order. With a line of names the columns x and y count, or those whose
// names begin so (x_cm), or tc_x and tc_y. A column that names the cell orders the lines: tc, its V9
// number, or u and v (also tc_cellu, tc_cellv), CMSSW's coordinates of a trigger cell in
// its wafer; if a file has both they must agree. Other columns are ignored.
//
// Coordinates are finite, at most 1e9, and no two cells are at the same place.
func ReadPositions(name string) (Placement, error) {
	switch name {
	case "benchmark":
		return Placement{Points: Benchmark()}, nil
	case "cmssw":
		return Placement{Points: CMSSW()}, nil
	case "":
		return Placement{}, errors.New("hgcal: no metric named: want benchmark, cmssw or a CSV file of x,y per cell")
	}
	b, err := limit.ReadFile(name, "a metric", maxMetric)
	if err != nil {
		return Placement{}, fmt.Errorf("hgcal: metric %q is neither benchmark nor cmssw nor a file of positions: %w", name, err)
	}
	p, err := parsePositions(b)
	if err != nil {
		return Placement{}, fmt.Errorf("hgcal: %s:%w", name, err)
	}
	p.Note = name + ": " + p.Note
	return p, nil
}

// cellRow is a line of a metric file.
type cellRow struct {
	line int
	at   Point
	cell int // -1 where the line does not say
}

// parsePositions parses the file of ReadPositions. Errors begin with row:column
// where they have one.
func parsePositions(b []byte) (Placement, error) {
	in, err := lines.New(bytes.NewReader(b), maxMetric)
	if err != nil {
		return Placement{}, fmt.Errorf("1: %w", err)
	}
	columns := metricColumns{x: 0, y: 1, tc: -1, u: -1, v: -1, width: 2}
	var rows []cellRow
	var sep byte
	for {
		text, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Placement{}, fmt.Errorf("%d: %w", in.Row(), err)
		}
		if t := bytes.TrimSpace(text); len(t) == 0 || t[0] == '#' {
			continue
		}
		line, first := in.Row(), sep == 0
		if first {
			sep = lines.Separator(text, math.MaxInt)
		}
		fields, err := lines.Split(nil, text, sep)
		if err != nil {
			return Placement{}, fmt.Errorf("%d: %w", line, err)
		}
		var rec []string
		for _, f := range fields {
			rec = append(rec, string(f))
		}
		if first && isHeader(rec) {
			if columns, err = findColumns(rec); err != nil {
				return Placement{}, fmt.Errorf("%d: %w", line, err)
			}
			continue
		}
		if len(rec) != columns.width {
			return Placement{}, fmt.Errorf("%d: %d columns, want %s", line, len(rec), columns.want())
		}
		r, err := columns.row(rec, line)
		if err != nil {
			return Placement{}, err
		}
		rows = append(rows, r)
		if len(rows) > Cells {
			return Placement{}, fmt.Errorf("%d: more than %d positions: want one per trigger cell", line, Cells)
		}
	}
	if len(rows) != Cells {
		return Placement{}, fmt.Errorf(" %d positions, want %d, one per trigger cell", len(rows), Cells)
	}
	return order(rows, columns)
}

// metricColumns are where a file's columns are, -1 for those that it lacks.
type metricColumns struct{ x, y, tc, u, v, width int }

func (c metricColumns) want() string {
	if c.tc < 0 && c.u < 0 && c.width == 2 {
		return "2, x and y, or a first line that names x, y and, where the lines are not in V9 order, tc or u and v"
	}
	return strconv.Itoa(c.width)
}

func isHeader(rec []string) bool {
	for _, s := range rec {
		if _, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return false
		}
	}
	return true
}

// findColumns finds the columns by their names.
func findColumns(names []string) (c metricColumns, err error) {
	at := map[string]int{}
	prefix := map[byte][]int{}
	for j, n := range names {
		n = strings.ToLower(strings.TrimSpace(n))
		if _, twice := at[n]; twice && n != "" {
			return c, fmt.Errorf("two columns are called %q", n)
		}
		at[n] = j
		if n != "" {
			prefix[n[0]] = append(prefix[n[0]], j)
		}
	}
	exact := func(names ...string) int {
		for _, n := range names {
			if j, ok := at[n]; ok {
				return j
			}
		}
		return -1
	}
	position := func(name string) (int, error) {
		if j := exact(name, "tc_"+name, "tc"+name); j >= 0 {
			return j, nil
		}
		switch like := prefix[name[0]]; len(like) {
		case 0:
			return -1, fmt.Errorf("the header names no column beginning with x, or none with y")
		case 1:
			return like[0], nil
		default:
			return -1, fmt.Errorf("the columns %q and %q both begin with %s: call the one to take %s", names[like[0]], names[like[1]], name, name)
		}
	}
	c.width = len(names)
	if c.x, err = position("x"); err != nil {
		return c, err
	}
	if c.y, err = position("y"); err != nil {
		return c, err
	}
	c.tc = exact("tc", "cell", "tc_id", "tcid", "v9", "trigger_cell", "triggercell")
	c.u, c.v = exact("u", "cellu", "tc_cellu", "tcu", "tc_u"), exact("v", "cellv", "tc_cellv", "tcv", "tc_v")
	if (c.u < 0) != (c.v < 0) {
		return c, errors.New("the header names one of u and v, not both")
	}
	return c, nil
}

// row reads a line.
func (c metricColumns) row(rec []string, line int) (cellRow, error) {
	r := cellRow{line: line, cell: -1}
	const most = 1e9
	for k, j := range [2]int{c.x, c.y} {
		v, err := strconv.ParseFloat(strings.TrimSpace(rec[j]), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return r, fmt.Errorf("%d:%d: %q is not a finite number", line, j+1, rec[j])
		}
		if math.Abs(v) > most {
			return r, fmt.Errorf("%d:%d: the coordinate %g is above %g: choose a larger unit", line, j+1, v, most)
		}
		r.at[k] = v
	}
	whole := func(j int) (int, error) {
		v, err := strconv.ParseFloat(strings.TrimSpace(rec[j]), 64)
		if err != nil || v != math.Trunc(v) || math.Abs(v) > Cells {
			return 0, fmt.Errorf("%d:%d: %q is no number of a cell", line, j+1, rec[j])
		}
		return int(v), nil
	}
	if c.tc >= 0 {
		cell, err := whole(c.tc)
		if err != nil {
			return r, err
		}
		if cell < 0 || cell >= Cells {
			return r, fmt.Errorf("%d:%d: there is no cell %d: they are 0 to %d", line, c.tc+1, cell, Cells-1)
		}
		r.cell = cell
	}
	if c.u < 0 {
		return r, nil
	}
	u, err := whole(c.u)
	if err != nil {
		return r, err
	}
	v, err := whole(c.v)
	if err != nil {
		return r, err
	}
	cell, ok := FromUV(u, v)
	if !ok {
		return r, fmt.Errorf("%d:%d: no trigger cell is at u=%d, v=%d", line, c.u+1, u, v)
	}
	if r.cell >= 0 && r.cell != cell {
		return r, fmt.Errorf("%d:%d: u=%d, v=%d is cell %d, not %d: which order are the cells in?", line, c.u+1, u, v, cell, r.cell)
	}
	r.cell = cell
	return r, nil
}

// order puts the lines into V9 order and holds them to what a metric is.
func order(rows []cellRow, c metricColumns) (Placement, error) {
	p := Placement{Points: make([]Point, Cells)}
	line := make([]int, Cells)
	for i, r := range rows {
		cell := i
		if r.cell >= 0 {
			cell = r.cell
		}
		if line[cell] != 0 {
			return p, fmt.Errorf("%d: cell %d once more, after line %d", r.line, cell, line[cell])
		}
		p.Points[cell], line[cell] = r.at, r.line
	}
	switch {
	case c.u >= 0:
		p.Note = "the lines are ordered by their u and v"
	case c.tc >= 0:
		p.Note = "the lines are ordered by their cell, taken for its V9 number"
	default:
		p.Note = "no column tc, or u and v, names the cells: the lines are taken for cells 0 to 47 in V9 order"
	}
	return p, apart(p.Points, line)
}

// apart checks that no two cells are at one place, but for rounding.
func apart(points []Point, line []int) error {
	widest := 0.0
	for _, a := range points {
		for _, b := range points {
			widest = max(widest, math.Hypot(a[0]-b[0], a[1]-b[1]))
		}
	}
	const least = 1e-9
	if widest < least {
		return fmt.Errorf("%d: the cells lie within %g of each other: choose a smaller unit, or is it one point?", slices.Min(line), widest)
	}
	for i, a := range points {
		for j, b := range points[:i] {
			if math.Hypot(a[0]-b[0], a[1]-b[1]) < least*widest {
				first, second := min(line[i], line[j]), max(line[i], line[j])
				return fmt.Errorf("%d: cell %d is where cell %d is (line %d): a metric needs different places", second, i, j, first)
			}
		}
	}
	return nil
}
