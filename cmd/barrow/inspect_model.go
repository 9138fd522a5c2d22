package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	model "barrow/model/file"
)

// printModel prints a model's layers, and which formats can hold it, for people.
func printModel(out io.Writer, m *model.Inspection) {
	for _, p := range m.Parts {
		fmt.Fprintf(out, "\n%s of %s: %d parameters, %d multiplications\n", p.Name, strings.Join(p.Inputs, ", "), p.Parameters, p.Multiplications)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		if len(p.Layers) > 0 {
			fmt.Fprintln(w, "  layer\tkind\tmakes\tparameters\tmultiplications\trounds")
		}
		for _, l := range p.Layers {
			shape := strings.Trim(strings.ReplaceAll(fmt.Sprint(l.Shape), " ", "×"), "[]")
			fmt.Fprintf(w, "  %s\t%s\t%s\t%d\t%d\t%s\n", l.Name, l.Kind, shape, l.Parameters, l.Multiplications, l.Quantiser)
		}
		w.Flush()
	}
	if len(m.Exports) > 0 {
		fmt.Fprintln(out, "\nformats that can hold it")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range m.Exports {
		if f.Why != "" {
			fmt.Fprintf(w, "  %s\tno: %s\n", f.Name, f.Why)
		} else {
			fmt.Fprintf(w, "  %s\tyes\n", f.Name)
		}
	}
	w.Flush()
}
