package hdf5io

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"barrow/hgcal"
	"barrow/internal/h5"
)

// frame takes the parts of a data frame that pandas wrote in its format "fixed": the
// columns of one type are a dataset blockN_values of N×k, and their names one of k,
// blockN_items; the index is axis1.
func (t *table) frame(g *h5.Group) {
	defer t.inOrder(g)
	if g.Has("axis1") {
		d, err := g.Dataset("axis1")
		if err != nil {
			t.parts = append(t.parts, part{name: "index", why: err.Error()})
		} else {
			p := whole("index", d)
			p.times(said(d, "kind"), said(d, "tz") != "")
			t.parts = append(t.parts, p)
		}
	}
	for i := 0; ; i++ {
		block := fmt.Sprintf("block%d", i)
		if !g.Has(block + "_values") {
			return
		}
		names, err := items(g, block+"_items")
		if err != nil {
			t.parts = append(t.parts, part{name: block, why: err.Error()})
			continue
		}
		d, err := g.Dataset(block + "_values")
		var p part
		switch {
		case err != nil:
			p = part{why: err.Error()}
		case d.Type().Class == h5.Variable:
			// The rows of the dataset are others than the frame's.
			p = part{typ: d.Type(), dims: dims(d.Shape()), why: "objects of Python, which only Python reads; save the frame with format=\"table\""}
		default:
			p = whole(block, d)
			p.times(said(d, "value_type"), said(d, "tz") != "")
		}
		if p.why == "" && p.per() != len(names) {
			p.why = fmt.Sprintf("%d columns, but %d names", p.per(), len(names))
		}
		t.parts = append(t.parts, p.columns(names)...)
	}
}

// inOrder puts columns in the frame's order, which axis0 says: blocks are by type.
func (t *table) inOrder(g *h5.Group) {
	names, err := items(g, "axis0")
	if err != nil {
		return // the order is all that is lost
	}
	at := map[string]int{"index": -1}
	for i, name := range names {
		at[name] = i
	}
	slices.SortStableFunc(t.parts, func(a, b part) int { return at[a.name] - at[b.name] })
}

// items reads the names of a block's columns, text or numbers.
func items(g *h5.Group, name string) ([]string, error) {
	d, err := g.Dataset(name)
	if err != nil {
		return nil, err
	}
	rows, err := d.Rows()
	if err != nil {
		return nil, err
	}
	const most = 1 << 16
	n := rows.Len()
	if len(d.Shape()) != 1 || n > most {
		return nil, fmt.Errorf("%s: names in a shape of %s", d.Path(), dims(d.Shape()))
	}
	raw, err := rows.Read(nil, 0, n)
	if err != nil {
		return nil, err
	}
	t := d.Type()
	switch {
	case t.Words():
		return d.Strings(t, n, raw, t.Size)
	case t.Whole():
		v := make([]int64, n)
		t.Ints(v, raw, t.Size)
		names := make([]string, n)
		for i := range v {
			names[i] = strconv.FormatInt(v[i], 10)
		}
		return names, nil
	}
	return nil, fmt.Errorf("%s: names of type %v", d.Path(), t)
}

// numberedColumns is what the columns of a frame are called that only have numbers.
const numberedColumns = "columns 0 … 47"

// times takes whole numbers for the times that pandas says they are, as in
// datetime64[us]; older versions say no unit and mean nanoseconds.
func (p *part) times(says string, utc bool) {
	kind, unit, _ := strings.Cut(strings.TrimSuffix(says, "]"), "[")
	if p.why != "" || !p.typ.Whole() {
		return
	}
	switch kind {
	case "datetime64":
		perSecond, ok := map[string]int64{"": 1e9, "ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1}[unit]
		if !ok {
			p.why = "times in units of " + unit
		}
		p.perSecond, p.utc = perSecond, utc
	case "timedelta64":
		p.why = "durations; save them as numbers, as with .dt.total_seconds()"
	}
}

// text is a time as text, empty where it is missing (NaT).
func (p *part) text(v int64) string {
	if v == math.MinInt64 {
		return ""
	}
	layout := "2006-01-02T15:04:05.999999999"
	if p.utc {
		layout += "Z"
	}
	return time.Unix(v/p.perSecond, v%p.perSecond*(1e9/p.perSecond)).UTC().Format(layout)
}

// said is an attribute that is text, "" where there is none.
func said(d *h5.Dataset, attribute string) string {
	text, _, err := d.String(attribute)
	if err != nil { // of another meaning
		return ""
	}
	return text
}

// columns splits a part of k values a row into k columns. Columns that are only
// numbered, 0 to 47, are an image as they stand.
func (p part) columns(names []string) []part {
	numbered := len(names) == hgcal.Cells
	for i, name := range names {
		numbered = numbered && name == strconv.Itoa(i)
	}
	if numbered && p.image() {
		p.name = numberedColumns
		return []part{p}
	}
	var parts []part
	size := 0
	if p.typ != nil {
		size = p.typ.Size
	}
	for i, name := range names {
		c := p
		c.name, c.shape = name, nil
		if c.why == "" {
			c.offset, c.dims = p.offset+i*size, dims([]int{p.rows})
		}
		parts = append(parts, c)
	}
	return parts
}

// blockNames finds the names of a field of k values in the table that pandas makes of a
// data frame in its format "table": they are pickled in an attribute.
func blockNames(d *h5.Dataset, field string, k int) ([]string, bool) {
	if !strings.HasPrefix(field, "values_block_") {
		return nil, false
	}
	text, ok, err := d.String(field + "_kind")
	if !ok || err != nil {
		return nil, false
	}
	names, ok := unpickle([]byte(text))
	return names, ok && len(names) == k
}

// unpickle reads a list of words and whole numbers in Python's pickle protocol 0, which
// is text; false for anything else.
func unpickle(b []byte) ([]string, bool) {
	var list []string
	for len(b) > 0 {
		op := b[0]
		b = b[1:]
		switch op {
		case '(', 'l', 'a': // a mark, a list made of it, an element put on it
		case '.':
			return list, true
		case 'p', 'V', 'I', 'L', 'S':
			line, rest, ok := bytes.Cut(b, []byte{'\n'})
			if !ok {
				return nil, false
			}
			b = rest
			switch op {
			case 'p': // remembered for later use
			case 'I', 'L':
				list = append(list, strings.TrimSuffix(string(line), "L"))
			case 'S':
				list = append(list, strings.Trim(string(line), `'"`))
			default:
				var word strings.Builder // Latin-1, other letters as \uXXXX
				for _, c := range line {
					word.WriteRune(rune(c))
				}
				name, err := strconv.Unquote(`"` + strings.ReplaceAll(word.String(), `"`, `\"`) + `"`)
				if err != nil {
					return nil, false
				}
				list = append(list, name)
			}
		default:
			return nil, false
		}
	}
	return nil, false
}
