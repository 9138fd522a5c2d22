package web

import (
	"bytes"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"barrow/report"
	"barrow/run"
	"barrow/study"
)

// A drawn part of a page.
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

// mostRuns are laid over each other.
const mostRuns = 8

// shown are the runs that an address is about.
func (s *Server) shown(q url.Values) (dirs []string, found []run.Found, err error) {
	for _, dir := range q["dir"] {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	switch {
	case len(dirs) == 0:
		return nil, nil, wrong("which run is meant? Choose some in the list")
	case len(dirs) > mostRuns:
		return nil, nil, wrong(fmt.Sprintf("%d runs: at most %d are laid over each other", len(dirs), mostRuns))
	}
	for _, dir := range dirs {
		f, err := s.found(dir)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, f)
	}
	return dirs, found, nil
}

// found is what a run says of itself. Whether somebody is at work in it is another matter.
func (s *Server) found(dir string) (f run.Found, err error) {
	if err := s.dir.isRun(dir); err != nil {
		return f, err
	}
	return s.founds.get(dir+" "+s.dir.stamp(dir), func() (f run.Found, err error) {
		err = s.dir.withRun(dir, func(path string) error {
			f, err = run.Look(path)
			return err
		})
		return f, err
	})
}

type runData struct{ Downloads []download }

// runPage shows a run, or several beside each other.
func (s *Server) runPage(w http.ResponseWriter, r *http.Request) error {
	dirs, found, err := s.shown(r.URL.Query())
	if err != nil {
		return err
	}
	now, _ := s.watch.look()
	live := slices.ContainsFunc(now.states, func(x runState) bool { return x.Fresh() && slices.Contains(dirs, x.Dir) })
	d := &runData{}
	v := view{Title: strings.Join(dirs, ", "), Active: "/", Live: live, Data: d}
	var figures []report.Figure
	if len(dirs) == 1 {
		figures, err = s.oneRun(&v, dirs[0], found[0])
	} else {
		figures, err = s.severalRuns(&v, dirs, found)
	}
	if err != nil {
		return err
	}
	for _, f := range figures {
		if f.ID == "" {
			continue
		}
		to := func(format string) string {
			return "/run/file?" + url.Values{"dir": dirs, "figure": {f.ID}, "format": {format}}.Encode()
		}
		d.Downloads = append(d.Downloads, download{f.Title, to("svg"), to("png"), to("csv")})
	}
	return s.render(w, "run", v)
}

// runFile is a figure of a run's page as a file.
func (s *Server) runFile(w http.ResponseWriter, r *http.Request) error {
	dirs, _, err := s.shown(r.URL.Query())
	if err != nil {
		return err
	}
	var figures []report.Figure
	if len(dirs) == 1 {
		if d, err := s.report(dirs[0]); err == nil {
			figures = figuresOf(d.page)
		}
	}
	if figures == nil {
		figures = s.curves(dirs)
	}
	return s.sendFigure(w, r, "run", figures)
}

// figuresOf are a page's figures in its colours.
func figuresOf(p *report.Page) (list []report.Figure) {
	for _, section := range p.Sections {
		for _, f := range section.Figures {
			if whole, ok := p.Figure(f.ID); ok {
				f = whole
			}
			list = append(list, f)
		}
	}
	return list
}

// oneRun is the report of a run that is finished, of another its curves and what it was asked for.
func (s *Server) oneRun(v *view, dir string, found run.Found) ([]report.Figure, error) {
	d, err := s.report(dir)
	if err == nil {
		v.Title, v.Lead, v.Footer, v.Body = d.page.Title, dir+": "+d.page.Subtitle, d.page.Footer, d.body
		return figuresOf(d.page), nil
	}
	v.Lead = s.dir.hide(strings.TrimPrefix(err.Error(), "study: "))
	return s.drawCurves(v, []string{dir}, []report.Table{settings(dir, found)})
}

// severalRuns are their curves and the settings in which they differ.
func (s *Server) severalRuns(v *view, dirs []string, found []run.Found) ([]report.Figure, error) {
	return s.drawCurves(v, dirs, []report.Table{differences(dirs, found)})
}

// drawCurves draws what trainings say of their epochs, once for as long as they say no more, and
// tables under that: how runs go comes first.
func (s *Server) drawCurves(v *view, dirs []string, tables []report.Table) ([]report.Figure, error) {
	key := "curves"
	for _, dir := range dirs {
		key += "\x00" + dir + " " + s.dir.stamp(dir)
	}
	d, err := s.pages.get(key, func() (*drawn, error) {
		p := &report.Page{Title: "runs"}
		if f := s.curves(dirs); len(f) > 0 {
			p.Sections = append(p.Sections, report.Section{Title: "Training", Text: []string{"Solid lines: on the training images; dashed: on the validation images. Losses of different kinds do not compare."}, Figures: f})
		}
		body, err := draw(*p)
		return &drawn{p, body}, err
	})
	if err != nil {
		return nil, err
	}
	under, err := draw(report.Page{Title: "runs", Tables: tables})
	v.Body = d.body + under
	return figuresOf(d.page), err
}

// settings is a table of what a run was asked for.
func settings(dir string, f run.Found) report.Table {
	t := report.Table{Title: "Settings", Columns: []report.Column{{Name: "setting"}, {Name: dir}}}
	for _, key := range slices.Sorted(maps.Keys(f.Settings)) {
		t.Rows = append(t.Rows, []string{key, settingText(f.Settings[key])})
	}
	return t
}

// differences is a table of the settings that runs do not share.
func differences(dirs []string, found []run.Found) report.Table {
	t := report.Table{Title: "Settings that differ", Columns: []report.Column{{Name: "setting"}}}
	for _, dir := range dirs {
		t.Columns = append(t.Columns, report.Column{Name: dir})
	}
	for _, key := range run.Differing(found) {
		row := []string{key}
		for _, f := range found {
			row = append(row, settingText(f.Settings[key]))
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) == 0 {
		t.Note = "None: the runs were asked for the same."
	}
	return t
}

// settingText is a setting's value, short enough for a table of several runs.
func settingText(v any) string {
	r := []rune(run.Text(v))
	if len(r) > 80 {
		return string(r[:78]) + "…"
	}
	return string(r)
}

// report is the page of a finished run, drawn once.
func (s *Server) report(dir string) (*drawn, error) {
	return s.pages.get(dir+" "+s.dir.stamp(dir), func() (*drawn, error) {
		var p *report.Page
		var epochs []run.Epoch
		err := s.dir.withRun(dir, func(path string) (err error) {
			if p, err = study.Page(path); err == nil {
				epochs, _ = run.ReadMetrics(path) // only a record
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		c := newCurves()
		c.add("", epochs)
		c.recolour(p)
		// Losses are the report's own.
		rest := slices.DeleteFunc(c.figures(), func(f report.Figure) bool { return f.ID == lossCurve })
		if len(rest) > 0 {
			p.Sections = append(p.Sections, report.Section{Title: "Epoch by epoch", Figures: rest})
		}
		body, err := draw(*p)
		return &drawn{p, body}, err
	})
}
