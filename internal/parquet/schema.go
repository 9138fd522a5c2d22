package parquet

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Physical is how the values of a column are stored.
type Physical int

// The physical types, by their numbers in the format.
const (
	Boolean Physical = iota
	Int32
	Int64
	Int96
	Float
	Double
	ByteArray
	FixedLenByteArray
)

// Meaning is what stored values stand for; Plain where the file says no more.
type Meaning int

// The meanings that are told apart.
const (
	Plain Meaning = iota
	String
	List
	Decimal
	Date
	Time
	Timestamp
	Whole
	Null
	UUID
	Float16
	Other // text and bytes of some known structure, maps
)

// Logical is the meaning with what belongs to it.
type Logical struct {
	Meaning Meaning
	// Scale is the number of decimals of a Decimal.
	Scale int
	// Bits and Signed are those of a Whole.
	Bits   int
	Signed bool
	// PerSecond is the resolution of Time and Timestamp: 1e3, 1e6 or 1e9.
	PerSecond int64
	// UTC is a Timestamp, or Time, that is a moment, not a local reading.
	UTC bool
}

// Leaf is a column of values.
type Leaf struct {
	// Path is the column's name, with those of what it is nested in before it.
	Path     []string
	Physical Physical
	// Length is that of a FixedLenByteArray's values.
	Length  int
	Logical Logical
	// Rep and Def are the greatest repetition and definition level: how many lists
	// a value is within, and how often on the way to it something may be missing.
	Rep, Def int
	// Nulls is how many of its values, lists included, are said to be missing; -1
	// where a part of the file does not say.
	Nulls int64
	// Siblings is how many leaves the column of the table has that this is one of:
	// 1 for a plain column and a plain list.
	Siblings int

	index int
}

// Name is the path with dots between.
func (l *Leaf) Name() string { return strings.Join(l.Path, ".") }

// element is one of the schema's list.
type element struct {
	name               string
	leaf               bool
	physical           Physical
	length, repetition int
	children           int
	logical            Logical
}

// repetition of an element.
const (
	required = iota
	optional
	repeated
)

func (t *thrift) element(typ byte) element {
	e := element{children: -1, length: -1}
	var converted = -1
	var scale int
	t.fields(typ, func(id int, typ byte) bool {
		switch id {
		case 1:
			e.physical, e.leaf = Physical(t.int(typ)), true
		case 2:
			e.length = int(t.int(typ))
		case 3:
			e.repetition = int(t.int(typ))
		case 4:
			e.name = string(t.bytes(typ))
		case 5:
			e.children = int(t.int(typ))
		case 6:
			converted = int(t.int(typ))
		case 7:
			scale = int(t.int(typ))
		case 10:
			e.logical = t.logical(typ)
		default:
			return false
		}
		return true
	})
	if e.logical.Meaning == Plain && converted >= 0 {
		e.logical = fromConverted(converted, scale)
	}
	return e
}

// logical reads the union of logical types.
func (t *thrift) logical(typ byte) Logical {
	l := Logical{Meaning: Other}
	t.fields(typ, func(id int, typ byte) bool {
		switch id {
		case 1, 4, 12: // text, enumerations, JSON
			l.Meaning = String
		case 3:
			l.Meaning = List
		case 5:
			l.Meaning = Decimal
			t.fields(typ, func(id int, typ byte) bool {
				if id == 1 {
					l.Scale = int(t.int(typ))
				}
				return id == 1
			})
			return true
		case 6:
			l.Meaning = Date
		case 7, 8:
			l.Meaning = Time + Meaning(id-7)
			t.time(typ, &l)
			return true
		case 10:
			l.Meaning = Whole
			t.fields(typ, func(id int, typ byte) bool {
				switch id {
				case 1:
					l.Bits = int(t.int(typ))
					return true
				case 2:
					l.Signed = typ == typeTrue
				}
				return false
			})
			return true
		case 11:
			l.Meaning = Null
		case 14:
			l.Meaning = UUID
		case 15:
			l.Meaning = Float16
		}
		return false
	})
	return l
}

func (t *thrift) time(typ byte, l *Logical) {
	t.fields(typ, func(id int, typ byte) bool {
		switch id {
		case 1:
			l.UTC = typ == typeTrue
		case 2:
			t.fields(typ, func(id int, typ byte) bool {
				if id >= 1 && id <= 3 {
					l.PerSecond = [...]int64{1e3, 1e6, 1e9}[id-1]
				}
				return false
			})
			return true
		}
		return false
	})
}

// fromConverted is what older programs wrote in place of a logical type.
func fromConverted(c, scale int) Logical {
	switch {
	case c == 0 || c == 4 || c == 19:
		return Logical{Meaning: String}
	case c == 3:
		return Logical{Meaning: List}
	case c == 5:
		return Logical{Meaning: Decimal, Scale: scale}
	case c == 6:
		return Logical{Meaning: Date}
	case c == 7 || c == 8:
		return Logical{Meaning: Time, UTC: true, PerSecond: [...]int64{1e3, 1e6}[c-7]}
	case c == 9 || c == 10:
		return Logical{Meaning: Timestamp, UTC: true, PerSecond: [...]int64{1e3, 1e6}[c-9]}
	case c >= 11 && c <= 18:
		return Logical{Meaning: Whole, Bits: 8 << ((c - 11) % 4), Signed: c >= 15}
	}
	return Logical{Meaning: Other}
}

// leaves lists the leaves of a schema, which is a tree in the order of its parts.
func leaves(schema []element) ([]*Leaf, error) {
	if len(schema) == 0 {
		return nil, errors.New("the list of columns is empty")
	}
	w := &walk{schema: schema[1:]}
	for range schema[0].children {
		before := len(w.leaves)
		if err := w.next(nil, 0, 0); err != nil {
			return nil, err
		}
		for _, l := range w.leaves[before:] {
			l.Siblings = len(w.leaves) - before
		}
	}
	if len(w.schema) > 0 {
		return nil, fmt.Errorf("column %q is in no table", w.schema[0].name)
	}
	return w.leaves, nil
}

type walk struct {
	schema []element
	leaves []*Leaf
}

// next takes the next element with all that is below it.
func (w *walk) next(path []string, rep, def int) error {
	if len(w.schema) == 0 {
		return fmt.Errorf("the list of columns is too short")
	}
	if len(path) > 100 {
		return fmt.Errorf("column %q is nested too deep", path[0])
	}
	e := w.schema[0]
	w.schema = w.schema[1:]
	path = append(path[:len(path):len(path)], e.name)
	switch e.repetition {
	case required:
	case optional:
		def++
	case repeated:
		rep, def = rep+1, def+1
	default:
		return fmt.Errorf("column %q: unknown repetition %d", strings.Join(path, "."), e.repetition)
	}
	if !e.leaf {
		for range e.children {
			if err := w.next(path, rep, def); err != nil {
				return err
			}
		}
		return nil
	}
	l := &Leaf{Path: path, Physical: e.physical, Length: e.length, Logical: e.logical, Rep: rep, Def: def, index: len(w.leaves)}
	if err := l.check(); err != nil {
		return fmt.Errorf("column %q: %w", l.Name(), err)
	}
	w.leaves = append(w.leaves, l)
	return nil
}

// check reports types that are none, and drops meanings that their values cannot have.
func (l *Leaf) check() error {
	switch {
	case l.Physical < 0 || l.Physical > FixedLenByteArray:
		return fmt.Errorf("unknown type %d", l.Physical)
	case l.Physical == FixedLenByteArray && (l.Length < 1 || l.Length > maxText):
		return fmt.Errorf("values of %d bytes", l.Length)
	}
	whole := l.Physical == Int32 || l.Physical == Int64
	text := l.Physical == ByteArray || l.Physical == FixedLenByteArray
	g := &l.Logical
	fits := true
	switch g.Meaning {
	case String, Other:
		fits = text
	case List:
		fits = false
	case Decimal:
		fits = (whole || text) && g.Scale >= 0 && g.Scale <= math.MaxInt16
	case Date:
		fits = l.Physical == Int32
	case Time, Timestamp:
		fits = whole && g.PerSecond > 0
	case Whole:
		fits = whole && (g.Bits == 8 || g.Bits == 16 || g.Bits == 32 || g.Bits == 64 && l.Physical == Int64)
	case UUID:
		fits = l.Physical == FixedLenByteArray && l.Length == 16
	case Float16:
		fits = l.Physical == FixedLenByteArray && l.Length == 2
	}
	if !fits {
		*g = Logical{}
	}
	return nil
}

// Type is what the column's values are, as pyarrow writes it.
func (l *Leaf) Type() string {
	t := l.valueType()
	for range l.Rep {
		t = "list<" + t + ">"
	}
	return t
}

func (l *Leaf) valueType() string {
	g := l.Logical
	unit := map[int64]string{1: "s", 1e3: "ms", 1e6: "us", 1e9: "ns"}[g.PerSecond]
	switch g.Meaning {
	case String:
		return "string"
	case Decimal:
		return fmt.Sprintf("decimal(scale %d)", g.Scale)
	case Date:
		return "date32[day]"
	case Time:
		return "time[" + unit + "]"
	case Timestamp:
		if g.UTC {
			return "timestamp[" + unit + ", tz=UTC]"
		}
		return "timestamp[" + unit + "]"
	case Whole:
		if !g.Signed {
			return fmt.Sprintf("uint%d", g.Bits)
		}
		return fmt.Sprintf("int%d", g.Bits)
	case Null:
		return "null"
	case UUID:
		return "uuid"
	case Float16:
		return "halffloat"
	}
	if l.Physical == FixedLenByteArray {
		return fmt.Sprintf("fixed_size_binary[%d]", l.Length)
	}
	return [...]string{"bool", "int32", "int64", "timestamp[ns]", "float", "double", "binary"}[l.Physical]
}
