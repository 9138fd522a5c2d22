package hdf5io

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"barrow/internal/h5"
	"barrow/wafer"
)

// Inspect lists the tables: groups with datasets, datasets of structures, data frames.
func (Format) Inspect(ctx context.Context, src *wafer.Source, s wafer.InspectSettings) ([]wafer.Object, error) {
	f, err := contents(src)
	if err != nil {
		return nil, err
	}
	chosen, why := f.arrange(s.Read)
	var objects []wafer.Object
	for i, t := range f.tables {
		o := wafer.Object{Name: t.name, Kind: t.kind, Entries: int64(t.rows())}
		if t.err != nil {
			o.Unread = t.err.Error()
		}
		for k := range t.parts {
			p := &t.parts[k]
			o.Columns = append(o.Columns, wafer.Summary{Name: p.name, Type: p.kind(), Unread: p.why})
		}
		if s.Stats {
			if err := t.stats(ctx, o.Columns); err != nil {
				return nil, err
			}
		}
		switch {
		case chosen == nil:
			o.Images = "no images: " + strings.TrimPrefix(why.Error(), "hdf5io: "+f.name+": ")
		case chosen.table == t:
			o.Entries = int64(chosen.Rows)
			o.Images = chosen.String()
		default:
			o.Images = "no images: not the ones that are read"
		}
		objects = append(objects, o)
		if s.Progress != nil {
			s.Progress(float64(i+1)/float64(len(f.tables)), fmt.Sprintf("%d tables", i+1))
		}
	}
	return objects, nil
}

// String says what the images are made of.
func (l *layout) String() string {
	text := fmt.Sprintf("%d images of %s", l.Rows, l.charges[0].name)
	if len(l.charges) > 1 {
		text += " … " + l.charges[len(l.charges)-1].name
	}
	if l.OrderSaid {
		text += fmt.Sprintf(", numbered %v", l.Order)
	}
	if l.Unit != "" {
		text += ", in " + l.Unit
	}
	if len(l.columns) > 0 {
		var names []string
		for _, p := range l.columns {
			names = append(names, p.name)
		}
		text += "; with " + strings.Join(names, ", ")
	}
	return text
}

// stats reads a table's numbers. A column that cannot be read has none, with the reason.
func (t *table) stats(ctx context.Context, columns []wafer.Summary) error {
	for first := 0; first < len(t.parts); {
		// Neighbours of one dataset are read together.
		next := first + 1
		for next < len(t.parts) && t.parts[next].dataset == t.parts[first].dataset {
			next++
		}
		if d := t.parts[first].dataset; d != nil {
			err := add(ctx, d, t.parts[first:next], columns[first:next])
			if ctx.Err() != nil {
				return ctx.Err()
			}
			for k := first; k < next && err != nil; k++ {
				if columns[k].Stats = nil; columns[k].Unread == "" {
					columns[k].Unread = err.Error()
				}
			}
		}
		first = next
	}
	return nil
}

// add reads a dataset for the statistics of its parts.
func add(ctx context.Context, d *h5.Dataset, parts []part, columns []wafer.Summary) error {
	any := false
	for k := range parts {
		if parts[k].numbers() {
			columns[k].Stats, any = &wafer.Stats{}, true
		}
	}
	if !any {
		return nil
	}
	rows, err := d.Rows()
	if err != nil {
		return err
	}
	var raw []byte
	var v []float64
	batch := max(1, (1<<20)/max(1, rows.Size()))
	for first := 0; first < rows.Len(); first += batch {
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		n := min(batch, rows.Len()-first)
		if raw, err = rows.Read(raw, first, n); err != nil {
			return err
		}
		for k := range parts {
			p := &parts[k]
			if columns[k].Stats == nil {
				continue
			}
			per := p.per()
			if cap(v) < per {
				v = make([]float64, per)
			}
			for i := range n {
				p.typ.Floats(v[:per], raw[i*rows.Size()+p.offset:], p.typ.Size)
				for _, x := range v[:per] {
					columns[k].Stats.Add(x)
				}
			}
		}
	}
	return nil
}
