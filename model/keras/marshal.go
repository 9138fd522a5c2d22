package keras

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// A pyCode is a function as Python compiles it, of what Keras keeps a Lambda layer's
// in. Nothing of it is run: see lambda.go.
type pyCode struct {
	layout int // as marshalLayouts
	args   int // parameters
	code   []byte
	consts []any // nil, bool, float64, string, pyTuple, pyEllipsis
	names  []string
	locals []string // parameters first; from 3.11 on cells and free variables, too
	kinds  []byte   // from 3.11 on, of each of these
	cells  int      // before 3.11
	free   int
}

type (
	pyTuple    []any
	pyEllipsis struct{}
	pyOther    struct{} // what no slicing is made of
)

// The layouts of a code object: of Python 3.6 and 3.7, 3.8 to 3.10, and 3.11 on.
const (
	layout36 = iota
	layout38
	layout311
)

var errMarshal = errors.New("the function is cut short or not in Python's marshal format")

// maxMarshal is how deep constants may lie within each other.
const maxMarshal = 20

// parseMarshal reads a function. Which Python wrote it is nowhere said: it is the one
// in whose layout the bytes are a whole.
func parseMarshal(data []byte) (*pyCode, error) {
	for _, layout := range []int{layout311, layout38, layout36} {
		r := marshalReader{data: data, layout: layout}
		v, err := r.value(0)
		if code, ok := v.(*pyCode); ok && err == nil && len(r.data) == 0 {
			return code, nil
		}
	}
	return nil, errMarshal
}

type marshalReader struct {
	data   []byte
	layout int
	refs   []any
}

func (r *marshalReader) bytes(n int) ([]byte, error) {
	if n < 0 || n > len(r.data) {
		return nil, errMarshal
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b, nil
}

func (r *marshalReader) long() (int, error) {
	b, err := r.bytes(4)
	if err != nil {
		return 0, err
	}
	return int(int32(binary.LittleEndian.Uint32(b))), nil
}

func (r *marshalReader) short() (int, error) {
	b, err := r.bytes(1)
	if err != nil {
		return 0, err
	}
	return int(b[0]), nil
}

// flagRef marks a value that is referred to later on.
const flagRef = 0x80

func (r *marshalReader) value(depth int) (any, error) {
	if depth > maxMarshal {
		return nil, errMarshal
	}
	b, err := r.bytes(1)
	if err != nil {
		return nil, err
	}
	kind := b[0] &^ flagRef
	at := -1
	if b[0]&flagRef != 0 && kind != 'r' { // numbered before what is in it
		at = len(r.refs)
		r.refs = append(r.refs, pyOther{})
	}
	v, err := r.body(kind, depth)
	if err == nil && at >= 0 {
		r.refs[at] = v
	}
	return v, err
}

func (r *marshalReader) body(kind byte, depth int) (any, error) {
	size := r.long
	switch kind {
	case 'N':
		return nil, nil
	case 'T', 'F':
		return kind == 'T', nil
	case '.':
		return pyEllipsis{}, nil
	case 'i':
		n, err := r.long()
		return float64(n), err
	case 'g':
		b, err := r.bytes(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case 'f':
		n, err := r.short()
		if err != nil {
			return nil, err
		}
		b, err := r.bytes(n)
		if err != nil {
			return nil, err
		}
		return strconv.ParseFloat(string(b), 64)
	case 'l': // digits of 15 bits
		n, err := r.long()
		if err != nil {
			return nil, err
		}
		if n < 0 {
			n = -n
		}
		if _, err := r.bytes(2 * n); n > 1<<20 || err != nil {
			return nil, errMarshal
		}
		return pyOther{}, nil
	case 'z', 'Z', ')':
		size = r.short
		fallthrough
	case 's', 't', 'u', 'a', 'A', '(', '[':
		n, err := size()
		if err != nil || n < 0 || n > len(r.data) {
			return nil, errMarshal
		}
		if kind == ')' || kind == '(' || kind == '[' {
			return r.tuple(n, depth)
		}
		b, err := r.bytes(n)
		return string(b), err
	case 'r':
		n, err := r.long()
		if err != nil || n < 0 || n >= len(r.refs) {
			return nil, errMarshal
		}
		return r.refs[n], nil
	case 'c':
		return r.function(depth)
	}
	return nil, errMarshal
}

func (r *marshalReader) tuple(n, depth int) (pyTuple, error) {
	out := pyTuple{}
	for range n {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// function reads a code object: counts, then bytes, constants and names, then what
// tracebacks want.
func (r *marshalReader) function(depth int) (any, error) {
	counts := [...]int{layout36: 5, layout38: 6, layout311: 5}[r.layout]
	c := &pyCode{layout: r.layout}
	var err error
	for i := range counts {
		n, e := r.long()
		if err = errors.Join(err, e); i == 0 {
			c.args = n
		}
	}
	parts := [...]int{layout36: 8, layout38: 8, layout311: 8}[r.layout]
	var v []any // code, consts, names, locals (and free, cells, or kinds), file, name
	for range parts {
		x, e := r.value(depth + 1)
		if e != nil {
			return nil, e
		}
		v = append(v, x)
	}
	if _, e := r.long(); err != nil || e != nil { // the first line
		return nil, errMarshal
	}
	tables := 1
	if r.layout == layout311 {
		tables = 2
	}
	for range tables {
		if _, err := r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	code, ok := v[0].(string)
	consts, ok2 := v[1].(pyTuple)
	if !ok || !ok2 || c.args < 0 {
		return nil, errMarshal
	}
	c.code, c.consts = []byte(code), consts
	if c.names, err = words(v[2]); err != nil {
		return nil, err
	}
	if c.locals, err = words(v[3]); err != nil {
		return nil, err
	}
	if c.args > len(c.locals) { // of which they are the first
		return nil, errMarshal
	}
	if r.layout == layout311 {
		kinds, ok := v[4].(string)
		if !ok || len(kinds) != len(c.locals) {
			return nil, errMarshal
		}
		c.kinds = []byte(kinds)
		return c, nil
	}
	free, err := words(v[4])
	if err != nil {
		return nil, err
	}
	cells, err := words(v[5])
	c.free, c.cells = len(free), len(cells)
	return c, err
}

func words(v any) ([]string, error) {
	list, ok := v.(pyTuple)
	if !ok {
		return nil, errMarshal
	}
	var out []string
	for _, x := range list {
		s, ok := x.(string)
		if !ok {
			return nil, fmt.Errorf("%w: a name is none", errMarshal)
		}
		out = append(out, s)
	}
	return out, nil
}
