package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"barrow/evaluate"
)

// printBaselines is the table of the chip's algorithms that run on exactly the
// given number of links, or on the most below it that they can use.
func printBaselines(w io.Writer, links int, list []evaluate.ChipResult) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "algorithm\tdecoding\tlinks\tbits\tmean EMD\tmedian\t")
	if len(list) > 0 {
		for _, f := range list[0].Fidelity.Others() {
			fmt.Fprint(tw, f.Label, "\t")
		}
	}
	fmt.Fprintln(tw, "nothing arrives\t")
	for _, b := range list {
		if b.Links > links || sameKind(b, list, links) {
			continue
		}
		e := b.Fidelity.Of(evaluate.EMD)
		fmt.Fprintf(tw, "%s\t%s\t%d\t%.0f\t%s\t%s\t", b.Name, b.Decoding, b.Links, b.Bits, e.Figure.Print(e.Mean), e.Figure.Print(e.Median))
		for _, f := range b.Fidelity.Others() {
			fmt.Fprint(tw, f.Figure.Print(f.Mean), "\t")
		}
		fmt.Fprintf(tw, "%.1f %%\t\n", 100*b.Empty)
	}
	return tw.Flush()
}

// sameKind reports whether the list has the same algorithm and decoding on
// more links that are still allowed.
func sameKind(b evaluate.ChipResult, list []evaluate.ChipResult, links int) bool {
	for _, o := range list {
		if o.Name == b.Name && o.Decoding == b.Decoding && o.Links > b.Links && o.Links <= links {
			return true
		}
	}
	return false
}
