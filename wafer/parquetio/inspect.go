package parquetio

import (
	"context"
	"errors"
	"fmt"
	"io"

	"barrow/internal/parquet"
	"barrow/wafer"
)

// Inspect lists the columns of a file, which is one table. Lists and structures are
// listed by the columns of values that they are stored in.
func (Format) Inspect(ctx context.Context, src *wafer.Source, s wafer.InspectSettings) ([]wafer.Object, error) {
	in, size, err := src.File()
	if err != nil {
		return nil, fmt.Errorf("parquetio: %w", err)
	}
	f, err := parquet.Open(in, size)
	if err != nil {
		return nil, fmt.Errorf("parquetio: %s: %w", src.Name, err)
	}
	o := wafer.Object{Name: "table", Kind: "table", Entries: f.Rows, Images: images(f, s.Read)}
	for i, leaf := range f.Leaves {
		c := wafer.Summary{Name: leaf.Name(), Type: leaf.Type()}
		if k := kindOf(leaf); s.Stats && (k == whole || k == real) {
			c.Stats, err = stats(ctx, f, leaf)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				c.Stats, c.Unread = nil, err.Error()
			}
		}
		o.Columns = append(o.Columns, c)
		if s.Progress != nil {
			s.Progress(float64(i+1)/float64(len(f.Leaves)), c.Name)
		}
	}
	return []wafer.Object{o}, nil
}

// images says what Barrow makes of the file.
func images(f *parquet.File, s wafer.ReadSettings) string {
	l, err := newLayout(f, s)
	if unclear := (*wafer.UnclearError)(nil); errors.As(err, &unclear) {
		return "no images: " + unclear.Looks
	}
	if err != nil {
		return "no images: " + err.Error()
	}
	where := "in a column each"
	if l.list != nil {
		where = "in lists of column " + l.list.Path[0]
	}
	text := fmt.Sprintf("%d images, the charges %s, and %d columns", f.Rows, where, len(l.columns))
	if l.OrderSaid {
		text += ", cells numbered " + l.Order.String()
	}
	if l.Unit != "" {
		text += ", unit " + l.Unit
	}
	return text
}

// stats reads all numbers of a column.
func stats(ctx context.Context, f *parquet.File, leaf *parquet.Leaf) (*wafer.Stats, error) {
	c := f.Column(leaf)
	defer c.Close()
	st := &wafer.Stats{}
	var v parquet.Values
	var part []float64
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, err := c.Read(&v, 1<<14)
		if err == io.EOF {
			return st, nil
		}
		if err != nil {
			return nil, err
		}
		xs, err := numbers(part, leaf, &v)
		if err != nil {
			return nil, err
		}
		for _, x := range xs {
			st.Add(x)
		}
		if len(v.Float) == 0 {
			part = xs
		}
	}
}
