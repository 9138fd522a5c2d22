package parquetio

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"barrow/hgcal"
	"barrow/internal/parquet"
	"barrow/wafer"
	"barrow/wafer/internal/arrays"
)

// layout says what the columns of a file are.
type layout struct {
	arrays.Said
	list    *parquet.Leaf   // of lists of charges, or
	cells   []*parquet.Leaf // the charges, in the file's order of cells
	columns []column        // of metadata
}

// column is a metadata column.
type column struct {
	name string
	leaf *parquet.Leaf
	kind kind
}

// kind is what a column's values become.
type kind int

const (
	none kind = iota
	whole
	real
	words
)

// kindOf tells what a leaf's values become. Whole numbers of which some are missing
// become floats.
func kindOf(l *parquet.Leaf) kind {
	switch l.Logical.Meaning {
	case parquet.Float16:
		return real
	case parquet.Decimal:
		if l.Logical.Scale > 0 || l.Physical != parquet.Int32 && l.Physical != parquet.Int64 {
			return real
		}
	case parquet.String, parquet.Date, parquet.Time, parquet.Timestamp, parquet.Null, parquet.UUID:
		return words
	case parquet.Other:
		return none
	}
	switch l.Physical {
	case parquet.Float, parquet.Double:
		return real
	case parquet.Boolean, parquet.Int32, parquet.Int64:
		if l.Nulls > 0 {
			return real
		}
		return whole
	}
	return words
}

var (
	// nearly is a name that means a charge but is none: pandas calls a second CALQ_3 so.
	nearly = regexp.MustCompile(`(?i)^(?:wafer_)?calq[ _-]?[0-9]`)
	// indexName is what pandas calls the index of a table.
	indexName = regexp.MustCompile(`^__index_level_([0-9]+)__$`)
)

func isPlain(l *parquet.Leaf) bool { return len(l.Path) == 1 && l.Rep == 0 }
func isList(l *parquet.Leaf) bool  { return l.Siblings == 1 && l.Rep == 1 }

// isNumber reports whether values can be charges.
func isNumber(l *parquet.Leaf) bool {
	k := kindOf(l)
	return (k == real || k == whole) && l.Physical != parquet.Boolean
}

// newLayout tells what the columns of a file are.
func newLayout(f *parquet.File, s wafer.ReadSettings) (*layout, error) {
	l := &layout{}
	var err error
	if s.Tree == "" {
		err = l.findCells(f, s.Header == "first")
	}
	if err == nil {
		err = l.findList(f, s.Tree)
	}
	if err != nil {
		return nil, err
	}
	if l.cells == nil && l.list == nil && !l.findNumbered(f) {
		return nil, noCharges(f)
	}
	if err := l.Hold(l.name(), f.Meta[orderKey], f.Meta[unitKey], s.Order); err != nil {
		return nil, err
	}
	return l, l.findColumns(f)
}

// name is the name of the charges, of the first where they have a column each.
func (l *layout) name() string {
	if l.list != nil {
		return l.list.Path[0]
	}
	return l.cells[0].Path[0]
}

// findCells finds charges in a column each; none is no error. first allows names that
// count from 1.
func (l *layout) findCells(f *parquet.File, first bool) error {
	at := map[int]*parquet.Leaf{}
	orders := map[wafer.ChargeName]bool{}
	for _, leaf := range f.Leaves {
		name := leaf.Path[0]
		c, ok := wafer.ParseChargeName(name)
		switch {
		case ok && c.Cell < 0:
			continue
		case !ok && !nearly.MatchString(name):
			continue
		case !ok || !isPlain(leaf):
			return fmt.Errorf("column %q: charges are columns CALQ_0 … CALQ_%d of numbers, each once", name, hgcal.Cells-1)
		case c.Cell > hgcal.Cells:
			return fmt.Errorf("column %q: an image of Barrow has the charges CALQ_0 … CALQ_%d", name, hgcal.Cells-1)
		case at[c.Cell] != nil:
			return fmt.Errorf("columns %q and %q are the same charge", at[c.Cell].Path[0], name)
		case !isNumber(leaf):
			return fmt.Errorf("column %q: values of type %s are no charges", name, leaf.Type())
		}
		at[c.Cell] = leaf
		c.Cell = 0
		orders[c] = true
		l.Order, l.OrderSaid = c.Order, c.OrderSaid
	}
	if len(at) == 0 {
		return nil
	}
	if len(orders) > 1 {
		return errors.New("the names of the charges say more than one cell order")
	}
	from := 0
	if at[hgcal.Cells] != nil {
		from = 1
	}
	switch {
	case from == 1 && (at[0] != nil || len(at) != hgcal.Cells):
		return fmt.Errorf("column %q: an image of Barrow has the charges CALQ_0 … CALQ_%d", at[hgcal.Cells].Path[0], hgcal.Cells-1)
	case from == 1 && !first:
		return &wafer.UnclearError{Looks: "the charges are called CALQ_1 … CALQ_48, Barrow's CALQ_0 … CALQ_47",
			Choices: []wafer.Choice{{Setting: "header", Value: "first", Means: "CALQ_1 is cell 0, and so on"}}}
	}
	for k := range hgcal.Cells {
		if at[k+from] == nil {
			return fmt.Errorf("there is no column CALQ_%d, but others of that kind", k+from)
		}
		l.cells = append(l.cells, at[k+from])
	}
	return nil
}

// findList finds charges in a column of lists: that of the name that is asked for, one
// that is called as charges are, or the only one that may be.
func (l *layout) findList(f *parquet.File, asked string) error {
	var named, fit []*parquet.Leaf
	for _, leaf := range f.Leaves {
		if !isList(leaf) {
			continue
		}
		if c, ok := wafer.ParseChargeName(leaf.Path[0]); ok && c.Cell < 0 && asked == "" || asked == leaf.Path[0] {
			named = append(named, leaf)
		}
		if isNumber(leaf) && f.Values(leaf) == hgcal.Cells*f.Rows {
			fit = append(fit, leaf)
		}
	}
	switch {
	case asked != "" && len(named) == 0:
		return fmt.Errorf("no column of lists is called %s; there are %s", asked, names(f.Leaves))
	case l.cells != nil && len(named) > 0:
		return unclear("there are columns CALQ_0 … CALQ_47, and lists called as charges are", named)
	case len(named) > 1:
		return unclear("more than one column of lists is called as charges are", named)
	case l.cells != nil:
		return nil
	case len(named) == 1:
		l.list = named[0]
	case len(fit) == 0:
		return nil
	case len(fit) > 1:
		return unclear(fmt.Sprintf("no column is called CALQ, and more than one has lists of %d numbers", hgcal.Cells), fit)
	default:
		l.list = fit[0]
		l.Remarks = append(l.Remarks, fmt.Sprintf("%s is taken for the charges: no column is called CALQ, and no other has lists of %d numbers", fit[0].Path[0], hgcal.Cells))
	}
	if !isNumber(l.list) {
		return fmt.Errorf("column %q: values of type %s are no charges", l.list.Path[0], l.list.Type())
	}
	if c, ok := wafer.ParseChargeName(l.list.Path[0]); ok && c.OrderSaid {
		l.Order, l.OrderSaid = c.Order, true
	}
	return nil
}

// unclear asks for the setting that names one of several columns of lists.
func unclear(looks string, lists []*parquet.Leaf) error {
	e := &wafer.UnclearError{Looks: looks}
	for _, leaf := range lists {
		e.Choices = append(e.Choices, wafer.Choice{Setting: "tree", Value: leaf.Path[0], Means: leaf.Type()})
	}
	return e
}

// findNumbered finds columns called 0 … 47, and no further number.
func (l *layout) findNumbered(f *parquet.File) bool {
	cells := make([]*parquet.Leaf, hgcal.Cells)
	for _, leaf := range f.Leaves {
		name := leaf.Path[0]
		k, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if name != strconv.Itoa(k) || k < 0 || k >= hgcal.Cells || cells[k] != nil || !isPlain(leaf) || !isNumber(leaf) {
			return false
		}
		cells[k] = leaf
	}
	if slices.Contains(cells, nil) {
		return false
	}
	l.cells = cells
	l.Remarks = append(l.Remarks, fmt.Sprintf("the charges are taken from columns 0 … %d", hgcal.Cells-1))
	return true
}

func noCharges(f *parquet.File) error {
	if len(f.Leaves) == 0 {
		return errors.New("the table has no columns")
	}
	return fmt.Errorf("no charges: want columns CALQ_0 … CALQ_%d, or one of lists of %d numbers; there are %s", hgcal.Cells-1, hgcal.Cells, names(f.Leaves))
}

// names lists columns with their types, not too many.
func names(leaves []*parquet.Leaf) string {
	const most = 12
	var b strings.Builder
	for i, leaf := range leaves {
		if i == most {
			fmt.Fprintf(&b, ", and %d more", len(leaves)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q (%s)", leaf.Name(), leaf.Type())
	}
	return b.String()
}

// Keys of what the file says about itself.
const (
	unitKey  = "unit"
	orderKey = "order"
)

// findColumns makes metadata of all columns that are not charges.
func (l *layout) findColumns(f *parquet.File) error {
	taken := map[string]bool{}
	for _, leaf := range f.Leaves {
		taken[leaf.Path[0]] = true
	}
	seen := map[string]bool{}
	var nested, odd []string
	for _, leaf := range f.Leaves {
		if leaf == l.list || slices.Contains(l.cells, leaf) {
			continue
		}
		name := leaf.Path[0]
		switch {
		case !isPlain(leaf):
			if !slices.Contains(nested, name) {
				nested = append(nested, name)
			}
			continue
		case kindOf(leaf) == none:
			odd = append(odd, name)
			continue
		}
		f.CountNulls(leaf)
		if m := indexName.FindStringSubmatch(name); m != nil {
			want := "index"
			if m[1] != "0" {
				want = "level_" + m[1]
			}
			if !taken[want] {
				name = want
			}
		}
		if seen[name] {
			return fmt.Errorf("two columns are called %q", name)
		}
		seen[name] = true
		l.columns = append(l.columns, column{name, leaf, kindOf(leaf)})
	}
	if len(nested) > 0 {
		l.Remarks = append(l.Remarks, "left out, lists and structures: "+strings.Join(nested, ", "))
	}
	if len(odd) > 0 {
		l.Remarks = append(l.Remarks, "left out, values without a meaning here: "+strings.Join(odd, ", "))
	}
	return nil
}
