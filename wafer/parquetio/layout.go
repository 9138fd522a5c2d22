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
)

// layout says what the columns of a file are.
type layout struct {
	list    *parquet.Leaf   // of lists of charges, or
	cells   []*parquet.Leaf // the charges, in the file's order of cells
	columns []column        // of metadata
	order   hgcal.Order     // numbering that the file says
	said    bool            // whether it says one
	remarks []string
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
	// cellName is what the columns of charges are called, in text tables too.
	cellName = regexp.MustCompile(`(?i)^(?:wafer_)?calq[ _-]?(?:(v9|postmux|raster)[ _-])?([0-9]+)$`)
	// nearly is a name that means a charge but is none.
	nearly = regexp.MustCompile(`(?i)^(?:wafer_)?calq[ _-]?[0-9]`)
	// listName is what a column of lists is called.
	listName = regexp.MustCompile(`(?i)^(?:wafer_)?calq(?:[ _-](v9|postmux|raster))?$`)
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
	err := l.findCells(f)
	if err == nil && l.cells == nil {
		err = l.findList(f)
	}
	if err != nil {
		return nil, err
	}
	if l.cells == nil && l.list == nil && !l.findNumbered(f) {
		return nil, noCharges(f)
	}
	if err := l.setOrder(f, s); err != nil {
		return nil, err
	}
	return l, l.findColumns(f)
}

// findCells finds charges in a column each; none is no error.
func (l *layout) findCells(f *parquet.File) error {
	at := map[int]*parquet.Leaf{}
	orders := map[string]bool{}
	for _, leaf := range f.Leaves {
		name := leaf.Path[0]
		m := cellName.FindStringSubmatch(name)
		if m == nil || !isPlain(leaf) {
			if nearly.MatchString(name) {
				return fmt.Errorf("column %q: charges are columns CALQ_0 … CALQ_%d of numbers, each once", name, hgcal.Cells-1)
			}
			continue
		}
		cell, err := strconv.Atoi(m[2])
		if err != nil || cell >= hgcal.Cells {
			return fmt.Errorf("column %q: charges are CALQ_0 … CALQ_%d; an image of Barrow has %d", name, hgcal.Cells-1, hgcal.Cells)
		}
		if at[cell] != nil {
			return fmt.Errorf("columns %q and %q are the same charge", at[cell].Path[0], name)
		}
		if !isNumber(leaf) {
			return fmt.Errorf("column %q: values of type %s are no charges", name, leaf.Type())
		}
		at[cell] = leaf
		orders[strings.ToLower(m[1])] = true
	}
	if len(at) == 0 {
		return nil
	}
	for k := range hgcal.Cells {
		if at[k] == nil {
			return fmt.Errorf("there is no column CALQ_%d, but others of that kind", k)
		}
		l.cells = append(l.cells, at[k])
	}
	if len(orders) > 1 {
		return errors.New("the names of the charges say more than one cell order")
	}
	for name := range orders {
		return l.say(name)
	}
	return nil
}

// say takes over the numbering that a name of charges says.
func (l *layout) say(order string) (err error) {
	if order != "" {
		l.order, err = hgcal.ParseOrder(strings.ToLower(order))
		l.said = err == nil
	}
	return err
}

// findList finds charges in a column of lists: one that is called so, or the only one
// that may be.
func (l *layout) findList(f *parquet.File) error {
	var named, fit []*parquet.Leaf
	for _, leaf := range f.Leaves {
		if !isList(leaf) {
			continue
		}
		if listName.MatchString(leaf.Path[0]) {
			named = append(named, leaf)
		}
		if isNumber(leaf) && f.Values(leaf) == hgcal.Cells*f.Rows {
			fit = append(fit, leaf)
		}
	}
	switch {
	case len(named) == 1:
		l.list = named[0]
	case len(named) == 0 && len(fit) == 1:
		l.list = fit[0]
		l.remarks = append(l.remarks, fmt.Sprintf("the charges are taken from column %s, the only one with lists of %d numbers", fit[0].Path[0], hgcal.Cells))
	case len(named)+len(fit) == 0:
		return nil
	default:
		return fmt.Errorf("columns %s may all be the charges: call one of them CALQ", names(append(named, fit...)))
	}
	if !isNumber(l.list) {
		return fmt.Errorf("column %q: values of type %s are no charges", l.list.Path[0], l.list.Type())
	}
	if m := listName.FindStringSubmatch(l.list.Path[0]); m != nil {
		return l.say(m[1])
	}
	return nil
}

// findNumbered finds columns called 0 … 47, and no further number.
func (l *layout) findNumbered(f *parquet.File) bool {
	var cells []*parquet.Leaf
	for _, leaf := range f.Leaves {
		if _, err := strconv.Atoi(leaf.Path[0]); err != nil {
			continue
		}
		if leaf.Path[0] != strconv.Itoa(len(cells)) || !isPlain(leaf) || !isNumber(leaf) {
			return false
		}
		cells = append(cells, leaf)
	}
	if len(cells) != hgcal.Cells {
		return false
	}
	l.cells = cells
	l.remarks = append(l.remarks, fmt.Sprintf("the charges are taken from columns 0 … %d", hgcal.Cells-1))
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

// setOrder holds what the file says of the numbering to what is asked for.
func (l *layout) setOrder(f *parquet.File, s wafer.ReadSettings) error {
	if !l.said {
		if order, err := hgcal.ParseOrder(f.Meta[orderKey]); err == nil {
			l.order, l.said = order, true
		}
	}
	if l.said && l.order != s.Order {
		return &wafer.UnclearError{Looks: fmt.Sprintf("the charges are numbered %v, as the file says, and %v is asked for", l.order, s.Order),
			Choices: []wafer.Choice{{Setting: "order", Value: l.order.String(), Means: "as the file says"}}}
	}
	return nil
}

// Keys of what the file says about itself.
const (
	unitKey  = "unit"
	orderKey = "order"
)

// unit is the charges' unit, where the file says one that is known.
func unit(f *parquet.File) string {
	if u := f.Meta[unitKey]; slices.Contains(wafer.Charges(), u) {
		return u
	}
	return ""
}

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
		l.remarks = append(l.remarks, "left out, lists and structures: "+strings.Join(nested, ", "))
	}
	if len(odd) > 0 {
		l.remarks = append(l.remarks, "left out, values without a meaning here: "+strings.Join(odd, ", "))
	}
	return nil
}
