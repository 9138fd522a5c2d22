package reproduce

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/report"
	"barrow/wafer"
)

// encoderLinks is the bandwidth that the main job's encoders stand for: 16
// outputs of nine bits, the module sum's nine and a header of five are 158 of
// the 160 bits of five links.
const (
	encoderLinks  = 5
	encoderOutput = 144
	encoderSum    = 9
)

// Bandwidth sets the encoders beside the chip's algorithms that need no
// training.
type Bandwidth struct {
	EncoderLinks int    `json:"encoder_links"` // of the trained encoders
	EncoderBits  int    `json:"encoder_bits"`  // of their outputs and the module sum
	Density      string `json:"wafer_density"` // in words
	// Missing says why there are no baselines, where there are none.
	Missing   string     `json:"missing,omitempty"`
	Baselines []Baseline `json:"baselines"`
}

// Baseline is an algorithm of the chip on the held-out images.
type Baseline struct {
	evaluate.Baseline
	// Worse is the share of the images of which it keeps less than the encoder
	// with the smallest mean EMD does.
	Worse float64 `json:"share_worse_than_best_encoder"`
}

// baselines sends images through the chip by all its algorithms. Images that no
// chip takes give none, and the reason.
func baselines(ctx context.Context, m *emd.Metric, images *wafer.Set, density string, s evaluate.Settings) (*Bandwidth, error) {
	b := &Bandwidth{EncoderLinks: encoderLinks, EncoderBits: encoderOutput + encoderSum}
	if err := evaluate.ChipTakes(images.Charge); err != nil {
		b.Missing = strings.TrimPrefix(err.Error(), "evaluate: ")
		return b, nil
	}
	high, words, err := evaluate.Densities(images, density)
	if err != nil {
		return nil, err
	}
	b.Density = words
	list, err := evaluate.Baselines(ctx, m, images.Charge, evaluate.Schemes(econt.MaxETx), evaluate.ChipSettings{Settings: s, High: high})
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		if x.Links != encoderLinks {
			x.ByOccupancy = nil
		}
		b.Baselines = append(b.Baselines, Baseline{Baseline: x})
	}
	return b, nil
}

// bandwidth measures the baselines on the held-out images.
func (w *work) bandwidth(ctx context.Context) error {
	b, err := baselines(ctx, w.metric, w.test, w.c.Density, evaluate.Settings{Threshold: w.c.Threshold, Threads: w.threads})
	if err != nil {
		return err
	}
	w.results.Bandwidth = b
	ours := w.results.Encoders[best(w.results)].Values
	for k := range b.Baselines {
		x := &b.Baselines[k]
		for i, v := range x.Values {
			if v > ours[i] {
				x.Worse += 1 / float64(len(ours))
			}
		}
	}
	return nil
}

// on gives the baselines that run on up to n links, each kind (name and, with
// each, decoding) where it keeps most.
func (b *Bandwidth) on(n int, each bool) []*Baseline {
	var list []*Baseline
	at := map[[2]string]int{}
	for k := range b.Baselines {
		x := &b.Baselines[k]
		if x.Links > n {
			continue
		}
		key := [2]string{x.Name}
		if each || x.Algorithm == "BC" {
			key[1] = string(x.Decoding)
		}
		i, seen := at[key]
		if !seen {
			at[key] = len(list)
			list = append(list, x)
		} else if x.EMD.Mean < list[i].EMD.Mean {
			list[i] = x
		}
	}
	return list
}

// decodings are the words of the tables.
func (x *Baseline) decoding() string {
	switch {
	case x.Algorithm == "RPT":
		return "all cells"
	case x.Algorithm == "STC" && x.Decoding == evaluate.DecodeKept:
		return "sum in its largest cell"
	case x.Algorithm == "STC":
		return "sum shared by its cells"
	case x.Decoding == evaluate.DecodeKept:
		return "cells sent alone"
	}
	return "rest spread on the others"
}

func (x *Baseline) label() string {
	if x.Algorithm == "BC" && x.Decoding == evaluate.DecodeSpread {
		return "best choice, rest spread"
	}
	return x.Name
}

// reach is the first number of links on which a kind of baseline leaves no
// more than the EMD, or 0.
func (b *Bandwidth) reach(name string, emd float64) (links int) {
	for _, x := range b.Baselines {
		if x.Name == name && x.EMD.Mean <= emd && (links == 0 || x.Links < links) {
			links = x.Links
		}
	}
	return links
}

// atBandwidth is the report's section.
func atBandwidth(r *Results) report.Section {
	b, ours := r.Bandwidth, &r.Encoders[best(r)]
	s := report.Section{Title: "At equal bandwidth"}
	s.Text = []string{
		fmt.Sprintf("The chip has a few links, each of 32 bits in every bunch crossing, and has to choose what to send of 48 charges, which would take %d links. All encoders of this report stand for %d links: 16 outputs of nine bits are %d, the wafer's sum takes %d and the header 5. They were trained in floating point; what the chip's own arithmetic costs is in \"barrow reproduce --full\".", repeater, b.EncoderLinks, encoderOutput, encoderSum),
	}
	if b.Missing != "" {
		s.Text = append(s.Text, "The chip's other algorithms are not compared: "+b.Missing+".")
		return s
	}
	s.Text = append(s.Text,
		"Its other algorithms need no training. Best choice sends the largest cells with their charges, and the sum of all others: 1, 4, 6, 9 and 14 cells on 1 to 5 links. Super trigger cells sends sums of 4 (STC4) or 16 (STC16) neighbouring cells and which cell of each is the largest; coarse cells (CTC4) are sums alone. Threshold sum sends the cells above a threshold and the sum of the others; its frames differ in length and share a buffer, so the threshold here is the lowest with which the mean frame fits the links, and the buffer is taken as ideal.",
		"The receiver knows the frame and the geometry. It puts charges where they came from; what has no place of its own, the sum of the rest or of a super trigger cell, it can leave out, put into the largest cell, or spread evenly. Both are measured. An image of which nothing arrives is scored as the same charge in all cells and stays in every figure.",
		verdict(r, ours))
	s.Tables = []report.Table{sideBySide(r, ours), byLinks(r, ours)}
	s.Figures = []report.Figure{bandwidthFigure(r), occupancyFigure(r, ours)}
	return s
}

// repeater is the number of links that all 48 charges need.
const repeater = 11

// verdict says what the comparison finds.
func verdict(r *Results, ours *Encoder) string {
	b := r.Bandwidth
	var first *Baseline
	for _, x := range b.on(b.EncoderLinks, true) {
		if first == nil || x.EMD.Mean < first.EMD.Mean {
			first = x
		}
	}
	text := fmt.Sprintf("On up to %d links the algorithm that keeps most by its mean EMD is %s on %d (%s): %.3f, where the best encoder, trained with %s, leaves %.3f and is the better of the two on %.1f %% of the images.",
		b.EncoderLinks, first.Name, first.Links, first.decoding(), first.EMD.Mean, label(ours.Loss), ours.EMD.Mean, 100*first.Worse)
	if n := b.reach("best choice", ours.EMD.Mean); n > 0 {
		text += fmt.Sprintf(" Best choice reaches the encoder's mean EMD on %s (%d bits).", links(n), 32*n)
	} else {
		text += " Best choice does not reach the encoder's mean EMD on any number of links."
	}
	return text
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
			{Name: "mean EMD", Numeric: true}, {Name: "median", Numeric: true}, {Name: "response", Numeric: true}, {Name: "nothing arrives", Numeric: true}, {Name: "best encoder better", Numeric: true}},
		Note: fmt.Sprintf("Bits: of information a wafer, without padding, the mean where frames differ; a link carries 32. Encoders: outputs and sum with the header, before scaling to the sum. Super trigger cells and threshold sum: on the links and with the decoding that keep most. Best encoder better: share of images of which it (%s) keeps more. Wafer density: %s.", label(ours.Loss), b.Density),
	}
	for i, e := range r.Encoders {
		if e.Loss == ours.Loss {
			t.Emphasis = append(t.Emphasis, i)
		}
		t.Rows = append(t.Rows, []string{"encoder, " + label(e.Loss), "trained decoder", fmt.Sprint(b.EncoderLinks), fmt.Sprint(b.EncoderBits + 5),
			fmt.Sprintf("%.3f", e.EMD.Mean), fmt.Sprintf("%.3f", e.EMD.Median), fmt.Sprintf("%.3f", e.Response.Mean), "0 %", "–"})
	}
	for _, x := range b.on(b.EncoderLinks, false) {
		name := x.Name
		if x.Threshold > 0 {
			name += fmt.Sprintf(", from %d counts", x.Threshold)
		}
		t.Rows = append(t.Rows, []string{name, x.decoding(), fmt.Sprint(x.Links), fmt.Sprintf("%.0f", x.Bits), fmt.Sprintf("%.3f", x.EMD.Mean),
			fmt.Sprintf("%.3f", x.EMD.Median), fmt.Sprintf("%.3f", x.Response.Mean), percent(x.Empty), percent(x.Worse)})
	}
	return t
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// byLinks is the table of mean EMDs against bandwidth.
func byLinks(r *Results, ours *Encoder) report.Table {
	b := r.Bandwidth
	t := report.Table{
		Title:   "Mean EMD by links",
		Columns: []report.Column{{Name: "what is sent"}, {Name: "decoded as"}},
		Note:    fmt.Sprintf("A dash: the algorithm does not use that many links. Reaches the encoder: the fewest links on which the mean EMD is not above %.3f, the best encoder's on %d.", ours.EMD.Mean, b.EncoderLinks),
	}
	for n := 1; n <= b.EncoderLinks; n++ {
		t.Columns = append(t.Columns, report.Column{Name: links(n), Unit: fmt.Sprintf("%d bits", 32*n), Numeric: true})
	}
	t.Columns = append(t.Columns, report.Column{Name: "reaches the encoder", Numeric: true})
	for _, row := range b.kinds() {
		cells := []string{row[0].Name, row[0].decoding()}
		reach := "never"
		for n := 1; n <= b.EncoderLinks; n++ {
			cells = append(cells, "–")
		}
		for _, x := range row {
			if x.Links <= b.EncoderLinks {
				cells[1+x.Links] = fmt.Sprintf("%.3f", x.EMD.Mean)
			}
			if reach == "never" && x.EMD.Mean <= ours.EMD.Mean {
				reach = links(x.Links)
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
		key := [2]string{x.Name, string(x.Decoding)}
		if i, seen := at[key]; seen {
			list[i] = append(list[i], x)
			continue
		}
		at[key] = len(list)
		list = append(list, []*Baseline{x})
	}
	return slices.DeleteFunc(list, func(row []*Baseline) bool { return row[0].Links > b.EncoderLinks })
}

// bandwidthFigure draws the mean EMD against the bits of the links.
func bandwidthFigure(r *Results) report.Figure {
	b := r.Bandwidth
	const most = 8 // links on the axis
	l := &report.Lines{X: report.Axis{Label: "bits that the links carry in a bunch crossing", Min: report.At(0), Max: report.At(32*most + 8)},
		Y: report.Axis{Label: "mean EMD", Unit: emdUnit, Min: report.At(0)}}
	for _, e := range r.Encoders {
		l.Series = append(l.Series, report.Line{Name: label(e.Loss), X: []float64{float64(32 * b.EncoderLinks)}, Y: []float64{e.EMD.Mean}})
	}
	line := func(name, group string, dashed bool, take func(*Baseline) bool) {
		least := map[int]float64{}
		for k := range b.Baselines {
			if x := &b.Baselines[k]; take(x) && x.Links <= most {
				if v, seen := least[x.Links]; !seen || x.EMD.Mean < v {
					least[x.Links] = x.EMD.Mean
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
		return func(x *Baseline) bool { return x.Algorithm == algorithm && (d == "" || x.Decoding == d) }
	}
	line("best choice, rest spread", "best choice", false, kind("BC", evaluate.DecodeSpread))
	line("best choice, cells sent alone", "best choice", true, kind("BC", evaluate.DecodeKept))
	line("super trigger cells, best type", "super trigger cells", false, kind("STC", ""))
	line("threshold sum, rest spread", "threshold sum", false, kind("TS", evaluate.DecodeSpread))
	return report.Figure{ID: "bandwidth", Title: "Mean EMD against bandwidth", Lines: l,
		Caption: fmt.Sprintf("Single points: the trained encoders, on %d links. Of the five types of super trigger cells the one, with the decoding, that keeps most on that number of links.", b.EncoderLinks)}
}

// occupancyFigure sets the best encoder beside the baselines by occupancy.
func occupancyFigure(r *Results, ours *Encoder) report.Figure {
	profile := &report.Profile{X: report.Axis{Label: "trigger cells above threshold"}, Y: report.Axis{Label: "EMD", Unit: emdUnit, Min: report.At(0)}}
	add := func(name string, bins []evaluate.Bin) {
		band := report.Band{Name: name}
		profile.Edges = fill(&band, bins, r)
		profile.Series = append(profile.Series, band)
	}
	add(label(ours.Loss), ours.ByOccupancy)
	seen := map[string]bool{}
	for _, x := range r.Bandwidth.Baselines {
		group := map[string]string{"BC": "best choice", "STC": "super trigger cells", "TS": "threshold sum"}[x.Algorithm]
		spread := x.Decoding == evaluate.DecodeSpread
		if group == "" || x.Links != r.Bandwidth.EncoderLinks || spread == (x.Algorithm == "STC") || seen[group] {
			continue
		}
		seen[group] = true
		add(group, x.ByOccupancy)
	}
	return report.Figure{ID: "bandwidth-occupancy", Title: fmt.Sprintf("EMD against occupancy on %d links", r.Bandwidth.EncoderLinks), Profile: profile,
		Caption: fmt.Sprintf("Median and central 68 %% of the held-out images. Best choice and threshold sum with the rest spread, super trigger cells of four with the sum in the largest cell, and the encoder trained with %s.", label(ours.Loss))}
}

// List is what the baselines measured, without the comparison with the
// encoders.
func (b *Bandwidth) List() []evaluate.Baseline {
	var list []evaluate.Baseline
	for _, x := range b.Baselines {
		list = append(list, x.Baseline)
	}
	return list
}
