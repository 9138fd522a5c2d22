package csvio

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"

	"barrow/hgcal"
	"barrow/internal/lines"
	"barrow/wafer"
)

var _ wafer.Inspector = Format{}

// Inspect reads the whole table: its columns, what their values can be taken for, and
// how many rows it has. A table that holds no images is described, too; of one with a
// row that cannot be read what is above that row, beside the error.
func (Format) Inspect(ctx context.Context, src *wafer.Source, s wafer.InspectSettings) ([]wafer.Object, error) {
	if err := s.Read.Check(); err != nil {
		return nil, err
	}
	r := &Reader{name: src.Name, settings: s.Read}
	var err error
	if r.lines, err = lines.New(src.Stream, maxRow); err != nil {
		return nil, fmt.Errorf("csvio: %s:1: %w", src.Name, err)
	}
	t, err := sample(r)
	if err != nil {
		return nil, err
	}
	names, object := t.describe(r)
	columns := make([]tally, len(names))
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var line []byte
		if line, err = r.line(); err == io.EOF {
			err = nil
			break
		}
		r.row++
		if err == nil {
			if err = count(columns, line, r.sep); err != nil {
				err = r.fail(0, err)
			}
		}
		if err != nil {
			object.Images = fmt.Sprintf("cannot be read beyond row %d", r.row-1)
			break
		}
		object.Entries++
	}
	for j, name := range names {
		object.Columns = append(object.Columns, columns[j].summary(name, s.Stats))
	}
	return []wafer.Object{object}, err
}

// describe names the columns of a table and says what images it has; the header, if
// there is one, is taken from the reader's rows.
func (t *table) describe(r *Reader) ([]string, wafer.Object) {
	object := wafer.Object{Name: "table", Kind: "text, separated by " + strconv.QuoteRune(rune(r.sep))}
	first := t.rows[0]
	var l *layout
	var failed error
	for _, o := range append([]hgcal.Order{t.settings.Order}, hgcal.Orders()...) { // a header may say another one
		of := *t
		of.settings.Order = o
		var err error
		if l, err = of.layout(); err == nil {
			object.Images = t.images(l, o)
			break
		}
		if failed == nil {
			failed = err
		}
	}
	header := l != nil && l.header
	if l == nil {
		object.Images = "no images: " + failed.Error()
		header = len(first) > 0 && noNumbers(first)
	}
	if header {
		r.held = r.held[1:]
		r.row++
	}
	names := make([]string, max(len(first), len(t.rows[len(t.rows)-1])))
	for j := range names {
		switch {
		case l != nil && j < len(l.field) && l.field[j] <= meta:
			names[j] = l.names[meta-l.field[j]]
		case header && j < len(first) && first[j] != "":
			names[j] = first[j]
		case l != nil && j < len(l.field) && l.field[j] >= 0:
			names[j] = fmt.Sprintf("CALQ_%d", l.field[j])
		default:
			names[j] = fmt.Sprintf("column_%d", j)
		}
	}
	return names, object
}

// images says what images a table of this layout has.
func (t *table) images(l *layout, o hgcal.Order) string {
	said := "does not say how they are numbered: " + o.String() + " is assumed"
	switch {
	case l.said:
		said = "says that they are numbered " + o.String()
	case l.header && o == hgcal.V9:
		said = "has them as CALQ_0 …: v9"
	}
	return fmt.Sprintf("images of %d charges; the file %s; %d other columns", hgcal.Cells, said, len(l.names))
}

// tally is what is seen of a column.
type tally struct {
	whole, number, words, missing bool
	stats                         wafer.Stats
}

func count(columns []tally, line []byte, sep byte) error {
	fields, err := lines.Split(nil, line, sep)
	if err != nil {
		return err
	}
	if n := len(fields); n != len(columns) && !(n == len(columns)+1 && len(fields[n-1]) == 0) {
		return fmt.Errorf("%d columns where the first row has %d", n, len(columns))
	}
	for j := range columns {
		c, text := &columns[j], string(fields[j])
		kind, ok := wafer.KindOf(text)
		switch {
		case !ok:
			c.missing = true
			c.stats.Add(math.NaN())
			continue
		case kind == wafer.Words:
			c.words = true
			continue
		case kind == wafer.Number:
			c.number = true
		default:
			c.whole = true
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return err
		}
		c.stats.Add(v)
	}
	return nil
}

func (c *tally) summary(name string, stats bool) wafer.Summary {
	s := wafer.Summary{Name: name, Type: wafer.Whole.String()}
	switch {
	case c.words:
		s.Type = wafer.Words.String()
	case c.number:
		s.Type = wafer.Number.String()
	case !c.whole:
		s.Type = "empty"
	}
	if c.missing && s.Type != "empty" {
		s.Type += ", some missing"
	}
	if stats && !c.words {
		s.Stats = &c.stats
	}
	return s
}
