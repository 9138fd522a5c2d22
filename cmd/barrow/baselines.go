package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"barrow/evaluate"
)

// printBaselines is the table of the chip's algorithms that run on exactly the
// given number of links, or on the most below it that they can use.
func printBaselines(w io.Writer, links int, list []evaluate.Baseline) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "algorithm\tdecoding\tlinks\tbits\tmean EMD\tmedian\tresponse\tnothing arrives\t")
	for _, b := range list {
		if b.Links > links || sameKind(b, list, links) {
			continue
		}
		fmt.Fprintf(tw, "%s\t%s\t%d\t%.0f\t%.3f\t%.3f\t%.3f\t%.1f %%\t\n", b.Name, b.Decoding, b.Links, b.Bits, b.EMD.Mean, b.EMD.Median, b.Response.Mean, 100*b.Empty)
	}
	return tw.Flush()
}

// sameKind reports whether the list has the same algorithm and decoding on
// more links that are still allowed.
func sameKind(b evaluate.Baseline, list []evaluate.Baseline, links int) bool {
	for _, o := range list {
		if o.Name == b.Name && o.Decoding == b.Decoding && o.Links > b.Links && o.Links <= links {
			return true
		}
	}
	return false
}
