package web

import (
	"slices"
	"strings"
	"sync"

	"barrow/report"
	"barrow/run"
)

// A follower reads on in a run's metrics for all who look at it.
type follower struct {
	mu   sync.Mutex
	tail run.Tail
}

// metrics are a run's epochs so far.
func (s *Server) metrics(dir string) ([]run.Epoch, error) {
	f, err := s.tails.get(dir, func() (*follower, error) { return &follower{}, nil })
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tail.Read(runFiles{s.dir, dir})
}

// curves draws what runs say of their trainings' epochs. What cannot be read is left out:
// metrics are only a record.
func (s *Server) curves(dirs []string) []report.Figure {
	c := newCurves()
	for _, dir := range dirs {
		before := ""
		if len(dirs) > 1 {
			before = dir + ": "
		}
		list, err := s.metrics(dir)
		if (err != nil || len(list) == 0) && len(dirs) > 1 {
			c.reported(before, s.reportLines(dir))
		}
		if err == nil {
			c.add(before, list)
		}
	}
	return c.figures()
}

// curves are what trainings say of their epochs. Each has one colour in all figures, by its place
// among the trainings: the same while it goes on and when it is done.
type curves struct {
	loss, emd, rate *report.Lines
	names           []string          // of the trainings, in the order in which they take the colours
	before          map[string]string // words before the name that a run gives one of them
	training        map[string][]run.Epoch
}

func newCurves() *curves {
	axis := func(label string) *report.Lines {
		return &report.Lines{X: report.Axis{Label: "epoch"}, Y: report.Axis{Label: label, Log: true}, Legend: true}
	}
	return &curves{loss: axis("loss"), emd: axis("EMD on validation images"), rate: axis("learning rate"), before: map[string]string{}, training: map[string][]run.Epoch{}}
}

// add adds a run's trainings, with words before their names.
func (c *curves) add(before string, list []run.Epoch) {
	first := len(c.names)
	for _, e := range list {
		name := before + e.Part
		if c.training[name] == nil {
			c.names, c.before[name] = append(c.names, name), before
		}
		c.training[name] = append(c.training[name], e)
	}
	for _, name := range c.names[first:] {
		of := c.training[name]
		line(c.loss, name, of, func(e run.Epoch) float64 { return e.Loss }, training)
		line(c.loss, name, of, func(e run.Epoch) float64 { return e.Validation }, validation)
		line(c.rate, name, of, func(e run.Epoch) float64 { return e.Rate }, "")
		line(c.emd, name, of, func(e run.Epoch) float64 {
			if e.EMD == nil {
				return 0
			}
			return *e.EMD
		}, "")
	}
}

// What stands behind a training's name.
const (
	training   = ", training"
	validation = ", validation"
)

// line adds one, of what a logarithmic axis can show.
func line(l *report.Lines, name string, list []run.Epoch, of func(run.Epoch) float64, what string) {
	line := report.Line{Name: name + what, Group: name, Dashed: what == validation}
	for _, e := range list {
		if v := of(e); v > 1e-90 && v < 1e90 {
			line.X, line.Y = append(line.X, float64(e.Epoch)), append(line.Y, v)
		}
	}
	if len(line.X) > 0 {
		l.Series = append(l.Series, line)
	}
}

// reported adds the curves of a finished run's report, for one without metrics.
func (c *curves) reported(before string, list []report.Line) {
	for _, l := range list {
		group := l.Group
		if group == "" {
			group = l.Name
		}
		l.Name, l.Group = before+l.Name, before+group
		if !slices.Contains(c.names, l.Group) {
			c.names, c.before[l.Group] = append(c.names, l.Group), before
		}
		c.loss.Series = append(c.loss.Series, l)
	}
}

// reportLines are the curves of a finished run's report.
func (s *Server) reportLines(dir string) (list []report.Line) {
	d, err := s.report(dir)
	if err != nil {
		return nil
	}
	for _, f := range figuresOf(d.page) {
		if !ofEpochs(&f) {
			continue
		}
		for _, l := range f.Lines.Series {
			if len(l.Y) > 0 && slices.Min(l.Y) > 0 {
				list = append(list, l)
			}
		}
	}
	return list
}

func ofEpochs(f *report.Figure) bool { return f.Lines != nil && f.Lines.X.Label == "epoch" }

// lossCurve is the figure of losses.
const lossCurve = "curve-loss"

// shared is what all trainings' names begin with, up to a dash: a legend of many would be of
// little else.
func (c *curves) shared() string {
	if len(c.names) < 2 {
		return ""
	}
	shared := strings.TrimPrefix(c.names[0], c.before[c.names[0]])
	for _, name := range c.names {
		name = strings.TrimPrefix(name, c.before[name])
		n := 0
		for n < min(len(shared), len(name)-1) && shared[n] == name[n] {
			n++
		}
		shared = shared[:n]
	}
	return shared[:strings.LastIndex(shared, "-")+1]
}

// figures are those that have lines, with what all names share left out.
func (c *curves) figures() (list []report.Figure) {
	shared, caption := c.shared(), ""
	if shared != "" {
		caption = "Left out of the names: " + shared + ", with which all begin."
	}
	var short []string
	for _, name := range c.names {
		before := c.before[name]
		short = append(short, before+strings.TrimPrefix(name, before+shared))
	}
	for _, f := range []report.Figure{
		{ID: lossCurve, Title: "Loss", Lines: c.loss}, {ID: "curve-emd", Title: "EMD on validation images", Lines: c.emd}, {ID: "curve-rate", Title: "Learning rate", Lines: c.rate},
	} {
		if len(f.Lines.Series) > 0 {
			f.Caption, f.Palette = caption, short
			lines := *f.Lines
			lines.Series = slices.Clone(lines.Series)
			for i, l := range lines.Series {
				group := short[slices.Index(c.names, l.Group)]
				if rest, ok := strings.CutPrefix(l.Name, l.Group); ok {
					lines.Series[i].Name = group + rest
				}
				lines.Series[i].Group = group
			}
			f.Lines = &lines
			list = append(list, f)
		}
	}
	return list
}

// recolour gives the curves of a report the colours that the trainings have in these, which are
// told by their values: each is called in its own way there. Where a name is one training's alone
// it has that colour on the whole page.
func (c *curves) recolour(p *report.Page) {
	whole, alone := slices.Clone(c.names), true
	named := map[string]int{}
	for i := range p.Sections {
		for k := range p.Sections[i].Figures {
			f := &p.Sections[i].Figures[k]
			if !ofEpochs(f) {
				continue
			}
			palette := slices.Clone(c.names)
			for _, l := range f.Lines.Series {
				at := c.of(l)
				if at < 0 {
					continue
				}
				palette[at], whole[at] = l.Group, l.Group
				if was, known := named[l.Group]; known && was != at {
					alone = false
				}
				named[l.Group] = at
			}
			f.Palette = palette
		}
	}
	if alone && len(named) > 0 {
		p.Palette = append(whole, p.Palette...)
	}
}

// of is the place of the training that a report's line is of, -1 where it is none's.
func (c *curves) of(l report.Line) int {
	if l.Group == "" || len(l.Y) == 0 {
		return -1
	}
	return slices.IndexFunc(c.names, func(name string) bool {
		var loss, valid []float64
		for _, e := range c.training[name] {
			if e.Loss > 0 {
				loss = append(loss, e.Loss)
			}
			if e.Validation > 0 {
				valid = append(valid, e.Validation)
			}
		}
		return slices.Equal(l.Y, loss) || slices.Equal(l.Y, valid)
	})
}
