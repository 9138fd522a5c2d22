package lines

import (
	"bytes"
	"fmt"
	"io"
	"math"
)

// Table reads rows of fields: header gets those of the first line, row those of each other,
// with the line's number. The separator is the first line's; empty lines and those that begin
// with # are passed over. last is the number of the last line, 0 where there was no first one. Errors
// begin with the line's number; those of header and row are returned as they are.
func Table(r io.Reader, most int, header, row func(fields [][]byte, line int) error) (last int, err error) {
	in, err := New(r, most)
	if err != nil {
		return 0, fmt.Errorf("1: %w", err)
	}
	var sep byte
	for {
		text, err := in.Next()
		if err == io.EOF {
			if sep == 0 {
				return 0, nil
			}
			return in.Row(), nil
		}
		if err != nil {
			return in.Row(), fmt.Errorf("%d: %w", in.Row(), err)
		}
		if t := bytes.TrimSpace(text); len(t) == 0 || t[0] == '#' {
			continue
		}
		take := row
		if sep == 0 {
			sep, take = Separator(text, math.MaxInt), header
		}
		fields, err := Split(nil, text, sep)
		if err == nil {
			err = take(fields, in.Row())
		} else {
			err = fmt.Errorf("%d: %w", in.Row(), err)
		}
		if err != nil {
			return in.Row(), err
		}
	}
}
