package physics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// prepared is what is common to all figures.
type prepared struct {
	settings   SummarySettings
	contenders []Columns
	reference  int
	event      []int32 // of every particle, its event's place among all
	triggers   []*trigger
	accidental []*accidental
	pairs      []pair
	summary    *Summary
}

func prepare(contenders []Columns, s SummarySettings) (*prepared, error) {
	if err := s.complete(); err != nil {
		return nil, err
	}
	if len(contenders) == 0 {
		return nil, fmt.Errorf("physics: figures of no contender: want at least one")
	}
	p := &prepared{settings: s, contenders: contenders}
	if s.Reference != "" {
		p.reference = slices.IndexFunc(contenders, func(c Columns) bool { return c.Contender == s.Reference })
		if p.reference < 0 {
			return nil, fmt.Errorf("physics: no contender is called %q, which ratios are to be to", s.Reference)
		}
	}
	for i := range contenders {
		if err := contenders[i].check(&contenders[0]); err != nil {
			return nil, fmt.Errorf("physics: %q: %w", contenders[i].Contender, err)
		}
	}
	p.summary = &Summary{Reference: contenders[p.reference].Contender, Particles: len(contenders[0].Event)}
	places := make(map[int64]int32)
	for _, e := range contenders[0].Event {
		if _, ok := places[e]; !ok {
			places[e] = int32(len(places))
		}
		p.event = append(p.event, places[e])
	}
	p.summary.Events = len(places)
	p.bins()
	return p, p.minimumBias()
}

// check looks at a contender's columns against another's.
func (c *Columns) check(other *Columns) error {
	n := len(other.Event)
	lengths := []int{len(c.Event), len(c.Zside), len(c.TruthPt), len(c.TruthEta), len(c.TruthPhi), len(c.Found),
		len(c.Raw), len(c.Pt), len(c.Eta), len(c.Phi), len(c.EMD), len(c.Wafers), len(c.ChargeEMD), len(c.Charge)}
	for _, s := range c.Shapes {
		lengths = append(lengths, len(s))
	}
	if slices.ContainsFunc(lengths, func(l int) bool { return l != n }) {
		return fmt.Errorf("columns of %v values: want one for each of the %d particles of %q", lengths, n, other.Contender)
	}
	if c.Shapes != nil && len(c.Shapes) != len(shapeKeys) {
		return fmt.Errorf("%d shape variables: want %d", len(c.Shapes), len(shapeKeys))
	}
	for i := range n {
		switch {
		case c.Event[i] != other.Event[i] || c.Zside[i] != other.Zside[i] || c.TruthPt[i] != other.TruthPt[i]:
			return fmt.Errorf("particle %d is not the one of %q: contenders must have seen the same events", i+1, other.Contender)
		case !(c.TruthPt[i] > 0) || math.IsInf(c.TruthPt[i], 1) || math.IsNaN(c.TruthEta[i]):
			return fmt.Errorf("particle %d of event %d: generated p_T %g GeV, η %g: want a momentum above 0 and a direction",
				i+1, c.Event[i], c.TruthPt[i], c.TruthEta[i])
		}
	}
	return nil
}

// bins fills in edges.
func (p *prepared) bins() {
	c, s := &p.contenders[0], &p.settings
	if s.Pt == nil {
		s.Pt = trimmed([]float64{5, 10, 15, 20, 30, 40, 60, 100, 200}, c.TruthPt)
	}
	if s.Eta == nil {
		s.Eta = trimmed([]float64{1.5, 1.8, 2.1, 2.4, 2.7, 3}, absolute(c.TruthEta))
	}
	if s.Fine == nil && len(c.TruthPt) > 0 {
		const bins = 30
		low, high := slices.Min(c.TruthPt), slices.Max(c.TruthPt)
		for i := range bins + 1 {
			s.Fine = append(s.Fine, low*math.Pow(high/low, float64(i)/bins))
		}
		s.Fine[bins] = high
		s.Fine = slices.Compact(s.Fine)
	}
}

func absolute(list []float64) []float64 {
	var out []float64
	for _, x := range list {
		out = append(out, math.Abs(x))
	}
	return out
}

// trimmed are the edges from the first bin that holds any of the values to the last, nil
// if none does.
func trimmed(edges, values []float64) []float64 {
	first, last := len(edges), -1
	for _, x := range values {
		if b := binOf(edges, x); b >= 0 {
			first, last = min(first, b), max(last, b)
		}
	}
	if last < 0 {
		return nil
	}
	return edges[first : last+2]
}

// minimumBias prepares the trigger's side: the places of endcaps among all, and the rate.
func (p *prepared) minimumBias() error {
	var all []endcap
	for i := range p.contenders {
		c := &p.contenders[i]
		if c.Crossings == nil {
			continue
		}
		if err := c.Crossings.check(); err != nil {
			return fmt.Errorf("physics: %q: %w", c.Contender, err)
		}
		if p.summary.Endcaps > 0 && p.summary.Endcaps != c.Crossings.N {
			return fmt.Errorf("physics: %q: %d endcaps of minimum bias, another contender has %d: all must have seen the same", c.Contender, c.Crossings.N, p.summary.Endcaps)
		}
		p.summary.Endcaps = c.Crossings.N
		for k, e := range c.Crossings.Event {
			all = append(all, endcap{e, c.Crossings.Zside[k]})
		}
	}
	slices.SortFunc(all, func(a, b endcap) int {
		return cmp.Or(cmp.Compare(a.event, b.event), cmp.Compare(a.zside, b.zside))
	})
	all = slices.Compact(all)
	if len(all) > p.summary.Endcaps {
		return fmt.Errorf("physics: clusters in %d endcaps of minimum bias, of which there are %d", len(all), p.summary.Endcaps)
	}
	place := make(map[endcap]int32)
	for i, e := range all {
		place[e] = int32(i)
	}
	spectra := make([]*spectrum, len(p.contenders))
	p.accidental = make([]*accidental, len(p.contenders))
	for i := range p.contenders {
		if c := p.contenders[i].Crossings; c != nil {
			spectra[i] = newSpectrum(c, place)
			p.accidental[i] = newAccidental(c, place, p.settings.Match)
		}
	}
	p.summary.Rate = p.settings.Rate
	if p.summary.Rate == 0 {
		p.summary.Rate = roundRate(spectra)
	}
	for _, s := range spectra {
		p.triggers = append(p.triggers, newTrigger(s, p.summary.Rate))
	}
	return nil
}

func (c *Crossings) check() error {
	n := len(c.Event)
	switch {
	case c.N < 1:
		return fmt.Errorf("%d endcaps of minimum bias: want at least one", c.N)
	case len(c.Zside) != n || len(c.Pt) != n || c.Eta != nil && len(c.Eta) != n || c.Phi != nil && len(c.Phi) != n:
		return fmt.Errorf("%d, %d, %d, %d and %d values of clusters of minimum bias: want as many of each", n, len(c.Zside), len(c.Pt), len(c.Eta), len(c.Phi))
	case slices.ContainsFunc(c.Pt, math.IsNaN):
		return fmt.Errorf("a cluster of minimum bias has no p_T")
	}
	return nil
}

// roundRate is the lowest round rate in kHz that all can tell, 100 at least; 0 if there is
// none up to maxRate.
func roundRate(spectra []*spectrum) float64 {
	lowest := 0.
	for _, s := range spectra {
		if s != nil && len(s.pt) >= least {
			lowest = math.Max(lowest, s.lowestRate())
		}
	}
	for _, r := range []float64{100, 200, 500, maxRate} {
		if lowest > 0 && r >= lowest*(1-1e-9) {
			return r
		}
	}
	return 0
}

// pair is a ratio of particles that both find: figure of contender, and the values it is of.
type pair struct {
	contender, figure int
	own, reference    *Value
}

// both adds the figure of particles that contender k and the reference find.
func (p *prepared) both(jobs []job, k, figure int, whole view, of *Figure) []job {
	if k == p.reference || !of.paired {
		return jobs
	}
	ours, theirs := whole, whole
	theirs.columns = whole.reference
	ours.rows = nil
	for _, i := range whole.rows {
		if ours.columns.Found[i] && theirs.columns.Found[i] {
			ours.rows = append(ours.rows, i)
		}
	}
	theirs.rows = ours.rows
	q := pair{k, figure, &Value{}, &Value{}}
	p.pairs = append(p.pairs, q)
	return append(jobs, job{of, ours, q.own}, job{of, theirs, q.reference})
}

// jobs lists all figures in all bins, with the places of their values in the summary.
func (p *prepared) jobs() []job {
	var jobs []job
	rows := make([]int32, p.summary.Particles)
	for i := range rows {
		rows[i] = int32(i)
	}
	c := &p.contenders[0]
	eta := absolute(c.TruthEta)
	in := map[axis][][]int32{byPt: split(p.settings.Pt, c.TruthPt), byEta: split(p.settings.Eta, eta),
		byFinePt: split(p.settings.Fine, c.TruthPt)}
	for k := range p.contenders {
		merit := Merit{Contender: p.contenders[k].Contender}
		whole := view{columns: &p.contenders[k], reference: &p.contenders[p.reference], trigger: p.triggers[k], accidental: p.accidental[k],
			fine: p.settings.Fine, event: p.event, rows: rows}
		for number, figure := range Figures() {
			m := Measured{Figure: figure}
			jobs = p.both(jobs, k, number, whole, &figure)
			if !figure.curve {
				m.Value = &Value{}
				jobs = append(jobs, job{&figure, whole, m.Value})
			}
			for _, a := range figure.by {
				_, to := m.bins(a)
				*to = p.edges(a)
				for b := range *to {
					at := whole
					at.low, at.rows = (*to)[b].Low, nil
					if a != byThreshold {
						at.rows = in[a][b]
					}
					jobs = append(jobs, job{&figure, at, &(*to)[b].Value})
				}
			}
			merit.Figures = append(merit.Figures, m)
		}
		p.summary.Contenders = append(p.summary.Contenders, merit)
	}
	return jobs
}

// edges are the bins of an axis, empty.
func (p *prepared) edges(a axis) []Bin {
	bins := []Bin{}
	if a == byThreshold {
		for _, t := range p.settings.Thresholds {
			bins = append(bins, Bin{Low: t, High: t})
		}
		return bins
	}
	edges := map[axis][]float64{byPt: p.settings.Pt, byEta: p.settings.Eta, byFinePt: p.settings.Fine}[a]
	for i := 1; i < len(edges); i++ {
		bins = append(bins, Bin{Low: edges[i-1], High: edges[i]})
	}
	return bins
}

// split sorts rows into bins.
func split(edges, values []float64) [][]int32 {
	bins := make([][]int32, max(len(edges)-1, 0))
	for i, x := range values {
		if b := binOf(edges, x); b >= 0 {
			bins[b] = append(bins[b], int32(i))
		}
	}
	return bins
}
