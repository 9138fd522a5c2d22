package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"barrow/report"
)

//go:embed templates
var templateFiles embed.FS

// A view is a page.
type view struct {
	Title  string
	Active string // address of the part that it belongs to
	Status int    // of HTTP; 0 is well
	Lead   string
	Live   bool // changes while one looks
	Data   any
	Body   template.HTML // of drawings, made by package report
	Footer []string

	Version string // of the assets
	Place   string // name of the folder
}

var templates = sync.OnceValue(func() map[string]*template.Template {
	base := template.Must(template.New("layout").Funcs(template.FuncMap{
		"pick": func(p picks, c choice, i int) picked { return picked{p, c, i + 1} },
		"figure": func(v *float64) string {
			if v == nil {
				return "–"
			}
			return strconv.FormatFloat(*v, 'g', 4, 64)
		},
		"when": func(t time.Time) string {
			if t.IsZero() {
				return "–"
			}
			return t.Local().Format("2006-01-02 15:04:05")
		},
	}).ParseFS(templateFiles, "templates/layout.tmpl"))
	all := map[string]*template.Template{}
	for _, name := range []string{"plain", "runs", "run", "wafers", "play", "plan"} {
		all[name] = template.Must(template.Must(base.Clone()).ParseFS(templateFiles, "templates/"+name+".tmpl"))
	}
	return all
})

// page is a page's content.
func (s *Server) page(name string, v view) ([]byte, error) {
	v.Version, v.Place = s.version, s.dir.name()
	var b bytes.Buffer
	if err := templates()[name].ExecuteTemplate(&b, "layout.tmpl", v); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return b.Bytes(), nil
}

// render answers with a page.
func (s *Server) render(w http.ResponseWriter, name string, v view) error {
	body, err := s.page(name, v)
	if err != nil {
		return err
	}
	sendPage(w, v.Status, body)
	return nil
}

// sendPage sends a page that is made; status 0 is well.
func sendPage(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if status != 0 {
		w.WriteHeader(status)
	}
	w.Write(body) // a reader who is gone needs no more
}

// rowOf is a run's row of the list.
func rowOf(s runState) template.HTML {
	var b bytes.Buffer
	if err := templates()["runs"].ExecuteTemplate(&b, "row", s); err != nil {
		return "" // of a template that has been run in every test
	}
	return template.HTML(b.String())
}

// show answers with a page that cannot fail.
func (s *Server) show(w http.ResponseWriter, v view) {
	if err := s.render(w, "plain", v); err != nil {
		http.Error(w, "this page cannot be shown", http.StatusInternalServerError)
	}
}

// picks are what a reader can pick from, picked one of them with its place.
type picks struct {
	Algorithms, Encoders, Decoders []option
}

type picked struct {
	picks
	Choice choice
	Index  int
}

// sendFigure sends the figure and in the form that the address names.
func (s *Server) sendFigure(w http.ResponseWriter, r *http.Request, name string, list []report.Figure) error {
	id := r.URL.Query().Get("figure")
	i := slices.IndexFunc(list, func(f report.Figure) bool { return f.ID == id })
	if i < 0 {
		return notFound(fmt.Sprintf("there is no figure %q", id))
	}
	f := list[i]
	h := w.Header()
	var b bytes.Buffer
	var err error
	format := r.URL.Query().Get("format")
	switch format {
	case "svg":
		h.Set("Content-Type", "image/svg+xml")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'") // the file's own
		err = report.SVG(&b, f)
	case "png":
		h.Set("Content-Type", "image/png")
		err = report.PNG(&b, f)
	case "csv":
		h.Set("Content-Type", "text/csv; charset=utf-8")
		err = report.CSV(&b, f)
	default:
		return wrong(fmt.Sprintf("there is no format %q: want svg, png or csv", format))
	}
	if err != nil {
		return err
	}
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s.%s"`, name, id, format))
	w.Write(b.Bytes()) // a reader who is gone needs no more
	return nil
}
