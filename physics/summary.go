package physics

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"barrow/internal/limit"
)

// SummarySettings say how figures are computed. The zero value is what studies take.
type SummarySettings struct {
	// Reference is the contender that ratios, shapes and distances are to; empty is the
	// first.
	Reference string
	// Pt and Eta are the edges, rising, of bins of generated p_T in GeV and |η|. Nil is
	// 5, 10, 15, 20, 30, 40, 60, 100, 200 GeV and 1.5, 1.8, 2.1, 2.4, 2.7, 3.0, without
	// the empty bins at either end.
	Pt, Eta []float64
	// Fine are the edges in GeV of the turn-on's bins; nil is 30 of equal ratio.
	Fine []float64
	// Thresholds in GeV at which rates are given; nil is 17 from 5 to 100.
	Thresholds []float64
	// Rate in kHz is that at which the turn-on is given, at most 1000. 0 is the lowest of
	// 100, 200, 500 and 1000 which ten endcaps of minimum bias tell for every contender;
	// without one there is no turn-on.
	Rate float64
	// Match is that of MeasureSettings; 0 is the same.
	Match float64
	// Draws of the bootstrap, 0 is 200, from a Seed.
	Draws    int
	Seed     uint64
	Threads  int // 0: all processors; never changes a figure
	Progress func(share float64, note string)
}

func (s *SummarySettings) complete() error {
	if s.Draws == 0 {
		s.Draws = 200
	}
	if s.Match == 0 {
		s.Match = matched
	}
	if s.Thresholds == nil {
		s.Thresholds = []float64{5, 6, 7, 8, 10, 12, 15, 18, 20, 25, 30, 35, 40, 50, 60, 80, 100}
	}
	if err := checkEdges(s.Pt, s.Eta, s.Fine); err != nil {
		return err
	}
	switch {
	case s.Draws < 2 || s.Draws > 100000:
		return fmt.Errorf("physics: %d draws of the bootstrap: want 2 to 100000", s.Draws)
	case slices.ContainsFunc(s.Thresholds, math.IsNaN):
		return fmt.Errorf("physics: thresholds %v GeV: want numbers", s.Thresholds)
	case !(s.Rate >= 0 && s.Rate <= maxRate):
		return fmt.Errorf("physics: a rate of %g kHz: want above 0, at most %d kHz", s.Rate, maxRate)
	case !(s.Match > 0 && s.Match <= 0.3):
		return fmt.Errorf("physics: match within %g in x/z: want above 0, at most 0.3", s.Match)
	}
	return nil
}

// Summary is the figures of all contenders.
type Summary struct {
	Reference string
	Rate      float64 // kHz, of the turn-on; 0 if there is none
	Events    int     // with particles
	Particles int
	Endcaps   int // of minimum bias
	// Contenders are in the order of the columns.
	Contenders []Merit
}

// Merit is the figures of one contender.
type Merit struct {
	Contender string
	Figures   []Measured
}

// Figure returns the figure of a name, nil if there is none.
func (m *Merit) Figure(name string) *Measured {
	if i := slices.IndexFunc(m.Figures, func(f Measured) bool { return f.Figure.Name == name }); i >= 0 {
		return &m.Figures[i]
	}
	return nil
}

// Measured is a figure of one contender.
type Measured struct {
	Figure Figure
	// Value is overall, of all particles; nil for figures that are a curve alone.
	Value *Value
	// Ratio is the figure over the reference's, with the error of the same events drawn for
	// both, and where the figure is of clusters of the particles that both find; nil
	// where it says nothing.
	Ratio *Value
	// ByPt, ByEta and ByThreshold are the figure in bins, nil if it has none.
	ByPt, ByEta, ByThreshold []Bin
}

// bins are where the bins of an axis go.
func (m *Measured) bins(a axis) (key string, to *[]Bin) {
	switch a {
	case byEta:
		return m.Figure.Name + "_by_eta", &m.ByEta
	case byThreshold:
		return m.Figure.Name + "_by_threshold", &m.ByThreshold
	}
	return m.Figure.Name + "_by_pt", &m.ByPt
}

// MarshalJSON writes an object with the keys NAME, NAME_ratio, NAME_by_pt, NAME_by_eta and
// NAME_by_threshold of all figures, those that they have. The contender's name is left out.
func (m Merit) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	write := func(key string, v any) error {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if out.Len() > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q:%s", key, text)
		return nil
	}
	for i := range m.Figures {
		f := &m.Figures[i]
		var err error
		if f.Value != nil {
			err = write(f.Figure.Name, f.Value)
		}
		if f.Ratio != nil && err == nil {
			err = write(f.Figure.Name+"_ratio", f.Ratio)
		}
		for _, a := range f.Figure.by {
			if key, bins := f.bins(a); err == nil {
				err = write(key, *bins)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat([]byte{'{'}, out.Bytes(), []byte{'}'}), nil
}

// UnmarshalJSON reads what MarshalJSON writes; other keys are left alone.
func (m *Merit) UnmarshalJSON(text []byte) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		return err
	}
	m.Figures = nil
	for _, figure := range Figures() {
		f := Measured{Figure: figure}
		read := func(key string, to any) error {
			if raw, ok := keys[key]; ok {
				return json.Unmarshal(raw, to)
			}
			return nil
		}
		if err := read(figure.Name, &f.Value); err != nil {
			return err
		}
		if err := read(figure.Name+"_ratio", &f.Ratio); err != nil {
			return err
		}
		for _, a := range figure.by {
			key, bins := f.bins(a)
			if err := read(key, bins); err != nil {
				return err
			}
		}
		m.Figures = append(m.Figures, f)
	}
	return nil
}

// job is a figure of a contender in a bin.
type job struct {
	figure *Figure
	view   view
	to     *Value
}

// Summarise computes the figures of all contenders, which must be of the same particles.
// Events are drawn anew for the errors, the same for all. Figures of which there are
// too few particles are values with a note. Work is shared among threads by figure, so that
// no figure depends on how many there are.
func Summarise(ctx context.Context, contenders []Columns, s SummarySettings) (*Summary, error) {
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, fmt.Errorf("physics: %w", err)
	}
	p, err := prepare(contenders, s)
	if err != nil {
		return nil, err
	}
	boot := newBootstrap(p.summary.Events, p.summary.Endcaps, p.settings.Draws, s.Seed)
	jobs := p.jobs()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(threads)
	var lock sync.Mutex
	done := 0
	for i := range jobs {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			*jobs[i].to = jobs[i].value(boot)
			if s.Progress != nil {
				lock.Lock()
				defer lock.Unlock()
				done++
				s.Progress(float64(done)/float64(len(jobs)), fmt.Sprintf("%d of %d figures", done, len(jobs)))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	p.ratios()
	return p.summary, nil
}

func (j *job) value(boot *bootstrap) Value {
	m := j.figure.prepare(&j.view)
	if m.note != "" {
		return none(m.n, "%s", m.note)
	}
	v := boot.value(m.n, m.statistic)
	if m.share && v.Error == 0 && (v.Value == 0 || v.Value == 1) {
		// All draws agree, which says nothing: the error of a share with a flat prior.
		n := float64(m.n)
		v.Error = math.Sqrt((n+1)/(n+3)) / (n + 2)
	}
	return v
}

// ratios sets every figure against the reference's.
func (p *prepared) ratios() {
	list := p.summary.Contenders
	for c := range list {
		for k := range list[c].Figures {
			if f := &list[c].Figures[k]; f.Figure.Ratio {
				ratio := f.Value.Over(list[p.reference].Figures[k].Value)
				f.Ratio = &ratio
			}
		}
	}
	for _, q := range p.pairs {
		ratio := q.own.Over(q.reference)
		list[q.contender].Figures[q.figure].Ratio = &ratio
	}
}
