package csvio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxRow bounds the length of a row, so that a file that is no CSV at all is
// an error and does not fill the memory.
const maxRow = 1 << 20

// lines cuts a stream into lines without copying them.
type lines struct {
	in         io.Reader
	buf        []byte
	start, end int
	eof        bool
	row        int // the number of the last line, from 1
}

// next returns the next line without its end, valid until the next call, or
// io.EOF.
func (l *lines) next() ([]byte, error) {
	searched := 0
	for {
		unread := l.buf[l.start:l.end]
		if n := bytes.IndexByte(unread[searched:], '\n'); n >= 0 {
			n += searched
			l.start += n + 1
			l.row++
			return bytes.TrimSuffix(unread[:n], []byte{'\r'}), nil
		}
		if l.eof {
			if len(unread) == 0 {
				return nil, io.EOF
			}
			l.start = l.end
			l.row++
			return bytes.TrimSuffix(unread, []byte{'\r'}), nil
		}
		searched = len(unread)
		if searched > maxRow {
			l.row++
			return nil, fmt.Errorf("the row is longer than %d bytes: no CSV of wafer images", maxRow)
		}
		if err := l.fill(); err != nil {
			l.row++
			return nil, err
		}
	}
}

// fill makes room and reads on.
func (l *lines) fill() error {
	if l.start > 0 {
		l.end = copy(l.buf, l.buf[l.start:l.end])
		l.start = 0
	}
	if l.end == len(l.buf) {
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	for tries := 0; ; tries++ {
		n, err := l.in.Read(l.buf[l.end:])
		l.end += n
		switch {
		case err == io.EOF:
			l.eof = true
			return nil
		case err != nil:
			return err
		case n > 0:
			return nil
		case tries == 100:
			return io.ErrNoProgress
		}
	}
}

// split cuts a row into fields at a separator, without spaces around them, and
// undoes quotation. The separator ' ' stands for any number of spaces and tabs.
// It appends to fields.
func split(fields [][]byte, line []byte, sep byte) ([][]byte, error) {
	space, stop := " \t", string(sep)
	switch sep {
	case ' ':
		stop = " \t"
		line = bytes.Trim(line, space)
	case '\t':
		space = " "
	}
	for {
		line = bytes.TrimLeft(line, space)
		if len(line) == 0 || line[0] != '"' {
			end := bytes.IndexAny(line, stop)
			if end < 0 {
				return append(fields, bytes.Trim(line, space)), nil
			}
			fields = append(fields, bytes.Trim(line[:end], space))
			line = line[end+1:]
			continue
		}
		text, rest, err := unquote(line)
		if err != nil {
			return nil, err
		}
		fields = append(fields, text)
		if sep != ' ' {
			rest = bytes.TrimLeft(rest, space)
		}
		if len(rest) == 0 {
			return fields, nil
		}
		if bytes.IndexByte([]byte(stop), rest[0]) < 0 {
			return nil, errors.New("text behind a closing quotation mark")
		}
		line = rest[1:]
	}
}

// unquote reads the quoted field that line starts with.
func unquote(line []byte) (text, rest []byte, err error) {
	line = line[1:]
	for {
		n := bytes.IndexByte(line, '"')
		if n < 0 {
			return nil, nil, errors.New("a quotation mark is not closed in its row")
		}
		text = append(text, line[:n]...)
		line = line[n+1:]
		if len(line) == 0 || line[0] != '"' {
			return text, line, nil
		}
		text = append(text, '"')
		line = line[1:]
	}
}

// beginning returns the first row and perhaps more, or as much of it as is enough
// to tell what the stream is.
func (l *lines) beginning() ([]byte, error) {
	for !l.eof && l.end < 4096 && bytes.IndexByte(l.buf[:l.end], '\n') < 0 {
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
	return l.buf[:l.end], nil
}
