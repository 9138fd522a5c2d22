package csvio

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"barrow/hgcal"
	"barrow/wafer"
)

// nearly is a name that means a charge but is none: pandas calls a second
// CALQ_3 so.
var nearly = regexp.MustCompile(`(?i)^(?:wafer_)?calq[ _-]?[0-9]`)

// charge tells which charge a column's name says it is.
func charge(name string) (wafer.ChargeName, bool) {
	c, ok := wafer.ParseChargeName(name)
	return c, ok && c.Cell >= 0
}

func isCharge(name string) bool { _, ok := charge(name); return ok }

// chargeHeader is the layout of a table whose header names the charges. first
// allows names that count from 1.
func chargeHeader(fields []string, first bool) (*layout, error) {
	l := &layout{header: true}
	at := map[int]int{} // cell to column
	orders := map[wafer.ChargeName]bool{}
	least, most := 1, 0
	for j, name := range fields {
		c, ok := charge(name)
		if !ok {
			if nearly.MatchString(name) {
				return nil, fmt.Errorf("column %d is %q: charges are CALQ_0 … CALQ_%d, each once", j+1, name, hgcal.Cells-1)
			}
			if err := l.name(j, name, len(fields)); err != nil {
				return nil, err
			}
			continue
		}
		cell := c.Cell
		if k, twice := at[cell]; twice {
			return nil, fmt.Errorf("column %q occurs twice, at %d and %d", name, k, j+1)
		}
		at[cell] = j + 1
		c.Cell = 0
		orders[c] = true
		least, most = min(least, cell), max(most, cell)
		l.field = append(l.field, cell)
	}
	if err := l.setOrder(orders); err != nil {
		return nil, err
	}
	if least == 1 && most == hgcal.Cells && len(at) == hgcal.Cells {
		if !first {
			return nil, errFromOne
		}
		for j, c := range l.field {
			if c > 0 {
				l.field[j] = c - 1
			}
		}
		return l, nil
	}
	if most >= hgcal.Cells {
		return nil, fmt.Errorf("column %d is %q: charges are CALQ_0 … CALQ_%d; an image of Barrow has %d", at[most], fields[at[most]-1], hgcal.Cells-1, hgcal.Cells)
	}
	for k := range hgcal.Cells {
		if at[k] == 0 {
			return nil, fmt.Errorf("the header has no column CALQ_%d", k)
		}
	}
	return l, nil
}

var errFromOne = errors.New("the charges are called CALQ_1 … CALQ_48, Barrow's CALQ_0 … CALQ_47")

// setOrder takes over the numbering that the names of the charges say.
func (l *layout) setOrder(said map[wafer.ChargeName]bool) error {
	if len(said) > 1 {
		return errors.New("the names of the charges say more than one cell order")
	}
	for c := range said {
		l.order, l.said = c.Order, c.OrderSaid
	}
	return nil
}

// name adds column j, from 0, of n as metadata. A blank name is that of a row's
// index in front, as data-frame libraries write it.
func (l *layout) name(j int, name string, n int) error {
	if name == "" {
		name = fmt.Sprintf("column_%d", j)
		if j == 0 {
			name = "index"
		}
	}
	if l.origin == nil {
		l.origin = map[string]int{}
	}
	if k, twice := l.origin[name]; twice {
		return fmt.Errorf("column %q occurs twice, at %d and %d", name, k, j+1)
	}
	l.origin[name] = j + 1
	l.add(name)
	return nil
}

// bookkeeping are names of columns that data-frame libraries put in front.
var bookkeeping = regexp.MustCompile(`(?i)^(|unnamed: ?[0-9.]+|index|level_[0-9]+|row|rowid|row_?names?)$`)

// numberedHeader is the layout of a table whose header is column numbers with a
// row's index in front, which cannot be an image since the index has no number
// for a name; nil where the header is not so.
func numberedHeader(fields []string) *layout {
	var numbers []int
	front := 0
	for j, f := range fields {
		v, ok := number(f)
		if !ok {
			if j > front || !bookkeeping.MatchString(f) {
				return nil
			}
			front++
			continue
		}
		if v != float64(int(v)) {
			return nil
		}
		numbers = append(numbers, int(v))
	}
	for k, v := range numbers {
		if k != v {
			return nil
		}
	}
	body := known(len(numbers))
	if front == 0 || body == nil {
		return nil
	}
	l := &layout{header: true}
	for j := range front {
		if l.name(j, fields[j], len(fields)) != nil {
			return nil
		}
	}
	for _, f := range body.field {
		if f > meta {
			l.field = append(l.field, f)
			continue
		}
		name := body.names[meta-f]
		if slices.Contains(l.names, name) {
			return nil
		}
		l.add(name)
	}
	return l
}

// number reads a field as a number of any sort.
func number(field string) (float64, bool) {
	v, err := strconv.ParseFloat(field, 64)
	return v, err == nil || errors.Is(err, strconv.ErrRange)
}

// counts reports whether these are consecutive whole numbers.
func counts(fields []string) bool {
	before := 0.0
	for i, f := range fields {
		v, ok := number(f)
		if !ok || v != float64(int64(v)) || i > 0 && v != before+1 {
			return false
		}
		before = v
	}
	return len(fields) > 1
}

// renamed reports whether a row of numbers is one that pandas took for a header
// once: to every value that occurs again it adds .1, .2, ….
func renamed(fields []string) bool {
	seen := map[string]int{}
	changed := 0
	for _, f := range fields {
		base, again, dot := strings.Cut(f, ".")
		if dot && seen[base] > 0 && strconv.Itoa(seen[base]) == again {
			seen[base]++
			changed++
			continue
		}
		if seen[f] > 0 {
			return false
		}
		seen[f]++
	}
	return changed > 2
}
