package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/report"
	"barrow/wafer"
)

// largestCharge is what a cell takes, less than what the chip's inputs do.
const largestCharge = 1<<22 - 1

// parseImage reads charges as addresses have them: 3:40,20:12.5 is 40 in cell 3.
func parseImage(text string) ([]float64, error) {
	image := make([]float64, hgcal.Cells)
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == ';' || r == '\n' || r == '\r' }) {
		cell, charge, ok := strings.Cut(part, ":")
		i, err := strconv.Atoi(cell)
		v, err2 := strconv.ParseFloat(charge, 64)
		if !ok || err != nil || err2 != nil || i < 0 || i >= hgcal.Cells || !(v >= 0 && v <= math.MaxFloat64) {
			return nil, wrong(fmt.Sprintf("%q is no charge in a cell: want a cell, 0 to %d, and a number, as in 3:40", shorten(part), hgcal.Cells-1))
		}
		image[i] = math.Min(image[i]+v, largestCharge)
	}
	return image, nil
}

func shorten(text string) string {
	if r := []rune(text); len(r) > 30 {
		return string(r[:28]) + "…"
	}
	return text
}

// formatImage is what parseImage reads.
func formatImage(image []float64) string {
	var parts []string
	for i, v := range image {
		if v > 0 {
			parts = append(parts, fmt.Sprintf("%d:%s", i, strconv.FormatFloat(v, 'g', 6, 64)))
		}
	}
	return strings.Join(parts, ",")
}

// A game is what an address says of two wafers.
type game struct {
	a, b    []float64
	high    bool
	metric  *ground
	choices []choice
	with    []*contender
}

// What there is to begin with.
const (
	firstA = "3:120,7:60,27:30"
	firstB = "22:140,23:40,18:30"
)

func (s *Server) game(q url.Values) (*game, error) {
	text := func(key, first string) string {
		if !q.Has(key) {
			return first
		}
		return q.Get(key)
	}
	g := &game{high: q.Get("density") == evaluate.HighDensity}
	var err error
	if g.a, err = parseImage(text("a", firstA)); err != nil {
		return nil, err
	}
	if g.b, err = parseImage(text("b", firstB)); err != nil {
		return nil, err
	}
	if g.metric, err = metricOf(q.Get("metric")); err != nil {
		return nil, err
	}
	if g.choices, err = choices(q); err != nil {
		return nil, err
	}
	g.with, err = s.contenders(g.choices)
	return g, err
}

type playView struct {
	A, B, Result string
	Step         string
	Away         bool
	High         bool
	Metrics      []string
	Metric       string
	Choices      []choice
	Picks        picks
	Downloads    []download
}

// playPage shows two wafers to put charge into.
func (s *Server) playPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	g, err := s.game(q)
	if err != nil {
		return err
	}
	now, _ := s.watch.look()
	d := &playView{A: formatImage(g.a), B: formatImage(g.b), Step: "35", Away: q.Get("do") == "away", High: g.high, Metrics: hgcal.Metrics(), Metric: g.metric.name,
		Choices: g.choices, Picks: s.picks(now.listing)}
	if n, err := strconv.ParseFloat(q.Get("step"), 64); err == nil && n > 0 && n <= largestCharge {
		d.Step = strconv.FormatFloat(n, 'g', 6, 64)
	}
	if len(d.Choices) == 0 {
		d.Choices = []choice{{Links: 3, How: string(evaluate.DecodeSpread)}}
	}
	page, result, err := g.page(r.Context())
	if err != nil {
		return err
	}
	d.Result = result
	v := view{Title: "Play", Active: "/play", Data: d}
	if v.Body, err = draw(*page); err != nil {
		return err
	}
	for _, section := range page.Sections {
		for _, f := range section.Figures {
			to := func(format string) string {
				x := url.Values{}
				for _, key := range []string{"what", "links", "how", "metric", "density"} {
					if len(q[key]) > 0 {
						x[key] = q[key]
					}
				}
				x.Set("a", d.A)
				x.Set("b", d.B)
				x.Set("figure", f.ID)
				x.Set("format", format)
				return "/play/file?" + x.Encode()
			}
			d.Downloads = append(d.Downloads, download{f.Title, to("svg"), to("png"), to("csv")})
		}
	}
	return s.render(w, "play", v)
}

// playFile is a figure of it as a file.
func (s *Server) playFile(w http.ResponseWriter, r *http.Request) error {
	g, err := s.game(r.URL.Query())
	if err != nil {
		return err
	}
	page, _, err := g.page(r.Context())
	if err != nil {
		return err
	}
	var list []report.Figure
	for _, section := range page.Sections {
		list = append(list, section.Figures...)
	}
	return s.sendFigure(w, r, "play", list)
}

// board draws a wafer whose cells take charge.
func board(id, name string, image []float64) report.Figure {
	t := &report.Transport{Unit: "charge (CALQ counts)", Values: image}
	for i, v := range image {
		t.Cells = append(t.Cells, fmt.Sprintf("%s, cell %d: %g", name, i, v))
	}
	return report.Figure{ID: id, Title: fmt.Sprintf("%s: %g counts", name, wafer.Sum(image)), Transport: t}
}

// page is what the two wafers are to each other, and what the chip makes of the first.
func (g *game) page(ctx context.Context) (*report.Page, string, error) {
	boards := report.Section{Title: "Two wafers", Figures: []report.Figure{board("board-a", "A", g.a), board("board-b", "B", g.b)}}
	p := &report.Page{Title: "play", Sections: []report.Section{boards}}
	result := "A wafer without charge has no distance to another."
	m, err := g.metric.solve(g.a, g.b)
	if err != nil {
		return nil, "", err
	}
	if m != nil {
		result = fmt.Sprintf("EMD %.4f %s", m.value, g.metric.unit)
		plan := flow(g.a, g.b, m)
		plan.ID, plan.Title = "plan", "An optimal plan from A to B"
		plan.Transport.Unit = "share of the charge, B − A (%)"
		slope := func(id, of string, v []float64) report.Figure {
			t := &report.Transport{Unit: "gradient (" + g.metric.unit + " per 1,000 counts)", Signed: true}
			for _, x := range v {
				t.Values = append(t.Values, 1000*x)
			}
			return report.Figure{ID: id, Title: "Gradient with respect to " + of, Transport: t,
				Caption: "What a little charge more in a cell of " + of + " does to the distance."}
		}
		pot := potential(m, g.metric)
		pot.ID, pot.Title = "potential", "Potential"
		pot.Caption = strings.NewReplacer("the input", "A", "the decoded image", "B").Replace(pot.Caption)
		p.Sections = append(p.Sections, report.Section{Title: "Distance", Text: []string{result + ", of the two scaled to the same sum."},
			Figures: []report.Figure{plan, slope("gradient-a", "A", m.dp), slope("gradient-b", "B", m.dq), pot}})
	}
	for k, c := range g.with {
		s, err := g.through(ctx, c, k)
		if err != nil {
			return nil, "", err
		}
		p.Sections = append(p.Sections, s)
	}
	return p, result, nil
}

// through is what becomes of A.
func (g *game) through(ctx context.Context, c *contender, k int) (report.Section, error) {
	s := report.Section{Title: "A through " + c.label}
	density := "LD"
	if g.high {
		density = "HD"
	}
	set := &wafer.Set{Charge: g.a, Columns: []wafer.Column{{Name: string(wafer.Density), Text: []string{density}}}}
	r, err := c.send(ctx, set, nil)
	var missing *wafer.NoColumnError
	if errors.As(err, &missing) {
		s.Text = []string{"This decoder wants to know more of a wafer than its charges: " + missing.Names + "."}
		return s, nil
	}
	if err != nil {
		return s, err
	}
	decoded := r.decoded.Image(0)
	m, err := g.metric.solve(g.a, decoded)
	if err != nil {
		return s, err
	}
	text := "Nothing arrives, or there is nothing to send."
	out := report.Figure{ID: fmt.Sprintf("decoded-%d", k+1), Title: "What arrives", Transport: &report.Transport{Unit: "charge (CALQ counts)", Values: decoded}}
	s.Figures = []report.Figure{out}
	if m != nil {
		text = fmt.Sprintf("EMD %.4f %s between A and what arrives; %.6g of %.6g counts.", m.value, g.metric.unit, wafer.Sum(decoded), wafer.Sum(g.a))
		f := flow(g.a, decoded, m)
		f.ID, f.Title = fmt.Sprintf("through-%d", k+1), "What moves"
		s.Figures = append(s.Figures, f)
	}
	s.Text = []string{text}
	if r.frame != nil {
		s.Tables = []report.Table{r.frame.table()}
	}
	return s, nil
}

// table spells a frame out.
func (f *frame) table() report.Table {
	t := report.Table{Title: "The frame, part by part", Columns: []report.Column{{Name: "part"}, {Name: "of"}, {Name: "first bit", Numeric: true}, {Name: "bits", Numeric: true}, {Name: "as sent"}, {Name: "code", Numeric: true}},
		Note: fmt.Sprintf("%d bits of information on %s, which carry %d a bunch crossing. As words of 16 bits: %s.", f.Bits, plural(f.Links, "link"), 32*f.Links, strings.Join(f.Words, " "))}
	for _, x := range f.Fields {
		t.Rows = append(t.Rows, []string{x.Name, x.Of, strconv.Itoa(x.From), strconv.Itoa(x.Width), x.Bits, x.Value})
	}
	return t
}
