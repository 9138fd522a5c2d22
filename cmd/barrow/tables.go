package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"barrow/report"
)

// printAligned prints rows of cells in columns, flush right.
func printAligned(w io.Writer, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		fmt.Fprint(tw, strings.Join(row, "\t"), "\t\n")
	}
	return tw.Flush()
}

// withHead are a table's rows below the names of its columns.
func withHead(t report.Table) [][]string {
	var head []string
	for _, c := range t.Columns {
		head = append(head, strings.TrimSpace(c.Name+" "+c.Unit))
	}
	return append([][]string{head}, t.Rows...)
}
