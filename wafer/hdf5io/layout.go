package hdf5io

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/wafer"
)

// layout says what the parts of a table are.
type layout struct {
	table   *table
	charges []*part // one of all 48, or 48 in the file's order
	columns []*part
	rows    int
	order   hgcal.Order
	said    bool // whether the file says the order
	unit    string
	remarks []string
}

// arrange finds the table to read, and out what its parts are.
func (f *file) arrange(s wafer.ReadSettings) (*layout, error) {
	l, err := f.choose(s)
	if err == nil {
		l.rows = l.charges[0].rows
		switch {
		case l.rows == 0:
			err = fmt.Errorf("no images: %v", l.charges[0])
		default:
			err = l.attributes(f, s)
		}
	}
	var unclear *wafer.UnclearError
	if errors.As(err, &unclear) {
		unclear.Place = "hdf5io: " + f.name
		return nil, unclear
	}
	if err != nil {
		return nil, fmt.Errorf("hdf5io: %s: %w", f.name, err)
	}
	l.sort()
	return l, nil
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
				l := &layout{table: t, order: s.Order}
				return l, l.take(&t.parts[i])
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
	for _, t := range tables {
		if t.named() {
			named = append(named, t)
		}
		for i := range t.parts {
			if p := &t.parts[i]; p.image() {
				fit = append(fit, wafer.Choice{Setting: "tree", Value: t.path(p), Means: p.kind()})
				l = &layout{table: t, order: s.Order, charges: []*part{p}}
			}
		}
	}
	switch {
	case len(named) == 1:
		l = &layout{table: named[0], order: s.Order}
		return l, l.choose(s)
	case len(named) > 1:
		e := &wafer.UnclearError{Looks: fmt.Sprintf("%d tables have charges", len(named))}
		for _, t := range named {
			e.Choices = append(e.Choices, wafer.Choice{Setting: "tree", Value: t.name, Means: t.String()})
		}
		return nil, e
	case len(fit) == 1:
		return l, l.take(l.charges[0])
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

// choose finds the charges among parts that are called so.
func (l *layout) choose(s wafer.ReadSettings) error {
	if l.table.err != nil {
		return l.table.err
	}
	var whole, cells []*part
	for i := range l.table.parts {
		p := &l.table.parts[i]
		switch name, ok := wafer.ParseChargeName(p.name); {
		case ok && name.Cell < 0:
			whole = append(whole, p)
		case ok:
			cells = append(cells, p)
		}
	}
	switch {
	case len(whole) == 1 && len(cells) == 0:
		return l.take(whole[0])
	case len(whole) > 0:
		e := &wafer.UnclearError{Looks: "more than one part of " + l.table.name + " is called as charges are"}
		for _, p := range whole {
			e.Choices = append(e.Choices, wafer.Choice{Setting: "tree", Value: l.table.path(p), Means: p.kind()})
		}
		return e
	}
	return l.takeCells(cells, s.Header == "first")
}

// take takes a part for all charges.
func (l *layout) take(p *part) error {
	switch {
	case p.why != "":
		return fmt.Errorf("the charges, %v: %s", p, p.why)
	case !p.image():
		return fmt.Errorf("the charges, %v, are not N×%d numbers%s", p, hgcal.Cells, hint(p))
	}
	if name, ok := wafer.ParseChargeName(p.name); ok && name.OrderSaid {
		l.order, l.said = name.Order, true
	}
	l.charges = []*part{p}
	return nil
}

// hint says what a part that is no images may be.
func hint(p *part) string {
	switch {
	case p.why != "" || !p.numbers():
	case p.rows == hgcal.Cells && len(p.shape) == 1:
		return ": transposed? Save them the other way"
	case p.rows == hgcal.Cells && len(p.shape) == 0:
		return ": one image? Save it as one row of 48"
	case len(p.shape) == 1 && p.shape[0] == 64:
		return ": an image of Barrow has 48 charges; save those of the 8×8 arrangement that are not masked, with their numbering"
	case len(p.shape) > 1:
		return ": images in an arrangement of a network's; save the 48 charges, with their numbering"
	}
	return ""
}

// takeCells takes 48 parts for the charges, one each; first allows names that count
// from 1.
func (l *layout) takeCells(cells []*part, first bool) error {
	at := map[int]*part{}
	var before wafer.ChargeName
	from := 0
	for i, p := range cells {
		name, _ := wafer.ParseChargeName(p.name)
		if at[name.Cell] != nil {
			return fmt.Errorf("both %s and %s are charge %d", at[name.Cell].name, p.name, name.Cell)
		}
		if at[name.Cell] = p; name.Cell == hgcal.Cells {
			from = 1
		}
		if i > 0 && (name.Order != before.Order || name.OrderSaid != before.OrderSaid) {
			return errors.New("the names of the charges say more than one cell order")
		}
		before = name
	}
	if from == 1 && at[0] == nil && len(at) == hgcal.Cells && !first {
		return &wafer.UnclearError{Looks: "the charges are called CALQ_1 … CALQ_48, Barrow's CALQ_0 … CALQ_47",
			Choices: []wafer.Choice{{Setting: "header", Value: "first", Means: "CALQ_1 is cell 0, and so on"}}}
	}
	if from == 1 && at[0] != nil || len(at) > hgcal.Cells {
		return fmt.Errorf("%s has %d charges; an image of Barrow has CALQ_0 … CALQ_%d", l.table.name, len(at), hgcal.Cells-1)
	}
	for k := range hgcal.Cells {
		p := at[k+from]
		switch {
		case p == nil:
			return fmt.Errorf("%s has no CALQ_%d, but others of that kind", l.table.name, k+from)
		case p.why != "":
			return fmt.Errorf("%v: %s", p, p.why)
		case !p.one() || !p.numbers():
			return fmt.Errorf("%v is not one number an image", p)
		case p.rows != at[from].rows:
			return fmt.Errorf("%v, but %v: charges of one image must be as many", p, at[from])
		}
		l.charges = append(l.charges, p)
	}
	if before.OrderSaid {
		l.order, l.said = before.Order, true
	}
	return nil
}

// none is the error of a file that has no charges.
func (f *file) none(tables []*table) error {
	for _, t := range tables {
		for i := range t.parts {
			if h := hint(&t.parts[i]); h != "" {
				return fmt.Errorf("no charges: no dataset is N×%d numbers; %s: %s is not%s", hgcal.Cells, t.path(&t.parts[i]), t.parts[i].kind(), h)
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

// attributes takes what the charges, their table or the file say in attributes.
func (l *layout) attributes(f *file, s wafer.ReadSettings) error {
	find := func(attribute string) string {
		for _, words := range []func(string) (string, bool, error){l.charges[0].dataset.String, l.table.words, f.root.String} {
			// An attribute of that name which is no text has another meaning.
			if text, ok, err := words(attribute); ok && err == nil {
				return strings.TrimSpace(text)
			}
		}
		return ""
	}
	if unit := find("unit"); slices.Contains(wafer.Charges(), unit) {
		l.unit = unit
	} else if unit != "" {
		l.remarks = append(l.remarks, fmt.Sprintf("its unit %q is none of %s: the charges are taken as they are", unit, strings.Join(wafer.Charges(), ", ")))
	}
	if text := find("order"); text != "" {
		order, err := hgcal.ParseOrder(text)
		switch {
		case err != nil:
			return fmt.Errorf("the attribute order: %w", err)
		case l.said && l.order != order:
			return fmt.Errorf("the charges are called %s, but the attribute order says %v", l.charges[0].name, order)
		}
		l.order, l.said = order, true
	}
	if l.said && l.order != s.Order {
		return &wafer.UnclearError{Looks: fmt.Sprintf("the charges are numbered %v, as the file says, and %v is asked for", l.order, s.Order),
			Choices: []wafer.Choice{{Setting: "order", Value: l.order.String(), Means: "as the file says"}}}
	}
	return nil
}

// sort takes the metadata columns, and remarks what is neither.
func (l *layout) sort() {
	out := map[string][]string{}
	var reasons []string
	leave := func(p *part, why string) {
		if out[why] == nil {
			reasons = append(reasons, why)
		}
		out[why] = append(out[why], p.String())
	}
	names := map[string]bool{}
	for i := range l.table.parts {
		p := &l.table.parts[i]
		if slices.Contains(l.charges, p) {
			continue
		}
		_, charge := wafer.ParseChargeName(p.name)
		switch {
		case charge || p.image():
			leave(p, "other charges")
		case p.why != "":
			leave(p, p.why)
		case p.scalar || p.rows != l.rows:
			leave(p, fmt.Sprintf("there are %d images, and this is no list of as many", l.rows))
		case !p.one():
			leave(p, "more than one value an image")
		case names[p.name]:
			leave(p, "a second one of that name")
		default:
			names[p.name] = true
			l.columns = append(l.columns, p)
		}
	}
	for _, why := range reasons {
		l.remarks = append(l.remarks, fmt.Sprintf("left out: %s (%s)", strings.Join(out[why], "; "), why))
	}
}
