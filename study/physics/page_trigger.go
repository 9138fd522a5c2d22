package physics

import (
	"fmt"
	"strings"

	"barrow/physics"
	"barrow/report"
)

// roc is the curve of a contender.
func roc(c *Contender) []physics.Bin {
	if c.identification == nil {
		return nil
	}
	var bins []physics.Bin
	for _, p := range c.identification.Curve {
		bins = append(bins, physics.Bin{Low: p.Efficiency, High: p.Efficiency, Value: p.Value})
	}
	return bins
}

// turnOn is in words at which rate turn-ons are.
func (r *Results) turnOn() string {
	if len(r.Samples) < 2 {
		return "There are no rates and no turn-on: no minimum bias was measured."
	}
	if r.Rate == 0 {
		return "There is no turn-on: too little minimum bias tells no rate that a trigger has."
	}
	return fmt.Sprintf("The turn-on is the share of particles above the threshold of %g kHz for every contender.", r.Rate)
}

// untriggered says why there is no threshold of any contender, though there is a rate.
func (r *Results) untriggered() string {
	if len(r.Samples) < 2 || r.measured("threshold") {
		return ""
	}
	return "Not shown: threshold and turn-on: " + r.Contenders[0].Value("threshold").Note + "."
}

// spectrum is in words what figures over all particles are of.
func (r *Results) spectrum() string {
	if len(r.Plan.Data) > 0 {
		return "it is of the files’ particles"
	}
	return fmt.Sprintf("it is of %s GeV, uniform in ln p_T", strings.ReplaceAll(r.Plan.Pt, ":", "–"))
}

// trigger draws rates and turn-on curves.
func (r *Results) trigger() report.Section {
	s := report.Section{Title: "Rates and turn-on", Text: []string{"The rate is that of crossings in which either endcap has a cluster above the threshold" + r.where() + ". " + r.turnOn() + " Efficiency overall, unlike p_T of 50 and 95 %, depends on the spectrum: " + r.spectrum() + "."}}
	if l := r.lines(figure("rate"), report.Axis{Label: "threshold in p_T", Unit: "GeV"}, report.Axis{Label: "rate", Unit: "kHz", Log: true}, of("rate", func(m *physics.Measured) []physics.Bin { return m.ByThreshold })); len(l.Series) > 0 {
		s.Figures = append(s.Figures, report.Figure{ID: "rate", Title: "Rate against threshold", Lines: l})
	}
	if l := r.lines(figure("turn_on"), report.Axis{Label: "generated p_T", Unit: "GeV", Log: true}, report.Axis{Label: "efficiency"}, of("turn_on", func(m *physics.Measured) []physics.Bin { return m.ByPt })); len(l.Series) > 0 {
		s.Figures = append(s.Figures, report.Figure{ID: "turn-on", Title: "Turn-on at a fixed rate", Lines: l})
	}
	if note := r.untriggered(); note != "" {
		s.Text = append(s.Text, note)
	}
	s.Figures = append(s.Figures, r.overall("threshold", "turn_on_50", "turn_on_95", "fakes_5", "fakes_10", "fakes_20")...)
	return s
}

// identity draws what tells particles from minimum bias.
func (r *Results) identity() report.Section {
	s := report.Section{Title: "Particles against pile-up", Text: []string{"Boosted trees on the clusters’ shapes, trained for each contender on events of even numbers and measured on those of odd ones, and the reverse; signal is weighted to the background’s p_T and |η|. " + r.softly() + "The curve is of the particles with a cluster in range: what share they are of all stands below."}}
	if l := r.lines(figure(background), report.Axis{Label: "share of particles that pass"}, report.Axis{Label: "share of pile-up clusters that pass", Log: true}, roc); len(l.Series) > 0 {
		for i := range l.Series {
			l.Series[i] = stairs(l.Series[i])
		}
		s.Figures = append(s.Figures, report.Figure{ID: "roc", Title: "Particles against pile-up", Lines: l, Caption: strings.TrimSpace(r.count(figure(auc)) + " " + r.caption(figure(auc)))})
	}
	s.Figures = append(s.Figures, r.overall(auc, background, inROC)...)
	return s
}

// softly says of which particles the ROC is, where they are not those of the other figures.
func (r *Results) softly() string {
	for _, s := range r.Samples {
		if s.Name == soft {
			return fmt.Sprintf("The particles are others than above: %s from %d to %d GeV, falling as p_T to the power of −%d, since minimum bias has hardly any cluster of more. ", thousands(s.Events), lowestForROC, softPt, softIndex)
		}
	}
	return ""
}

// stairs draw a curve as the steps that it has: a cluster more, or none.
func stairs(l report.Line) report.Line {
	out := report.Line{Name: l.Name}
	for k := range l.X {
		if k > 0 {
			out.X, out.Y = append(out.X, l.X[k]), append(out.Y, l.Y[k-1])
		}
		out.X, out.Y = append(out.X, l.X[k]), append(out.Y, l.Y[k])
	}
	return out
}
