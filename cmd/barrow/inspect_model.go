package main

import (
	"fmt"
	"io"
	"slices"
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
	printHolds(out, m.Exports)
}

// printHolds prints which formats can hold a model, and why the others cannot, a reason
// once.
func printHolds(out io.Writer, formats []model.Holds) {
	if len(formats) == 0 {
		return
	}
	fmt.Fprintln(out, "\nformats that can hold it")
	var can, reasons []string
	cannot := map[string][]string{} // by the reason
	named := func(name string) bool {
		return slices.ContainsFunc(formats, func(f model.Holds) bool { return f.Name == name })
	}
	for _, f := range formats {
		if f.Why == "" {
			can = append(can, f.Name)
			continue
		}
		why := f.Why
		if of, rest, ok := strings.Cut(why, ": "); ok && named(of) { // said before it
			why = rest
		}
		if cannot[why] == nil {
			reasons = append(reasons, why)
		}
		cannot[why] = append(cannot[why], f.Name)
	}
	if len(can) > 0 {
		fmt.Fprintf(out, "  %s\n", strings.Join(can, ", "))
	}
	if len(can) == 0 && len(reasons) == 1 {
		fmt.Fprintf(out, "  none: %s\n", reasons[0])
		return
	}
	for _, why := range reasons {
		fmt.Fprintf(out, "  not %s: %s\n", strings.Join(cannot[why], ", "), why)
	}
}
