package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"barrow/report/internal/svg"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

//go:embed page.tmpl
var pageTemplate string

//go:embed page.css
var pageCSS string

var parsed = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{"sub": subscripts}).Parse(pageTemplate))
})

// Write draws the page as one HTML file. Nothing is written if any figure is
// at fault; the error names the section, the figure and the value.
func Write(w io.Writer, p Page) error {
	return execute(w, "page", p)
}

// Inline draws what is on the page for another that has [Style]: all but its title
// and footer. It asks for nothing that a strict Content-Security-Policy forbids.
func Inline(w io.Writer, p Page) error { return execute(w, "content", p) }

// Style is the style sheet of what [Inline] writes.
func Style() string {
	all := Page{Sections: []Section{{}}}
	for n := range mostColumns {
		all.Sections[0].Figures = append(all.Sections[0].Figures, Figure{Wafers: &Wafers{Columns: make([]string, n)}})
	}
	return pageCSS + css(nil) + columns(&all)
}

// mostColumns of wafers are more than a row ever has.
const mostColumns = 64

func execute(w io.Writer, name string, p Page) error {
	if err := p.Validate(); err != nil {
		return err
	}
	v := pageView{Page: &p, Style: template.CSS(pageCSS + css(nil) + columns(&p))}
	names := p.palette()
	count := 0
	for i := range p.Sections {
		s := &p.Sections[i]
		sv := sectionView{Section: s, Anchor: fmt.Sprintf("section-%d", i+1)}
		for j := range s.Figures {
			count++
			fv, err := viewFigure(s.Figures[j], names, count)
			if err != nil {
				return err
			}
			sv.Figures = append(sv.Figures, fv)
		}
		v.Sections = append(v.Sections, sv)
	}
	var b bytes.Buffer
	if err := parsed().ExecuteTemplate(&b, name, v); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err := io.WriteString(w, clean(b.String()))
	return err
}

// columns are the classes of the page's rows of wafers, by how many columns they have.
func columns(p *Page) string {
	var b strings.Builder
	seen := map[int]bool{}
	for _, s := range p.Sections {
		for _, f := range s.Figures {
			if f.Wafers == nil || seen[len(f.Wafers.Columns)+1] {
				continue
			}
			n := len(f.Wafers.Columns) + 1
			seen[n] = true
			fmt.Fprintf(&b, ".n%d{--n:%d}\n", n, n)
		}
	}
	return b.String()
}

// The views are what the template reads.
type pageView struct {
	*Page
	Style    template.CSS
	Sections []sectionView
}

// Contents tells whether the page is long enough for a list of sections.
func (v pageView) Contents() bool { return len(v.Sections) >= 3 }

type sectionView struct {
	*Section
	Anchor  string
	Figures []figureView
}

type figureView struct {
	Figure
	Number  int
	Chart   template.HTML // one drawing, or
	Strips  []stripView   // a strip a row of wafers
	Numbers *tableView
}

type stripView struct {
	Unit     string
	Columns  int
	Name     string
	First    string // the words of the input and of the differences
	Input    template.HTML
	Differs  string
	ScaleQ   template.HTML
	ScaleD   template.HTML
	MaxQ     string
	MaxD     string
	Decoders []decoderView
}

type decoderView struct {
	Name, Note string
	Decoded    template.HTML
	Difference template.HTML
}

type tableView struct{ Table }

// Bold tells whether row i is emphasised.
func (t tableView) Bold(i int) bool {
	for _, e := range t.Emphasis {
		if e == i {
			return true
		}
	}
	return false
}

// View readies a table for the template.
func (pageView) View(t Table) tableView { return tableView{t} }

func viewFigure(f Figure, names []string, number int) (figureView, error) {
	if len(f.Palette) == 0 {
		f.Palette = names
	}
	if f.ID == "" {
		f.ID = fmt.Sprintf("figure-%d", number)
	}
	v := figureView{Figure: f, Number: number}
	if t, ok := f.numbers(); ok {
		v.Numbers = &tableView{t}
	}
	if f.Wafers != nil && !f.empty() {
		err := v.strips()
		return v, err
	}
	d := artistFor(&f).build(&f)
	c, err := onSVG(&f, d)
	if err != nil {
		return v, err
	}
	more := ""
	if t, ok := d.(*transport); ok {
		more = t.cells(c)
	}
	v.Chart, err = inline(c, f.describe(), "chart", more)
	return v, err
}

// Description is the figure in words.
func (v figureView) Description() string { return v.describe() }

// inline wraps a canvas for the page, with more elements over it. An empty description
// hides the drawing from screen readers, where words beside it say the same.
func inline(c *svg.Canvas, description, class, more string) (template.HTML, error) {
	var b bytes.Buffer
	w, h := c.Size()
	role := "img"
	if more != "" {
		role = "group"
	}
	fmt.Fprintf(&b, `<svg class="%s" viewBox="0 0 %.4g %.4g"`, class, w.Points(), h.Points())
	if description == "" {
		b.WriteString(` aria-hidden="true">` + "\n")
	} else {
		fmt.Fprintf(&b, ` role="%s" aria-label="%s">`+"\n", role, template.HTMLEscapeString(description))
	}
	if err := c.Body(&b); err != nil {
		return "", err
	}
	b.WriteString(more + "</svg>")
	return template.HTML(b.String()), nil
}

// strips draws each wafer as a small picture of its own; the page sets the
// words in HTML, which stay readable where the wafers shrink.
func (v *figureView) strips() error {
	w := v.Wafers
	g := w.geometry()
	var firstErr error
	tile := func(im image, description string) template.HTML {
		const width vg.Length = 100
		c := svg.New(width, width*vg.Length(g.aspect()))
		err := paint(&v.Figure, func() { g.draw(draw.Crop(draw.New(c), 1, -1, 1, -1), im) })
		var out template.HTML
		if err == nil {
			out, err = inline(c, description, "wafer", "")
		}
		if err != nil && firstErr == nil {
			firstErr = fmt.Errorf("report: %s: %w", v.label(), err)
		}
		return out
	}
	for i := range w.Rows {
		r := &w.Rows[i]
		q, d := r.tops()
		s := stripView{Unit: w.unit(), Columns: 1 + len(w.Columns), Name: r.Name, First: w.first(), Differs: w.difference(), MaxQ: short(q), MaxD: short(d)}
		s.Input = tile(charge(r.Input, q), fmt.Sprintf("input image %d", i+1))
		s.ScaleQ, s.ScaleD = bar(&sequential), bar(&diverging)
		for j, name := range w.Columns {
			dec := decoderView{Name: name}
			if len(r.Notes) > 0 {
				dec.Note = r.Notes[j]
			}
			dec.Decoded = tile(charge(r.Decoded[j], q), fmt.Sprintf("image %d decoded by %s", i+1, name))
			dec.Difference = tile(difference(r.Decoded[j], r.Input, d), fmt.Sprintf("image %d, %s minus input", i+1, name))
			s.Decoders = append(s.Decoders, dec)
		}
		v.Strips = append(v.Strips, s)
	}
	return firstErr
}

// bar is a colour scale as a drawing of its own, stretched by the page.
func bar(colour *[levels + 1]string) template.HTML {
	c := svg.New(100, 8)
	scaleBar(draw.New(c), colour, 0, false)
	var b bytes.Buffer
	// A buffer takes everything, and the scale holds no coordinate that could fail.
	_ = c.Body(&b)
	return template.HTML(`<svg class="scale" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">` + "\n" + b.String() + "</svg>")
}
