// Package arrays tells which of the named arrays of a file are the charges of wafer
// images and which their metadata, for the formats whose files are such arrays: one
// array of N×48 numbers, or 48 of N, called as in text tables, and any others of N
// values. Nothing is guessed: what may mean two things is a wafer.UnclearError.
package arrays

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/wafer"
)

// A Part is what a column may be: an array, or a field of an array of records.
type Part struct {
	Name    string // that of a column
	Path    string // what wafer.ReadSettings.Tree calls it
	Shape   []int  // of a row, without dimensions of length 1
	Rows    int
	Scalar  bool   // it has no dimensions, and so no rows
	Says    bool   // it says something of the file, and is no column
	Numbers bool   // its values are numbers
	Kind    string // type and whole shape, for messages: float64 (5, 48)
	Unread  string // why it is not read, "" where it is
}

// Image reports whether a row is the charges of an image.
func (p *Part) Image() bool {
	return p.Unread == "" && p.Numbers && !p.Scalar && len(p.Shape) == 1 && p.Shape[0] == hgcal.Cells
}

// One reports whether a row is one value.
func (p *Part) One() bool { return p.Unread == "" && !p.Scalar && len(p.Shape) == 0 }

// String is name, type and shape: CALQ: float64 (5, 48).
func (p *Part) String() string {
	if p.Name == "" {
		return p.Kind
	}
	return p.Name + ": " + p.Kind
}

// Roles are what the parts of a file are.
type Roles struct {
	Said
	Charges []int // number of the part of all 48, or of 48 in the file's order
	Columns []int
	Rows    int
}

// Said is what a file says of its charges, in their names or in its own metadata.
type Said struct {
	Order     hgcal.Order
	OrderSaid bool // whether the file says the order
	Unit      string
	Remarks   []string
}

// Named finds the charges among parts that are called so; false where none is.
func (r *Roles) Named(parts []Part, s wafer.ReadSettings) (bool, error) {
	var whole, cells []int
	for i := range parts {
		switch name, ok := wafer.ParseChargeName(parts[i].Name); {
		case ok && name.Cell < 0:
			whole = append(whole, i)
		case ok:
			cells = append(cells, i)
		}
	}
	switch {
	case len(whole) == 1 && len(cells) == 0:
		return true, r.Take(parts, whole[0])
	case len(whole) > 0:
		return true, Unclear("more than one array is called as charges are", parts, append(whole, cells...))
	case len(cells) > 0:
		return true, r.takeCells(parts, cells, s.Header == "first")
	}
	return false, nil
}

// Unclear asks for the setting that names one of several parts.
func Unclear(looks string, parts []Part, of []int) error {
	e := &wafer.UnclearError{Looks: looks}
	var words []string
	for _, i := range of {
		p := &parts[i]
		words = append(words, p.String())
		if p.Image() {
			e.Choices = append(e.Choices, wafer.Choice{Setting: "tree", Value: p.Path, Means: p.Kind})
		}
	}
	if len(e.Choices) == 0 {
		return fmt.Errorf("%s, and none is N×%d numbers: there are %s", looks, hgcal.Cells, strings.Join(words, "; "))
	}
	return e
}

// Take takes part i for all charges.
func (r *Roles) Take(parts []Part, i int) error {
	switch p := &parts[i]; {
	case p.Unread != "":
		return fmt.Errorf("the charges, %v: %s", p, p.Unread)
	case !p.Image():
		return fmt.Errorf("the charges, %v, are not N×%d numbers%s", p, hgcal.Cells, p.Hint())
	}
	if name, ok := wafer.ParseChargeName(parts[i].Name); ok && name.OrderSaid {
		r.Order, r.OrderSaid = name.Order, true
	}
	r.Charges = []int{i}
	return nil
}

// Only takes part i for all charges because it is the only one that may be, whatever its
// name is, and remarks so.
func (r *Roles) Only(parts []Part, i int) error {
	if p := &parts[i]; p.Name != "" { // an array that has no name is all that there is
		r.Remarks = append(r.Remarks, fmt.Sprintf("%s is taken for the charges: nothing is called CALQ, and nothing else has rows of %d numbers", p.Path, hgcal.Cells))
	}
	return r.Take(parts, i)
}

// Hint says what a part that is no images may be, "" where that is not known.
func (p *Part) Hint() string {
	switch {
	case p.Unread != "" || !p.Numbers:
	case p.Rows == hgcal.Cells && len(p.Shape) == 1:
		return ": transposed? Save it as CALQ.T"
	case p.Rows == hgcal.Cells && len(p.Shape) == 0:
		return ": one image? Save it as CALQ.reshape(1, 48)"
	case len(p.Shape) == 1 && p.Shape[0] == 64:
		return ": an image of Barrow has 48 charges; save those of the 8×8 arrangement that are not masked, with their numbering"
	case len(p.Shape) > 1:
		return ": images in an arrangement of a network's; save the 48 charges, with their numbering"
	}
	return ""
}

// takeCells takes 48 parts for the charges, one each; first allows names that count
// from 1.
func (r *Roles) takeCells(parts []Part, cells []int, first bool) error {
	at := map[int]int{}
	var before wafer.ChargeName
	from := 0
	for k, i := range cells {
		name, _ := wafer.ParseChargeName(parts[i].Name)
		if twice, ok := at[name.Cell]; ok {
			return fmt.Errorf("both %s and %s are charge %d", parts[twice].Name, parts[i].Name, name.Cell)
		}
		if at[name.Cell] = i; name.Cell == hgcal.Cells {
			from = 1
		}
		if k > 0 && (name.Order != before.Order || name.OrderSaid != before.OrderSaid) {
			return errors.New("the names of the charges say more than one cell order")
		}
		before = name
	}
	_, zero := at[0]
	if from == 1 && !zero && len(at) == hgcal.Cells && !first {
		return &wafer.UnclearError{Looks: "the charges are called CALQ_1 … CALQ_48, Barrow's CALQ_0 … CALQ_47",
			Choices: []wafer.Choice{{Setting: "header", Value: "first", Means: "CALQ_1 is cell 0, and so on"}}}
	}
	if from == 1 && zero || len(at) > hgcal.Cells {
		return fmt.Errorf("%d charges; an image of Barrow has CALQ_0 … CALQ_%d", len(at), hgcal.Cells-1)
	}
	for k := range hgcal.Cells {
		i, ok := at[k+from]
		if !ok {
			return fmt.Errorf("there is no CALQ_%d, but others of that kind", k+from)
		}
		switch p, p0 := &parts[i], &parts[at[from]]; {
		case p.Unread != "":
			return fmt.Errorf("%v: %s", p, p.Unread)
		case !p.One() || !p.Numbers:
			return fmt.Errorf("%v is not one number an image", p)
		case p.Rows != p0.Rows:
			return fmt.Errorf("%v, but %v: charges of one image must be as many", p, p0)
		}
		r.Charges = append(r.Charges, i)
	}
	if before.OrderSaid {
		r.Order, r.OrderSaid = before.Order, true
	}
	return nil
}

// Settle holds the charges that were found against the settings and what the file says
// of their order and unit, "" for nothing, and tells which other parts are metadata.
func (r *Roles) Settle(parts []Part, order, unit string, s wafer.ReadSettings) error {
	charges := &parts[r.Charges[0]]
	if r.Rows = charges.Rows; r.Rows == 0 {
		return fmt.Errorf("%w: %v", wafer.ErrNoImages, charges)
	}
	if err := r.Hold(charges.Name, order, unit, s.Order); err != nil {
		return err
	}
	r.sort(parts)
	return nil
}

// Hold takes the order and the unit that the file's own metadata say, "" for nothing,
// and holds the order to the one that is asked for. Charges in an order that is none of
// Barrow's are taken only where they are called by one, or one is asked for that nobody
// asks for unknowingly, as V9 is.
func (d *Said) Hold(charges, order, unit string, asked hgcal.Order) error {
	if slices.Contains(wafer.Charges(), unit) {
		d.Unit = unit
	} else if unit != "" {
		d.Remarks = append(d.Remarks, fmt.Sprintf("its unit %.40q is none of %s: the charges are taken as they are", unit, strings.Join(wafer.Charges(), ", ")))
	}
	o, err := hgcal.ParseOrder(order)
	switch {
	case order == "":
	case err == nil && d.OrderSaid && d.Order != o:
		return fmt.Errorf("the charges are called %s, but the file says that their order is %v", charges, o)
	case err == nil:
		d.Order, d.OrderSaid = o, true
	case !d.OrderSaid && asked == hgcal.V9:
		return unknown(order)
	case !d.OrderSaid:
		d.Remarks = append(d.Remarks, fmt.Sprintf("its order %.40q is none of %s: the charges are taken as %v, as asked for", order, strings.Join(hgcal.OrderNames(), ", "), asked))
	default:
		d.Remarks = append(d.Remarks, fmt.Sprintf("its order %.40q is none of %s: the charges are taken as %v, as they are called", order, strings.Join(hgcal.OrderNames(), ", "), d.Order))
	}
	if !d.OrderSaid {
		d.Order = asked
	}
	if d.Order != asked {
		return &wafer.UnclearError{Looks: fmt.Sprintf("the charges are numbered %v, as the file says, and %v is asked for", d.Order, asked),
			Choices: []wafer.Choice{{Setting: "order", Value: d.Order.String(), Means: "as the file says"}}}
	}
	return nil
}

// unknown asks which order one is that has another name.
func unknown(order string) error {
	e := &wafer.UnclearError{Looks: fmt.Sprintf("the file says that the order of its charges is %.40q, which is none of %s; if it is v9, take the word out of the file, or call the charges CALQ_v9", order, strings.Join(hgcal.OrderNames(), ", "))}
	for _, o := range hgcal.Orders() {
		if o != hgcal.V9 {
			e.Choices = append(e.Choices, wafer.Choice{Setting: "order", Value: o.String(), Means: "they are numbered so; convert then writes them in any order"})
		}
	}
	return e
}

// sort takes the metadata columns, and remarks what is neither.
func (r *Roles) sort(parts []Part) {
	out := map[string][]string{}
	var reasons []string
	leave := func(p *Part, why string) {
		if out[why] == nil {
			reasons = append(reasons, why)
		}
		out[why] = append(out[why], p.String())
	}
	names := map[string]bool{}
	for i := range parts {
		p := &parts[i]
		if p.Says || slices.Contains(r.Charges, i) {
			continue
		}
		_, charge := wafer.ParseChargeName(p.Name)
		switch {
		case charge || p.Image():
			leave(p, "other charges")
		case p.Unread != "":
			leave(p, p.Unread)
		case p.Scalar || p.Rows != r.Rows:
			leave(p, fmt.Sprintf("there are %d images, and this is no list of as many", r.Rows))
		case !p.One():
			leave(p, "more than one value an image")
		case names[p.Name]:
			leave(p, "a second one of that name")
		default:
			names[p.Name] = true
			r.Columns = append(r.Columns, i)
		}
	}
	for _, why := range reasons {
		r.Remarks = append(r.Remarks, fmt.Sprintf("left out: %s (%s)", strings.Join(out[why], "; "), why))
	}
}

// exact is the first whole number whose successor float64 does not have.
const exact = 1 << 53

// Check reports charges that are none: negative, not finite, or whole numbers that
// float64 does not hold. cells are the V9 cells of the file's charges. where says of
// charge j in the file's order of an image where it stands, and whether it was a whole
// number; j is -1 for the image.
func Check(charge []float64, cells *[hgcal.Cells]int, where func(image, j int) (place string, whole bool)) error {
	for i := 0; len(charge) > 0; i++ {
		image := charge[:hgcal.Cells]
		charge = charge[hgcal.Cells:]
		sum, good := 0.0, true
		for _, v := range image {
			good = good && v >= 0
			sum += v
		}
		if good && sum < exact {
			continue
		}
		for j, cell := range cells {
			v := image[cell]
			if v >= 0 && v < exact {
				continue
			}
			switch place, whole := where(i, j); {
			case !(v >= 0 && v <= math.MaxFloat64):
				return fmt.Errorf("%s: charge %g is not a finite number ≥ 0", place, v)
			case whole:
				return fmt.Errorf("%s: charge %g is beyond 2^53, where floating point is not exact", place, v)
			}
		}
		if math.IsInf(sum, 0) {
			place, _ := where(i, -1)
			return fmt.Errorf("%s: the charges sum to more than a float64 holds", place)
		}
	}
	return nil
}
