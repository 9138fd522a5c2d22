package rootio

import (
	"context"
	"fmt"
	"strings"

	"barrow/internal/root"
	"barrow/wafer"
)

// Format is ROOT files as one of the formats of wafer files.
type Format struct{}

var (
	_ wafer.Inspector = Format{}
	_ wafer.Creator   = Format{}
)

// Name is root.
func (Format) Name() string { return "root" }

// Endings are .root alone.
func (Format) Endings() []string { return []string{".root"} }

// Sniff knows the files by how they begin.
func (Format) Sniff(head []byte) bool { return root.IsROOT(head) }

// Heeds lists the settings that apply to such files.
func (Format) Heeds() []string { return []string{"tree", "charge"} }

// Open starts reading the table that the settings name, else the only one that has
// images.
func (Format) Open(src *wafer.Source, s wafer.ReadSettings) (wafer.FileReader, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	tables, err := contents(src)
	if err != nil {
		return nil, err
	}
	t, p, err := choose(src.Name, tables, s)
	if err != nil {
		return nil, err
	}
	return newReader(t.place(src.Name), t.table, p)
}

// A table is a TTree or an RNTuple of a file.
type table struct {
	name  string // with its folders
	cycle int
	kind  string
	table root.Table
	err   error // why there is none
}

func (t table) place(file string) string { return file + ": " + t.name }

// contents lists the tables of a file.
func contents(src *wafer.Source) ([]table, error) {
	at, size, err := src.File()
	if err != nil {
		return nil, fmt.Errorf("rootio: %w", err)
	}
	f, err := root.Open(at, size)
	if err != nil {
		return nil, fmt.Errorf("rootio: %s: %w", src.Name, err)
	}
	var tables []table
	for _, k := range f.Keys() {
		if t, ok := openTable(f, k); ok {
			tables = append(tables, t)
		}
	}
	return tables, nil
}

// choose finds the table to read, and what to make of it.
func choose(file string, tables []table, s wafer.ReadSettings) (table, plan, error) {
	if s.Tree != "" {
		t, err := named(file, tables, s.Tree)
		if err != nil {
			return t, plan{}, err
		}
		if t.err != nil {
			return t, plan{}, fmt.Errorf("rootio: %s: %w", t.place(file), t.err)
		}
		p := planOf(t.place(file), t.table, s)
		if p.start == nil {
			return t, p, fmt.Errorf("rootio: %s: %s; its columns: %s", t.place(file), p.says, newNames(t.table).list(""))
		}
		return t, p, nil
	}
	var fit []table
	var plans []plan
	for _, t := range tables {
		if t.err != nil {
			continue
		}
		if p := planOf(t.place(file), t.table, s); p.start != nil {
			fit, plans = append(fit, t), append(plans, p)
		}
	}
	if len(fit) > 1 { // those without entries are no choice
		for i := 0; i < len(fit) && len(fit) > 1; {
			if fit[i].table.Entries() == 0 {
				fit, plans = append(fit[:i:i], fit[i+1:]...), append(plans[:i:i], plans[i+1:]...)
				continue
			}
			i++
		}
	}
	switch len(fit) {
	case 0:
		return table{}, plan{}, none(file, tables, s)
	case 1:
		return fit[0], plans[0], nil
	}
	unclear := &wafer.UnclearError{Place: "rootio: " + file, Looks: fmt.Sprintf("%d tables have images", len(fit))}
	for i, t := range fit {
		unclear.Choices = append(unclear.Choices, wafer.Choice{Setting: "tree", Value: t.name, Means: fmt.Sprintf("%d entries: %s", t.table.Entries(), plans[i].says)})
	}
	return table{}, plan{}, unclear
}

// named finds a table by its name, without folders too where there is one of it.
func named(file string, tables []table, name string) (table, error) {
	name = strings.Trim(name, "/")
	var short []table
	for _, t := range tables {
		path := fmt.Sprintf("%s;%d", t.name, t.cycle)
		if t.name == name || path == name {
			return t, nil
		}
		if strings.HasSuffix(t.name, "/"+name) || strings.HasSuffix(path, "/"+name) {
			short = append(short, t)
		}
	}
	if len(short) == 1 {
		return short[0], nil
	}
	among := tables
	what := "no table"
	if len(short) > 1 {
		among, what = short, fmt.Sprintf("%d tables", len(short))
	}
	var names []string
	for _, t := range among {
		names = append(names, t.name)
	}
	if len(names) == 0 {
		names = []string{"none"}
	}
	return table{}, fmt.Errorf("rootio: %s: %s called %s; there are: %s", file, what, name, strings.Join(names, ", "))
}

// none is the error of a file without images: it says what there is instead.
func none(file string, tables []table, s wafer.ReadSettings) error {
	if len(tables) == 0 {
		return fmt.Errorf("rootio: %s: no TTree and no RNTuple in it, so no images", file)
	}
	const most = 5
	var lines []string
	for _, t := range tables[:min(most, len(tables))] {
		if t.err != nil {
			lines = append(lines, fmt.Sprintf("%s %s is not read: %v", t.kind, t.name, t.err))
			continue
		}
		p := planOf(t.place(file), t.table, s)
		lines = append(lines, fmt.Sprintf("%s %s (%d entries): %s; its columns: %s", t.kind, t.name, t.table.Entries(), p.says, newNames(t.table).list("")))
	}
	if len(tables) > most {
		lines = append(lines, fmt.Sprintf("and %d more", len(tables)-most))
	}
	return fmt.Errorf("rootio: %s: no table of wafer images: %s", file, strings.Join(lines, " | "))
}

// Inspect lists the tables.
func (Format) Inspect(ctx context.Context, src *wafer.Source, s wafer.InspectSettings) ([]wafer.Object, error) {
	if err := s.Read.Check(); err != nil {
		return nil, err
	}
	tables, err := contents(src)
	if err != nil {
		return nil, err
	}
	columns, done := 0, 0
	for _, t := range tables {
		if t.err == nil {
			columns += len(t.table.Columns())
		}
	}
	var out []wafer.Object
	for _, t := range tables {
		o := wafer.Object{Name: t.name, Kind: t.kind}
		if t.err != nil {
			o.Unread = t.err.Error()
			out = append(out, o)
			continue
		}
		o.Entries = t.table.Entries()
		o.Images = made(t.place(src.Name), t.table, s.Read)
		for i, c := range t.table.Columns() {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			sum := wafer.Summary{Name: c.Name, Type: c.Type, Unread: c.Unread}
			if s.Stats && isNumber(c) {
				if sum.Stats, err = stats(ctx, t.table, i); err != nil {
					sum.Stats, sum.Unread = nil, err.Error()
				}
			}
			o.Columns = append(o.Columns, sum)
			done++
			if s.Progress != nil {
				s.Progress(float64(done)/float64(columns), t.name)
			}
		}
		out = append(out, o)
	}
	return out, ctx.Err()
}

// made says what Barrow makes of a table.
func made(place string, t root.Table, s wafer.ReadSettings) string {
	p := planOf(place, t, s)
	if p.count < 0 || p.start == nil {
		return p.says
	}
	// A look at the first events is enough to say how many items they have.
	const look = 200
	b := newBatch(place, t)
	f, err := b.need(p.count, root.Int)
	if err != nil {
		return p.says
	}
	events, items := 0, 0.0
	for events < look {
		more, err := b.next()
		if err != nil || !more {
			break
		}
		for _, v := range f.array.Int {
			items += float64(v)
		}
		events += b.n
	}
	if events == 0 {
		return p.says
	}
	return fmt.Sprintf("%s; %s an event: about %.0f", p.says, p.items, items/float64(events))
}

// stats reads all numbers of a column.
func stats(ctx context.Context, t root.Table, column int) (*wafer.Stats, error) {
	kind := t.Columns()[column].Kind
	r, err := t.Reader(column)
	if err != nil {
		return nil, err
	}
	st := &wafer.Stats{}
	var a root.Array
	const most = 1 << 16 // values in memory
	for first, size, n := int64(0), 1, 0; first < t.Entries(); first += int64(n) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n = int(min(t.Entries()-first, int64(size)))
		if err := r.Read(&a, first, n); err != nil {
			return nil, err
		}
		switch kind {
		case root.Float:
			for _, v := range a.Float {
				st.Add(v)
			}
		case root.Uint:
			for _, v := range a.Int {
				st.Add(float64(uint64(v)))
			}
		default:
			for _, v := range a.Int {
				st.Add(float64(v))
			}
		}
		size = following(n, max(len(a.Int), len(a.Float)), most)
	}
	return st, nil
}
