package report

import (
	"errors"
	"fmt"
	"strings"
)

// Validate reports the first thing in the page that cannot be drawn, naming
// the section, figure and value.
func (p *Page) Validate() error {
	if p.Title == "" {
		return errors.New("report: the page has no title")
	}
	if err := tables(p.Tables, "the page"); err != nil {
		return err
	}
	ids := map[string]bool{}
	for i, s := range p.Sections {
		where := fmt.Sprintf("section %d %q", i+1, s.Title)
		if s.Title == "" {
			return fmt.Errorf("report: section %d has no title", i+1)
		}
		if err := tables(s.Tables, where); err != nil {
			return err
		}
		for j := range s.Figures {
			f := &s.Figures[j]
			if err := f.Validate(); err != nil {
				return fmt.Errorf("%w (%s)", err, where)
			}
			if f.ID != "" && ids[f.ID] {
				return fmt.Errorf("report: %s: the ID is used twice (%s)", f.label(), where)
			}
			ids[f.ID] = true
		}
	}
	return nil
}

func tables(list []Table, where string) error {
	for i, t := range list {
		name := t.Title
		if name == "" {
			name = fmt.Sprint(i + 1)
		}
		if len(t.Columns) == 0 {
			return fmt.Errorf("report: %s: table %q has no columns", where, name)
		}
		for r, row := range t.Rows {
			if len(row) != len(t.Columns) {
				return fmt.Errorf("report: %s: table %q: row %d has %d cells, not %d", where, name, r+1, len(row), len(t.Columns))
			}
		}
		for _, e := range t.Emphasis {
			if e < 0 || e >= len(t.Rows) {
				return fmt.Errorf("report: %s: table %q: emphasis on row %d of %d", where, name, e, len(t.Rows))
			}
		}
	}
	return nil
}

// label names the figure in messages.
func (f *Figure) label() string {
	if f.ID != "" {
		return fmt.Sprintf("figure %q", f.ID)
	}
	return fmt.Sprintf("figure %q", f.Title)
}

// Validate reports the first thing in the figure that cannot be drawn. A
// figure without any data is not an error: it is drawn with the words "no
// data".
func (f *Figure) Validate() error {
	if err := f.check(); err != nil {
		return fmt.Errorf("report: %s: %w", f.label(), err)
	}
	return nil
}

func (f *Figure) check() error {
	if f.Title == "" {
		return errors.New("no title")
	}
	for _, r := range f.ID {
		if r <= ' ' || r > '~' || strings.ContainsRune("\"'&<>/\\%#", r) {
			return fmt.Errorf("the ID names a file and an anchor, it may not hold %q", r)
		}
	}
	if n := f.kinds(); n != 1 {
		return fmt.Errorf("%d kinds of drawing are set, want exactly one", n)
	}
	switch {
	case f.Label != nil && (f.Wafers != nil || f.Transport != nil):
		return errors.New("wafers have no room for a label")
	case f.Ranks != nil && f.Label != nil:
		return errors.New("ranks have no room for a label")
	case f.Wafers != nil:
		return f.Wafers.check()
	case f.Profile != nil:
		return f.Profile.check()
	case f.Density != nil:
		return f.Density.check()
	case f.Histogram != nil:
		return f.Histogram.check()
	case f.Lines != nil:
		return f.Lines.check()
	case f.Areas != nil:
		return f.Areas.check()
	case f.Transport != nil:
		return f.Transport.check()
	case f.Front != nil:
		return f.Front.check()
	case f.Ranks != nil:
		return f.Ranks.check()
	}
	return f.Intervals.check()
}

func (f *Figure) kinds() int {
	n := 0
	for _, set := range []bool{f.Wafers != nil, f.Profile != nil, f.Density != nil, f.Histogram != nil, f.Lines != nil, f.Intervals != nil, f.Areas != nil, f.Transport != nil, f.Front != nil, f.Ranks != nil} {
		if set {
			n++
		}
	}
	return n
}

// largest is the greatest magnitude drawn: products and differences of such
// numbers stay finite. Logarithmic axes begin at its inverse.
const largest = 1e100

// values checks n finite numbers, positive ones on a logarithmic axis. n < 0
// accepts any length.
func values(name string, x []float64, n int, log bool) error {
	if n >= 0 && len(x) != n {
		return fmt.Errorf("%s: %d values, want %d", name, len(x), n)
	}
	for i, v := range x {
		if !finite(v) {
			return fmt.Errorf("%s: value %d is %v", name, i, v)
		}
		if v > largest || v < -largest {
			return fmt.Errorf("%s: value %d is %v, beyond ±%g", name, i, v, largest)
		}
		if log && v < 1/largest {
			return fmt.Errorf("%s: value %d is %v, but the axis is logarithmic", name, i, v)
		}
	}
	return nil
}

func counts(name string, x []float64, n int) error {
	if err := values(name, x, n, false); err != nil {
		return err
	}
	for i, v := range x {
		if v < 0 {
			return fmt.Errorf("%s: value %d is %v, below 0", name, i, v)
		}
	}
	return nil
}

func checkEdges(name string, x []float64, log bool) error {
	if len(x) < 2 {
		return fmt.Errorf("%s: %d values, want at least 2", name, len(x))
	}
	if err := values(name, x, -1, log); err != nil {
		return err
	}
	for i := 1; i < len(x); i++ {
		if x[i] <= x[i-1] {
			return fmt.Errorf("%s: value %d is %v, not above %v", name, i, x[i], x[i-1])
		}
	}
	return nil
}

func (a Axis) check(name string) error {
	if a.Label == "" {
		return fmt.Errorf("%s axis: no label", name)
	}
	for _, end := range []*float64{a.Min, a.Max} {
		if end != nil {
			if err := values(name+" axis: end", []float64{*end}, 1, a.Log); err != nil {
				return err
			}
		}
	}
	if a.Min != nil && a.Max != nil && (*a.Min >= *a.Max || narrow(*a.Min, *a.Max)) {
		return fmt.Errorf("%s axis: from %v to %v", name, *a.Min, *a.Max)
	}
	return nil
}

func marks(list []Mark, log bool) error {
	for _, m := range list {
		if err := values(fmt.Sprintf("mark %q", m.Name), []float64{m.At}, 1, log); err != nil {
			return err
		}
	}
	return nil
}

func (p *Profile) check() error {
	err := errors.Join(p.X.check("x"), p.Y.check("y"))
	if len(p.Edges) == 0 && p.empty() {
		return err
	}
	if err == nil {
		err = checkEdges("edges", p.Edges, p.X.Log)
	}
	if err != nil {
		return err
	}
	for _, s := range p.Series {
		if err := s.check(len(p.Edges)-1, p.Y.Log); err != nil {
			return fmt.Errorf("series %q: %w", s.Name, err)
		}
	}
	return nil
}

func (b *Band) check(n int, log bool) error {
	if len(b.Count) != 0 && len(b.Count) != n {
		return fmt.Errorf("count: %d values, want %d", len(b.Count), n)
	}
	if len(b.Mid) != n || len(b.Low) != n || len(b.High) != n {
		return fmt.Errorf("mid, low, high have %d, %d, %d values, want %d", len(b.Mid), len(b.Low), len(b.High), n)
	}
	for i := range n {
		if len(b.Count) > 0 && b.Count[i] < 0 {
			return fmt.Errorf("bin %d has count %d", i, b.Count[i])
		}
		if !b.filled(i) {
			continue
		}
		three := []float64{b.Low[i], b.Mid[i], b.High[i]}
		if err := values(fmt.Sprintf("bin %d: low, mid, high", i), three, 3, log); err != nil {
			return err
		}
		if b.Low[i] > b.Mid[i] || b.Mid[i] > b.High[i] {
			return fmt.Errorf("bin %d: low %v, mid %v, high %v are not in order", i, b.Low[i], b.Mid[i], b.High[i])
		}
	}
	return nil
}

func (d *Density) check() error {
	err := errors.Join(d.X.check("x"), d.Y.check("y"))
	if len(d.XEdges)+len(d.YEdges)+len(d.Count) == 0 {
		return err
	}
	if err == nil {
		err = checkEdges("x edges", d.XEdges, d.X.Log)
	}
	if err == nil {
		err = checkEdges("y edges", d.YEdges, d.Y.Log)
	}
	if err == nil {
		err = counts("count", d.Count, (len(d.XEdges)-1)*(len(d.YEdges)-1))
	}
	return err
}

func (h *Histogram) check() error {
	err := errors.Join(h.X.check("x"), h.Y.check("y"), marks(h.Marks, h.X.Log))
	if len(h.Edges) == 0 && h.empty() {
		return err
	}
	if err == nil {
		err = checkEdges("edges", h.Edges, h.X.Log)
	}
	if err != nil {
		return err
	}
	for _, s := range h.Series {
		if err := counts("count", s.Count, len(h.Edges)-1); err != nil {
			return fmt.Errorf("series %q: %w", s.Name, err)
		}
	}
	return nil
}

func (l *Lines) check() error {
	if err := errors.Join(l.X.check("x"), l.Y.check("y")); err != nil {
		return err
	}
	for _, s := range l.Series {
		err := values("x", s.X, -1, l.X.Log)
		if err == nil {
			err = values("y", s.Y, len(s.X), l.Y.Log)
		}
		for i := 1; i < len(s.X) && err == nil; i++ {
			if s.X[i] < s.X[i-1] {
				err = fmt.Errorf("x: value %d is %v, below %v", i, s.X[i], s.X[i-1])
			}
		}
		if err == nil {
			err = bars("low", s.Low, s.Y, s.High, l.Y.Log)
		}
		if err == nil {
			err = bars("x low", s.XLow, s.X, s.XHigh, l.X.Log)
		}
		if err != nil {
			return fmt.Errorf("line %q: %w", s.Name, err)
		}
	}
	return nil
}

// bars checks the ends of error bars, if there are any.
func bars(name string, low, mid, high []float64, log bool) error {
	if len(low)+len(high) == 0 {
		return nil
	}
	if len(low) != len(mid) || len(high) != len(mid) {
		return fmt.Errorf("%s: error bars have %d lower and %d upper ends, want %d", name, len(low), len(high), len(mid))
	}
	for i := range mid {
		three := []float64{low[i], mid[i], high[i]}
		if err := values(fmt.Sprintf("%s: error bar %d", name, i), three, 3, log); err != nil {
			return err
		}
		if low[i] > mid[i] || mid[i] > high[i] {
			return fmt.Errorf("%s: error bar %d: low %v, value %v, high %v are not in order", name, i, low[i], mid[i], high[i])
		}
	}
	return nil
}

func (v *Intervals) check() error {
	if err := errors.Join(v.X.check("x"), marks(v.Marks, v.X.Log)); err != nil {
		return err
	}
	if v.Digits < 0 || v.Digits > 12 {
		return fmt.Errorf("%d digits, want 0 to 12", v.Digits)
	}
	for _, r := range v.Rows {
		three := []float64{r.Low, r.Value, r.High}
		if err := values("low, value, high", three, 3, v.X.Log); err != nil {
			return fmt.Errorf("row %q: %w", r.Name, err)
		}
		if r.Low > r.Value || r.Value > r.High {
			return fmt.Errorf("row %q: low %v, value %v, high %v are not in order", r.Name, r.Low, r.Value, r.High)
		}
	}
	return nil
}

func (w *Wafers) check() error {
	g := w.geometry()
	for i, cell := range w.Cells {
		if len(cell) < 3 {
			return fmt.Errorf("cell %d has %d corners, want at least 3", i, len(cell))
		}
		for _, p := range cell {
			if err := values(fmt.Sprintf("cell %d: corner", i), p[:], 2, false); err != nil {
				return err
			}
		}
	}
	for i, p := range w.Outline {
		if err := values(fmt.Sprintf("outline: corner %d", i), p[:], 2, false); err != nil {
			return err
		}
	}
	if narrow(g.lo[0], g.hi[0]) || narrow(g.lo[1], g.hi[1]) {
		return errors.New("the cells cover no area")
	}
	n := len(g.cells)
	for i, r := range w.Rows {
		err := counts("input", r.Input, n)
		if err == nil && len(r.Decoded) != len(w.Columns) {
			err = fmt.Errorf("%d decoded images for %d columns", len(r.Decoded), len(w.Columns))
		}
		if err == nil && len(r.Notes) != 0 && len(r.Notes) != len(w.Columns) {
			err = fmt.Errorf("%d notes for %d columns", len(r.Notes), len(w.Columns))
		}
		for j := 0; err == nil && j < len(r.Decoded); j++ {
			err = values(fmt.Sprintf("decoded %q", w.Columns[j]), r.Decoded[j], n, false)
		}
		if err != nil {
			return fmt.Errorf("row %d %q: %w", i+1, r.Name, err)
		}
	}
	return nil
}
