package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"barrow/hgcal"
	"barrow/report"
)

var sampleDir = flag.String("sample", "", "write the sample page and pictures into this folder, to look at")

var losses = []string{"weighted MSE", "telescope MSE", "EMD CNN", "exact EMD"}

// sample is a page with every kind of figure. The profile is the paper's
// figure, as docs/paper.md gives it (the fourth loss and the bands' inner bins
// are made up); the rest is made up with a fixed seed.
func sample() report.Page {
	rng := rand.New(rand.NewPCG(7, 7))
	return report.Page{
		Title:    "Barrow: sample report",
		Subtitle: "made-up numbers that exercise every kind of figure",
		Summary: []string{
			"Encoders trained with the earth mover's distance keep the energy pattern better than those trained with mean squared errors: this page shows how such a result is drawn.",
			"Distances are in half the trigger-cell pitch. <script>alert(\"escaped & harmless\")</script>",
		},
		Palette: losses,
		Tables:  []report.Table{closing()},
		Sections: []report.Section{
			{Title: "Images", Text: []string{"Three held-out wafers, from quiet to busy."}, Figures: []report.Figure{wafers(rng, 3)}},
			{Title: "Encoders", Text: []string{"The exact EMD between each image and its decoded version."}, Figures: []report.Figure{
				profile(), etaProfile(rng), emdHistogram(rng), means(), ratios(),
			}},
			{Title: "The EMD CNN", Figures: []report.Figure{density(rng), difference(rng)}},
			{Title: "Physics", Figures: []report.Figure{resolution(rng)}},
			{Title: "Training", Figures: []report.Figure{training(rng), training2(rng)}},
		},
		Footer: []string{"barrow reproduce --quick --seed 7", "2 threads · 61 s · Go 1.26"},
	}
}

func closing() report.Table {
	return report.Table{
		Title: "Per loss, on 10 000 held-out images",
		Columns: []report.Column{
			{Name: "loss"}, {Name: "mean EMD", Unit: "half TC pitch", Numeric: true}, {Name: "median [16 %, 84 %]", Numeric: true},
			{Name: "ratio to telescope", Numeric: true}, {Name: "training", Unit: "s", Numeric: true},
		},
		Rows: [][]string{
			{"weighted MSE", "1.431", "1.38 [1.02, 1.83]", "1.16", "21.3"},
			{"telescope MSE", "1.231", "1.18 [0.86, 1.60]", "1.00", "24.9"},
			{"EMD CNN", "0.912", "0.88 [0.65, 1.17]", "0.74", "88.0"},
			{"exact EMD", "0.861", "0.83 [0.61, 1.11]", "0.70", "26.1"},
		},
		Emphasis: []int{3},
		Note:     "Equal epochs and seeds. Intervals in the figures are 95 % bootstrap intervals.",
	}
}

func wafers(rng *rand.Rand, rows int) report.Figure {
	centres := hgcal.CellCentres()
	w := &report.Wafers{Unit: "share of the wafer's charge", Columns: losses}
	for r := range rows {
		input := make([]float64, len(centres))
		for k := 0; k <= r; k++ {
			c := centres[rng.IntN(len(centres))]
			for i, p := range centres {
				d := math.Hypot(p[0]-c[0], p[1]-c[1])
				input[i] += math.Exp(-d/1.4) * (0.5 + rng.Float64())
			}
		}
		for i := range input {
			if input[i] < 0.12 {
				input[i] = 0
			}
		}
		row := report.WaferRow{Name: fmt.Sprintf("%d cells above 1 MIP_T", 4+8*r), Input: unit(input)}
		for j := range losses {
			d := make([]float64, len(input))
			for i := range d {
				d[i] = row.Input[i]*(1+rng.NormFloat64()*0.25*float64(4-j)/2) + 0.004*rng.Float64()*float64(4-j)
				d[i] = math.Max(d[i], 0)
			}
			row.Decoded = append(row.Decoded, unit(d))
			row.Notes = append(row.Notes, fmt.Sprintf("EMD %.2f", 1.4-0.2*float64(j)))
		}
		w.Rows = append(w.Rows, row)
	}
	return report.Figure{ID: "wafers", Title: "Wafers as they are and as each decoder returns them", Wafers: w,
		Caption: "Above, the images; below, decoded − input: blue where charge is missing, orange where there is too much."}
}

func unit(x []float64) []float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	for i := range x {
		x[i] /= s
	}
	return x
}

const pitch = "half TC pitch"

func profile() report.Figure {
	mid := [][]float64{
		{1.736, 1.478, 1.335, 1.302, 1.318, 1.282, 1.150, 1.088, 1.051, 1.009},
		{1.344, 1.284, 1.126, 0.970, 0.886, 0.865, 0.890, 0.865, 0.801, 0.768},
		{0.955, 0.943, 0.863, 0.750, 0.672, 0.655, 0.675, 0.649, 0.620, 0.575},
		{0.905, 0.893, 0.803, 0.690, 0.612, 0.605, 0.615, 0.589, 0.560, 0.515},
	}
	p := &report.Profile{
		X:     report.Axis{Label: "occupancy", Unit: "cells above 1 MIP_T"},
		Y:     report.Axis{Label: "EMD", Unit: pitch},
		Edges: report.Even(0, 39, 10),
	}
	for j, name := range losses {
		b := report.Band{Name: name, Mid: mid[j]}
		for i, m := range mid[j] {
			f := 1 - float64(i)/14
			b.Low = append(b.Low, m*(1-0.26*f))
			b.High = append(b.High, m*(1+0.34*f))
		}
		p.Series = append(p.Series, b)
	}
	return report.Figure{ID: "emd-occupancy", Title: "EMD against occupancy", Profile: p,
		Caption: "Median and 16–84 % of the exact EMD between image and decoded image."}
}

func etaProfile(rng *rand.Rand) report.Figure {
	p := &report.Profile{X: report.Axis{Label: "|η|"}, Y: report.Axis{Label: "EMD", Unit: pitch}, Edges: report.Even(1.6, 3, 10)}
	for j, name := range losses {
		b := report.Band{Name: name}
		for i := range 10 {
			m := (1.8 - 0.07*float64(i)) * (1 - 0.18*float64(j))
			b.Mid, b.Low, b.High = append(b.Mid, m), append(b.Low, 0.8*m), append(b.High, 1.2*m+0.05*rng.Float64())
			n := 100
			if i == 4 || i == 9 && j > 1 {
				n = 0
			}
			b.Count = append(b.Count, n)
		}
		p.Series = append(p.Series, b)
	}
	return report.Figure{ID: "emd-eta", Title: "EMD against pseudorapidity", Profile: p, Caption: "Bins without images are left open."}
}

func emdHistogram(rng *rand.Rand) report.Figure {
	h := &report.Histogram{X: report.Axis{Label: "EMD", Unit: pitch}, Y: report.Axis{Label: "images"}, Edges: report.Even(0, 4, 40)}
	for j, name := range losses {
		v := make([]float64, 10000)
		for i := range v {
			v[i] = (1.4 - 0.18*float64(j)) * math.Exp(0.3*rng.NormFloat64())
		}
		count, _, err := report.Bin(v, h.Edges)
		if err != nil {
			panic(err)
		}
		h.Series = append(h.Series, report.Counts{Name: name, Count: count})
	}
	return report.Figure{ID: "emd-histogram", Title: "EMD per loss", Histogram: h}
}

func means() report.Figure {
	v := &report.Intervals{X: report.Axis{Label: "mean EMD", Unit: pitch}, Spread: "95 % bootstrap interval"}
	for j, name := range losses {
		m := []float64{1.431, 1.231, 0.912, 0.861}[j]
		v.Rows = append(v.Rows, report.Interval{Name: name, Value: m, Low: m - 0.02, High: m + 0.022})
	}
	return report.Figure{ID: "emd-mean", Title: "Mean EMD per loss", Intervals: v, Caption: "Bars are 95 % bootstrap intervals."}
}

func ratios() report.Figure {
	v := &report.Intervals{X: report.Axis{Label: "mean EMD over telescope MSE's"}, Spread: "95 % bootstrap interval",
		Marks: []report.Mark{{Name: "equal to telescope MSE", At: 1}}}
	for j, name := range losses {
		m := []float64{1.162, 1, 0.741, 0.699}[j]
		v.Rows = append(v.Rows, report.Interval{Name: name, Value: m, Low: m - 0.015*math.Abs(m-1)*4, High: m + 0.015*math.Abs(m-1)*4})
	}
	return report.Figure{ID: "emd-ratio", Title: "Ratio to telescope MSE", Intervals: v}
}

func density(rng *rand.Rand) report.Figure {
	d := &report.Density{X: report.Axis{Label: "exact EMD", Unit: pitch}, Y: report.Axis{Label: "predicted EMD", Unit: pitch},
		XEdges: report.Even(0, 6, 60), YEdges: report.Even(0, 6, 60), Diagonal: true}
	var x, y []float64
	for range 50000 {
		e := 2 * math.Exp(0.45*rng.NormFloat64())
		x, y = append(x, e), append(y, e*(1+0.053*rng.NormFloat64()))
	}
	var err error
	if d.Count, _, err = report.BinXY(x, y, d.XEdges, d.YEdges); err != nil {
		panic(err)
	}
	return report.Figure{ID: "surrogate-density", Title: "Predicted against exact EMD", Density: d, Caption: "50 000 held-out pairs."}
}

func difference(rng *rand.Rand) report.Figure {
	h := &report.Histogram{X: report.Axis{Label: "(predicted − exact) / exact"}, Y: report.Axis{Label: "pairs"}, Edges: report.Even(-0.3, 0.3, 60),
		Marks: []report.Mark{{Name: "mean −0.013", At: -0.013}}}
	v := make([]float64, 50000)
	for i := range v {
		v[i] = -0.013 + 0.053*rng.NormFloat64()
	}
	count, _, err := report.Bin(v, h.Edges)
	if err != nil {
		panic(err)
	}
	h.Series = []report.Counts{{Name: "EMD CNN", Count: count}}
	return report.Figure{ID: "surrogate-difference", Title: "Relative difference of the EMD CNN", Histogram: h, Caption: "Standard deviation 0.053."}
}

func training(rng *rand.Rand) report.Figure {
	l := &report.Lines{X: report.Axis{Label: "epoch"}, Y: report.Axis{Label: "loss, relative to the first epoch", Log: true}}
	for j, name := range losses {
		for k, part := range []string{"training", "validation"} {
			line := report.Line{Name: name + ", " + part, Group: name, Dashed: k == 1}
			for e := 1; e <= 60; e++ {
				line.X = append(line.X, float64(e))
				line.Y = append(line.Y, (0.2-0.04*float64(j))+(0.8+0.04*float64(j))*math.Exp(-float64(e-1)/8)*(1+0.03*rng.NormFloat64())+0.02*float64(k))
			}
			l.Series = append(l.Series, line)
		}
	}
	return report.Figure{ID: "training", Title: "Training of the encoders", Lines: l}
}

func training2(rng *rand.Rand) report.Figure {
	l := &report.Lines{X: report.Axis{Label: "epoch"}, Y: report.Axis{Label: "mean squared error", Unit: pitch + "²", Log: true}}
	for k, part := range []string{"training", "validation"} {
		line := report.Line{Name: part, Group: "EMD CNN", Dashed: k == 1}
		for e := 1; e <= 40; e++ {
			line.X = append(line.X, float64(e))
			line.Y = append(line.Y, 0.004+2*math.Exp(-float64(e)/3)*(1+0.1*rng.NormFloat64())+0.002*float64(k)*rng.Float64())
		}
		l.Series = append(l.Series, line)
	}
	return report.Figure{ID: "surrogate-training", Title: "Training of the EMD CNN", Lines: l}
}

func resolution(rng *rand.Rand) report.Figure {
	l := &report.Lines{X: report.Axis{Label: "generated p_T", Unit: "GeV", Log: true}, Y: report.Axis{Label: "resolution σ/mean", Min: report.At(0)}}
	for j, name := range losses {
		s := report.Line{Name: name, Points: true}
		for i := range 8 {
			x, e := 6*math.Pow(1.35, float64(i))*(1+0.02*float64(j)), 0.002*float64(8-i)
			y := 0.05 + (0.9-0.1*float64(j))/x + e*rng.NormFloat64()
			s.X, s.Y, s.Low, s.High = append(s.X, x), append(s.Y, y), append(s.Low, y-e), append(s.High, y+e)
		}
		l.Series = append(l.Series, s)
	}
	return report.Figure{ID: "resolution", Title: "Energy resolution", Lines: l, Label: &report.Label{Experiment: "Barrow", Status: "Simulation", Right: "√s = 14 TeV, 200 PU"}}
}

// TestSample writes the whole sample page; with -sample it can be looked at.
func TestSample(t *testing.T) {
	page := sample()
	var b bytes.Buffer
	if err := report.Write(&b, page); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 2<<20 {
		t.Errorf("the sample page has %d bytes, want less than 2 MB", b.Len())
	}
	if *sampleDir == "" {
		return
	}
	save := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(*sampleDir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	save("report.html", b.Bytes())
	t.Logf("report.html: %d bytes", b.Len())
	for _, s := range page.Sections {
		for _, f := range s.Figures {
			f, _ := page.Figure(f.ID)
			var svg bytes.Buffer
			if err := report.SVG(&svg, f); err != nil {
				t.Fatal(err)
			}
			save(f.ID+".svg", svg.Bytes())
		}
	}
	small := wafers(rand.New(rand.NewPCG(3, 3)), 1)
	emd, _ := page.Figure("emd-occupancy")
	var png bytes.Buffer
	if err := report.PNG(&png, small, emd); err != nil {
		t.Fatal(err)
	}
	save("readme.png", png.Bytes())
}
