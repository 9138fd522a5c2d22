package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"barrow/report"
	"barrow/run"
	"barrow/study/plan"
)

type planView struct {
	Runs       []string
	Others     []string // plans of another version
	Dir        string
	Quantities []option
	By         string
	Layers     []string
	Layer      string
	Downloads  []download
}

// planLayers are the figures of a plan, as the address wants them, drawn from its results once.
func (s *Server) planLayers(q url.Values) (dir, by string, list []report.Figure, err error) {
	dir, by = q.Get("dir"), cmp.Or(q.Get("by"), plan.Quantities()[0])
	if !slices.Contains(plan.Quantities(), by) {
		return "", "", nil, wrong(fmt.Sprintf("modules are not coloured by %q: want %s", shorten(by), strings.Join(plan.Quantities(), ", ")))
	}
	if err := s.dir.isRun(dir); err != nil {
		return "", "", nil, err
	}
	list, err = s.layers.get(by+" "+dir+" "+s.dir.stamp(dir), func() (list []report.Figure, err error) {
		err = s.dir.withRun(dir, func(path string) error {
			info, err := run.Inspect(path)
			switch {
			case err != nil:
				return err
			case info.Name == plan.Kind().Name && info.Kind != plan.Kind():
				return wrong(fmt.Sprintf("%s: is a plan of another Barrow (version %d; this one draws version %d): look at it with that one, or plan again", dir, info.Version, plan.Kind().Version))
			case info.Kind != plan.Kind() || !info.Finished:
				return wrong(dir + ": is no plan that is finished")
			}
			list, err = plan.Layers(path, by)
			return err
		})
		return list, err
	})
	return dir, by, list, err
}

// planPage shows the layers of an endcap.
func (s *Server) planPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	now, _ := s.watch.look()
	d := &planView{Dir: q.Get("dir"), By: q.Get("by"), Layer: q.Get("layer")}
	for _, x := range now.states {
		switch {
		case x.Kind.Name != plan.Kind().Name || !x.Finished():
		case x.Kind == plan.Kind():
			d.Runs = append(d.Runs, x.Dir)
		default:
			d.Others = append(d.Others, x.Dir)
		}
	}
	if !q.Has("dir") && len(d.Runs) > 0 {
		d.Dir = d.Runs[0]
		q.Set("dir", d.Dir)
	}
	words := map[string]string{"setting": "what is chosen", "emd": "mean EMD", "gain": "mean EMD over the best single algorithm's", "charge": "mean charge", "occupancy": "mean occupancy", "links": "links"}
	for _, x := range plan.Quantities() {
		d.Quantities = append(d.Quantities, option{x, words[x]})
	}
	v := view{Title: "Plan", Active: "/plan", Data: d}
	if d.Dir == "" {
		return s.render(w, "plan", v)
	}
	if err := s.fillPlan(&v, d, q); err != nil {
		if r.Context().Err() != nil {
			return err
		}
		f := s.failureOf(err) // with the form, to choose another
		v.Lead, v.Status = f.text, f.status
	}
	return s.render(w, "plan", v)
}

// fillPlan puts the layers into the page.
func (s *Server) fillPlan(v *view, d *planView, q url.Values) error {
	dir, by, list, err := s.planLayers(q)
	if err != nil {
		return err
	}
	d.By = by
	for _, f := range list {
		d.Layers = append(d.Layers, strings.TrimPrefix(f.ID, "layer-"))
	}
	if d.Layer != "" {
		i := slices.Index(d.Layers, d.Layer)
		if i < 0 {
			return notFound(fmt.Sprintf("the plan has no layer %q", shorten(d.Layer)))
		}
		list = list[i : i+1]
	}
	v.Lead = "Every module in its place, in the colour of what was found for its class. Of a geometry one of three equal sectors is drawn."
	body, err := draw(report.Page{Title: "plan", Sections: []report.Section{{Title: dir, Figures: list}}})
	if err != nil {
		return err
	}
	v.Body = body + template.HTML(fmt.Sprintf(`<p><a href="/run?dir=%s">The plan's report</a></p>`, template.HTMLEscapeString(url.QueryEscape(dir))))
	for _, f := range list {
		to := func(format string) string {
			return "/plan/file?" + url.Values{"dir": {dir}, "by": {by}, "figure": {f.ID}, "format": {format}}.Encode()
		}
		d.Downloads = append(d.Downloads, download{f.Title, to("svg"), to("png"), to("csv")})
	}
	return nil
}

// planFile is a layer as a file.
func (s *Server) planFile(w http.ResponseWriter, r *http.Request) error {
	_, by, list, err := s.planLayers(r.URL.Query())
	if err != nil {
		return err
	}
	return s.sendFigure(w, r, "plan-"+by, list)
}
