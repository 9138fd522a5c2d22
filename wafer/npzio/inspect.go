package npzio

import (
	"context"
	"fmt"
	"io"
	"strings"

	"barrow/internal/npz"
	"barrow/wafer"
)

// Inspect lists the arrays as columns of one object.
func (Archive) Inspect(ctx context.Context, src *wafer.Source, s wafer.InspectSettings) ([]wafer.Object, error) {
	f, err := openArchive(src)
	if err != nil {
		return nil, err
	}
	return f.inspect(ctx, s)
}

// Inspect lists the array, or the fields of its records.
func (Array) Inspect(ctx context.Context, src *wafer.Source, s wafer.InspectSettings) ([]wafer.Object, error) {
	f, err := openArray(src)
	if err != nil {
		return nil, err
	}
	return f.inspect(ctx, s)
}

func (f *file) inspect(ctx context.Context, s wafer.InspectSettings) ([]wafer.Object, error) {
	o := wafer.Object{Kind: "arrays"}
	var parts []part
	for i, name := range f.arrays {
		r, err := f.open(i)
		if err != nil {
			parts = append(parts, unread(name, i, err))
			o.Columns = append(o.Columns, wafer.Summary{Name: name, Unread: err.Error()})
			continue
		}
		columns, more, err := f.summaries(ctx, r, i, s)
		r.Close()
		if err != nil {
			return nil, err
		}
		o.Columns, parts = append(o.Columns, columns...), append(parts, more...)
		if len(r.Shape) > 0 && o.Entries == 0 {
			o.Entries = int64(r.Rows())
		}
		if s.Progress != nil {
			s.Progress(float64(i+1)/float64(len(f.arrays)), fmt.Sprintf("%d arrays", i+1))
		}
	}
	l, err := f.arrange(parts, s.Read)
	if err != nil {
		o.Images = "no images: " + strings.TrimPrefix(err.Error(), "npzio: "+f.name+": ")
		return []wafer.Object{o}, nil
	}
	o.Entries = int64(l.Rows)
	o.Images = l.String()
	return []wafer.Object{o}, nil
}

// String says what the images are made of.
func (l *layout) String() string {
	text := fmt.Sprintf("%d images of %s", l.Rows, l.charges[0].Name)
	switch {
	case len(l.charges) > 1:
		text += " … " + l.charges[len(l.charges)-1].Name
	case l.charges[0].Name == "":
		text = fmt.Sprintf("%d images", l.Rows)
	}
	if l.OrderSaid {
		text += fmt.Sprintf(", numbered %v", l.Order)
	}
	if l.Unit != "" {
		text += ", in " + l.Unit
	}
	if len(l.columns) > 0 {
		var names []string
		for _, c := range l.columns {
			names = append(names, c.Name)
		}
		text += "; with " + strings.Join(names, ", ")
	}
	return text
}

// summaries are those of one array's fields.
func (f *file) summaries(ctx context.Context, r *npz.Reader, array int, s wafer.InspectSettings) ([]wafer.Summary, []part, error) {
	parts, err := look(r, f.arrays[array], array)
	if err != nil { // a text without dimensions that is damaged
		return []wafer.Summary{{Name: f.arrays[array], Unread: err.Error()}}, nil, nil
	}
	var columns []wafer.Summary
	for i := range parts {
		p := &parts[i]
		c := wafer.Summary{Name: p.Name, Type: p.Kind, Unread: p.Unread}
		if s.Stats && c.Unread == "" && p.Numbers {
			c.Stats = &wafer.Stats{}
		}
		columns = append(columns, c)
	}
	if !s.Stats {
		return columns, parts, nil
	}
	return columns, parts, add(ctx, r, columns)
}

// add reads an array for the columns' statistics. Where it cannot be read, they have
// none.
func add(ctx context.Context, r *npz.Reader, columns []wafer.Summary) error {
	var v []float64
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := r.Next(max(1, 1<<20/max(1, r.RowSize())))
		if err == io.EOF {
			return nil
		}
		for k := range columns {
			c := &columns[k]
			if c.Stats == nil {
				continue
			}
			if err != nil {
				c.Stats, c.Unread = nil, err.Error()
				continue
			}
			v = r.Floats(&r.Fields[k], v)
			for _, x := range v {
				c.Stats.Add(x)
			}
		}
		if err != nil {
			return nil
		}
	}
}
