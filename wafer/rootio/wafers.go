package rootio

import (
	"fmt"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/internal/root"
	"barrow/wafer"
)

// wafers makes images of vectors that have one value a wafer (wafer_*), each cell's
// charges in one of their own.
type wafers struct {
	v      *vectors
	cells  []*field // as the file numbers them
	layout layout
	subdet bool
	event  *perEvent
	extra  []extra
	zside  *field // nil where the table does not say
	sim    *field
	where  *keyFields // nil where the table does not have all of it
	gen    *generated
	latent *latent
	first  int // column of energies
	values [][]float64
	asked  string // a remark about what was asked for in vain
}

// extra is a column that is kept as it is.
type extra struct {
	from    *field
	column  int
	density int // column of HD and LD, -1
}

// waferColumns are what the columns of wafer_* are called here; others keep their
// names.
var waferColumns = map[string]wafer.Known{
	"zside": wafer.Zside, "subdet": wafer.Subdet, "layer": wafer.Layer, "waferu": wafer.WaferU, "waferv": wafer.WaferV,
	"wafertype": wafer.WaferType, "eta": wafer.Eta, "phi": wafer.Phi,
}

// newWafers starts reading wafers whose columns are there.
func newWafers(b *batch, n *names, g charges, l layout, asked string, out *sink) (maker, error) {
	w := &wafers{layout: l, asked: asked}
	var err error
	if w.event, err = newPerEvent(b, n, out); err != nil {
		return nil, err
	}
	if w.v, err = newVectors(b, n, g.prefix); err != nil {
		return nil, err
	}
	for _, i := range g.cells[:g.most] {
		f, err := w.v.need(i, root.Float)
		if err != nil {
			return nil, err
		}
		w.cells = append(w.cells, f)
	}
	if err := w.columns(n, g.prefix, out); err != nil {
		return nil, err
	}
	if w.gen, err = newGenerated(b, n, out); err != nil {
		return nil, err
	}
	if i := n.numbers(join(g.prefix, "simenergy")); i >= 0 {
		if w.sim, err = w.v.need(i, root.Float); err != nil {
			return nil, err
		}
		w.first = energyColumns(out)
	}
	w.subdet = n.numbers(join(g.prefix, "subdet")) >= 0
	if missingKey(n, g.prefix, w.subdet) == "" {
		k, err := newKeyFields(w.v, n, g.prefix, w.subdet)
		if err != nil {
			return nil, err
		}
		w.where = &k
		if w.latent, err = newLatent(b, n, w.subdet, out); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// columns adds the well-known columns that the table has, then all others of one
// number a wafer, but for the chip's inputs, which are the charges once more.
func (w *wafers) columns(n *names, prefix string, out *sink) error {
	add := func(i int, name string) error {
		c := n.columns[i]
		kind := root.Int
		if c.Kind == root.Float {
			kind = root.Float
		}
		f, err := w.v.need(i, kind)
		if err != nil {
			return err
		}
		x := extra{from: f, column: out.column(name), density: -1}
		if name == string(wafer.WaferType) && kind == root.Int {
			x.density = out.column(string(wafer.Density))
		}
		if name == string(wafer.Zside) && kind == root.Int {
			w.zside = f
		}
		w.extra = append(w.extra, x)
		return nil
	}
	for _, known := range []string{"zside", "subdet", "layer", "waferu", "waferv", "wafertype", "eta", "phi"} {
		if i := n.numbers(join(prefix, known)); i >= 0 && n.columns[i].Len != 1 {
			if err := add(i, string(waferColumns[known])); err != nil {
				return err
			}
		}
	}
	for i, name := range n.plain {
		rest, ok := strings.CutPrefix(name, join(prefix, ""))
		c := n.columns[i]
		_, known := waferColumns[rest]
		_, _, charge := parseCharge(name)
		if !ok || prefix == "" || known || rest == "n" || rest == "simenergy" || !isNumber(c) || c.Len == 1 ||
			charge || strings.HasPrefix(rest, "AEin") || slices.ContainsFunc(out.set.Columns, func(c wafer.Column) bool { return c.Name == rest }) {
			continue
		}
		if err := add(i, rest); err != nil {
			return err
		}
	}
	return nil
}

// fill makes the images of entries from to to-1 of the batch.
func (w *wafers) fill(out *sink, from, to int) error {
	for e := from; e < to; e++ {
		n, err := w.v.len(e)
		if err != nil {
			return err
		}
		if w.where != nil {
			if err := w.where.event(e, n); err != nil {
				return err
			}
		}
		if err := w.gen.event(e); err != nil {
			return err
		}
		if err := w.latent.event(e); err != nil {
			return err
		}
		if err := w.charges(out, e, n); err != nil {
			return err
		}
		if err := w.others(out, e, n); err != nil {
			return err
		}
	}
	return nil
}

// charges gives the images of the n wafers of entry e.
func (w *wafers) charges(out *sink, e, n int) error {
	w.values = w.values[:0]
	for _, f := range w.cells {
		v, err := w.v.floats(f, e, n)
		if err != nil {
			return err
		}
		w.values = append(w.values, v)
	}
	var read [64]float64
	for i := range n {
		var k key
		if w.where != nil {
			var err error
			if k, err = w.where.key(e, i); err != nil {
				return err
			}
		}
		for j, v := range w.values {
			read[j] = v[i]
		}
		if j, why := w.layout.image(out.image(w.v.b.entry(e), k), read[:len(w.values)]); why != "" {
			return w.v.b.fail(e, w.cells[j].name, "item %d: %s", i, why)
		}
		if err := w.event.add(w.v.b, e, out); err != nil {
			return err
		}
		w.latent.add(k, out)
	}
	return nil
}

// others gives the other columns of the n wafers of entry e.
func (w *wafers) others(out *sink, e, n int) error {
	for _, x := range w.extra {
		from, to, err := w.v.span(x.from, e, n)
		if err != nil {
			return err
		}
		c := &out.set.Columns[x.column]
		if x.from.kind == root.Float {
			c.Float = append(c.Float, x.from.array.Float[from:to]...)
			continue
		}
		c.Int = append(c.Int, x.from.array.Int[from:to]...)
		if x.density >= 0 {
			for _, kind := range x.from.array.Int[from:to] {
				out.text(x.density, density(kind))
			}
		}
	}
	if w.gen != nil {
		side := make([]int64, n)
		if w.zside != nil {
			var err error
			if side, err = w.v.ints(w.zside, e, n); err != nil {
				return err
			}
		}
		for _, s := range side {
			w.gen.add(s, out)
		}
	}
	if w.sim == nil {
		return nil
	}
	sim, err := w.v.floats(w.sim, e, n)
	if err != nil {
		return err
	}
	total := 0.0
	for _, v := range sim {
		total += v
	}
	for _, v := range sim {
		giveEnergies(out, w.first, v, total)
	}
	return nil
}

func (w *wafers) remarks() []string {
	lines := w.v.remarks()
	if w.layout.remark != "" {
		lines = append(lines, w.layout.remark)
	}
	if w.asked != "" {
		lines = append(lines, w.asked)
	}
	return append(append(lines, w.gen.remarks()...), w.latent.remarks()...)
}

// A layout says which cell each value of an image in a file is of.
type layout struct {
	cell   [64]int // V9
	first  [64]int // of a pixel that repeats another: that one; else -1
	remark string
}

// plainLayout is that of 48 charges in an order; any further ones must be 0.
func plainLayout(o hgcal.Order) (l layout) {
	for j := range l.cell {
		l.cell[j], l.first[j] = -1, -1
	}
	toV9 := o.ToV9()
	copy(l.cell[:], toV9[:])
	return l
}

// pixelLayout is that of 64 pixels of 8×8, row by row, as the chip's network takes
// them, whose bottom right is 0 or repeats others.
func pixelLayout() (l layout) {
	at := map[int]int{}
	repeats := hgcal.Arrange8x8Unmasked()
	for j, cell := range hgcal.Arrange8x8() {
		l.cell[j], l.first[j] = cell, -1
		if cell >= 0 {
			at[cell] = j
		}
	}
	for j, cell := range l.cell {
		if cell < 0 {
			l.first[j] = at[repeats[j]]
		}
	}
	return l
}

// mostCharge is above all charges: the sum of an image's is a number, too.
const mostCharge = 1e300

// image puts an image's values in their places; what is wrong and with which, if
// anything is.
func (l *layout) image(to, values []float64) (j int, why string) {
	for j, v := range values {
		cell := l.cell[j]
		switch {
		case !(v >= 0 && v < mostCharge):
			return j, fmt.Sprintf("%g is no charge", v)
		case cell >= 0:
			to[cell] = v
		case v == 0 || l.first[j] >= 0 && v == values[l.first[j]]:
		case l.first[j] >= 0:
			return j, fmt.Sprintf("%g in a pixel of 8×8 that is no cell", v)
		default:
			return j, fmt.Sprintf("%g in a cell beyond the %d of a wafer", v, hgcal.Cells)
		}
	}
	return 0, ""
}
