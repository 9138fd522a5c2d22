package rootio

import (
	"fmt"
	"strings"

	"barrow/hgcal"
	"barrow/internal/root"
	"barrow/wafer"
)

// names finds a table's columns by what they are called, whichever program wrote
// them: the field pt of a collection tc is tc_pt.
type names struct {
	table   root.Table
	columns []root.Column
	plain   []string       // of each column its name in one piece
	at      map[string]int // by that name
	last    map[string]int // by the last piece; -1 where several end so
}

func newNames(t root.Table) *names {
	n := &names{table: t, columns: t.Columns(), at: map[string]int{}, last: map[string]int{}}
	for i, c := range n.columns {
		pieces := pieces(c.Name)
		name := strings.Join(pieces, "_")
		n.plain = append(n.plain, name)
		if before, twice := n.at[name]; !twice || n.columns[before].Kind == root.None {
			n.at[name] = i
		}
		if len(pieces) > 1 {
			end := pieces[len(pieces)-1]
			if _, twice := n.last[end]; twice {
				n.last[end] = -1
			} else {
				n.last[end] = i
			}
		}
	}
	return n
}

// pieces are the parts of a name within names, as far as they say something: an
// RNTuple calls the items of a collection _0, a TTree repeats the name of a branch
// in its only leaf.
func pieces(name string) []string {
	var out []string
	for _, p := range strings.FieldsFunc(name, func(c rune) bool { return c == '.' || c == '/' }) {
		if p == "_0" || len(out) > 0 && out[len(out)-1] == p {
			continue
		}
		out = append(out, p)
	}
	return out
}

// find is the index of the column of that name, -1 where there is none.
func (n *names) find(name string) int {
	if i, ok := n.at[name]; ok {
		return i
	}
	if i, ok := n.last[name]; ok {
		return i
	}
	return -1
}

// numbers is find of a column that holds numbers.
func (n *names) numbers(name string) int {
	if i := n.find(name); i >= 0 && isNumber(n.columns[i]) {
		return i
	}
	return -1
}

func isNumber(c root.Column) bool {
	return c.Kind == root.Int || c.Kind == root.Uint || c.Kind == root.Float
}

// prefixes are what stands before _suffix in names of columns, the usual one first.
func (n *names) prefixes(usual, suffix string) []string {
	var out []string
	for _, name := range n.plain {
		p, ok := strings.CutSuffix(name, "_"+suffix)
		if !ok || p == "" {
			continue
		}
		if p == usual {
			out = append([]string{p}, out...)
		} else {
			out = append(out, p)
		}
	}
	return out
}

// absent says of columns that are needed and cannot be had which, and why.
func (n *names) absent(want ...string) string {
	var missing []string
	for _, w := range want {
		i := n.find(w)
		switch {
		case i < 0:
			missing = append(missing, w+n.meant(w))
		case !isNumber(n.columns[i]):
			c := n.columns[i]
			why := c.Unread
			if why == "" {
				why = "no numbers"
			}
			missing = append(missing, fmt.Sprintf("%s (%s: %s)", w, c.Type, why))
		}
	}
	return strings.Join(missing, ", ")
}

// meant asks, of a column that is missing, for one that is spelt alike: tc_cellV or
// tc_cell_v of tc_cellv. Likeness of letters alone would find tc_layer for tc_waferu.
func (n *names) meant(want string) string {
	bare := strings.NewReplacer("_", "", ".", "")
	for _, name := range n.plain {
		if strings.EqualFold(bare.Replace(name), bare.Replace(want)) {
			return "; did you mean " + name + "?"
		}
	}
	return ""
}

// list names the columns, so many as fit a message, those that begin with prefix
// before others, without those that say how long others are.
func (n *names) list(prefix string) string {
	const most = 40
	var out []string
	for _, mine := range []bool{true, false} {
		for _, name := range n.plain {
			of, counter := strings.CutPrefix(name, "n")
			if _, has := n.at[of]; counter && has {
				continue
			}
			if strings.HasPrefix(name, prefix) == mine {
				out = append(out, name)
			}
		}
	}
	if len(out) == 0 {
		return "none"
	}
	if len(out) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(out[:most], ", "), len(out)-most)
	}
	return strings.Join(out, ", ")
}

// parseCharge reads the name of a column of charges: what stands before, wafer in
// wafer_CALQ0, and what the rest says.
func parseCharge(name string) (prefix string, c wafer.ChargeName, ok bool) {
	at := strings.LastIndex(strings.ToLower(name), "calq")
	if at < 0 {
		return "", c, false
	}
	if prefix, ok = strings.CutSuffix(name[:at], "_"); !ok && at > 0 {
		return "", c, false
	}
	c, ok = wafer.ParseChargeName(name[at:])
	return prefix, c, ok
}

// charges are columns of charges that belong together.
type charges struct {
	prefix string // wafer, of wafer_CALQ0
	order  hgcal.Order
	said   bool // whether the names say the order
	list   int  // a column that has all cells, -1
	cells  [64]int
	most   int    // 1 + the highest number of a cell
	count  int    // of cells that have a column
	odd    string // one that is no cell, or there twice
}

// charges finds the columns of charges: of those of vectors if vectors is true,
// else those that have one row an image.
func (n *names) charges(vectors bool) []charges {
	var out []charges
	type group struct {
		prefix     string
		order      hgcal.Order
		said, list bool
	}
	at := map[group]int{}
	for i, name := range n.plain {
		prefix, said, ok := parseCharge(name)
		c := n.columns[i]
		if !ok || !isNumber(c) {
			continue
		}
		if _, counts := n.at[strings.TrimPrefix(name, "n")]; counts && name[0] == 'n' {
			continue // how many values another column has, as uproot writes it
		}
		list, one := said.Cell < 0, c.Len == 1
		if list && (vectors || one) || !list && one == vectors {
			continue
		}
		kind := group{prefix, said.Order, said.OrderSaid, list}
		k, ok := at[kind]
		if !ok {
			k = len(out)
			at[kind] = k
			out = append(out, charges{prefix: prefix, order: said.Order, said: said.OrderSaid, list: -1})
			for j := range out[k].cells {
				out[k].cells[j] = -1
			}
		}
		g := &out[k]
		if list {
			g.list = i
			continue
		}
		if said.Cell >= len(g.cells) || g.cells[said.Cell] >= 0 {
			g.odd = name
			continue
		}
		g.cells[said.Cell] = i
		g.count++
		g.most = max(g.most, said.Cell+1)
	}
	return out
}

// whole reports whether the columns are those of 48 cells, or of 64 pixels.
func (c charges) whole() bool {
	return c.list >= 0 || c.odd == "" && c.count == c.most && (c.most == hgcal.Cells || c.most == len(c.cells))
}

// lacks says why the columns are no image, as far as they may be meant for one.
func (c charges) lacks(n *names) string {
	if c.list >= 0 {
		return fmt.Sprintf("%s has %d values, where an image has %d charges", n.plain[c.list], n.columns[c.list].Len, hgcal.Cells)
	}
	if c.odd != "" {
		return fmt.Sprintf("%s is no charge of %d, or there twice", c.odd, hgcal.Cells)
	}
	want := hgcal.Cells
	if c.most > want {
		want = len(c.cells)
	}
	var missing []string
	for j, i := range c.cells[:want] {
		if i < 0 {
			missing = append(missing, fmt.Sprint(j))
		}
	}
	const most = 5
	if len(missing) > most {
		missing = append(missing[:most], "…")
	}
	return fmt.Sprintf("%d of the charges %s, of %d; missing are those of %s", c.count, join(c.prefix, "CALQ_*"), want, strings.Join(missing, ", "))
}
