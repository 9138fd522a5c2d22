package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"barrow/hgcal"
)

// CSV writes what a figure shows as numbers, with a line of names: of wafers a row a cell,
// of a plan's arrows a row each, what stays as well, of areas a row a corner; of other kinds
// the table that the page has under the figure, as it is printed there.
func CSV(w io.Writer, f Figure) error {
	if err := f.Validate(); err != nil {
		return err
	}
	c := csv.NewWriter(w)
	switch {
	case f.Wafers != nil:
		f.Wafers.write(c)
	case f.Transport != nil:
		f.Transport.write(c)
	case f.Areas != nil:
		f.Areas.write(c)
	default:
		t, ok := f.numbers()
		if !ok {
			return fmt.Errorf("report: %s: has no numbers but those in its drawing", f.label())
		}
		var head []string
		for _, x := range t.Columns {
			head = append(head, x.Name)
		}
		c.Write(head)
		c.WriteAll(t.Rows)
	}
	c.Flush()
	return c.Error()
}

// exactly writes a number so that it is read as the same.
func exactly(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// write has a row a cell for every row of wafers; they are numbered where there are several.
func (w *Wafers) write(c *csv.Writer) {
	head := []string{"cell", w.first()}
	if len(w.Cells) == 0 {
		head = []string{"cell", "x", "y", w.first()}
	}
	if len(w.Rows) > 1 {
		head = append([]string{"row"}, head...)
	}
	c.Write(append(head, w.Columns...))
	centres := hgcal.CellCentres()
	for n, row := range w.Rows {
		for i, v := range row.Input {
			line := make([]string, 0, len(head)+len(w.Columns))
			if len(w.Rows) > 1 {
				line = append(line, strconv.Itoa(n+1))
			}
			line = append(line, strconv.Itoa(i))
			if len(w.Cells) == 0 {
				line = append(line, exactly(centres[i][0]), exactly(centres[i][1]))
			}
			line = append(line, exactly(v))
			for _, d := range row.Decoded {
				line = append(line, exactly(d[i]))
			}
			c.Write(line)
		}
	}
}

// write has the arrows where there are any, else the values.
func (m *Transport) write(c *csv.Writer) {
	if len(m.Arrows) > 0 {
		c.Write([]string{"from", "to", cmp.Or(m.Moves, "mass")})
		for _, a := range m.Arrows {
			c.Write([]string{strconv.Itoa(a.From), strconv.Itoa(a.To), exactly(a.Mass)})
		}
		return
	}
	centres := hgcal.CellCentres()
	c.Write([]string{"cell", "x", "y", m.Unit})
	for i, v := range m.Values {
		c.Write([]string{strconv.Itoa(i), exactly(centres[i][0]), exactly(centres[i][1]), exactly(v)})
	}
}

// write has a row a corner.
func (m *Areas) write(c *csv.Writer) {
	c.Write([]string{"kind", "corner", "area", "x", "y"})
	for _, k := range m.Kinds {
		for n, area := range k.Areas {
			for i, p := range area {
				c.Write([]string{k.Name, strconv.Itoa(i), strconv.Itoa(n), exactly(p[0]), exactly(p[1])})
			}
		}
	}
}
