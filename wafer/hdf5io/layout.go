package hdf5io

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/internal/arrays"
)

// layout says what the parts of a table are.
type layout struct {
	arrays.Roles
	table   *table
	charges []*part // one of all 48, or 48 in the file's order
	columns []*part
}

// arrange finds the table to read, and out what its parts are.
func (f *file) arrange(s wafer.ReadSettings) (*layout, error) {
	l, err := f.choose(s)
	if err == nil {
		err = l.settle(f, s)
	}
	var unclear *wafer.UnclearError
	if errors.As(err, &unclear) {
		unclear.Place = "hdf5io: " + f.name
		return nil, unclear
	}
	if err != nil {
		return nil, fmt.Errorf("hdf5io: %s: %w", f.name, err)
	}
	return l, nil
}

// settle takes what the charges, their table or the file say in attributes, and the
// columns.
func (l *layout) settle(f *file, s wafer.ReadSettings) error {
	for _, i := range l.Charges {
		l.charges = append(l.charges, &l.table.parts[i])
	}
	find := func(attribute string) string {
		for _, words := range []func(string) (string, bool, error){l.charges[0].dataset.String, l.table.words, f.root.String} {
			// An attribute of that name which is no text has another meaning.
			if text, ok, err := words(attribute); ok && err == nil {
				return strings.TrimSpace(text)
			}
		}
		return ""
	}
	if err := l.Settle(l.table.described(), find("order"), find("unit"), s); err != nil {
		return err
	}
	for _, i := range l.Columns {
		l.columns = append(l.columns, &l.table.parts[i])
	}
	return nil
}

// choose finds the charges.
func (f *file) choose(s wafer.ReadSettings) (*layout, error) {
	if s.Tree != "" {
		return f.named(s)
	}
	if what := f.model(); what != "" {
		return nil, fmt.Errorf("holds %s, no images", what)
	}
	return f.best(f.tables, s)
}

// model says what of Keras the file is, "" if it is none.
func (f *file) model() string {
	for _, of := range [][2]string{{"model_config", "a model of Keras"}, {"layer_names", "weights of a Keras model"}, {"keras_version", "weights of a Keras model"}} {
		if ok, err := f.root.HasAttribute(of[0]); ok && err == nil {
			return of[1]
		}
	}
	// Keras 3 has no attributes, but folders of these names.
	if f.root.Has("model_weights") || f.root.Has("_layer_checkpoint_dependencies") || f.root.Has("layers") && f.root.Has("vars") {
		return "weights of a Keras model"
	}
	return ""
}

// named takes the table, the dataset or the folder of one that the setting names.
func (f *file) named(s wafer.ReadSettings) (*layout, error) {
	name := strings.Trim(s.Tree, "/")
	if name == "" {
		name = "/"
	}
	var within []*table
	for _, t := range f.tables {
		if t.name == name {
			return f.best([]*table{t}, s)
		}
		for i := range t.parts {
			if t.path(&t.parts[i]) == name {
				l := &layout{table: t}
				return l, l.Take(t.described(), i)
			}
		}
		if strings.HasPrefix(t.name, name+"/") {
			within = append(within, t)
		}
	}
	if len(within) > 0 {
		return f.best(within, s)
	}
	return nil, fmt.Errorf("nothing is called %s; there are %s", s.Tree, f.list())
}

// path is a part's full name.
func (t *table) path(p *part) string { return strings.TrimPrefix(t.name+"/"+p.name, "//") }

// named reports whether parts are called as charges are.
func (t *table) named() bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { _, ok := wafer.ParseChargeName(p.name); return ok })
}

// best takes the only table that has parts called as charges are, or else the only part
// of N×48 numbers.
func (f *file) best(tables []*table, s wafer.ReadSettings) (*layout, error) {
	var named []*table
	var fit []wafer.Choice
	var l *layout
	at := 0 // the part of l that is the charges
	for _, t := range tables {
		if t.named() {
			named = append(named, t)
		}
		for i := range t.parts {
			if p := &t.parts[i]; p.image() {
				fit = append(fit, wafer.Choice{Setting: "tree", Value: t.path(p), Means: p.kind()})
				l, at = &layout{table: t}, i
			}
		}
	}
	switch {
	case len(named) == 1:
		l = &layout{table: named[0]}
		if l.table.err != nil {
			return nil, l.table.err
		}
		_, err := l.Named(l.table.described(), s)
		return l, err
	case len(named) > 1:
		e := &wafer.UnclearError{Looks: fmt.Sprintf("%d tables have charges", len(named))}
		for _, t := range named {
			e.Choices = append(e.Choices, wafer.Choice{Setting: "tree", Value: t.name, Means: t.String()})
		}
		return nil, e
	case len(fit) == 1 && l.table.parts[at].name == numberedColumns:
		return l, l.Take(l.table.described(), at)
	case len(fit) == 1:
		return l, l.Only(l.table.described(), at)
	case len(fit) > 1:
		return nil, &wafer.UnclearError{Looks: fmt.Sprintf("nothing is called CALQ, and more than one dataset may be the charges, having rows of %d numbers", hgcal.Cells), Choices: fit}
	}
	return nil, f.none(tables)
}

// String says of a table how large it is.
func (t *table) String() string {
	return fmt.Sprintf("%s of %d rows, %d columns", t.kind, t.rows(), len(t.parts))
}

// rows is the number of rows that most parts have, of the first such number.
func (t *table) rows() int {
	count := map[int]int{}
	best := 0
	for _, p := range t.parts {
		if p.scalar || p.why != "" {
			continue
		}
		if count[p.rows]++; count[p.rows] > count[best] {
			best = p.rows
		}
	}
	return best
}

// described are the table's parts as any arrays.
func (t *table) described() []arrays.Part {
	parts := make([]arrays.Part, len(t.parts))
	for i := range t.parts {
		p := &t.parts[i]
		parts[i] = arrays.Part{Name: p.name, Path: t.path(p), Shape: p.shape, Rows: p.rows, Scalar: p.scalar, Numbers: p.numbers(), Kind: p.kind(), Unread: p.why}
	}
	return parts
}

// none is the error of a file that has no charges.
func (f *file) none(tables []*table) error {
	for _, t := range tables {
		for _, p := range t.described() {
			if h := p.Hint(); h != "" {
				return fmt.Errorf("no charges: no dataset is N×%d numbers; %s: %s is not%s", hgcal.Cells, p.Path, p.Kind, h)
			}
		}
	}
	return fmt.Errorf("no charges: want a dataset CALQ of N×%d numbers, or CALQ_0 … CALQ_%d; there are %s", hgcal.Cells, hgcal.Cells-1, f.list())
}

// list names what there is, not too much.
func (f *file) list() string {
	const most = 20
	var words []string
	n := 0
	for _, t := range f.tables {
		if t.err != nil {
			words = append(words, t.err.Error())
		}
		for i := range t.parts {
			if n++; n <= most {
				p := &t.parts[i]
				words = append(words, t.path(p)+" "+p.kind())
			}
		}
	}
	switch {
	case n > most:
		words = append(words, fmt.Sprintf("%d others", n-most))
	case len(words) == 0:
		return "no datasets"
	}
	return strings.Join(words, "; ")
}
