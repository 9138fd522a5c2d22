package reproduce

import (
	"fmt"
	"path/filepath"

	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/report"
	"barrow/run"
	"barrow/study/estimate"
	"barrow/study/internal/page"
)

// Times are the seconds that each part of a run took.
type Times struct {
	Parts []Part  `json:"parts"`
	Total float64 `json:"total"`
}

// A Part of a run: "images", "emd-cnn", or "encoder " and its loss.
type Part struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Seconds that the named part took, 0 if it was not run.
func (t Times) Seconds(name string) float64 {
	for _, p := range t.Parts {
		if p.Name == name {
			return p.Seconds
		}
	}
	return 0
}

// Page lays out the page of a finished run.
func Page(folder string) (*report.Page, error) {
	var r Results
	var t Times
	if err := run.ReadJSON(folder, run.Results, &r); err != nil {
		return nil, err
	}
	if err := run.ReadJSON(folder, run.Times, &t); err != nil {
		return nil, err
	}
	if len(r.Encoders) == 0 {
		return nil, fmt.Errorf("reproduce: %s: no encoders", filepath.Join(folder, run.Results))
	}
	return lay(&r, t), nil
}

func lay(r *Results, t Times) *report.Page {
	p := &report.Page{
		Title:    "Encoders trained with an earth mover's distance",
		Subtitle: fmt.Sprintf("%s: %d images to train on, %d to choose by, %d held out", r.Config.Source, r.Split.Train, r.Split.Validation, r.Split.Test),
		Summary:  summary(r),
		Tables:   []report.Table{closing(r, t)},
		Footer: []string{
			r.Config.Words(),
			fmt.Sprintf("EMD CNN %s on %d fresh pairs in each of %d epochs.", r.Config.CNN, r.Config.pairs(), r.Config.CNNEpochs),
			"SHA-256 of the images: " + r.Config.Digest,
		},
	}
	for _, e := range r.Encoders {
		p.Palette = append(p.Palette, loss.Label(e.Loss))
	}
	p.Sections = []report.Section{decodedImages(r), fidelity(r)}
	if r.Bandwidth != nil {
		p.Sections = append(p.Sections, atBandwidth(r))
	}
	p.Sections = append(p.Sections, merits(r), network(r), training(r))
	return p
}

func summary(r *Results) []string {
	best := r.Encoders[best(r)]
	text := fmt.Sprintf("The encoder of the trigger chip, 48 charges to 16 numbers, was trained with %d losses at the same budget and measured on images that no training saw. Trained with %s it leaves a mean earth mover's distance of %.3f between image and decoded image", len(r.Encoders), loss.Label(best.Loss), best.emd().Mean)
	if best.Loss != baseline && best.Ratio > 0 {
		text += fmt.Sprintf(", %.2f of what %s leaves", best.Ratio, loss.Label(baseline))
	}
	unit := page.UnitOf(r.Config.Metric)
	if r.Config.Metric == hgcal.Metrics()[0] {
		unit = "units of half a trigger-cell (TC) pitch"
	}
	units := "Distances are in " + unit + "; both images are scaled to sum 1 before they are compared."
	if r.Bandwidth != nil && r.Bandwidth.Missing == "" {
		units += " Every encoder stands for five of the chip's links, with 144 bits of outputs and 9 of the wafer's sum: what the chip's other algorithms keep on as many and on fewer is under \u201cAt equal bandwidth\u201d."
	}
	return []string{text + ".", units}
}

// closing is the table that the command prints, too.
func closing(r *Results, t Times) report.Table {
	tab := report.Table{
		Title: "The encoders on held-out images",
		Columns: []report.Column{{Name: "loss"}, {Name: "mean EMD", Numeric: true}, {Name: "median", Numeric: true},
			{Name: "16–84 %", Numeric: true}, {Name: "ratio to telescope", Numeric: true}, {Name: "95 % interval", Numeric: true}},
		Note: "Ratio: of the mean EMDs, with a paired bootstrap interval. The other figures are before the decoded image is scaled to the module’s sum. Seconds: training alone. Every encoder stands for five links of 32 bits: 144 bits of outputs and 9 of the wafer’s sum.",
	}
	for _, f := range r.Encoders[0].Fidelity.Others() {
		tab.Columns = append(tab.Columns, report.Column{Name: f.Label, Numeric: true})
	}
	tab.Columns = append(tab.Columns, report.Column{Name: "seconds", Numeric: true})
	for i, e := range r.Encoders {
		v := e.emd()
		if v.Mean <= r.Encoders[best(r)].emd().Mean {
			tab.Emphasis = append(tab.Emphasis, i)
		}
		ratio, interval := "–", "–"
		if e.Ratio > 0 {
			ratio, interval = fmt.Sprintf("%.3f", e.Ratio), fmt.Sprintf("%.3f–%.3f", e.RatioRange.Low, e.RatioRange.High)
		}
		row := []string{loss.Label(e.Loss), v.Figure.Print(v.Mean), v.Figure.Print(v.Median), fmt.Sprintf("%.2f–%.2f", v.P16, v.P84), ratio, interval}
		for _, f := range e.Fidelity.Others() {
			row = append(row, page.Print(f))
		}
		tab.Rows = append(tab.Rows, append(row, fmt.Sprintf("%.1f", t.Seconds("encoder "+e.Loss))))
	}
	return tab
}

func best(r *Results) int {
	at := 0
	for i, e := range r.Encoders {
		if e.emd().Mean < r.Encoders[at].emd().Mean {
			at = i
		}
	}
	return at
}

func decodedImages(r *Results) report.Section {
	w := &report.Wafers{Unit: "share of the wafer's charge"}
	for _, e := range r.Encoders {
		w.Columns = append(w.Columns, loss.Label(e.Loss))
	}
	for _, x := range r.Examples {
		row := report.WaferRow{Name: fmt.Sprintf("%d cells hit", x.Occupancy), Input: x.Input, Decoded: x.Decoded}
		for _, v := range x.EMD {
			row.Notes = append(row.Notes, fmt.Sprintf("EMD %.2f", v))
		}
		w.Rows = append(w.Rows, row)
	}
	return report.Section{
		Title: "Images and what the encoders keep of them",
		Figures: []report.Figure{{ID: "wafers", Title: "Held-out images, decoded, and the differences", Wafers: w,
			Caption: "Low, middling and high occupancy among the held-out images. Every image is scaled to sum 1."}},
	}
}

func fidelity(r *Results) report.Section {
	profile := &report.Profile{
		X: report.Axis{Label: "trigger cells above threshold"}, Y: report.Axis{Label: "EMD", Unit: page.UnitOf(r.Config.Metric), Min: report.At(0)},
	}
	hist := &report.Histogram{X: report.Axis{Label: "EMD", Unit: page.UnitOf(r.Config.Metric)}, Y: report.Axis{Label: "images"}}
	ratios := &report.Intervals{X: report.Axis{Label: "mean EMD over that of telescope MSE"}, Spread: "95 % paired bootstrap interval", Marks: []report.Mark{{Name: "equal to telescope MSE", At: 1}}}
	for _, e := range r.Encoders {
		band := report.Band{Name: loss.Label(e.Loss)}
		profile.Edges = fill(&band, e.emd().ByOccupancy, r)
		profile.Series = append(profile.Series, band)
		hist.Edges = e.Histogram.Edges
		hist.Series = append(hist.Series, report.Counts{Name: loss.Label(e.Loss), Count: e.Histogram.Count})
		if e.Ratio > 0 {
			ratios.Rows = append(ratios.Rows, report.Interval{Name: loss.Label(e.Loss), Value: e.Ratio, Low: min(e.Ratio, e.RatioRange.Low), High: max(e.Ratio, e.RatioRange.High)})
		}
	}
	s := report.Section{Title: "The exact EMD", Figures: []report.Figure{
		{ID: "occupancy", Title: "EMD against occupancy", Profile: profile,
			Caption: fmt.Sprintf("Exact EMD between image and decoded image: median and central 68 %% of the held-out images, by the number of trigger cells above %g.", r.Config.Threshold)},
		{ID: "emd", Title: "EMD of the held-out images", Histogram: hist},
	}}
	if len(ratios.Rows) > 0 {
		s.Figures = append(s.Figures, report.Figure{ID: "ratios", Title: "Mean EMD by loss", Intervals: ratios})
	}
	return s
}

// fill lays an encoder's bins, of which empty ones are missing, onto the bin
// edges that all encoders share, and returns those.
func fill(b *report.Band, bins []evaluate.Bin, r *Results) []float64 {
	low, high := map[float64]float64{}, 0.0
	for _, e := range r.Encoders {
		for _, x := range e.emd().ByOccupancy {
			low[x.Low] = x.High
			high = max(high, x.High)
		}
	}
	var out []float64
	for _, e := range evaluate.OccupancyEdges() {
		if _, used := low[e]; used || len(out) > 0 && e <= high {
			out = append(out, e)
		}
	}
	n := max(0, len(out)-1)
	b.Mid, b.Low, b.High, b.Count = make([]float64, n), make([]float64, n), make([]float64, n), make([]int, n)
	for k := range n {
		for _, x := range bins {
			if x.Low == out[k] {
				b.Mid[k], b.Low[k], b.High[k], b.Count[k] = x.Median, x.P16, x.P84, x.N
			}
		}
	}
	return out
}

// merits draws the figures of merit but the EMD, each with its spread over images.
func merits(r *Results) report.Section {
	s := report.Section{
		Title: "Energy and place",
		Text:  []string{"The earth mover's distance compares shapes: it does not see the total charge, so an encoder trained with it alone is free to return any. The chip sends the module's sum beside the code, and the decoded image can be scaled to it; the response here is before that. Adding the loss \"energy\", the squared error of the total, keeps the response without costing distance."},
	}
	for _, f := range r.Encoders[0].Fidelity.Others() {
		iv := &report.Intervals{X: page.Axis(f.Figure, r.Config.Metric), Spread: "central 68 % of the images", Marks: []report.Mark{page.Ideal(f.Figure)}}
		for _, e := range r.Encoders {
			m := e.Fidelity.Of(f.Name)
			iv.Rows = append(iv.Rows, report.Interval{Name: loss.Label(e.Loss), Value: m.Median, Low: m.P16, High: m.P84})
		}
		s.Figures = append(s.Figures, page.Merit(f.Figure, iv, "Median over the held-out images."))
	}
	return s
}

func network(r *Results) report.Section {
	s := report.Section{Title: "The EMD CNN", Text: []string{
		"The network estimates the EMD of two images it has not seen. Its gradient is what trains an encoder: the cosine compares it with the exact one, on the cells where the second image has charge.",
	}}
	s.Tables = []report.Table{estimate.Table("held-out pairs", r.Surrogate.Pairs)}
	for _, x := range r.Surrogate.Pairs {
		s.Figures = append(s.Figures, x.Predicted("predicted-"+x.Name, "Predicted against exact EMD, "+x.Name+" pairs", page.UnitOf(r.Config.Metric)))
	}
	s.Figures = append(s.Figures, estimate.Relative(r.Surrogate.Pairs))
	return s
}

func training(r *Results) report.Section {
	s := report.Section{Title: "Training", Text: []string{page.CurvesText}}
	curve := func(id, title, name, y string, points []Epoch) {
		if len(points) == 0 {
			return
		}
		c := page.Curve{Name: name}
		for _, p := range points {
			c.Points = append(c.Points, [2]float64{p.Train, p.Validation})
		}
		s.Figures = append(s.Figures, page.Curves(id, title, y, c))
	}
	curve("curve-emd-cnn", "EMD CNN", "EMD CNN network", "loss", r.Surrogate.Curve)
	for _, e := range r.Encoders {
		curve(page.ID("curve-encoder", e.Loss), "Encoder with "+loss.Label(e.Loss), loss.Label(e.Loss), loss.Label(e.Loss), e.Curve)
	}
	return s
}
