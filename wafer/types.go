package wafer

import (
	"fmt"
	"math"
	"strconv"
)

// exact bounds the whole numbers that a float64 holds without a gap.
const exact = 1 << 53

// Types finds the kinds that metadata columns have throughout a file, for formats
// whose columns have one, and brings columns to them: text tables hold text alone,
// several files perhaps whole numbers and others. The zero value knows no column yet.
//
// A column of whole numbers becomes int64, one of numbers float64, any other text. A
// missing number, an empty field or NaN, is NaN and makes the column float64. The
// well-known columns are what Known.Kind says, where their values can be: of those of
// whole numbers 9.0 is 9.
type Types struct {
	columns map[string]*typed
	settled bool
}

// typed is what is known of a column.
type typed struct {
	known           Kind
	isKnown         bool
	values, missing bool
	number, words   bool // some value is no whole number, no number
	large           bool // some whole number is beyond those that a float64 holds
}

// kind is the narrowest that holds all values.
func (t *typed) kind() Kind {
	switch {
	case t.words, t.isKnown && t.known == Words, !t.values && !t.isKnown:
		return Words
	case t.number || t.missing || t.isKnown && t.known == Number:
		if t.large {
			return Words
		}
		return Number
	}
	return Whole
}

// kindOfKnown is the kind of the well-known column that a name stands for.
func kindOfKnown(name string) (Kind, bool) {
	for k, c := range knownColumns {
		for _, n := range append([]string{string(k)}, c.aliases...) {
			if n == name {
				return c.kind, true
			}
		}
	}
	return 0, false
}

// Look takes the values of a set's columns into account.
func (t *Types) Look(s *Set) {
	for i := range s.Columns {
		t.of(s.Columns[i].Name).look(&s.Columns[i])
	}
}

// Kind is the kind of the column of that name, by the values that were looked at.
func (t *Types) Kind(name string) Kind { return t.of(name).kind() }

// Kinds are those of all columns that were looked at, by their names.
func (t *Types) Kinds() map[string]string {
	kinds := map[string]string{}
	for name, c := range t.columns {
		kinds[name] = c.kind().String()
	}
	return kinds
}

// TypesOf are the types that have said of themselves to be of these Kinds. Columns of other names
// are not known.
func TypesOf(kinds map[string]string) *Types {
	t := &Types{}
	for name, kind := range kinds {
		c := t.of(name)
		c.values = true
		c.number = kind == Number.String()
		c.words = kind == Words.String()
	}
	return t
}

// Certain reports whether a column's further values can make no difference, because
// they are of one type in their file.
func (t *Types) Certain(c *Column) bool {
	return c.Int != nil || c.Float != nil && t.Kind(c.Name) != Whole
}

func (t *Types) of(name string) *typed {
	c := t.columns[name]
	if c == nil {
		c = &typed{}
		c.known, c.isKnown = kindOfKnown(name)
		if t.columns == nil {
			t.columns = map[string]*typed{}
		}
		t.columns[name] = c
	}
	return c
}

func (t *typed) look(c *Column) {
	whole := t.isKnown && t.known == Whole
	for _, v := range c.Int {
		t.values = true
		t.large = t.large || v > exact || v < -exact
	}
	for _, v := range c.Float {
		t.values = true
		t.number = t.number || !whole || !isWhole(v)
	}
	for _, s := range c.Text {
		if t.words {
			return
		}
		kind, ok := KindOf(s)
		switch {
		case !ok:
			t.missing = true
			continue
		case kind == Words:
			t.words = true
		case kind == Number:
			v, _ := strconv.ParseFloat(s, 64)
			t.number = t.number || !whole || !isWhole(v)
		case len(s) > 15:
			v, _ := strconv.ParseInt(s, 10, 64)
			t.large = t.large || v > exact || v < -exact
		}
		t.values = true
	}
}

func isWhole(v float64) bool { return v == math.Trunc(v) && math.Abs(v) <= exact }

// KindOf is what a text can be taken for: a whole number that an int64 holds, a
// decimal number (NaN and infinities count), or words, which a whole number beyond is,
// too. ok is false for an empty text, which is a value that is missing.
func KindOf(s string) (k Kind, ok bool) {
	if s == "" {
		return Words, false
	}
	digits, others := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c-'0' <= 9:
			digits++
		case (c == '-' || c == '+') && i == 0:
		case c == 'x' || c == 'X' || c == '_' || c == 'p' || c == 'P': // what strconv takes and other programs do not
			return Words, true
		default:
			others++
		}
	}
	if others == 0 {
		if digits == 0 {
			return Words, true
		}
		if _, err := strconv.ParseInt(s, 10, 64); err != nil {
			return Words, true
		}
		return Whole, true
	}
	if _, err := strconv.ParseFloat(s, 64); err != nil {
		return Words, true
	}
	return Number, true
}

// A KindError is a value that is not of the kind that its column has so far.
type KindError struct {
	Column string
	Image  int // from 0, in the set
	Value  string
	Kind   Kind
}

func (e *KindError) Error() string {
	return fmt.Sprintf("wafer: column %q is %v so far, and here %q: its kind was known from the first images alone; write CSV, and convert that file: files are looked through first", e.Column, e.Kind, e.Value)
}

// Apply returns the set with every column of its kind, sharing what is so already.
// Kinds are those of what Look has seen and, of columns that it has not, of the first
// set; what contradicts them later is a KindError.
func (t *Types) Apply(s *Set) (*Set, error) {
	if !t.settled {
		t.Look(s)
		t.settled = true
	}
	out := &Set{Charge: s.Charge, Columns: make([]Column, len(s.Columns))}
	for i := range s.Columns {
		c := &s.Columns[i]
		if t.columns[c.Name] == nil {
			t.of(c.Name).look(c)
		}
		var err error
		if out.Columns[i], err = c.as(t.columns[c.Name].kind()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Kind is what the column's values are held as.
func (c *Column) Kind() Kind {
	switch {
	case c.Text != nil:
		return Words
	case c.Int != nil:
		return Whole
	}
	return Number
}

// as is the column as one of a kind.
func (c *Column) as(k Kind) (Column, error) {
	to, n := Column{Name: c.Name}, c.Len()
	bad := func(i int) (Column, error) { return to, &KindError{c.Name, i, c.Value(i), k} }
	switch {
	case k == Words && c.Text != nil, k == Whole && c.Int != nil, k == Number && c.Float != nil:
		return *c, nil
	case k == Words:
		to.Text = make([]string, n)
		for i := range to.Text {
			to.Text[i] = c.Value(i)
		}
	case k == Whole:
		to.Int = make([]int64, n)
		for i := range to.Int {
			v, ok := c.whole(i)
			if !ok {
				return bad(i)
			}
			to.Int[i] = v
		}
	default:
		to.Float = make([]float64, n)
		for i := range to.Float {
			v, ok := c.number(i)
			if !ok {
				return bad(i)
			}
			to.Float[i] = v
		}
	}
	return to, nil
}

// whole is value i of floats or texts as a whole number.
func (c *Column) whole(i int) (int64, bool) {
	if c.Text == nil {
		return int64(c.Float[i]), isWhole(c.Float[i])
	}
	switch kind, ok := KindOf(c.Text[i]); {
	case !ok || kind == Words:
		return 0, false
	case kind == Whole:
		v, err := strconv.ParseInt(c.Text[i], 10, 64)
		return v, err == nil
	}
	v, err := strconv.ParseFloat(c.Text[i], 64)
	return int64(v), err == nil && isWhole(v)
}

// number is value i of whole numbers or texts as a number, NaN where it is missing.
func (c *Column) number(i int) (float64, bool) {
	if c.Text == nil {
		return float64(c.Int[i]), c.Int[i] <= exact && c.Int[i] >= -exact
	}
	switch kind, ok := KindOf(c.Text[i]); {
	case !ok:
		return math.NaN(), true
	case kind == Words:
		return 0, false
	case kind == Whole:
		v, err := strconv.ParseInt(c.Text[i], 10, 64)
		return float64(v), err == nil && v <= exact && v >= -exact
	}
	v, err := strconv.ParseFloat(c.Text[i], 64)
	return v, err == nil
}

// IsWords reports whether a column is a well-known one that holds words.
func IsWords(name string) bool {
	kind, known := kindOfKnown(name)
	return known && kind == Words
}
