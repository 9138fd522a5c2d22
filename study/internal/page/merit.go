package page

import (
	"fmt"
	"strings"

	"barrow/evaluate"
	"barrow/report"
)

// Axis is that of a figure of merit, of a run on the ground metric.
func Axis(f *evaluate.Figure, metric string) report.Axis {
	a := report.Axis{Label: f.Label, Unit: string(f.Unit)}
	if f.Unit == evaluate.UnitMetric {
		a.Unit = UnitOf(metric)
	}
	return a
}

// Ideal marks where a figure is if the decoded image is the image.
func Ideal(f *evaluate.Figure) report.Mark {
	return report.Mark{Name: fmt.Sprint(f.Ideal), At: f.Ideal}
}

// Merit is the plot of a figure of merit; its caption says what it is, and more.
func Merit(f *evaluate.Figure, iv *report.Intervals, more string) report.Figure {
	return report.Figure{ID: strings.ReplaceAll(f.Name, "_", "-"), Title: strings.ToUpper(f.Label[:1]) + f.Label[1:] + " by loss",
		Intervals: iv, Caption: strings.TrimSpace(f.Meaning + " " + more)}
}

// Print is a figure in words, with a true minus.
func Print(f interface{ Print() string }) string { return Minus(f.Print()) }

// Minus puts a true minus into a number.
func Minus(number string) string { return strings.ReplaceAll(number, "-", "−") }
