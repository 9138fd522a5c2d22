package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/internal/limit"
	"barrow/internal/table"
)

// tables opens plain tables, and returns the costs between their columns.
func (f *emdFlags) tables(cmd *cobra.Command, job *emdJob, pathA, pathB string) (emd.Ground, error) {
	for _, name := range []string{"metric", "order", "header", "layout"} {
		if cmd.Flags().Changed(name) {
			return nil, fmt.Errorf("--%s is for wafer images: leave it out with --cost", name)
		}
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
	return readCosts(f.cost, a, b)
}

// readCosts reads a row for each column of a, of a number for each column of b.
func readCosts(path string, a, b *tableRows) (*emd.Cost, error) {
	in, err := table.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	n, m := a.Columns(), b.Columns()
	if in.Columns() != m {
		return nil, fmt.Errorf("%s has %d columns and %s has %d: a cost is needed from each column of %s to each of %s", path, in.Columns(), b, m, a, b)
	}
	if err := limit.Fits("rows of costs:", n, 16*float64(m)); err != nil {
		return nil, err
	}
	costs, err := in.Read(make([]float64, 0, n*m), n+1)
	if err != nil {
		return nil, err
	}
	if rows := len(costs) / m; rows != n {
		more := ""
		if rows > n {
			rows, more = n, " more than"
		}
		return nil, fmt.Errorf("%s has%s %d rows and %s has %d columns: a cost is needed from each column of %s to each of %s", path, more, rows, a, n, a, b)
	}
	c, err := emd.NewCost(n, m, costs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
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
	var r *table.Reader
	var err error
	if path == "-" {
		r, err = table.New(cmd.InOrStdin(), "standard input")
	} else {
		r, err = table.Open(path)
	}
	if err != nil {
		return nil, err
	}
	return &tableRows{Reader: r}, nil
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
