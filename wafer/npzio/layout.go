package npzio

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/internal/npz"
	"barrow/wafer"
)

// layout says what the parts of a file are.
type layout struct {
	charges []part // one of all 48, or 48 in the file's order
	columns []part
	rows    int
	order   hgcal.Order
	said    bool // whether the file says the order
	unit    string
	remarks []string
}

// arrange finds out what the parts of a file are.
func (f *file) arrange(parts []part, s wafer.ReadSettings) (*layout, error) {
	l := &layout{order: s.Order}
	if err := l.choose(f, parts, s); err != nil {
		var unclear *wafer.UnclearError
		if errors.As(err, &unclear) {
			unclear.Place = "npzio: " + f.name
			return nil, unclear
		}
		return nil, fmt.Errorf("npzio: %s: %w", f.name, err)
	}
	l.rows = l.charges[0].rows
	if l.rows == 0 {
		return nil, fmt.Errorf("npzio: %s: no images: %v", f.name, &l.charges[0])
	}
	if err := l.words(f, parts, s); err != nil {
		return nil, err
	}
	l.sort(f, parts)
	return l, nil
}

// choose finds the charges.
func (l *layout) choose(f *file, parts []part, s wafer.ReadSettings) error {
	if s.Tree != "" && f.format == "npz" {
		return l.named(f, parts, s)
	}
	var whole, cells, fit []part
	for _, p := range parts {
		name, ok := wafer.ParseChargeName(p.name)
		switch {
		case ok && name.Cell < 0:
			whole = append(whole, p)
		case ok:
			cells = append(cells, p)
		case p.image():
			fit = append(fit, p)
		}
	}
	switch {
	case len(whole) == 1 && len(cells) == 0:
		return l.take(&whole[0])
	case len(whole) > 0:
		return unclear("more than one array is called as charges are", append(whole, cells...))
	case len(cells) > 0:
		return l.takeCells(cells, s.Header == "first")
	case len(fit) == 1:
		if len(parts) > 1 {
			l.remarks = append(l.remarks, fmt.Sprintf("%s is taken for the charges: no array is called CALQ, and no other has rows of %d numbers", fit[0].name, hgcal.Cells))
		}
		return l.take(&fit[0])
	case len(fit) > 1:
		return unclear(fmt.Sprintf("no array is called CALQ, and more than one may be the charges, having rows of %d numbers", hgcal.Cells), fit)
	}
	return l.none(parts)
}

// named takes the charges that the setting names: an array, a field, or an array of
// records that has them.
func (l *layout) named(f *file, parts []part, s wafer.ReadSettings) error {
	for i := range parts {
		if parts[i].name == s.Tree {
			return l.take(&parts[i])
		}
	}
	if i := slices.Index(f.arrays, s.Tree); i >= 0 {
		of := slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return p.array != i })
		s.Tree = ""
		return l.choose(f, of, s)
	}
	return fmt.Errorf("no array is called %s; there are %s", s.Tree, list(parts))
}

// unclear asks for the setting that names one of several arrays.
func unclear(looks string, parts []part) error {
	e := &wafer.UnclearError{Looks: looks}
	for i := range parts {
		if parts[i].image() {
			e.Choices = append(e.Choices, wafer.Choice{Setting: "tree", Value: parts[i].name, Means: parts[i].typ.String() + " " + parts[i].dims})
		}
	}
	if len(e.Choices) == 0 {
		return fmt.Errorf("%s, and none is N×%d numbers: there are %s", looks, hgcal.Cells, list(parts))
	}
	return e
}

// take takes a part for all charges.
func (l *layout) take(p *part) error {
	if why := p.unread(); why != "" {
		return fmt.Errorf("the charges, %v: %s", p, why)
	}
	if !p.image() {
		return fmt.Errorf("the charges, %v, are not N×%d numbers%s", p, hgcal.Cells, hint(p))
	}
	if name, ok := wafer.ParseChargeName(p.name); ok && name.OrderSaid {
		l.order, l.said = name.Order, true
	}
	l.charges = []part{*p}
	return nil
}

// hint says what a part that is no images may be.
func hint(p *part) string {
	switch {
	case p.numbers() && p.rows == hgcal.Cells && len(p.shape) == 1:
		return ": transposed? Save it as CALQ.T"
	case p.numbers() && p.rows == hgcal.Cells && len(p.shape) == 0:
		return ": one image? Save it as CALQ.reshape(1, 48)"
	case len(p.shape) == 1 && p.shape[0] == 64:
		return ": an image of Barrow has 48 charges; save those of the 8×8 arrangement that are not masked, with their numbering"
	case len(p.shape) > 1:
		return ": images in an arrangement of a network's; save the 48 charges, with their numbering"
	}
	return ""
}

// takeCells takes 48 parts for the charges, one each; first allows names that count
// from 1.
func (l *layout) takeCells(cells []part, first bool) error {
	at := map[int]*part{}
	var order, before wafer.ChargeName
	from := 0
	for i := range cells {
		p := &cells[i]
		name, _ := wafer.ParseChargeName(p.name)
		if at[name.Cell] != nil {
			return fmt.Errorf("both %s and %s are charge %d", at[name.Cell].name, p.name, name.Cell)
		}
		if at[name.Cell] = p; name.Cell == hgcal.Cells {
			from = 1
		}
		if order = name; i > 0 && (order.Order != before.Order || order.OrderSaid != before.OrderSaid) {
			return errors.New("the names of the charges say more than one cell order")
		}
		before = order
	}
	if from == 1 && at[0] == nil && len(at) == hgcal.Cells && !first {
		return &wafer.UnclearError{Looks: "the charges are called CALQ_1 … CALQ_48, Barrow's CALQ_0 … CALQ_47",
			Choices: []wafer.Choice{{Setting: "header", Value: "first", Means: "CALQ_1 is cell 0, and so on"}}}
	}
	if from == 1 && at[0] != nil || len(at) > hgcal.Cells {
		return fmt.Errorf("%d charges; an image of Barrow has CALQ_0 … CALQ_%d", len(at), hgcal.Cells-1)
	}
	for k := range hgcal.Cells {
		p := at[k+from]
		switch {
		case p == nil:
			return fmt.Errorf("there is no array CALQ_%d, but others of that kind", k+from)
		case p.unread() != "":
			return fmt.Errorf("%v: %s", p, p.unread())
		case !p.one() || !p.numbers():
			return fmt.Errorf("%v is not one number an image", p)
		case p.rows != at[from].rows:
			return fmt.Errorf("%v, but %v: charges of one image must be as many", p, at[from])
		}
		l.charges = append(l.charges, *p)
	}
	if order.OrderSaid {
		l.order, l.said = order.Order, true
	}
	return nil
}

// none is the error of a file that has no charges.
func (l *layout) none(parts []part) error {
	for i := range parts {
		p := &parts[i]
		if len(parts) == 1 && p.name == "" {
			return l.take(p)
		}
		if h := hint(p); h != "" {
			return fmt.Errorf("no charges: no array is N×%d numbers; %v is not%s", hgcal.Cells, p, h)
		}
	}
	return fmt.Errorf("no charges: want an array CALQ of N×%d numbers, or CALQ_0 … CALQ_%d; there are %s", hgcal.Cells, hgcal.Cells-1, list(parts))
}

// list names parts, not too many.
func list(parts []part) string {
	const most = 20
	if len(parts) == 0 {
		return "no arrays"
	}
	var words []string
	for i := range parts {
		if i == most {
			words = append(words, fmt.Sprintf("%d others", len(parts)-most))
			break
		}
		words = append(words, parts[i].String())
	}
	return strings.Join(words, "; ")
}

// words takes what the arrays without dimensions say.
func (l *layout) words(f *file, parts []part, s wafer.ReadSettings) error {
	for i := range parts {
		p := &parts[i]
		if !p.zero || p.kind() != npz.Words {
			continue
		}
		switch p.name {
		case "order":
			order, err := hgcal.ParseOrder(p.words)
			if err != nil {
				return fmt.Errorf("npzio: %s: order: %w", f.name, err)
			}
			if l.said && l.order != order {
				return fmt.Errorf("npzio: %s: the charges are called %s, but order says %v", f.name, l.charges[0].name, order)
			}
			l.order, l.said = order, true
		case "unit":
			if l.unit = p.words; !slices.Contains(wafer.Charges(), p.words) {
				l.unit = ""
				l.remarks = append(l.remarks, fmt.Sprintf("its unit %q is none of %s: the charges are taken as they are", p.words, strings.Join(wafer.Charges(), ", ")))
			}
		}
	}
	if l.said && l.order != s.Order {
		return &wafer.UnclearError{Place: "npzio: " + f.name, Looks: fmt.Sprintf("the charges are numbered %v, as the file says, and %v is asked for", l.order, s.Order),
			Choices: []wafer.Choice{{Setting: "order", Value: l.order.String(), Means: "as the file says"}}}
	}
	return nil
}

// sort takes the metadata columns, and remarks what is neither.
func (l *layout) sort(f *file, parts []part) {
	out := map[string][]string{}
	var reasons []string
	leave := func(p *part, why string) {
		if out[why] == nil {
			reasons = append(reasons, why)
		}
		out[why] = append(out[why], p.String())
	}
	names := map[string]bool{}
	for i := range parts {
		p := &parts[i]
		if slices.ContainsFunc(l.charges, func(c part) bool { return c.array == p.array && c.field == p.field }) {
			continue
		}
		_, charge := wafer.ParseChargeName(p.name)
		switch why := p.unread(); {
		case charge:
			leave(p, "other charges")
		case why != "":
			leave(p, why)
		case p.zero && p.kind() == npz.Words && (p.name == "order" || p.name == "unit"):
		case p.zero || p.rows != l.rows:
			leave(p, fmt.Sprintf("the file has %d images, and this is no list of as many", l.rows))
		case !p.one():
			leave(p, "more than one value an image")
		case names[p.name]:
			leave(p, "a second one of that name")
		default:
			names[p.name] = true
			l.columns = append(l.columns, *p)
		}
	}
	for _, why := range reasons {
		l.remarks = append(l.remarks, fmt.Sprintf("left out: %s (%s)", strings.Join(out[why], "; "), why))
	}
	if len(f.others) > 0 {
		l.remarks = append(l.remarks, fmt.Sprintf("left out: %s (no arrays)", strings.Join(f.others, "; ")))
	}
}
