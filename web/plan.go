package web

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"barrow/report"
	"barrow/run"
	"barrow/study/plan"
)

type planView struct {
	Runs       []string
	Dir        string
	Quantities []option
	By         string
	Layers     []string
	Layer      string
	Downloads  []download
}

// planLayers are the figures of a plan, as the address wants them.
func (s *Server) planLayers(q url.Values) (dir, by string, list []report.Figure, err error) {
	dir, by = q.Get("dir"), q.Get("by")
	if by == "" {
		by = plan.Quantities()[0]
	}
	if !slices.Contains(plan.Quantities(), by) {
		return "", "", nil, wrong(fmt.Sprintf("modules are not coloured by %q: want %s", by, strings.Join(plan.Quantities(), ", ")))
	}
	path, err := s.dir.run(dir)
	if err != nil {
		return "", "", nil, err
	}
	info, err := run.Inspect(path)
	if err != nil {
		return "", "", nil, err
	}
	if info.Kind != plan.Kind() || !info.Finished {
		return "", "", nil, wrong(dir + ": is no plan that is finished")
	}
	list, err = plan.Layers(path, by)
	return dir, by, list, err
}

// plan shows the layers of an endcap.
func (s *Server) plan(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	now, _ := s.watch.look()
	d := &planView{Dir: q.Get("dir"), By: q.Get("by"), Layer: q.Get("layer")}
	for _, x := range now.states {
		if x.Kind == plan.Kind().Name && x.Finished() {
			d.Runs = append(d.Runs, x.Dir)
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
	dir, by, list, err := s.planLayers(q)
	if err != nil {
		return err
	}
	d.By = by
	for _, f := range list {
		d.Layers = append(d.Layers, strings.TrimPrefix(f.ID, "layer-"))
	}
	if d.Layer != "" {
		if _, err := strconv.Atoi(d.Layer); err != nil || !slices.Contains(d.Layers, d.Layer) {
			return notFound(fmt.Sprintf("the plan has no layer %q", shorten(d.Layer)))
		}
		list = slices.DeleteFunc(list, func(f report.Figure) bool { return f.ID != "layer-"+d.Layer })
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
	return s.render(w, "plan", v)
}

// planFile is a layer as a file.
func (s *Server) planFile(w http.ResponseWriter, r *http.Request) error {
	_, by, list, err := s.planLayers(r.URL.Query())
	if err != nil {
		return err
	}
	return s.sendFigure(w, r, "plan-"+by, list)
}
