package npz

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// joinRows is how many rows are in memory at a time.
const joinRows = 1024

// Join makes an archive of others that have the same arrays of Float64, one behind the other along
// the first axis: the file that [Create] makes of all rows. It appears complete or not at all; an
// existing one is an error.
func Join(ctx context.Context, path string, parts ...string) error {
	var w *Writer
	for _, part := range parts {
		err := joinPart(part, func(a *Archive, in []*Reader) error {
			if w == nil {
				var arrays []Array
				for k, r := range in {
					arrays = append(arrays, Array{Name: a.Names[k], Type: Float64, Row: r.Shape[1:]})
				}
				var err error
				if w, err = Create(path, false, arrays...); err != nil {
					return err
				}
			}
			return w.appendAll(ctx, a, in, part)
		})
		if err != nil {
			if w != nil {
				w.Abort()
			}
			return err
		}
	}
	if w == nil {
		return fmt.Errorf("npz: nothing to make %s of", path)
	}
	return w.Commit()
}

// joinPart opens all arrays of a file for use.
func joinPart(path string, use func(*Archive, []*Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	a, err := NewArchive(f, info.Size(), path)
	if err != nil {
		return err
	}
	var in []*Reader
	for k := range a.Names {
		r, err := a.Open(k)
		if err != nil {
			return err
		}
		defer r.Close()
		if r.Type() != Float64 || len(r.Shape) < 2 {
			return fmt.Errorf("%s: %s is an array of %s, %v: want rows of float64", path, a.Names[k], r.Dims(), r.Type())
		}
		in = append(in, r)
	}
	return use(a, in)
}

// appendAll appends all rows of arrays that are as the writer's.
func (w *Writer) appendAll(ctx context.Context, a *Archive, in []*Reader, path string) error {
	if len(in) != len(w.arrays) {
		return fmt.Errorf("%s: %d arrays, want %d", path, len(in), len(w.arrays))
	}
	var values []float64
	for k, r := range in {
		s := w.arrays[k]
		if a.Names[k] != s.Name || !slices.Equal(r.Shape[1:], s.Row) {
			return fmt.Errorf("%s: %s of %s: want %s, rows of %v", path, a.Names[k], r.Dims(), s.Name, s.Row)
		}
		for left := r.Rows(); left > 0; {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := r.Next(min(left, joinRows))
			if err != nil {
				return err
			}
			values = r.Floats(&r.Fields[0], values[:0])
			if err := w.Append(s.Name, values); err != nil {
				return err
			}
			left -= n
		}
	}
	return nil
}
