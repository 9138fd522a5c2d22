package web

import (
	"bytes"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"barrow/report"
	"barrow/run"
	"barrow/study"
)

// A drawn page of a finished run.
type drawn struct {
	page *report.Page
	body template.HTML
}

// draw makes the report's drawings a part of a page.
func draw(p report.Page) (template.HTML, error) {
	var b bytes.Buffer
	if err := report.Inline(&b, p); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil
}

// A column of the list of runs, which a click sorts by.
type column struct {
	Key, Name string
	Numeric   bool
	Sort      string // "ascending", "descending" or none
	Href      string
}

type runsView struct {
	Columns []column
	Rows    []runState
	All     bool
}

// runs lists all runs below the folder.
func (s *Server) runs(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	by, down := q.Get("sort"), q.Has("down")
	if !slices.Contains([]string{"kind", "state", "emd", "loss", "changed"}, by) {
		by = ""
	}
	now, _ := s.watch.look()
	key := listKey{now.version, by, down}
	body, err := s.lists.get(key, func() ([]byte, error) {
		return s.page("runs", view{Title: "Runs", Active: "/", Live: true, Data: list(now, by, down)})
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(body) // a reader who is gone needs no more
	return nil
}

// listKey says which list of runs is meant. The same is asked for by many, again and again.
type listKey struct {
	version int
	by      string
	down    bool
}

// list is a list of runs, with the links that sort it.
func list(now snapshot, by string, down bool) runsView {
	v := runsView{Rows: order(now.states, by, down), All: now.all}
	for _, c := range []column{{Key: "", Name: "run"}, {Key: "kind", Name: "kind"}, {Key: "state", Name: "state"},
		{Key: "emd", Name: "EMD", Numeric: true}, {Key: "loss", Name: "validation loss", Numeric: true}, {Key: "changed", Name: "changed"}} {
		to := url.Values{}
		if c.Key != "" {
			to.Set("sort", c.Key)
		}
		if c.Key == by {
			c.Sort = "ascending"
			if down {
				c.Sort = "descending"
			} else {
				to.Set("down", "1")
			}
		}
		c.Href = "/?" + to.Encode()
		v.Columns = append(v.Columns, c)
	}
	return v
}

// mostRuns are laid over each other.
const mostRuns = 8

// run shows a run, or several beside each other.
func (s *Server) run(w http.ResponseWriter, r *http.Request) error {
	dirs := slices.Compact(r.URL.Query()["dir"])
	switch {
	case len(dirs) == 0:
		return wrong("which run is meant? Choose some in the list")
	case len(dirs) > mostRuns:
		return wrong(fmt.Sprintf("%d runs: at most %d are laid over each other", len(dirs), mostRuns))
	}
	var paths []string
	live := false
	for _, dir := range dirs {
		p, err := s.dir.run(dir)
		if err != nil {
			return err
		}
		if _, err := run.Inspect(p); err != nil {
			return err
		}
		_, busy := run.Running(p)
		live = live || busy
		paths = append(paths, p)
	}
	page := report.Page{Title: "runs"}
	if len(dirs) > 1 {
		t, err := differences(dirs, paths)
		if err != nil {
			return err
		}
		page.Tables = []report.Table{t}
	}
	if f := s.curves(dirs, paths); len(f) > 0 {
		page.Sections = append(page.Sections, report.Section{Title: "Training", Text: []string{"Solid lines: on the training images; dashed: on the validation images. Losses of different kinds do not compare."}, Figures: f})
	}
	v := view{Title: strings.Join(dirs, ", "), Active: "/", Live: live}
	if len(dirs) == 1 {
		if err := s.single(&v, &page, dirs[0], paths[0]); err != nil {
			return err
		}
	}
	body, err := draw(page)
	if err != nil {
		return err
	}
	v.Body = body + v.Body
	return s.render(w, "plain", v)
}

// single puts a run's report under its curves, and what it was asked for.
func (s *Server) single(v *view, page *report.Page, dir, path string) error {
	d, err := s.report(dir, path)
	if err == nil {
		v.Title, v.Lead, v.Footer = d.page.Title, dir+": "+d.page.Subtitle, d.page.Footer
		page.Sections = nil // the report has its own
		v.Body = d.body
		return nil
	}
	v.Lead = s.dir.hide(strings.TrimPrefix(err.Error(), "study: "))
	t, err := settings(dir, path)
	page.Tables = append(page.Tables, t)
	return err
}

// settings is a table of what a run was asked for.
func settings(dir, path string) (report.Table, error) {
	t := report.Table{Title: "Settings", Columns: []report.Column{{Name: "setting"}, {Name: dir}}}
	f, err := run.Look(path)
	for _, key := range slices.Sorted(maps.Keys(f.Settings)) {
		t.Rows = append(t.Rows, []string{key, settingText(f.Settings[key])})
	}
	return t, err
}

// differences is a table of the settings that runs do not share.
func differences(dirs, paths []string) (report.Table, error) {
	t := report.Table{Title: "Settings that differ", Columns: []report.Column{{Name: "setting"}}}
	var list []run.Found
	for i, p := range paths {
		f, err := run.Look(p)
		if err != nil {
			return t, err
		}
		list = append(list, f)
		t.Columns = append(t.Columns, report.Column{Name: dirs[i]})
	}
	for _, key := range run.Differing(list) {
		row := []string{key}
		for _, f := range list {
			row = append(row, settingText(f.Settings[key]))
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) == 0 {
		t.Note = "None: the runs were asked for the same."
	}
	return t, nil
}

// settingText is a setting's value, short enough for a table of several runs.
func settingText(v any) string {
	r := []rune(run.Text(v))
	if len(r) > 80 {
		return string(r[:78]) + "…"
	}
	return string(r)
}

// curves draws what runs say of their trainings' epochs. What cannot be read is left out:
// metrics are only a record.
func (s *Server) curves(dirs, paths []string) []report.Figure {
	axis := func(label string) *report.Lines {
		return &report.Lines{X: report.Axis{Label: "epoch"}, Y: report.Axis{Label: label, Log: true}}
	}
	loss, emd, rate := axis("loss"), axis("EMD on validation images"), axis("learning rate")
	for i, dir := range dirs {
		list, err := run.ReadMetrics(paths[i])
		if (err != nil || len(list) == 0) && len(dirs) > 1 {
			loss.Series = append(loss.Series, s.reported(dir, paths[i])...)
		}
		if err != nil {
			continue
		}
		var parts []string
		by := map[string][]run.Epoch{}
		for _, e := range list {
			if by[e.Part] == nil {
				parts = append(parts, e.Part)
			}
			by[e.Part] = append(by[e.Part], e)
		}
		for _, part := range parts {
			name := part
			if len(dirs) > 1 {
				name = dir + ": " + part
			}
			lines(loss, name, by[part], func(e run.Epoch) float64 { return e.Loss }, ", training")
			lines(loss, name, by[part], func(e run.Epoch) float64 { return e.Validation }, ", validation")
			lines(rate, name, by[part], func(e run.Epoch) float64 { return e.Rate }, "")
			lines(emd, name, by[part], func(e run.Epoch) float64 {
				if e.EMD == nil {
					return 0
				}
				return *e.EMD
			}, "")
		}
	}
	var figures []report.Figure
	for _, f := range []report.Figure{
		{ID: lossCurve, Title: "Loss", Lines: loss}, {ID: "curve-emd", Title: "EMD on validation images", Lines: emd}, {ID: "curve-rate", Title: "Learning rate", Lines: rate},
	} {
		if len(f.Lines.Series) > 0 {
			figures = append(figures, f)
		}
	}
	return figures
}

// lossCurve is the figure of losses.
const lossCurve = "curve-loss"

// reported are the curves of a finished run's report, for one without metrics.
func (s *Server) reported(dir, path string) (list []report.Line) {
	d, err := s.report(dir, path)
	if err != nil {
		return nil
	}
	for _, section := range d.page.Sections {
		for _, f := range section.Figures {
			if f.Lines == nil || f.Lines.X.Label != "epoch" {
				continue
			}
			for _, l := range f.Lines.Series {
				if len(l.Y) == 0 || slices.Min(l.Y) <= 0 {
					continue
				}
				group := l.Group
				if group == "" {
					group = l.Name
				}
				l.Name, l.Group = dir+": "+l.Name, dir+": "+group
				list = append(list, l)
			}
		}
	}
	return list
}

// report is the page of a finished run, drawn once.
func (s *Server) report(dir, path string) (*drawn, error) {
	return s.pages.get(dir+" "+s.dir.stamp(dir), func() (*drawn, error) {
		p, err := study.Page(path)
		if err != nil {
			return nil, err
		}
		// Losses are the report's own.
		rest := slices.DeleteFunc(s.curves([]string{dir}, []string{path}), func(f report.Figure) bool { return f.ID == lossCurve })
		if len(rest) > 0 {
			p.Sections = append(p.Sections, report.Section{Title: "Epoch by epoch", Figures: rest})
		}
		body, err := draw(*p)
		return &drawn{p, body}, err
	})
}

// lines adds one, of what a logarithmic axis can show.
func lines(l *report.Lines, name string, list []run.Epoch, of func(run.Epoch) float64, what string) {
	line := report.Line{Name: name + what, Group: name, Dashed: what == ", validation"}
	for _, e := range list {
		if v := of(e); v > 1e-90 && v < 1e90 {
			line.X, line.Y = append(line.X, float64(e.Epoch)), append(line.Y, v)
		}
	}
	if len(line.X) > 0 {
		l.Series = append(l.Series, line)
	}
}

// events tells a reader whenever the list of runs is another. Nothing is kept for a
// stream but its place in the queue.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	if !s.watch.join() {
		return failure{http.StatusServiceUnavailable, "too many look at once"}
	}
	defer s.watch.leave()
	defer patient(w)()
	c := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	send := func(text string) bool {
		c.SetWriteDeadline(time.Now().Add(streamTime))
		if _, err := w.Write([]byte(text)); err != nil {
			return false
		}
		return c.Flush() == nil
	}
	beat := time.NewTicker(beatTime)
	defer beat.Stop()
	told := -1
	for {
		now, changed := s.watch.look()
		if now.version != told {
			told = now.version
			if !send("event: runs\ndata: " + strconv.Itoa(told) + "\n\n") {
				return nil
			}
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.watch.ended:
			return nil
		case <-changed:
		case <-beat.C:
			if !send(": still here\n\n") {
				return nil
			}
		}
	}
}

// streamTime is how long a reader may take for what it is sent, beatTime after how long
// without news it hears that there is none.
const (
	streamTime = 10 * time.Second
	beatTime   = 20 * time.Second
)
