package rootio

import (
	"fmt"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/internal/root"
	"barrow/wafer"
)

// A maker makes images of the entries of a batch.
type maker interface {
	// fill adds the images of entries from to to-1 of the batch to out.
	fill(out *sink, from, to int) error
	// remarks say how it was done.
	remarks() []string
}

// A plan is what is made of a table.
type plan struct {
	// says what, or why nothing, for people.
	says string
	// start begins to make images; nil where the table has none.
	start func(b *batch, out *sink) (maker, error)
	// rows: every entry is one image.
	rows bool
	// what the images are
	unit  string
	order hgcal.Order
	said  bool
	// count is the column that says how many items an event has, -1 where it is not
	// known; items is what they are.
	count int
	items string
}

// planOf finds out what can be made of a table.
func planOf(place string, t root.Table, s wafer.ReadSettings) plan {
	n := newNames(t)
	if p, ok := planRows(place, n, s); ok {
		return p
	}
	charge := s.Charge
	if charge == "" {
		charge = wafer.Charges()[0]
	}
	fromCells, cellsOK := planCells(place, n, s, charge)
	fromWafers, wafersOK := planWafers(place, n, s)
	switch {
	case cellsOK && (!wafersOK || charge != wafer.Charges()[0]):
		return fromCells
	case wafersOK:
		return fromWafers
	}
	var why []string
	for _, p := range []plan{fromCells, fromWafers} {
		if p.says != "" {
			why = append(why, p.says)
		}
	}
	for _, g := range n.charges(false) {
		why = append(why, g.lacks(n))
	}
	if len(n.prefixes("econ", "data")) > 0 && n.find("econ_index") >= 0 {
		why = append(why, "econ_* are numbers of the chip's autoencoder, which are no images")
	}
	if len(why) == 0 {
		why = append(why, "neither trigger cells (tc_cellu, tc_cellv, tc_data, …) nor charges of wafers (wafer_CALQ0, …, or CALQ_0, …, or an array CALQ)")
	}
	return plan{says: "no images: " + strings.Join(why, "; ")}
}

// planRows is the plan for a table that has one row an image.
func planRows(place string, n *names, s wafer.ReadSettings) (plan, bool) {
	var fit []charges
	for _, g := range n.charges(false) {
		if g.whole() && (g.list < 0 || lists(n.columns[g.list].Len)) {
			fit = append(fit, g)
		}
	}
	if len(fit) == 0 {
		return plan{}, false
	}
	g := fit[0]
	if i := slices.IndexFunc(fit, func(g charges) bool { return g.order == s.Order && g.said }); i >= 0 {
		g = fit[i]
	}
	p := plan{rows: true, order: s.Order, said: g.said, count: -1}
	first := g.list
	if first < 0 {
		first = g.cells[0]
	}
	p.says = fmt.Sprintf("an image a row, of %s", n.plain[first])
	if g.list < 0 {
		p.says += fmt.Sprintf(" to %s", n.plain[g.cells[g.most-1]])
	}
	if a, ok := n.table.(interface{ About(int) string }); ok && slices.Contains(wafer.Charges(), a.About(first)) {
		p.unit = a.About(first)
		p.says += ", charges as " + p.unit
	}
	if g.said && g.order != s.Order {
		p.start = func(*batch, *sink) (maker, error) { return nil, otherOrder(place, g.order, s.Order) }
		return p, true
	}
	p.start = func(b *batch, out *sink) (maker, error) {
		l, err := layoutOf(place, n, g, s)
		if err != nil {
			return nil, err
		}
		return newFlat(b, n, g, l, inVain(s.Charge, p.unit), out)
	}
	return p, true
}

// inVain is the remark that charges are read as they are though a reading was asked
// for; "" if it is theirs.
func inVain(asked, unit string) string {
	switch {
	case asked == "" || asked == unit:
		return ""
	case unit == "":
		unit = "no reading that the file says"
	}
	return fmt.Sprintf("the charges are taken as they are, %s, not made of trigger cells as %s", unit, asked)
}

// lists reports whether an array of so many values may be an image, -1 for lengths
// that differ.
func lists(n int) bool { return n < 0 || n == hgcal.Cells || n == 64 }

func otherOrder(place string, is, asked hgcal.Order) error {
	return &wafer.UnclearError{Place: "rootio: " + place, Looks: fmt.Sprintf("the charges are numbered %v, as their names say, and %v is asked for", is, asked),
		Choices: []wafer.Choice{{Setting: "order", Value: is.String(), Means: "as the names say"}}}
}

// planCells is the plan for a table of trigger cells. Where it has some of what that
// needs the plan says what is missing.
func planCells(place string, n *names, s wafer.ReadSettings, charge string) (plan, bool) {
	var why string
	prefixes := n.prefixes("tc", "cellu")
	for _, some := range []string{"cellv", "data", "mipPt"} {
		prefixes = append(prefixes, n.prefixes("tc", some)...)
	}
	for _, prefix := range prefixes {
		if prefix == "econ" || prefix == "wafer" || n.counts(prefix) {
			continue
		}
		var need []string
		for _, name := range needCells(charge) {
			need = append(need, prefix+"_"+name)
		}
		absent := n.absent(need...)
		if absent != "" {
			if why == "" {
				why = fmt.Sprintf("trigger cells %s_* need %s; there are %s", prefix, absent, n.list(prefix+"_"))
			}
			continue
		}
		if n.columns[n.numbers(need[0])].Len == 1 {
			why = fmt.Sprintf("every row is one trigger cell (%s is one value), not an event with its cells in vectors", need[0])
			continue
		}
		p := plan{unit: charge, said: true, count: n.counter(prefix), items: "trigger cells",
			says: fmt.Sprintf("an image a wafer and event, of the trigger cells %s_*, charges as %s", prefix, charge)}
		p.start = func(b *batch, out *sink) (maker, error) {
			if s.Order != hgcal.V9 {
				return nil, fmt.Errorf("rootio: %s: the order %v is asked for, but the cells are named by %s_cellu and %s_cellv: they need none, read them as %v", place, s.Order, prefix, prefix, hgcal.V9)
			}
			return newCells(b, n, prefix, charge, out)
		}
		return p, true
	}
	return plan{says: why}, false
}

// planWafers is the plan for a table that has the charges of wafers in vectors.
func planWafers(place string, n *names, s wafer.ReadSettings) (plan, bool) {
	var why string
	for _, g := range n.charges(true) {
		if g.list >= 0 {
			continue
		}
		if !g.whole() {
			if why == "" {
				why = g.lacks(n)
			}
			continue
		}
		p := plan{unit: wafer.Charges()[0], order: s.Order, said: g.said, count: n.counter(g.prefix), items: "wafers",
			says: fmt.Sprintf("an image a wafer and event, of %s to %s as they are", n.plain[g.cells[0]], n.plain[g.cells[g.most-1]])}
		p.start = func(b *batch, out *sink) (maker, error) {
			if g.said && g.order != s.Order {
				return nil, otherOrder(place, g.order, s.Order)
			}
			l, err := layoutOf(place, n, g, s)
			if err != nil {
				return nil, err
			}
			return newWafers(b, n, g, l, inVain(s.Charge, p.unit), out)
		}
		return p, true
	}
	return plan{says: why}, false
}

// counts reports whether what a prefix stands before says how many values other columns
// have: necon_data of econ_data, as uproot writes it.
func (n *names) counts(prefix string) bool {
	of, ok := strings.CutPrefix(prefix, "n")
	return ok && slices.ContainsFunc(n.plain, func(name string) bool { return strings.HasPrefix(name, of+"_") })
}

// join is the name of a column under a prefix, which may be "".
func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "_" + name
}

// counter is the column that says how many items of a prefix there are, -1.
func (n *names) counter(prefix string) int {
	for _, name := range []string{join(prefix, "n"), "n" + prefix} {
		if i := n.numbers(name); i >= 0 && n.columns[i].Len == 1 && n.columns[i].Kind != root.Float {
			return i
		}
	}
	return -1
}

// sampled is how many images are looked at to tell a layout.
const sampled = 4096

// layoutOf finds the layout of charges. Of 64 a look at the first images tells
// whether they are cells, the last of which are empty, or the pixels of 8×8.
func layoutOf(place string, n *names, g charges, s wafer.ReadSettings) (layout, error) {
	plain := plainLayout(s.Order)
	if g.list >= 0 && n.columns[g.list].Len == hgcal.Cells || g.list < 0 && g.most == hgcal.Cells {
		return plain, nil
	}
	b := newBatch(place, n.table)
	var fields []*field
	columns := g.cells[:g.most]
	if g.list >= 0 {
		columns = []int{g.list}
	}
	for _, i := range columns {
		f, err := b.need(i, root.Float)
		if err != nil {
			return plain, err
		}
		fields = append(fields, f)
	}
	beyond, long := false, g.list < 0
	for seen := 0; seen < sampled && !beyond; {
		more, err := b.next()
		if err != nil {
			return plain, err
		}
		if !more {
			break
		}
		if g.list >= 0 {
			f := fields[0]
			for e := range b.n {
				from, to := f.span(e)
				long = long || to-from == len(plain.cell)
				for j := from + hgcal.Cells; j < to; j++ {
					beyond = beyond || f.array.Float[j] != 0
				}
			}
			seen += b.n
			continue
		}
		for _, f := range fields[hgcal.Cells:] {
			beyond = beyond || slices.ContainsFunc(f.array.Float, func(v float64) bool { return v != 0 })
		}
		seen += len(fields[0].array.Float)
	}
	switch {
	case !long:
		return plain, nil
	case !beyond:
		plain.remark = fmt.Sprintf("charges beyond the first %d are 0: the first are taken for the cells", hgcal.Cells)
		return plain, nil
	case g.said || s.Order == hgcal.PostMux:
		return plain, fmt.Errorf("rootio: %s: 64 charges, pixels of 8×8 as it seems, in the order %v: no layout that is known", place, s.Order)
	}
	l := pixelLayout()
	l.remark = "64 charges, the last ones not 0: taken for the pixels of 8×8, row by row"
	return l, nil
}
