package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Types of Thrift's compact protocol, in which headers are written:
// github.com/apache/thrift, doc/specs/thrift-compact-protocol.md.
const (
	typeTrue = iota + 1
	typeFalse
	typeByte
	typeI16
	typeI32
	typeI64
	typeDouble
	typeBinary
	typeList
	typeSet
	typeMap
	typeStruct
)

// maxDepth bounds how deep structures are nested; the format needs six.
const maxDepth = 20

// errShort is bytes that end within a structure.
var errShort = errors.New("it ends too early")

// thrift reads structures from b. The first error stays; after it all is zero.
type thrift struct {
	b         []byte
	at, depth int
	err       error
}

func (t *thrift) fail(err error) {
	if t.err == nil {
		t.err = err
	}
	t.at = len(t.b)
}

func (t *thrift) byte() byte {
	if t.at >= len(t.b) {
		t.fail(errShort)
		return 0
	}
	t.at++
	return t.b[t.at-1]
}

func (t *thrift) uvarint() uint64 {
	v, n := binary.Uvarint(t.b[t.at:])
	if n <= 0 {
		if n < 0 {
			t.fail(errors.New("a number is longer than 64 bits"))
		}
		t.fail(errShort)
		return 0
	}
	t.at += n
	return v
}

// int is a field that is a whole number.
func (t *thrift) int(typ byte) int64 {
	switch typ {
	case typeByte:
		return int64(int8(t.byte()))
	case typeI16, typeI32, typeI64:
		v := t.uvarint()
		return int64(v>>1) ^ -int64(v&1)
	}
	t.fail(fmt.Errorf("type %d where a whole number is due", typ))
	return 0
}

// bytes is a field that is text or bytes; it shares the memory.
func (t *thrift) bytes(typ byte) []byte {
	if typ != typeBinary {
		t.fail(fmt.Errorf("type %d where text is due", typ))
		return nil
	}
	n := t.uvarint()
	if n > uint64(len(t.b)-t.at) {
		t.fail(errShort)
		return nil
	}
	t.at += int(n)
	return t.b[t.at-int(n) : t.at]
}

// fields calls do with each field of a structure. do takes its value, or reports
// false to pass over it.
func (t *thrift) fields(typ byte, do func(id int, typ byte) bool) {
	if typ != typeStruct {
		t.fail(fmt.Errorf("type %d where a structure is due", typ))
	}
	if t.depth++; t.depth > maxDepth {
		t.fail(errors.New("structures are nested too deep"))
	}
	id := 0
	for t.err == nil {
		head := t.byte()
		if head&15 == 0 {
			break
		}
		if delta := int(head >> 4); delta > 0 {
			id += delta
		} else {
			id = int(t.int(typeI16))
		}
		if t.err == nil && !do(id, head&15) {
			t.skip(head&15, true)
		}
	}
	t.depth--
}

// list calls do for each value of a list; do must take it. A list is not longer than
// the bytes that follow, of which each of its values takes one at least.
func (t *thrift) list(typ byte, do func(typ byte)) {
	if typ != typeList && typ != typeSet {
		t.fail(fmt.Errorf("type %d where a list is due", typ))
		return
	}
	head := t.byte()
	n := uint64(head >> 4)
	if n == 15 {
		n = t.uvarint()
	}
	if n > uint64(len(t.b)-t.at) {
		t.fail(fmt.Errorf("a list of %d in %d bytes: %w", n, len(t.b)-t.at, errShort))
		return
	}
	for range n {
		if t.err != nil {
			return
		}
		do(head & 15)
	}
}

// skip passes over a value. As a field's, true and false are types; in a list they
// are a byte each.
func (t *thrift) skip(typ byte, field bool) {
	switch typ {
	case typeTrue, typeFalse:
		if !field {
			t.byte()
		}
	case typeByte:
		t.byte()
	case typeI16, typeI32, typeI64:
		t.uvarint()
	case typeDouble:
		t.advance(8)
	case typeBinary:
		t.bytes(typ)
	case typeList, typeSet:
		if t.depth++; t.depth > maxDepth {
			t.fail(errors.New("lists are nested too deep"))
		}
		t.list(typ, func(typ byte) { t.skip(typ, false) })
		t.depth--
	case typeMap:
		t.skipMap()
	case typeStruct:
		t.fields(typ, func(int, byte) bool { return false })
	default:
		t.fail(fmt.Errorf("unknown type %d", typ))
	}
}

func (t *thrift) skipMap() {
	if t.depth++; t.depth > maxDepth {
		t.fail(errors.New("maps are nested too deep"))
	}
	n := t.uvarint()
	if n > uint64(len(t.b)-t.at) {
		t.fail(errShort)
		return
	}
	if n > 0 {
		types := t.byte()
		for range n {
			if t.err != nil {
				return
			}
			t.skip(types>>4, false)
			t.skip(types&15, false)
		}
	}
	t.depth--
}

func (t *thrift) advance(n int) {
	if n > len(t.b)-t.at {
		t.fail(errShort)
		return
	}
	t.at += n
}
