package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/report"
	"barrow/wafer"
	"barrow/wafer/file"
)

// A look is what an address says that is looked at.
type look struct {
	q       url.Values
	file    string
	number  int // of the image in the file, from 1
	sort    string
	down    bool
	metric  *ground
	choices []choice
}

// lookAt reads an address.
func lookAt(q url.Values) (*look, error) {
	l := &look{q: q, file: q.Get("file"), number: 1, sort: q.Get("sort"), down: q.Has("down")}
	if n := q.Get("image"); n != "" {
		v, err := strconv.Atoi(n)
		if err != nil || v < 1 {
			return nil, wrong(fmt.Sprintf("%q is no image: they count from 1", n))
		}
		l.number = v
	}
	var err error
	if l.metric, err = metricOf(q.Get("metric")); err != nil {
		return nil, err
	}
	l.choices, err = choices(q)
	return l, err
}

// to is the address of the same with something else in it.
func (l *look) to(path string, pairs ...string) string {
	q := url.Values{}
	for _, key := range []string{"file", "image", "sort", "down", "metric", "order", "tree", "what", "links", "how"} {
		if v := l.q[key]; len(v) > 0 {
			q[key] = v
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return path + "?" + q.Encode()
}

// open reads the images that are looked at.
func (s *Server) open(ctx context.Context, l *look) (m *images, name string, err error) {
	key := imageKey{name: l.file, order: cmp.Or(l.q.Get("order"), hgcal.V9.String()), tree: l.q.Get("tree")}
	in := file.Input{Name: l.file}
	if id, ok := strings.CutPrefix(l.file, uploadPrefix); ok {
		u, err := s.uploads.find(id)
		if err != nil {
			return nil, "", err
		}
		in.Name, name = u.path, u.name
		if in.File, err = os.Open(u.path); err != nil {
			return nil, "", notFound("this file is gone: bring it again")
		}
	} else {
		var info fs.FileInfo
		if in.File, info, err = s.dir.open(l.file); err != nil {
			return nil, "", err
		}
		name, key.stamp = l.file, fmt.Sprint(info.ModTime().UnixNano(), info.Size())
	}
	defer in.File.Close()
	m, err = s.sets.get(key, func() (*images, error) { return openImages(ctx, key, in) })
	return m, name, err
}

// A seen image is all that is known of it.
type seen struct {
	image   []float64
	number  int
	with    []*contender
	results []*sent
	moves   []*move // nil where nothing arrives
}

// see decodes an image by all that is picked.
func (s *Server) see(ctx context.Context, l *look, m *images, with []*contender, i int) (*seen, error) {
	v := &seen{image: m.set.Image(i), number: i + 1, with: with}
	for _, c := range with {
		r, err := c.send(ctx, m.set.Slice(i, i+1), &m.lengths)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.label, err)
		}
		move, err := l.metric.solve(v.image, r.decoded.Image(0))
		if err != nil {
			return nil, err
		}
		v.results, v.moves = append(v.results, r), append(v.moves, move)
	}
	return v, nil
}

// note is what stands at a decoded image.
func (v *seen) note(k int) string {
	text := "nothing arrives"
	if m := v.moves[k]; m != nil {
		text = fmt.Sprintf("EMD %.3f", m.value)
	} else if wafer.Sum(v.image) == 0 {
		text = "no charge"
	}
	if v.results[k].frame != nil {
		text += fmt.Sprintf(", %d bits", v.results[k].bits[0])
	}
	return text
}

// figures draws what is shown.
func (v *seen) figures(g *ground) []report.Figure {
	w := &report.Wafers{Unit: "charge as in the file"}
	row := report.WaferRow{Name: fmt.Sprintf("image %d", v.number), Input: v.image}
	for k, c := range v.with {
		w.Columns = append(w.Columns, c.label)
		row.Decoded = append(row.Decoded, v.results[k].decoded.Image(0))
		row.Notes = append(row.Notes, v.note(k))
	}
	w.Rows = []report.WaferRow{row}
	list := []report.Figure{{ID: "images", Title: fmt.Sprintf("Image %d and what is made of it", v.number), Wafers: w}}
	for k, c := range v.with {
		if v.moves[k] == nil {
			continue
		}
		f := flow(v.image, v.results[k].decoded.Image(0), v.moves[k])
		f.ID, f.Title = fmt.Sprintf("flow-%d", k+1), c.label+": what moves"
		p := potential(v.moves[k], g)
		p.ID, p.Title = fmt.Sprintf("potential-%d", k+1), c.label+": potential"
		list = append(list, f, p)
	}
	return list
}

// percent are shares of an image's charge.
func percent(image []float64) []float64 {
	sum := wafer.Sum(image)
	out := make([]float64, len(image))
	for i, v := range image {
		out[i] = 100 * v / sum
	}
	return out
}

// flow draws an optimal plan on the difference that it makes.
func flow(p, q []float64, m *move) report.Figure {
	t := &report.Transport{Unit: "share of the charge, decoded − input (%)", Signed: true, Moves: "share of the charge (%)", Values: percent(q)}
	for i, v := range percent(p) {
		t.Values[i] -= v
	}
	moved := 0.0
	for _, a := range m.arcs {
		t.Arrows = append(t.Arrows, report.Arrow{From: a.From, To: a.To, Mass: 100 * a.Mass})
		if a.From != a.To {
			moved += 100 * a.Mass
		}
	}
	if m.value == 0 {
		return report.Figure{Transport: t, Caption: "An optimal plan: nothing moves."}
	}
	return report.Figure{Transport: t, Caption: fmt.Sprintf("An optimal plan: %.3g %% of the charge moves, by %.4g in the mean over all of it.", moved, m.value)}
}

// potential draws the dual solution.
func potential(m *move, g *ground) report.Figure {
	return report.Figure{Transport: &report.Transport{Unit: "potential (" + g.unit + ")", Signed: true, Values: m.potential},
		Caption: "What a unit of charge more in a cell of the input would add to the distance, up to a constant. The distance is the potential's mean over the input less its mean over the decoded image."}
}

type wafersView struct {
	Files                       []string
	File, Name                  string
	Choices                     []choice // with an empty one to add
	Picks                       picks
	Metrics                     []string
	Metric                      string
	Orders                      []string
	Order                       string
	Sorts                       []option
	Sort                        string
	Down                        bool
	First, Previous, Next, Last string
	Position, Count, Image      int
	More                        bool
	Sorting                     bool // by what is not known yet of so many per cent
	Share                       int
	Again                       string // the same address
	Body                        template.HTML
	Downloads                   []download
	Remarks                     []string
	Link, Play                  string
	MostUpload, MostImages      int
}

// A download is a figure as files.
type download struct{ Title, SVG, PNG, CSV string }

// wafersPage shows images.
func (s *Server) wafersPage(w http.ResponseWriter, r *http.Request) error {
	l, err := lookAt(r.URL.Query())
	if err != nil {
		return err
	}
	now, _ := s.watch.look()
	d := &wafersView{Files: now.files, File: l.file, Metrics: hgcal.Metrics(), Metric: l.metric.name, Sort: l.sort, Down: l.down, Sorts: sorts(nil, false),
		Orders: hgcal.OrderNames(), Order: l.q.Get("order"), Choices: l.choices, MostUpload: mostUpload >> 20, MostImages: mostImages}
	d.Picks = s.picks(now.listing)
	if len(d.Choices) < mostChoices {
		d.Choices = append(slices.Clone(d.Choices), choice{Links: 3, How: string(evaluate.DecodeSpread)})
	}
	v := view{Title: "Wafers", Active: "/wafers", Data: d}
	if l.file != "" {
		if err := s.fillWafers(r.Context(), d, l); err != nil {
			if r.Context().Err() != nil {
				return err
			}
			f := s.failureOf(err)
			v.Lead, v.Status = f.text, f.status
		}
	}
	return s.render(w, "wafers", v)
}

// fillWafers puts an image and what is made of it into the page.
func (s *Server) fillWafers(ctx context.Context, d *wafersView, l *look) error {
	m, name, err := s.open(ctx, l)
	if err != nil {
		return err
	}
	d.Name, d.Count, d.More = name, m.set.Len(), m.more
	for _, text := range m.remarks {
		d.Remarks = append(d.Remarks, s.hide(text))
	}
	if l.number > m.set.Len() {
		return notFound(fmt.Sprintf("there is no image %d: the file has %d", l.number, m.set.Len()))
	}
	with, err := s.contenders(l.choices)
	if err != nil {
		return err
	}
	d.Sorts = sorts(m, len(with) > 0)
	var first *contender
	if len(with) > 0 {
		first = with[0]
	}
	order, err := m.by(ctx, s.jobs, l.sort, first, l.metric)
	var busy underWay
	if errors.As(err, &busy) {
		d.Sorting, d.Share, d.Again = true, int(100*busy), "/wafers?"+l.q.Encode()
		order, err = m.by(ctx, s.jobs, "", nil, nil) // until it is known
	}
	if err != nil {
		return err
	}
	if l.down && !d.Sorting {
		order = slices.Clone(order)
		slices.Reverse(order)
	}
	d.steps(l, order)
	shown, err := s.see(ctx, l, m, with, d.Image-1)
	if err != nil {
		return err
	}
	page := report.Page{Title: "wafers", Sections: []report.Section{
		{Title: fmt.Sprintf("Image %d", d.Image), Figures: shown.figures(l.metric)},
		{Title: "Its figures", Tables: []report.Table{facts(m, d.Image-1, shown)}},
	}}
	if d.Body, err = draw(page); err != nil {
		return err
	}
	for _, f := range page.Sections[0].Figures {
		at := func(format string) string {
			return l.to("/wafers/file", "image", strconv.Itoa(d.Image), "figure", f.ID, "format", format)
		}
		d.Downloads = append(d.Downloads, download{f.Title, at("svg"), at("png"), at("csv")})
	}
	d.Link = l.to("/wafers", "image", strconv.Itoa(d.Image))
	d.Play = l.to("/play", "file", "", "image", "", "sort", "", "down", "", "order", "", "tree", "", "a", formatImage(shown.image))
	if len(with) > 0 {
		d.Play += "&" + url.Values{"b": {formatImage(shown.results[0].decoded.Image(0))}}.Encode()
	}
	return nil
}

// steps finds the image among the others in their order.
func (d *wafersView) steps(l *look, order []int) {
	at := slices.Index(order, l.number-1)
	if l.q.Get("image") == "" {
		at = 0 // the first in this order
	}
	d.Position, d.Image = at+1, order[at]+1
	to := func(i int) string {
		if i < 0 || i >= len(order) || i == at {
			return ""
		}
		return l.to("/wafers", "image", strconv.Itoa(order[i]+1))
	}
	d.First, d.Previous, d.Next, d.Last = to(0), to(at-1), to(at+1), to(len(order)-1)
}

// sorts are what images can be sorted by, those of no file by what all have.
func sorts(m *images, decoded bool) []option {
	list := []option{{"", "their place in the file"}}
	if decoded {
		list = append(list, option{"emd", "EMD of the first decoding"})
	}
	list = append(list, option{"occupancy", "occupancy"}, option{"sum", "sum of charges"})
	if m == nil {
		return list
	}
	for _, c := range m.set.Columns {
		list = append(list, option{columnPrefix + c.Name, c.Name})
	}
	return list
}

// mostFacts of an image are listed.
const mostFacts = 40

// facts is a table of what is known of an image.
func facts(m *images, i int, v *seen) report.Table {
	t := report.Table{Columns: []report.Column{{Name: "of the image"}, {Name: "value", Numeric: true}}}
	add := func(name, value string) { t.Rows = append(t.Rows, []string{name, value}) }
	add("sum of charges", strconv.FormatFloat(wafer.Sum(v.image), 'g', 8, 64))
	add("occupancy (cells above 1 MIP_T)", fmt.Sprint(m.occupancy[i]))
	for k, c := range v.with {
		add(c.label, v.note(k))
	}
	for k, c := range m.set.Columns {
		if k == mostFacts {
			t.Note = fmt.Sprintf("And %d columns more.", len(m.set.Columns)-k)
			break
		}
		add(c.Name, c.Value(i))
	}
	return t
}

// waferFile is a figure of what is shown, as a file.
func (s *Server) waferFile(w http.ResponseWriter, r *http.Request) error {
	l, err := lookAt(r.URL.Query())
	if err != nil {
		return err
	}
	m, _, err := s.open(r.Context(), l)
	if err != nil {
		return err
	}
	if l.number > m.set.Len() {
		return notFound(fmt.Sprintf("there is no image %d: the file has %d", l.number, m.set.Len()))
	}
	with, err := s.contenders(l.choices)
	if err != nil {
		return err
	}
	v, err := s.see(r.Context(), l, m, with, l.number-1)
	if err != nil {
		return err
	}
	return s.sendFigure(w, r, fmt.Sprintf("image-%d", l.number), v.figures(l.metric))
}
