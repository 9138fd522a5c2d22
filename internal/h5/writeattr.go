package h5

import (
	"fmt"
	"strings"
)

// attributes encodes a group's attributes.
func (w *writer) attributes(t *Tree, path string) ([]message, error) {
	var out []message
	for _, name := range sorted(t.Scalars) {
		s := t.Scalars[name]
		var ref buffer
		ref.u32(uint32(len(s)))
		if s == "" {
			ref.u64(0)
		} else {
			ref.u64(w.heapAt)
		}
		ref.u32(w.heap[s])
		typ := typeString
		if strings.IndexFunc(s, func(r rune) bool { return r > 127 }) >= 0 {
			typ = typeStringUTF8
		}
		out = append(out, attributeMessage(name, typ, dataspace(nil), ref))
	}
	for _, name := range sorted(t.Lists) {
		parts, err := splitList(t.Lists[name])
		if err != nil {
			return nil, fmt.Errorf("%w in attribute %s of %s", err, name, path)
		}
		for i, part := range parts {
			n := name
			if len(parts) > 1 {
				n = chunkName(name, i)
			}
			out = append(out, listMessage(n, part))
		}
	}
	return out, nil
}

// listMessage encodes a list of strings as numpy would write it: padded with
// zeros to the longest; the empty list as no numbers of type float64.
func listMessage(name string, list []string) message {
	if len(list) == 0 {
		return attributeMessage(name, typeFloat64, dataspace([]int{0}), nil)
	}
	width := longest(list)
	typ := buffer{0x13, 1, 0, 0}
	typ.u32(uint32(width))
	var data buffer
	for _, s := range list {
		data = append(data, s...)
		data = append(data, make([]byte, width-len(s))...)
	}
	return attributeMessage(name, typ, dataspace([]int{len(list)}), data)
}

// longest is the width that numpy gives a list of strings, at least one byte.
func longest(list []string) int {
	width := 1
	for _, s := range list {
		width = max(width, len(s))
	}
	return width
}

// splitList splits a list into the fewest nearly equal parts of at most
// AttributeLimit bytes, as Keras's save_attributes_to_hdf5_group does.
func splitList(list []string) ([][]string, error) {
	for _, s := range list {
		if len(s) > AttributeLimit {
			return nil, errorf("a string of %d bytes, above the %d that one may have,", len(s), AttributeLimit)
		}
		if strings.ContainsRune(s, 0) {
			return nil, errorf("%q, which holds a zero byte,", s)
		}
	}
	width := longest(list)
	for n := 1; ; n++ {
		parts := make([][]string, 0, n)
		small, at := true, 0
		for i := range n {
			size := len(list) / n
			if i < len(list)%n {
				size++
			}
			parts = append(parts, list[at:at+size])
			small = small && size*width <= AttributeLimit
			at += size
		}
		if small {
			return parts, nil
		}
	}
}

// attributeMessage encodes an attribute of version 1.
func attributeMessage(name string, typ, space, data []byte) message {
	b := buffer{1, 0}
	b.u16(len(name) + 1)
	b.u16(len(typ))
	b.u16(len(space))
	b = append(append(b, name...), 0)
	b.pad()
	b = append(b, typ...)
	b.pad()
	b = append(b, space...)
	b.pad()
	return message{msgAttribute, append(b, data...)}
}
