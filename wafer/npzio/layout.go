package npzio

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/internal/arrays"
)

// layout says what the parts of a file are.
type layout struct {
	arrays.Roles
	charges []part // one of all 48, or 48 in the file's order
	columns []part
}

// arrange finds out what the parts of a file are.
func (f *file) arrange(parts []part, s wafer.ReadSettings) (*layout, error) {
	l := &layout{}
	if err := l.assign(f, parts, s); err != nil {
		var unclear *wafer.UnclearError
		if errors.As(err, &unclear) {
			unclear.Place = "npzio: " + f.name
			return nil, unclear
		}
		return nil, fmt.Errorf("npzio: %s: %w", f.name, err)
	}
	for _, i := range l.Charges {
		l.charges = append(l.charges, parts[i])
	}
	for _, i := range l.Columns {
		l.columns = append(l.columns, parts[i])
	}
	if len(f.others) > 0 {
		l.Remarks = append(l.Remarks, fmt.Sprintf("left out: %s (no arrays)", strings.Join(f.others, "; ")))
	}
	return l, nil
}

// assign finds charges and columns.
func (l *layout) assign(f *file, own []part, s wafer.ReadSettings) error {
	parts := make([]arrays.Part, len(own))
	said := map[string]string{}
	for i := range own {
		if parts[i] = own[i].Part; parts[i].Says {
			said[parts[i].Name] = own[i].words
		}
	}
	if err := l.choose(f, own, parts, s); err != nil {
		return err
	}
	return l.Settle(parts, said["order"], said["unit"], s)
}

// choose finds the charges.
func (l *layout) choose(f *file, own []part, parts []arrays.Part, s wafer.ReadSettings) error {
	if s.Tree != "" && f.format == "npz" {
		return l.named(f, own, parts, s)
	}
	if found, err := l.Named(parts, s); found || err != nil {
		return err
	}
	var fit []int
	for i := range parts {
		if parts[i].Image() {
			fit = append(fit, i)
		}
	}
	switch {
	case len(fit) > 1:
		return arrays.Unclear(fmt.Sprintf("no array is called CALQ, and more than one may be the charges, having rows of %d numbers", hgcal.Cells), parts, fit)
	case len(fit) == 1:
		return l.Only(parts, fit[0])
	}
	return l.none(parts)
}

// named takes the charges that the setting names: an array, a field, or an array of
// records that has them.
func (l *layout) named(f *file, own []part, parts []arrays.Part, s wafer.ReadSettings) error {
	for i := range parts {
		if parts[i].Name == s.Tree {
			return l.Take(parts, i)
		}
	}
	n := slices.Index(f.arrays, s.Tree)
	if n < 0 {
		return fmt.Errorf("no array is called %s; there are %s", s.Tree, list(parts))
	}
	within := slices.Clone(parts)
	for i := range within {
		if own[i].array != n {
			within[i] = arrays.Part{Unread: "not asked for"}
		}
	}
	s.Tree = ""
	return l.choose(f, own, within, s)
}

// none is the error of a file that has no charges.
func (l *layout) none(parts []arrays.Part) error {
	for i := range parts {
		p := &parts[i]
		if len(parts) == 1 && p.Name == "" {
			return l.Take(parts, i)
		}
		if h := p.Hint(); h != "" {
			return fmt.Errorf("no charges: no array is N×%d numbers; %v is not%s", hgcal.Cells, p, h)
		}
	}
	return fmt.Errorf("no charges: want an array CALQ of N×%d numbers, or CALQ_0 … CALQ_%d; there are %s", hgcal.Cells, hgcal.Cells-1, list(parts))
}

// list names parts, not too many.
func list(parts []arrays.Part) string {
	const most = 20
	var words []string
	for i := range parts[:min(most, len(parts))] {
		words = append(words, parts[i].String())
	}
	switch {
	case len(parts) == 0:
		return "no arrays"
	case len(parts) > most:
		words = append(words, fmt.Sprintf("%d others", len(parts)-most))
	}
	return strings.Join(words, "; ")
}
