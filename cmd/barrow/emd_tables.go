package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"barrow/emd"
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
	if err := f.labelTables(a, b); err != nil {
		return nil, err
	}
	switch flag {
	case "cost":
		return readCosts(cmd, f.cost, a, b)
	case "points":
		return f.readPoints(cmd, a, b)
	}
	return f.makeGrid(a, b)
}

// labelTables makes a column of b one of labels, and of a, if it has it.
func (f *groundFlags) labelTables(a, b *tableRows) error {
	if f.labels == "" {
		return nil
	}
	ok, err := b.Label(f.labels)
	b.labelled = ok
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("--labels %s: %s has no such column: give its name in the first line, its number from 1, or the name of an array of an NPZ file", f.labels, b)
	}
	if f.given != "cost" && !a.Array() && a.Columns() == b.Columns() {
		return nil // one is missing in a: the labels
	}
	a.labelled, err = a.Label(f.labels)
	return err
}

// norms are the values of --norm.
var norms = []string{"l1", "l2", "linf"}

func (f *groundFlags) of() emd.Norm {
	return map[string]emd.Norm{"l1": emd.L1, "l2": emd.L2, "linf": emd.LInf}[f.norm]
}

// makeGrid makes the grid of a shape such as 28x28.
func (f *groundFlags) makeGrid(a, b *tableRows) (emd.Ground, error) {
	var shape []int
	cells := 1
	for _, word := range strings.Split(f.grid, "x") {
		k, err := strconv.Atoi(word)
		if err != nil || k < 1 || k > math.MaxInt32/cells {
			return nil, fmt.Errorf("--grid %s: give the cells along each axis, the last of which varies fastest, as in 28x28", f.grid)
		}
		shape = append(shape, k)
		cells *= k
	}
	for _, t := range []*tableRows{a, b} {
		if t.Columns() != cells {
			return nil, fmt.Errorf("%s has %d columns, and a grid of %s has %d cells", t, t.Columns(), f.grid, cells)
		}
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
	if len(x) == (n+1)*dim && in.Counts() {
		x = x[dim:] // the columns' numbers
	}
	if len(x) != n*dim {
		more := ""
		if len(x) > n*dim {
			more = " more than"
		}
		return nil, fmt.Errorf("%s has%s %d rows and %s has %d columns: a point is needed for each column", in.Name(), more, min(n, len(x)/dim), a, n)
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

// readCosts reads a row for each column of a, of a number for each column of b.
func readCosts(cmd *cobra.Command, path string, a, b *tableRows) (*emd.Cost, error) {
	in, err := openTable(cmd, path)
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
	rows := len(costs) / m
	if rows == n+1 && in.Counts() {
		costs, rows = costs[m:], n // the columns' numbers
	}
	if rows != n {
		more := ""
		if rows > n {
			rows, more = n, " more than"
		}
		return nil, fmt.Errorf("%s has%s %d rows and %s has %d columns: a cost is needed from each column of %s to each of %s", in.Name(), more, rows, a, n, a, b)
	}
	c, err := emd.NewCost(n, m, costs)
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

func (t *tableRows) len() int          { return len(t.held) / t.Columns() }
func (t *tableRows) before() int       { return t.done }
func (t *tableRows) values() []float64 { return t.held }
func (t *tableRows) String() string    { return t.Name() }

func (t *tableRows) labels() []string {
	if !t.labelled {
		return nil
	}
	return t.Labels()
}
