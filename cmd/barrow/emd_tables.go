package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/internal/index"
	"barrow/internal/limit"
	"barrow/internal/table"
)

// ofTables is which of the flags that are for plain tables is given, "" where none is.
func (f *groundFlags) ofTables(cmd *cobra.Command) (string, error) {
	given := ""
	for _, name := range []string{"cost", "grid", "points"} {
		if !cmd.Flags().Changed(name) {
			continue
		}
		if given != "" {
			return "", fmt.Errorf("--%s and --%s are two answers to what a move costs: give one", given, name)
		}
		given = name
	}
	for _, name := range []string{"norm", "periodic"} {
		if given != "grid" && given != "points" && cmd.Flags().Changed(name) {
			return "", fmt.Errorf("--%s needs --grid or --points", name)
		}
	}
	return given, nil
}

// tables opens plain tables, and returns the ground of their columns, which is given by
// the flag that is given.
func (f *groundFlags) tables(cmd *cobra.Command, job *pairing, pathA, pathB string) (emd.Ground, error) {
	flag := f.given
	for _, name := range []string{"metric", "order", "header", "layout", "tree", "charge", "quirk"} {
		if cmd.Flags().Changed(name) {
			return nil, fmt.Errorf("--%s is for wafer images: leave it out with --%s", name, flag)
		}
	}
	if f.cost == "" && flag == "cost" || f.points == "" && flag == "points" {
		return nil, fmt.Errorf("--%s: name a file", flag)
	}
	job.row, job.mass = "row", "mass"
	a, err := openRows(cmd, pathA)
	if err != nil {
		return nil, err
	}
	job.a = a
	b, err := openRows(cmd, pathB)
	if err != nil {
		return nil, err
	}
	job.b = b
	for _, t := range []*tableRows{a, b} {
		if t.Counts() {
			return nil, t.ErrCounts()
		}
	}
	if err := f.labelSet(b); err != nil {
		return nil, err
	}
	if flag == "cost" {
		return f.readCosts(cmd, a, b)
	}
	if err := f.labelAsked(a, b.Columns()); err != nil {
		return nil, err
	}
	orderRemark(cmd, a, b)
	if flag == "points" {
		return f.readPoints(cmd, a, b)
	}
	return f.makeGrid(a, b)
}

// labelSet makes a column of b one of labels.
func (f *groundFlags) labelSet(b *tableRows) (err error) {
	if f.labels == "" {
		return nil
	}
	if b.labelled, err = b.Label(f.labels); err != nil || b.labelled {
		return err
	}
	return fmt.Errorf("--labels %s: %s has no such column%s: give its name in the first line, its number from 1, or the name of an array of an NPZ file", f.labels, b, listed(b.Names()))
}

// labelAsked makes a column of a one of labels, if a has it: columns beside as many of masses as there are
// cells, or one of that name.
func (f *groundFlags) labelAsked(a *tableRows, cells int) (err error) {
	if f.labels == "" || !a.Array() && a.Columns() == cells && !slices.Contains(a.Names(), f.labels) {
		return nil
	}
	a.labelled, err = a.Label(f.labels)
	return err
}

// listed are names in brackets, not all where they are many.
func listed(names []string) string {
	const most = 12
	switch {
	case len(names) == 0:
		return ""
	case len(names) > most:
		return fmt.Sprintf(" (%s, … %s)", strings.Join(names[:most-1], ", "), names[len(names)-1])
	}
	return fmt.Sprintf(" (%s)", strings.Join(names, ", "))
}

// orderRemark says that the columns of two tables have the same names in another order, which means
// nothing here.
func orderRemark(cmd *cobra.Command, a, b *tableRows) {
	x, y := a.Names(), b.Names()
	if slices.Equal(x, y) || !slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y))) {
		return
	}
	for k, name := range x {
		if name != y[k] {
			fmt.Fprintf(quietly(cmd), "%s and %s have the same columns in another order: column %d is %s in one and %s in the other; they are compared by their places, not by their names\n", a, b, k+1, name, y[k])
			return
		}
	}
}

// norms are the values of --norm.
var norms = []string{"l1", "l2", "linf"}

func (f *groundFlags) of() emd.Norm {
	return map[string]emd.Norm{"l1": emd.L1, "l2": emd.L2, "linf": emd.LInf}[f.norm]
}

// makeGrid makes the grid of a shape such as 28x28.
func (f *groundFlags) makeGrid(a, b *tableRows) (emd.Ground, error) {
	var shape []int
	cells := 1.0
	for _, word := range strings.Split(strings.ToLower(f.grid), "x") {
		k, err := strconv.Atoi(word)
		if err != nil || k < 1 {
			return nil, fmt.Errorf("--grid %s: give the cells along each axis, the last of which varies fastest, as in 28x28", f.grid)
		}
		shape = append(shape, k)
		cells *= float64(k)
	}
	if cells > math.MaxInt32 {
		return nil, fmt.Errorf("--grid %s: %.3g cells are too many: at most %d", f.grid, cells, math.MaxInt32)
	}
	for _, t := range []*tableRows{a, b} {
		if t.Columns() == int(cells) {
			continue
		}
		hint := ""
		if len(shape) > 1 && t.Columns() == shape[len(shape)-1] {
			hint = fmt.Sprintf(": is this one image, a line of pixels in each row? A row is a whole image, its lines one after the other: put the %d numbers into one row", int(cells))
		}
		return nil, fmt.Errorf("%s has %d columns, and a grid of %s has %d cells%s", t, t.Columns(), f.grid, int(cells), hint)
	}
	periodic, err := f.rings(shape)
	if err != nil {
		return nil, err
	}
	g, err := emd.NewGrid(shape, f.of(), periodic)
	if err != nil {
		return nil, fmt.Errorf("--grid %s: %w", f.grid, err)
	}
	return g, nil
}

// rings says which axes of a grid are periodic.
func (f *groundFlags) rings(shape []int) ([]bool, error) {
	if len(f.periodic) == 0 {
		return nil, nil
	}
	fail := func() error {
		return fmt.Errorf("--periodic %s: give yes or no for each of the %d axes of --grid, as in %s", strings.Join(f.periodic, ","), len(shape), strings.Repeat("no,", len(shape)-1)+"yes")
	}
	if len(f.periodic) != len(shape) {
		return nil, fail()
	}
	rings := make([]bool, len(shape))
	for axis, word := range f.periodic {
		switch strings.ToLower(strings.TrimSpace(word)) {
		case "yes", "true", "1", strconv.Itoa(shape[axis]): // which is its period
			rings[axis] = true
		case "no", "false", "0":
		default:
			return nil, fail()
		}
	}
	return rings, nil
}

// periods are the lengths after which the axes of points repeat.
func (f *groundFlags) periods(dim int) ([]float64, error) {
	if len(f.periodic) == 0 {
		return nil, nil
	}
	var periods []float64
	for _, word := range f.periodic {
		x, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil || !(x >= 0 && x <= emd.MaxDistance) || len(f.periodic) != dim {
			return nil, fmt.Errorf("--periodic %s: give for each of the %d coordinates of --points the length after which it repeats, 0 where it does not", strings.Join(f.periodic, ","), dim)
		}
		periods = append(periods, x)
	}
	return periods, nil
}

// readPoints reads a row of coordinates for each column of a, and of b.
func (f *groundFlags) readPoints(cmd *cobra.Command, a, b *tableRows) (emd.Ground, error) {
	in, err := openTable(cmd, f.points)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	n, dim := a.Columns(), in.Columns()
	if b.Columns() != n {
		return nil, fmt.Errorf("%s has %d columns and %s has %d: both are masses at the points of %s", a, n, b, b.Columns(), in.Name())
	}
	x, err := in.Read(make([]float64, 0, (n+2)*dim), n+2)
	if err != nil {
		return nil, err
	}
	if err := rowsFor(in, len(x)/dim, a, "a point is needed for each column"); err != nil {
		return nil, err
	}
	periods, err := f.periods(dim)
	if err != nil {
		return nil, err
	}
	g, err := emd.NewPoints(dim, x, emd.Space{Norm: f.of(), Periods: periods})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name(), err)
	}
	return g, nil
}

// rowsFor holds a table of so many rows, read up to two more than a has columns, to those.
func rowsFor(in *table.Reader, rows int, a *tableRows, need string) error {
	n, more := a.Columns(), ""
	switch {
	case rows == n:
		return nil
	case rows == n+1 && in.Counts():
		return fmt.Errorf("%s has %d rows, of which the first counts 0, 1, 2 …, and %s has %d columns: if that row is the columns' numbers, leave it out; %s", in.Name(), rows, a, n, need)
	case rows > n:
		rows, more = n, " more than"
	}
	return fmt.Errorf("%s has%s %d rows and %s has %d columns: %s", in.Name(), more, rows, a, n, need)
}

// readCosts reads a row for each column of a, of a number for each column of b. How many rows there are
// says whether a has labels beside its masses.
func (f *groundFlags) readCosts(cmd *cobra.Command, a, b *tableRows) (ground emd.Ground, err error) {
	in, err := openTable(cmd, f.cost)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	n, m := a.Columns(), b.Columns()
	if in.Columns() != m {
		return nil, fmt.Errorf("%s has %d columns and %s has %d: a cost is needed from each column of %s to each of %s", in.Name(), in.Columns(), b, m, a, b)
	}
	if err := limit.Fits("rows of costs:", n, 16*float64(m)); err != nil {
		return nil, err
	}
	costs, err := in.Read(make([]float64, 0, n*m), n+2)
	if err != nil {
		return nil, err
	}
	if err := f.labelAsked(a, len(costs)/m); err != nil {
		return nil, err
	}
	if err := rowsFor(in, len(costs)/m, a, fmt.Sprintf("a cost is needed from each column of %s to each of %s", a, b)); err != nil {
		return nil, err
	}
	c, err := emd.NewCost(a.Columns(), m, costs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name(), err)
	}
	return c, nil
}

// tableRows are rows of a plain table.
type tableRows struct {
	*table.Reader
	held     []float64
	done     int
	labelled bool // there are labels
}

func openRows(cmd *cobra.Command, path string) (*tableRows, error) {
	r, err := openTable(cmd, path)
	if err != nil {
		return nil, err
	}
	return &tableRows{Reader: r}, nil
}

func openTable(cmd *cobra.Command, path string) (*table.Reader, error) {
	if path == "-" {
		return table.New(cmd.InOrStdin(), "standard input")
	}
	return table.Open(path)
}

func (t *tableRows) next(n int) (err error) {
	t.done += t.len()
	t.held, err = t.Read(t.held[:0], n)
	return err
}

func (t *tableRows) goTo(x *index.Index, row int) error {
	t.done = row
	return t.GoTo(x, row)
}

func (t *tableRows) len() int          { return len(t.held) / t.Columns() }
func (t *tableRows) before() int       { return t.done }
func (t *tableRows) values() []float64 { return t.held }
func (t *tableRows) names() []string   { return t.Names() }
func (t *tableRows) String() string    { return t.Name() }

func (t *tableRows) labels() []string {
	if !t.labelled {
		return nil
	}
	return t.Labels()
}
