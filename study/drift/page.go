package drift

import (
	"fmt"
	"strings"

	"barrow/report"
	"barrow/run"
	"barrow/study/internal/page"
)

// Page lays out the page of a finished run.
func Page(folder string) (*report.Page, error) {
	var r Results
	if err := run.ReadJSON(folder, run.Results, &r); err != nil {
		return nil, err
	}
	if len(r.Courses) == 0 {
		return nil, fmt.Errorf("drift: %s: the results have no drift", folder)
	}
	for _, c := range r.Courses {
		for _, t := range c.Tracks {
			if len(t.Steps) != r.Plan.Steps+1 {
				return nil, fmt.Errorf("drift: %s: %s, seed %d: %d steps of %d", folder, c.Name, t.Seed, len(t.Steps)-1, r.Plan.Steps)
			}
		}
		if len(c.Tracks) == 0 {
			return nil, fmt.Errorf("drift: %s: %s has no detector", folder, c.Name)
		}
	}
	return lay(&r), nil
}

// lay is the page of a run.
func lay(r *Results) *report.Page {
	p := r.Plan
	out := &report.Page{
		Title:    "A detector that changes, followed without training",
		Subtitle: fmt.Sprintf("module %s with its sisters, %s, %d links; %d steps, %d images each; %s", p.Module, p.Preset, p.Links, p.Steps, p.Events, page.Of(p.Seeds, "seed")),
		Summary:  []string{r.Note()},
		Palette:  p.contenders(),
	}
	out.Sections = append(out.Sections, who(p))
	for i := range r.Courses {
		c := &r.Courses[i]
		s := report.Section{Title: c.Name, Text: []string{c.About + "."}, Tables: []report.Table{c.Table()}}
		s.Tables[0].Title = ""
		s.Figures = append(s.Figures, c.curves(p))
		if f, ok := c.conditions(p); ok {
			s.Figures = append(s.Figures, f)
		}
		out.Sections = append(out.Sections, s)
	}
	return out
}

// who says what the contenders are, and the conditions.
func who(p Plan) report.Section {
	about := map[string]string{
		frozen: "encoder and decoder as they were when the detector was new", gainCells: "every cell of each module times what brings its mean decoded share back",
		gainRing: "the same with one factor for a cell of all sisters", untuned: "the decoder with conditions, told of a new detector",
		known: "the same, told the truth: the most that tuning can reach", retrainedDecoder: "the decoder trained anew on the truth of its step",
		retrainedAll: "encoder and decoder trained anew on the truth of their step",
	}
	what := map[string]string{onOutputs: "offsets of the 16 outputs, before the frozen decoder", onConditions: "conditions of the decoder with conditions", onBoth: "offsets and conditions of the decoder with conditions"}
	how := map[string]string{byExtremum: "extremum seeking", bySPSA: "simultaneous perturbation", byCoordinate: "a search along one direction after the other"}
	for _, t := range p.tuners() {
		about[t.name] = what[t.vector] + ", tuned from what arrives by " + how[t.method]
	}
	contenders := report.Table{Columns: []report.Column{{Name: "contender"}, {Name: "what it is"}}}
	for _, name := range p.contenders() {
		contenders.Rows = append(contenders.Rows, []string{name, about[name]})
	}
	s := report.Section{Title: "Contenders", Tables: []report.Table{contenders}}
	if p.tunes() {
		t := report.Table{Columns: []report.Column{{Name: "condition"}, {Name: "what the decoder is told by it"}}}
		for k, text := range [conditions]string{
			"charge that is lost in all cells: they keep e to the minus it", "how much more of it is lost for every 8 half cell pitches along x", "the same along y",
			"growth of the noise: 1 when it has doubled", "logarithm of the collisions' mean number over that when it was new",
		} {
			t.Rows = append(t.Rows, []string{conditionNames()[k], text})
		}
		s.Tables = append(s.Tables, t)
	}
	return s
}

// Note says what the columns are.
func (r *Results) Note() string {
	over := ""
	if r.Plan.Seeds > 1 {
		over = "Intervals are at 95 % over the seeds. "
	}
	return fmt.Sprintf("EMD is the mean exact distance of held-out images, as the detector would have measured them when it was new, and what is decoded, in %s. Recovered is the share of what is lost, frozen against all trained anew on the truth, over the steps %s (– where in a detector nothing is lost); below gain correction is by how much the EMD is below that of the better of the two corrections of gains. All decoders have learned from as many images. %sNothing but outputs and sums of %d images a step is tuned by.",
		page.UnitOf(r.Plan.Metric), steps(r.Plan.retrained()), over, r.Plan.Events)
}

func steps(list []int) string {
	var words []string
	for _, s := range list {
		words = append(words, fmt.Sprint(s))
	}
	return strings.Join(words, ", ")
}

// curves are the contenders' EMD by step, the mean over the detectors.
func (c *Course) curves(p Plan) report.Figure {
	l := report.Lines{X: report.Axis{Label: "step"}, Y: report.Axis{Label: "mean EMD (" + page.UnitOf(p.Metric) + ")"}}
	for _, name := range p.contenders() {
		line := report.Line{Name: name, Points: name == retrainedDecoder || name == retrainedAll}
		for s := range p.Steps + 1 {
			sum, n := 0.0, 0.0
			for _, t := range c.Tracks {
				if v, ok := t.Steps[s].EMD[name]; ok {
					sum, n = sum+v, n+1
				}
			}
			if n > 0 {
				line.X, line.Y = append(line.X, float64(s)), append(line.Y, sum/n)
			}
		}
		l.Series = append(l.Series, line)
	}
	return report.Figure{ID: page.ID("emd", c.Name), Title: c.Name + ": EMD by step", Lines: &l,
		Caption: "Mean over " + page.Of(len(c.Tracks), "seed") + " of the held-out images' EMD; less is better. Points: what is trained anew, at the steps where it is."}
}

// conditions are what the first tuner that has conditions found, beside the truth.
func (c *Course) conditions(p Plan) (report.Figure, bool) {
	for _, t := range p.tuners() {
		if t.vector == onOutputs {
			continue
		}
		l := report.Lines{X: report.Axis{Label: "step"}, Y: report.Axis{Label: "condition"}}
		for k, name := range conditionNames() {
			found := report.Line{Name: name + ", found", Group: name}
			truth := report.Line{Name: name + ", true", Group: name, Dashed: true}
			for s := range p.Steps + 1 {
				a, b := 0.0, 0.0
				for _, track := range c.Tracks {
					v := track.Steps[s].Vector[t.name]
					if len(v) < conditions || len(track.Steps[s].State) != conditions {
						return report.Figure{}, false
					}
					a += v[len(v)-conditions+k] / float64(len(c.Tracks))
					b += track.Steps[s].State[k] / float64(len(c.Tracks))
				}
				found.X, found.Y = append(found.X, float64(s)), append(found.Y, a)
				truth.X, truth.Y = append(truth.X, float64(s)), append(truth.Y, b)
			}
			l.Series = append(l.Series, found, truth)
		}
		return report.Figure{ID: page.ID("conditions", c.Name), Title: c.Name + ": what " + t.name + " found", Lines: &l, Palette: conditionNames(),
			Caption: "Solid: the conditions that were found from what arrives, mean over " + page.Of(len(c.Tracks), "seed") + "; dashed: what they truly are."}, true
	}
	return report.Figure{}, false
}
