// Package lines cuts tables in text into lines and fields: what readers of such
// tables share, whatever their columns mean.
package lines

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A Reader cuts a stream into lines without copying them.
type Reader struct {
	in         io.Reader
	most       int // bytes of a line
	buf        []byte
	start, end int
	before     int64 // bytes of the stream before buf
	eof        bool
	row        int
}

// New begins to read a stream whose lines have at most so many bytes, so that one
// that is no text at all is an error and does not fill the memory. A byte-order
// mark is passed over, and an encoding that is not read is an error.
func New(in io.Reader, most int) (*Reader, error) {
	r := &Reader{in: in, most: most, buf: make([]byte, min(256<<10, most))}
	head, err := r.beginning()
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		r.start += len("\ufeff")
	}
	return r, encoding(head)
}

// Row is the number of the last line, or of the one in which an error is, from 1.
func (r *Reader) Row() int { return r.row }

// Offset is where in the stream the next line begins.
func (r *Reader) Offset() int64 { return r.before + int64(r.start) }

// Forward goes on to the line that begins at an offset behind the present one, where the line
// before has the number row: at once where the stream can, else by reading up to there.
func (r *Reader) Forward(offset int64, row int) error {
	switch at := r.Offset(); {
	case offset < at:
		return fmt.Errorf("byte %d is passed already", offset)
	case offset == at:
		r.row = row
		return nil
	}
	far := r.before + int64(r.end)
	to := offset - 1 // which ends the line before
	if to >= far {
		if s, ok := r.in.(io.Seeker); ok {
			if at, err := s.Seek(to, io.SeekStart); err == nil && at == to {
				far = to
			}
		}
		if _, err := io.CopyN(io.Discard, r.in, to-far); err != nil && err != io.EOF {
			return err
		}
		r.before, r.start, r.end = to, 0, 0
	} else {
		r.start = int(to - r.before)
	}
	for r.start == r.end && !r.eof {
		if err := r.fill(); err != nil {
			return err
		}
	}
	if r.start == r.end || r.buf[r.start] != '\n' {
		return fmt.Errorf("no line begins at byte %d: these are not the bytes in which one did", offset)
	}
	r.start++
	r.row = row
	return nil
}

// Next returns the next line without its end, valid until the next call, or
// io.EOF.
func (r *Reader) Next() ([]byte, error) {
	searched := 0
	for {
		unread := r.buf[r.start:r.end]
		if n := bytes.IndexByte(unread[searched:], '\n'); n >= 0 {
			n += searched
			r.start += n + 1
			r.row++
			return bytes.TrimSuffix(unread[:n], []byte{'\r'}), nil
		}
		if r.eof {
			if len(unread) == 0 {
				return nil, io.EOF
			}
			r.start = r.end
			r.row++
			return bytes.TrimSuffix(unread, []byte{'\r'}), nil
		}
		searched = len(unread)
		if searched > r.most {
			r.row++
			return nil, fmt.Errorf("the row is longer than %d bytes: is it a table?", r.most)
		}
		if err := r.fill(); err != nil {
			r.row++
			return nil, err
		}
	}
}

// fill makes room and reads on.
func (r *Reader) fill() error {
	if r.start > 0 {
		r.before += int64(r.start)
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buf) {
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	for tries := 0; ; tries++ {
		n, err := r.in.Read(r.buf[r.end:])
		r.end += n
		switch {
		case err == io.EOF:
			r.eof = true
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

// Split cuts a row into fields at a separator, without spaces around them, and
// undoes quotation. The separator ' ' stands for any number of spaces and tabs.
// It appends to fields.
func Split(fields [][]byte, line []byte, sep byte) ([][]byte, error) {
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
func (r *Reader) beginning() ([]byte, error) {
	for !r.eof && r.end < 4096 && bytes.IndexByte(r.buf[:r.end], '\n') < 0 {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	return r.buf[:r.end], nil
}

// encoding reports text in an encoding that is not read, by its beginning.
func encoding(head []byte) error {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(head, []byte(mark)) {
			return errors.New("the text is UTF-16: save it as UTF-8")
		}
	}
	line, _, whole := bytes.Cut(head, []byte("\n"))
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return errors.New("the file is compressed by gzip: unpack it first")
	case bytes.IndexByte(line, 0) >= 0:
		return errors.New("zero bytes in the first row: the text is UTF-16 (save it as UTF-8), or it is no text")
	case whole && bytes.IndexByte(bytes.TrimSuffix(line, []byte("\r")), '\r') >= 0,
		!whole && bytes.Count(line, []byte("\r")) > 1:
		return errors.New("the rows end in carriage returns alone: save the file with line feeds")
	}
	return nil
}

// Separator tells what stands between the columns of a row: the first of tab,
// semicolon, comma and spaces that makes enough columns of it, otherwise the most
// frequent of the first three, and spaces where there is none of these, since names
// may have some. For a single field it is a comma.
func Separator(row []byte, enough int) byte {
	best, most := byte(','), 1
	for _, sep := range []byte{'\t', ';', ',', ' '} {
		fields, err := Split(nil, row, sep)
		if err != nil && sep == ',' {
			return sep // which says what is wrong
		}
		if err != nil || padding(fields, sep) {
			continue
		}
		if len(fields) >= enough {
			return sep
		}
		if len(fields) > most && (sep != ' ' || most == 1) {
			best, most = sep, len(fields)
		}
	}
	return best
}

// padding reports whether tabs or spaces only stand beside other separators.
func padding(fields [][]byte, sep byte) bool {
	n := 0
	for _, f := range fields {
		if len(f) > 0 && (sep == '\t' || sep == ' ') && bytes.IndexByte([]byte(",;"), f[len(f)-1]) >= 0 {
			n++
		}
	}
	return n > 0 && 2*n >= len(fields)
}
