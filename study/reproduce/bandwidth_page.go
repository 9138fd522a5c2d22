package reproduce

import (
	"fmt"
	"slices"
	"strings"

	"barrow/evaluate"
	"barrow/loss"
	"barrow/report"
	"barrow/study/internal/page"
)

// decoding is the tables' words for it.
func (x *Baseline) decoding() string {
	switch {
	case x.Result.Algorithm == "RPT":
		return "all cells"
	case x.Result.Decoding == evaluate.DecodeLearned:
		return "as was learned"
	case x.Result.Algorithm == "STC" && x.Result.Decoding == evaluate.DecodeKept:
		return "sum in largest cell"
	case x.Result.Algorithm == "STC":
		return "sum shared evenly"
	case x.Result.Decoding == evaluate.DecodeKept:
		return "cells sent alone"
	}
	return "rest spread evenly"
}

// atBandwidth is the report's section.
func atBandwidth(r *Results) report.Section {
	b, ours := r.Bandwidth, &r.Encoders[best(r)]
	s := report.Section{Title: "At equal bandwidth"}
	s.Text = []string{
		fmt.Sprintf("The chip has a few links, each of 32 bits in every bunch crossing, and must choose: all 48 charges would take %d links. Its encoder on %d links sends %d bits: 16 outputs of nine, nine of the wafer's sum and a header of five. The encoders above were trained in floating point; here their outputs are cut to the bits that the links carry, 1, 3, 5, 7 and 9 on 1 to 5 links, without training them anew for fewer. (What the chip's whole arithmetic costs, and encoders trained for fewer links: \u201cbarrow reproduce \u2011\u2011full\u201d and \u201cbarrow compare\u201d.)", repeater, b.EncoderLinks, b.EncoderBits),
	}
	if b.Missing != "" {
		s.Text = append(s.Text, "The chip's other algorithms are not compared: "+b.Missing+".")
		return s
	}
	s.Text = append(s.Text,
		"Its other algorithms need no training. Best choice sends the largest cells with their charges, and the sum of all others: 1, 4, 6, 9 and 14 cells on 1 to 5 links. Super trigger cells sends sums of 4 (STC4) or 16 (STC16) neighbouring cells and which cell of each is the largest; coarse cells (CTC4) are sums alone. Threshold sum sends the cells above a threshold and the sum of the others; its frames differ in length and share a buffer, so the threshold here is the lowest with which the mean frame fits the links, and the buffer is taken as ideal.",
		"The receiver knows the frame and the geometry. It puts charges where they came from; what has no place of its own, the sum of the rest or of a super trigger cell, it can leave out, put into the largest cell, or spread evenly. Both are measured. An image of which nothing arrives is scored as the same charge in all cells and stays in every figure.",
		verdict(r, ours))
	if len(r.Config.Learned) > 0 {
		s.Text = append(s.Text, "As was learned: by a network that sees the frame and shares what has no place of its own; it saw as many images as an encoder, and costs the chip nothing.")
	}
	s.Tables = []report.Table{sideBySide(r, ours), byLinks(r, ours)}
	s.Figures = []report.Figure{bandwidthFigure(r, ours), occupancyFigure(r, ours)}
	return s
}

// repeater is the number of links that all 48 charges need.
const repeater = 11

// verdict says what the comparison finds.
func verdict(r *Results, ours *Encoder) string {
	b := r.Bandwidth
	first := b.first(b.EncoderLinks)
	text := fmt.Sprintf("On up to %d links the algorithm with the smallest mean EMD is %s on %d (%s): %.3f. The best encoder, trained with %s, leaves %.3f there and keeps more on %.1f %% of the images.",
		b.EncoderLinks, first.Result.Name, first.Result.Links, first.decoding(), first.emd().Mean, loss.Label(ours.Loss), ours.on(b.EncoderLinks).EMD.Mean, 100*first.Worse)
	if n := evaluate.Reach(b.List(), "best choice", ours.on(b.EncoderLinks).EMD.Mean); n > 0 {
		text += fmt.Sprintf(" Best choice needs %s (%d bits) to leave no more than that.", links(n), 32*n)
	} else {
		text += " Best choice leaves more than that on any number of links."
	}
	var ahead []string
	for n := 1; n <= b.EncoderLinks; n++ {
		if ours.on(n).EMD.Mean < b.first(n).emd().Mean {
			ahead = append(ahead, fmt.Sprint(n))
		}
	}
	switch k := len(ahead); k {
	case 0:
		return text + fmt.Sprintf(" On no number of links up to %d is the encoder's mean the smallest.", b.EncoderLinks)
	case 1:
		return text + fmt.Sprintf(" The encoder's mean is the smallest of all on %s of them.", ahead[0])
	default:
		return text + fmt.Sprintf(" The encoder's mean is the smallest of all on %s and %s of them.", strings.Join(ahead[:k-1], ", "), ahead[k-1])
	}
}

// first is the baseline with the smallest mean EMD on up to n links.
func (b *Bandwidth) first(n int) *Baseline {
	var first *Baseline
	for k := range b.Baselines {
		if x := &b.Baselines[k]; x.Result.Links <= n && (first == nil || x.emd().Mean < first.emd().Mean) {
			first = x
		}
	}
	return first
}

func links(n int) string {
	if n == 1 {
		return "1 link"
	}
	return fmt.Sprintf("%d links", n)
}

// sideBySide is the table of the encoders and the baselines on their links.
func sideBySide(r *Results, ours *Encoder) report.Table {
	b := r.Bandwidth
	t := report.Table{
		Title: fmt.Sprintf("On up to %d links", b.EncoderLinks),
		Columns: []report.Column{{Name: "what is sent"}, {Name: "decoded as"}, {Name: "links", Numeric: true}, {Name: "bits", Numeric: true},
			{Name: "mean EMD", Numeric: true}, {Name: "median", Numeric: true}},
		Note: fmt.Sprintf("Bits: of information a wafer, without padding, the mean where frames differ; a link carries 32. Encoders: outputs of nine bits, their response before scaling to the sum. Super trigger cells and threshold sum: on the links and with the decoding that keep most. Best encoder better: share of images of which it (%s) keeps more. Wafer density: %s.", loss.Label(ours.Loss), b.Density),
	}
	// The figures of merit that the chip's algorithms have.
	merits := b.Baselines[0].Result.Fidelity.Others()
	means := func(f evaluate.Fidelity) (cells []string) {
		for _, m := range merits {
			cells = append(cells, page.Minus(m.Figure.Print(f.Of(m.Name).Mean)))
		}
		return cells
	}
	for _, m := range merits {
		t.Columns = append(t.Columns, report.Column{Name: m.Label, Numeric: true})
	}
	t.Columns = append(t.Columns, report.Column{Name: "nothing arrives", Numeric: true}, report.Column{Name: "best encoder better", Numeric: true})
	for i, e := range r.Encoders {
		if e.Loss == ours.Loss {
			t.Emphasis = append(t.Emphasis, i)
		}
		x := e.on(b.EncoderLinks)
		row := append([]string{"encoder, " + loss.Label(e.Loss), "its decoder", fmt.Sprint(b.EncoderLinks), fmt.Sprint(x.Bits),
			fmt.Sprintf("%.3f", x.EMD.Mean), fmt.Sprintf("%.3f", x.EMD.Median)}, means(e.Fidelity)...)
		t.Rows = append(t.Rows, append(row, percent(0), "–"))
	}
	for _, x := range b.on(b.EncoderLinks) {
		name := x.Result.Name
		if x.Result.Threshold > 0 {
			name += fmt.Sprintf(", from %d counts", x.Result.Threshold)
		}
		row := append([]string{name, x.decoding(), fmt.Sprint(x.Result.Links), fmt.Sprintf("%.0f", x.Result.Bits), fmt.Sprintf("%.3f", x.emd().Mean),
			fmt.Sprintf("%.3f", x.emd().Median)}, means(x.Result.Fidelity)...)
		t.Rows = append(t.Rows, append(row, percent(x.Result.Empty), percent(x.Worse)))
	}
	return t
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// byLinks is the table of mean EMDs against bandwidth.
func byLinks(r *Results, ours *Encoder) report.Table {
	b, limit := r.Bandwidth, ours.on(r.Bandwidth.EncoderLinks).EMD.Mean
	t := report.Table{
		Title:   "Mean EMD by links",
		Columns: []report.Column{{Name: "what is sent"}, {Name: "decoded as"}},
		Note:    fmt.Sprintf("A dash: the algorithm does not use that many links. Reaches the encoder: the fewest links on which the mean EMD is not above %.3f, the best encoder's on %d.", limit, b.EncoderLinks),
	}
	for n := 1; n <= b.EncoderLinks; n++ {
		t.Columns = append(t.Columns, report.Column{Name: links(n), Unit: fmt.Sprintf("%d bits", 32*n), Numeric: true})
	}
	t.Columns = append(t.Columns, report.Column{Name: "reaches the encoder", Numeric: true})
	for i, e := range r.Encoders {
		if e.Loss == ours.Loss {
			t.Emphasis = append(t.Emphasis, i)
		}
		cells := []string{"encoder, " + loss.Label(e.Loss), "its decoder"}
		for n := 1; n <= b.EncoderLinks; n++ {
			cells = append(cells, fmt.Sprintf("%.3f", e.on(n).EMD.Mean))
		}
		t.Rows = append(t.Rows, append(cells, ""))
	}
	for _, row := range b.kinds() {
		cells := []string{row[0].Result.Name, row[0].decoding()}
		reach := "never"
		for n := 1; n <= b.EncoderLinks; n++ {
			cells = append(cells, "–")
		}
		for _, x := range row {
			if x.Result.Links <= b.EncoderLinks {
				cells[1+x.Result.Links] = fmt.Sprintf("%.3f", x.emd().Mean)
			}
			if reach == "never" && x.emd().Mean <= limit {
				reach = links(x.Result.Links)
			}
		}
		t.Rows = append(t.Rows, append(cells, reach))
	}
	return t
}

// kinds groups the baselines by name and decoding, by rising links.
func (b *Bandwidth) kinds() [][]*Baseline {
	var list [][]*Baseline
	at := map[[2]string]int{}
	for k := range b.Baselines {
		x := &b.Baselines[k]
		key := [2]string{x.Result.Name, string(x.Result.Decoding)}
		if i, seen := at[key]; seen {
			list[i] = append(list[i], x)
			continue
		}
		at[key] = len(list)
		list = append(list, []*Baseline{x})
	}
	return slices.DeleteFunc(list, func(row []*Baseline) bool { return row[0].Result.Links > b.EncoderLinks })
}

// bandwidthFigure draws the mean EMD against the bits of the links.
func bandwidthFigure(r *Results, ours *Encoder) report.Figure {
	b := r.Bandwidth
	const most = 8 // links on the axis
	l := &report.Lines{X: report.Axis{Label: "bits that the links carry in a bunch crossing", Min: report.At(0), Max: report.At(32*most + 8)},
		Y: report.Axis{Label: "mean EMD", Unit: page.UnitOf(r.Config.Metric), Min: report.At(0)}}
	for _, e := range r.Encoders {
		s := report.Line{Name: loss.Label(e.Loss), Points: true}
		for n := 1; n <= b.EncoderLinks; n++ {
			// Of the others the full width is enough.
			if e.Loss == ours.Loss || n == b.EncoderLinks {
				s.X, s.Y = append(s.X, float64(32*n)), append(s.Y, e.on(n).EMD.Mean)
			}
		}
		l.Series = append(l.Series, s)
	}
	line := func(name, group string, dashed bool, take func(*Baseline) bool) {
		least := map[int]float64{}
		for k := range b.Baselines {
			if x := &b.Baselines[k]; take(x) && x.Result.Links <= most {
				if v, seen := least[x.Result.Links]; !seen || x.emd().Mean < v {
					least[x.Result.Links] = x.emd().Mean
				}
			}
		}
		s := report.Line{Name: name, Group: group, Dashed: dashed, Points: true}
		for n := 1; n <= most; n++ {
			if v, seen := least[n]; seen {
				s.X, s.Y = append(s.X, float64(32*n)), append(s.Y, v)
			}
		}
		l.Series = append(l.Series, s)
	}
	kind := func(algorithm string, d evaluate.Decoding) func(*Baseline) bool {
		return func(x *Baseline) bool {
			return x.Result.Algorithm == algorithm && (x.Result.Decoding == d || d == "" && x.Result.Decoding != evaluate.DecodeLearned)
		}
	}
	line("best choice, rest spread", "best choice", false, kind("BC", evaluate.DecodeSpread))
	line("best choice, cells sent alone", "best choice", true, kind("BC", evaluate.DecodeKept))
	line("super trigger cells, best type", "super trigger cells", false, kind("STC", ""))
	line("threshold sum, rest spread", "threshold sum", false, kind("TS", evaluate.DecodeSpread))
	for _, x := range b.kinds() {
		if of := x[0].Result; of.Decoding == evaluate.DecodeLearned {
			line(of.Name+", as was learned", of.Name+", learned", false, func(y *Baseline) bool { return y.Result.Name == of.Name && y.Result.Decoding == of.Decoding })
		}
	}
	return report.Figure{ID: "bandwidth", Title: "Mean EMD against bandwidth", Lines: l,
		Caption: fmt.Sprintf("The trained encoders on %d links, the best of them with its outputs cut for fewer, too. Of the five types of super trigger cells the one, with the decoding, that keeps most on that number of links.", b.EncoderLinks)}
}

// occupancyFigure sets the best encoder beside the baselines by occupancy.
func occupancyFigure(r *Results, ours *Encoder) report.Figure {
	profile := &report.Profile{X: report.Axis{Label: "trigger cells above threshold"}, Y: report.Axis{Label: "EMD", Unit: page.UnitOf(r.Config.Metric), Min: report.At(0)}}
	add := func(name string, bins []evaluate.Bin) {
		band := report.Band{Name: name}
		profile.Edges = fill(&band, bins, r)
		profile.Series = append(profile.Series, band)
	}
	add(loss.Label(ours.Loss), ours.emd().ByOccupancy)
	seen := map[string]bool{}
	for _, x := range r.Bandwidth.Baselines {
		group := map[string]string{"BC": "best choice", "STC": "super trigger cells", "TS": "threshold sum"}[x.Result.Algorithm]
		spread := x.Result.Decoding == evaluate.DecodeSpread
		if group == "" || x.Result.Links != r.Bandwidth.EncoderLinks || spread == (x.Result.Algorithm == "STC") || seen[group] {
			continue
		}
		seen[group] = true
		add(group, x.Result.Fidelity.Of(evaluate.EMD).ByOccupancy)
	}
	return report.Figure{ID: "bandwidth-occupancy", Title: fmt.Sprintf("EMD against occupancy on %d links", r.Bandwidth.EncoderLinks), Profile: profile,
		Caption: fmt.Sprintf("Median and central 68 %% of the held-out images. Best choice and threshold sum with the rest spread, super trigger cells of four with the sum in the largest cell, and the encoder trained with %s.", loss.Label(ours.Loss))}
}
