package npz

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A literal is the text of a Python value, as headers have it: dictionaries whose keys
// are strings, lists, tuples, strings, whole numbers, True, False and None.
type literal struct {
	text []byte
	at   int
}

// list is a list or a tuple.
type list []any

var errLiteral = errors.New("it ends early")

func (l *literal) space() {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.at]) >= 0 {
		l.at++
	}
}

// next is the next byte that is no space, 0 at the end.
func (l *literal) next() byte {
	if l.space(); l.at == len(l.text) {
		return 0
	}
	return l.text[l.at]
}

// value reads a value: map[string]any, list, string, int64, bool or nil.
func (l *literal) value(depth int) (any, error) {
	if depth > maxDepth+8 {
		return nil, errors.New("it nests too deep")
	}
	switch c := l.next(); {
	case c == 0:
		return nil, errLiteral
	case c == '{':
		return l.dictionary(depth)
	case c == '(', c == '[':
		return l.list(depth)
	case c == '\'', c == '"':
		return l.quoted()
	case c >= '0' && c <= '9', c == '-':
		return l.number()
	}
	from := l.at
	for l.at < len(l.text) && (l.text[l.at]|0x20 >= 'a' && l.text[l.at]|0x20 <= 'z') {
		l.at++
	}
	switch word := string(l.text[from:l.at]); word {
	case "True":
		return true, nil
	case "False":
		return false, nil
	case "None":
		return nil, nil
	case "u", "b": // Python 2 writes u'…'
		if c := l.next(); c == '\'' || c == '"' {
			return l.quoted()
		}
	}
	return nil, fmt.Errorf("byte %d is not understood", from)
}

func (l *literal) dictionary(depth int) (any, error) {
	d := map[string]any{}
	for l.at++; l.next() != '}'; {
		k, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		key, ok := k.(string)
		if !ok || l.next() != ':' {
			return nil, fmt.Errorf("byte %d: want a name and a colon", l.at)
		}
		l.at++
		if d[key], err = l.value(depth + 1); err != nil {
			return nil, err
		}
		if err := l.comma('}'); err != nil {
			return nil, err
		}
	}
	l.at++
	return d, nil
}

// comma takes the comma behind an item, or leaves the bracket that ends the list.
func (l *literal) comma(end byte) error {
	switch l.next() {
	case ',':
		l.at++
	case end:
	default:
		return fmt.Errorf("byte %d: want a comma", l.at)
	}
	return nil
}

func (l *literal) list(depth int) (any, error) {
	end := byte(')')
	if l.text[l.at] == '[' {
		end = ']'
	}
	out, comma := list{}, end == ']'
	for l.at++; l.next() != end; {
		v, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		comma = comma || l.next() == ','
		if err := l.comma(end); err != nil {
			return nil, err
		}
	}
	l.at++
	if len(out) == 1 && !comma {
		return out[0], nil // a value in brackets
	}
	return out, nil
}

func (l *literal) number() (any, error) {
	from := l.at
	for l.at++; l.at < len(l.text) && l.text[l.at] >= '0' && l.text[l.at] <= '9'; {
		l.at++
	}
	n, err := strconv.ParseInt(string(l.text[from:l.at]), 10, 64)
	if l.at < len(l.text) && l.text[l.at] == 'L' { // Python 2
		l.at++
	}
	return n, err
}

func (l *literal) quoted() (any, error) {
	quote := l.text[l.at]
	var b []byte
	for l.at++; l.at < len(l.text); l.at++ {
		c := l.text[l.at]
		switch {
		case c == quote:
			l.at++
			return string(b), nil
		case c != '\\':
			b = append(b, c)
		default:
			r, n := l.escape()
			if n == 0 {
				return nil, fmt.Errorf("byte %d: a character in an unknown notation", l.at)
			}
			b = utf8.AppendRune(b, r)
			l.at += n
		}
	}
	return nil, errLiteral
}

// escape reads the notation of a character behind a backslash, and its length; 0 for
// one unknown.
func (l *literal) escape() (rune, int) {
	if l.at+1 >= len(l.text) {
		return 0, 0
	}
	c := l.text[l.at+1]
	if k := strings.IndexByte(`\'"ntr`, c); k >= 0 {
		return rune("\\'\"\n\t\r"[k]), 1
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if digits == 0 || l.at+2+digits > len(l.text) {
		return 0, 0
	}
	v, err := strconv.ParseUint(string(l.text[l.at+2:l.at+2+digits]), 16, 31)
	if err != nil {
		return 0, 0
	}
	return rune(v), 1 + digits
}
