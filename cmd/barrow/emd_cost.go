package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/internal/limit"
	"barrow/internal/table"
)

// tables opens plain tables, and returns the costs between their columns.
func (f *emdFlags) tables(cmd *cobra.Command, job *emdJob, pathA, pathB string) (emd.Ground, error) {
	for _, name := range []string{"metric", "order", "header", "layout", "tree", "charge", "quirk"} {
		if cmd.Flags().Changed(name) {
			return nil, fmt.Errorf("--%s is for wafer images: leave it out with --cost", name)
		}
	}
	if f.cost == "" {
		return nil, errors.New("--cost: name a file")
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
	return readCosts(cmd, f.cost, a, b)
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
	held []float64
	done int
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
