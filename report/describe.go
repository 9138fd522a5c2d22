package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// describe says in words what the figure shows.
func (f *Figure) describe() string {
	if f.Alt != "" {
		return f.Alt
	}
	if f.empty() {
		return f.Title + ": no data."
	}
	var s string
	switch {
	case f.Wafers != nil:
		s = fmt.Sprintf("%s decoded by %s, with the differences, in %s.",
			plural(len(f.Wafers.Rows), "image"), list(f.Wafers.Columns), f.Wafers.unit())
	case f.Profile != nil:
		s = f.Profile.describe()
	case f.Density != nil:
		s = fmt.Sprintf("two-dimensional histogram of %s against %s, %s entries.",
			f.Density.Y.text(), f.Density.X.text(), brief(sum(f.Density.Count)))
	case f.Histogram != nil:
		s = f.Histogram.describe()
	case f.Lines != nil:
		s = f.Lines.describe()
	case f.Intervals != nil:
		s = f.Intervals.describe()
	case f.Areas != nil:
		s = f.Areas.describe()
	case f.Transport != nil:
		s = f.Transport.describe()
	case f.Front != nil:
		s = f.Front.describe()
	case f.Ranks != nil:
		s = f.Ranks.describe()
	}
	return f.Title + ": " + s
}

func (p *Profile) describe() string {
	var parts []string
	for i := range p.Series {
		s := &p.Series[i]
		runs := s.runs()
		if len(runs) == 0 {
			continue
		}
		a, b := runs[0][0], runs[len(runs)-1][1]-1
		parts = append(parts, fmt.Sprintf("%s from %s at %s to %s at %s", s.Name,
			brief(s.Mid[a]), brief(p.centre(a)), brief(s.Mid[b]), brief(p.centre(b))))
	}
	return fmt.Sprintf("median of %s against %s with the %s band: %s.", p.Y.text(), p.X.text(), p.spread(), list(parts))
}

func (p *Profile) spread() string {
	if p.Spread == "" {
		return "16–84 %"
	}
	return p.Spread
}

func (h *Histogram) describe() string {
	var parts []string
	for _, s := range h.Series {
		top := 0
		for i, n := range s.Count {
			if n > s.Count[top] {
				top = i
			}
		}
		parts = append(parts, fmt.Sprintf("%s is highest between %s and %s", s.Name, brief(h.Edges[top]), brief(h.Edges[top+1])))
	}
	return fmt.Sprintf("distribution of %s: %s.", h.X.text(), list(parts))
}

func (l *Lines) describe() string {
	var parts []string
	for _, s := range l.Series {
		if n := len(s.X); n > 0 {
			parts = append(parts, fmt.Sprintf("%s from %s to %s", s.Name, brief(s.Y[0]), brief(s.Y[n-1])))
		}
	}
	return fmt.Sprintf("%s against %s: %s.", l.Y.text(), l.X.text(), list(parts))
}

func (v *Intervals) describe() string {
	var parts []string
	for _, r := range v.Rows {
		parts = append(parts, fmt.Sprintf("%s %s (%s to %s)", r.Name,
			number(r.Value, v.digits()), number(r.Low, v.digits()), number(r.High, v.digits())))
	}
	return fmt.Sprintf("%s: %s.", v.X.text(), list(parts))
}

// list joins words as a sentence does.
func list(words []string) string {
	switch n := len(words); n {
	case 0:
		return "nothing"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// brief writes a number with four significant digits.
func brief(v float64) string {
	s := strconv.FormatFloat(v, 'g', 4, 64)
	return strings.Replace(s, "-", "−", 1)
}

// clean drops characters that XML does not allow.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// maxNumbers is the longest table of numbers put beside a figure; longer ones
// are thinned evenly, keeping the last row.
const maxNumbers = 60

// numbers is the figure's data as a table; ok is false where a table says
// less than the drawing.
func (f *Figure) numbers() (t Table, ok bool) {
	if f.empty() {
		return t, false
	}
	switch {
	case f.Profile != nil:
		return f.Profile.numbers(), true
	case f.Histogram != nil:
		return f.Histogram.numbers(), true
	case f.Lines != nil:
		return f.Lines.numbers(), true
	case f.Intervals != nil:
		return f.Intervals.numbers(), true
	case f.Areas != nil:
		return f.Areas.numbers(), true
	case f.Transport != nil:
		return f.Transport.numbers(), true
	case f.Front != nil:
		return f.Front.numbers(), true
	case f.Ranks != nil:
		return f.Ranks.numbers(), true
	}
	return t, false
}

func column(name string) Column { return Column{Name: name, Numeric: true} }

func between(edges []float64, i int) string { return brief(edges[i]) + " – " + brief(edges[i+1]) }

func (p *Profile) numbers() Table {
	t := Table{Columns: []Column{column(p.X.text())}, Note: p.Y.text() + ": median [" + p.spread() + "]."}
	for _, s := range p.Series {
		t.Columns = append(t.Columns, column(s.Name))
	}
	write := p.writer()
	for i := range len(p.Edges) - 1 {
		row := []string{between(p.Edges, i)}
		for _, s := range p.Series {
			cell := ""
			if s.filled(i) {
				cell = fmt.Sprintf("%s [%s, %s]", write(s.Mid[i]), write(s.Low[i]), write(s.High[i]))
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t.thin()
}

// writer gives all values the decimals that leave the largest four digits; on
// a logarithmic axis each has four of its own.
func (p *Profile) writer() func(float64) string {
	top := 0.0
	for _, s := range p.Series {
		for i := range s.Mid {
			if s.filled(i) {
				top = math.Max(top, math.Max(math.Abs(s.Low[i]), math.Abs(s.High[i])))
			}
		}
	}
	prec := 3 - int(math.Floor(math.Log10(math.Max(top, 1e-9))))
	if p.Y.Log || prec > 9 {
		return brief
	}
	return func(v float64) string { return number(v, max(prec, 0)) }
}

func (h *Histogram) numbers() Table {
	t := Table{Columns: []Column{column(h.X.text())}, Note: h.Y.text() + "."}
	for _, s := range h.Series {
		t.Columns = append(t.Columns, column(s.Name))
	}
	for i := range len(h.Edges) - 1 {
		row := []string{between(h.Edges, i)}
		for _, s := range h.Series {
			row = append(row, brief(s.Count[i]))
		}
		t.Rows = append(t.Rows, row)
	}
	return t.thin()
}

// numbers lists each line by its own x, since lines need not share them.
func (l *Lines) numbers() Table {
	t := Table{Columns: []Column{{Name: "curve"}, column(l.X.text()), column(l.Y.text())}}
	barred := false
	for _, s := range l.Series {
		barred = barred || len(s.Low) > 0
	}
	if barred {
		t.Columns = append(t.Columns, column("low"), column("high"))
	}
	share := max(maxNumbers/max(len(l.Series), 1), 2)
	for _, s := range l.Series {
		part := Table{}
		for i := range s.X {
			row := []string{s.Name, brief(s.X[i]), brief(s.Y[i])}
			switch {
			case len(s.Low) > 0:
				row = append(row, brief(s.Low[i]), brief(s.High[i]))
			case barred:
				row = append(row, "", "")
			}
			part.Rows = append(part.Rows, row)
		}
		t.Rows = append(t.Rows, part.thinTo(share).Rows...)
	}
	return t
}

func (v *Intervals) numbers() Table {
	t := Table{Columns: []Column{{Name: ""}, column(v.X.text()), column("low"), column("high")}, Note: v.Spread + "."}
	if v.Spread == "" {
		t.Note = ""
	}
	for _, r := range v.Rows {
		t.Rows = append(t.Rows, []string{r.Name, number(r.Value, v.digits()), number(r.Low, v.digits()), number(r.High, v.digits())})
	}
	return t
}

func (t Table) thin() Table { return t.thinTo(maxNumbers) }

func (t Table) thinTo(n int) Table {
	if len(t.Rows) <= n {
		return t
	}
	every := (len(t.Rows) + n - 1) / n
	var rows [][]string
	for i, r := range t.Rows {
		if i%every == 0 || i == len(t.Rows)-1 {
			rows = append(rows, r)
		}
	}
	t.Rows = rows
	return t
}
