package rootio

import (
	"fmt"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/internal/root"
)

// flat makes an image of every entry, whose other columns it keeps.
type flat struct {
	b      *batch
	list   *field   // all charges, or nil
	cells  []*field // or one each
	layout layout
	extra  []extra
	left   []string // columns that are not kept
	asked  string   // a remark about what was asked for in vain
}

// newFlat starts reading a table whose rows are images.
func newFlat(b *batch, n *names, g charges, l layout, asked string, out *sink) (maker, error) {
	w := &flat{b: b, layout: l, asked: asked}
	taken := map[int]bool{}
	if g.list >= 0 {
		f, err := b.need(g.list, root.Float)
		if err != nil {
			return nil, err
		}
		w.list, taken[g.list] = f, true
	} else {
		for _, i := range g.cells[:g.most] {
			f, err := b.need(i, root.Float)
			if err != nil {
				return nil, err
			}
			w.cells, taken[i] = append(w.cells, f), true
		}
	}
	used := map[string]bool{}
	for i, c := range n.columns {
		name := n.plain[i]
		if g.prefix != "" {
			name = strings.TrimPrefix(name, g.prefix+"_")
		}
		switch {
		case taken[i]:
			continue
		case c.Kind == root.None || c.Len != 1 && c.Kind != root.Text || used[name]:
			if c.Kind != root.None || c.Unread != "" {
				w.left = append(w.left, n.plain[i])
			}
			continue
		}
		kind := c.Kind
		if kind == root.Uint {
			kind = root.Int
		}
		f, err := b.need(i, kind)
		if err != nil {
			return nil, err
		}
		used[name] = true
		w.extra = append(w.extra, extra{from: f, column: out.column(name)})
	}
	return w, nil
}

// fill makes the images of entries from to to-1 of the batch.
func (w *flat) fill(out *sink, from, to int) error {
	var read [64]float64
	for e := from; e < to; e++ {
		values, err := w.values(e, read[:0])
		if err != nil {
			return err
		}
		if j, why := w.layout.image(out.image(w.b.entry(e), 0), values); why != "" {
			if w.list != nil {
				return w.b.fail(e, w.list.name, "cell %d: %s", j, why)
			}
			return w.b.fail(e, w.cells[j].name, "%s", why)
		}
	}
	for _, x := range w.extra {
		a := &x.from.array
		for e := from; e < to; e++ {
			if a.Offsets[e+1]-a.Offsets[e] != 1 {
				return w.b.fail(e, x.from.name, "%d values for one", a.Offsets[e+1]-a.Offsets[e])
			}
		}
		c := &out.set.Columns[x.column]
		from, to := a.Offsets[from], a.Offsets[to]
		switch x.from.kind {
		case root.Text:
			c.Text = append(c.Text, a.Text[from:to]...)
		case root.Int:
			c.Int = append(c.Int, a.Int[from:to]...)
		default:
			c.Float = append(c.Float, a.Float[from:to]...)
		}
	}
	return nil
}

// values are the charges of entry e.
func (w *flat) values(e int, read []float64) ([]float64, error) {
	if w.list != nil {
		from, to := w.list.span(e)
		if n := to - from; n != hgcal.Cells && n != len(w.layout.cell) {
			return nil, w.b.fail(e, w.list.name, "%d charges where an image has %d", n, hgcal.Cells)
		}
		return w.list.array.Float[from:to], nil
	}
	for _, f := range w.cells {
		from, to := f.span(e)
		if to-from != 1 {
			return nil, w.b.fail(e, f.name, "%d values for one", to-from)
		}
		read = append(read, f.array.Float[from])
	}
	return read, nil
}

func (w *flat) remarks() []string {
	var lines []string
	if w.layout.remark != "" {
		lines = append(lines, w.layout.remark)
	}
	if w.asked != "" {
		lines = append(lines, w.asked)
	}
	if len(w.left) > 0 {
		const most = 10
		names := strings.Join(slices.Clone(w.left)[:min(most, len(w.left))], ", ")
		if len(w.left) > most {
			names = fmt.Sprintf("%s and %d more", names, len(w.left)-most)
		}
		lines = append(lines, fmt.Sprintf("columns that are not one value an image are left out: %s", names))
	}
	return lines
}
