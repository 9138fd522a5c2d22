package drift

import (
	"fmt"

	"barrow/internal/stats"
	"barrow/report"
	"barrow/study/internal/page"
)

// Results are what a run found: the same plan gives the same bytes.
type Results struct {
	Plan    Plan     `json:"plan"`
	Courses []Course `json:"courses"`
}

// A Course is one drift, of all detectors.
type Course struct {
	Name   string  `json:"name"`
	About  string  `json:"about"`
	Rows   []Row   `json:"rows"`
	Tracks []Track `json:"tracks"`
}

// A Row is one contender's.
type Row struct {
	Name string `json:"name"`
	// New and Last are the mean EMD at the first and the last step, over the detectors.
	New  float64 `json:"emd_new"`
	Last float64 `json:"emd_last"`
	// Mean is that over the steps that change at which something is trained anew.
	Mean float64 `json:"emd_mean"`
	// Recovered is what share of the EMD that is lost, frozen against all trained anew, it
	// recovers over those steps; nil where one of the detectors has lost nothing.
	Recovered *Estimate `json:"recovered,omitempty"`
	// Gain is by how much its EMD is below that of the better correction of gains, over
	// those steps; positive is better.
	Gain Estimate `json:"below_gain_correction"`
}

// An Estimate is a mean over detectors with its 95 % interval, Student's, of none where there is one
// detector.
type Estimate struct {
	Value float64  `json:"value"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
}

func estimate(v []float64) Estimate {
	mean, half := stats.Student95(v)
	e := Estimate{Value: mean}
	if len(v) > 1 {
		low, high := mean-half, mean+half
		e.Low, e.High = &low, &high
	}
	return e
}

func (e *Estimate) print(format string, times float64) string {
	if e == nil {
		return "–"
	}
	s := fmt.Sprintf(format, e.Value*times)
	if e.Low != nil {
		s += fmt.Sprintf(" ("+format+" … "+format+")", *e.Low*times, *e.High*times)
	}
	return page.Minus(s)
}

// courseOf makes the rows of a drift.
func courseOf(p Plan, d Drift, tracks []Track) Course {
	c := Course{Name: d.Name, About: d.About, Tracks: tracks}
	steps := p.retrained()
	mean := func(t *Track, name string) float64 {
		sum := 0.0
		for _, s := range steps {
			sum += t.Steps[s].EMD[name]
		}
		return sum / float64(len(steps))
	}
	best := gainCells
	if total(tracks, mean, gainRing) < total(tracks, mean, gainCells) {
		best = gainRing
	}
	for _, name := range p.contenders() {
		r := Row{Name: name}
		var recovered, below []float64
		for i := range tracks {
			t := &tracks[i]
			m := mean(t, name)
			r.New += t.Steps[0].EMD[name] / float64(len(tracks))
			r.Last += t.Steps[steps[len(steps)-1]].EMD[name] / float64(len(tracks))
			r.Mean += m / float64(len(tracks))
			if lost := mean(t, frozen) - mean(t, retrainedAll); lost > 0 {
				recovered = append(recovered, (mean(t, frozen)-m)/lost)
			}
			below = append(below, mean(t, best)-m)
		}
		if len(recovered) == len(tracks) {
			e := estimate(recovered)
			r.Recovered = &e
		}
		r.Gain = estimate(below)
		c.Rows = append(c.Rows, r)
	}
	return c
}

func total(tracks []Track, mean func(t *Track, name string) float64, name string) float64 {
	sum := 0.0
	for i := range tracks {
		sum += mean(&tracks[i], name)
	}
	return sum
}

// Table is a drift's.
func (c *Course) Table() report.Table {
	t := report.Table{
		Title: c.Name + ": " + c.About,
		Columns: []report.Column{{Name: "contender"}, {Name: "EMD, new", Numeric: true}, {Name: "EMD, last step", Numeric: true}, {Name: "EMD, mean", Numeric: true},
			{Name: "recovered, %", Numeric: true}, {Name: "below gain correction", Numeric: true}},
	}
	for _, r := range c.Rows {
		t.Rows = append(t.Rows, []string{r.Name, fmt.Sprintf("%.3f", r.New), fmt.Sprintf("%.3f", r.Last), fmt.Sprintf("%.3f", r.Mean), r.Recovered.print("%.0f", 100), r.Gain.print("%+.3f", 1)})
	}
	return t
}
