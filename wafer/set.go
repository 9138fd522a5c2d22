package wafer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"barrow/hgcal"
	"barrow/internal/counter"
)

// Set is a list of images with their metadata.
type Set struct {
	// Charge holds N×48 charges, image by image, in V9 order.
	Charge []float64
	// Columns holds the metadata, N values each.
	Columns []Column
}

// Column is one named metadata column. Exactly one of Float, Int and Text is
// used: readers of text files keep what the file says, so that it is written again
// unchanged; Floats turns it into numbers.
type Column struct {
	Name  string
	Float []float64
	Int   []int64
	Text  []string
}

// Len returns the number of values.
func (c *Column) Len() int { return max(len(c.Float), len(c.Int), len(c.Text)) }

// Floats returns the values as numbers. The result shares Float where the
// column has it. Text that is no number is a [ValueError].
func (c *Column) Floats() ([]float64, error) {
	if c.Int != nil {
		v := make([]float64, len(c.Int))
		for i, n := range c.Int {
			v[i] = float64(n)
		}
		return v, nil
	}
	if c.Text == nil {
		return c.Float, nil
	}
	v := make([]float64, len(c.Text))
	for i, s := range c.Text {
		var err error
		if v[i], err = strconv.ParseFloat(s, 64); err != nil {
			return nil, &ValueError{i + 1, fmt.Errorf("%s is %q; want a number", c.Name, s)}
		}
	}
	return v, nil
}

// Value returns value i as text, numbers in their shortest exact form.
func (c *Column) Value(i int) string {
	switch {
	case c.Text != nil:
		return c.Text[i]
	case c.Int != nil:
		return strconv.FormatInt(c.Int[i], 10)
	}
	return strconv.FormatFloat(c.Float[i], 'g', -1, 64)
}

// appendFrom adds the values of o. Where the two are not of one kind both become
// text, which keeps every value.
func (c *Column) appendFrom(o *Column) {
	switch n := c.Len(); {
	case o.Len() == 0:
	case o.Int != nil && (c.Int != nil || n == 0):
		c.Float, c.Int, c.Text = nil, append(c.Int, o.Int...), nil
	case o.Float != nil && (c.Float != nil || n == 0):
		c.Float, c.Int, c.Text = append(c.Float, o.Float...), nil, nil
	default:
		text := slices.Grow(c.Text, o.Len())
		for i := len(text); i < n; i++ {
			text = append(text, c.Value(i))
		}
		for i := range o.Len() {
			text = append(text, o.Value(i))
		}
		c.Float, c.Int, c.Text = nil, nil, text
	}
}

// part is values i to j-1, sharing their memory.
func (c *Column) part(i, j int) Column {
	d := Column{Name: c.Name}
	switch {
	case c.Text != nil:
		d.Text = c.Text[i:j:j]
	case c.Int != nil:
		d.Int = c.Int[i:j:j]
	default:
		d.Float = c.Float[i:j:j]
	}
	return d
}

// pick makes to the values with these indices, in its memory.
func (c *Column) pick(to *Column, index []int) {
	was := *to
	*to = Column{Name: c.Name}
	switch {
	case c.Text != nil:
		to.Text = picked(was.Text, c.Text, index)
	case c.Int != nil:
		to.Int = picked(was.Int, c.Int, index)
	default:
		to.Float = picked(was.Float, c.Float, index)
	}
}

func picked[T any](to, from []T, index []int) []T {
	to = slices.Grow(to[:0], len(index))[:len(index)]
	for n, i := range index {
		to[n] = from[i]
	}
	return to
}

// Len returns the number of images.
func (s *Set) Len() int { return len(s.Charge) / hgcal.Cells }

// Image returns the 48 charges of image i, sharing the set's memory.
func (s *Set) Image(i int) []float64 {
	return s.Charge[i*hgcal.Cells : (i+1)*hgcal.Cells : (i+1)*hgcal.Cells]
}

// Column returns the metadata column of that name, or nil.
func (s *Set) Column(name string) *Column {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return &s.Columns[i]
		}
	}
	return nil
}

// Check reports whether the set is sound: whole images, columns of the same
// length with distinct names, charges finite and not negative. The error names
// image and cell.
func (s *Set) Check() error {
	if len(s.Charge)%hgcal.Cells != 0 {
		return fmt.Errorf("wafer: %d charges are no whole number of images of %d", len(s.Charge), hgcal.Cells)
	}
	for n, c := range s.Columns {
		if c.Len() != s.Len() {
			return fmt.Errorf("wafer: column %q has %d values for %d images", c.Name, c.Len(), s.Len())
		}
		if s.Column(c.Name) != &s.Columns[n] {
			return fmt.Errorf("wafer: two columns are called %q", c.Name)
		}
	}
	for n, v := range s.Charge {
		if !(v >= 0 && v <= math.MaxFloat64) {
			return fmt.Errorf("wafer: image %d, cell %d: charge %g is not a finite number ≥ 0",
				n/hgcal.Cells+1, n%hgcal.Cells, v)
		}
	}
	return nil
}

// Slice returns images i to j-1, sharing the set's memory.
func (s *Set) Slice(i, j int) *Set {
	out := &Set{Charge: s.Charge[i*hgcal.Cells : j*hgcal.Cells : j*hgcal.Cells]}
	for _, c := range s.Columns {
		out.Columns = append(out.Columns, c.part(i, j))
	}
	return out
}

// Select returns a copy of the images with these indices, in this order.
func (s *Set) Select(index []int) *Set {
	out := &Set{}
	s.SelectTo(out, index)
	return out
}

// SelectTo makes to what Select returns, reusing its memory. It shares none with s.
func (s *Set) SelectTo(to *Set, index []int) {
	to.Charge = slices.Grow(to.Charge[:0], len(index)*hgcal.Cells)
	for _, i := range index {
		to.Charge = append(to.Charge, s.Image(i)...)
	}
	n := len(s.Columns)
	to.Columns = slices.Grow(to.Columns[:0], n)[:n]
	for i := range s.Columns {
		s.Columns[i].pick(&to.Columns[i], index)
	}
}

// Append adds the images of o to s. Metadata columns that both have are
// joined; if s had images, columns that only one of them has are an error
// wrapping ErrColumns, unless s is empty, when it takes those of o.
func (s *Set) Append(o *Set) error {
	if s.Len() == 0 && len(s.Columns) == 0 {
		for _, c := range o.Columns {
			s.Columns = append(s.Columns, Column{Name: c.Name})
		}
	}
	if len(s.Columns) != len(o.Columns) {
		return fmt.Errorf("wafer: %w: %d and %d", ErrColumns, len(s.Columns), len(o.Columns))
	}
	for i := range s.Columns {
		if o.Column(s.Columns[i].Name) == nil {
			return fmt.Errorf("wafer: %w: %s is missing", ErrColumns, s.Columns[i].Name)
		}
	}
	for i := range s.Columns {
		c := o.Column(s.Columns[i].Name)
		s.Columns[i].appendFrom(c)
	}
	s.Charge = append(s.Charge, o.Charge...)
	return nil
}

// ErrColumns is wrapped where sets with different metadata should be joined.
var ErrColumns = errors.New("the sets have different metadata columns")

// WithoutColumns returns the images alone, sharing the charges.
func (s *Set) WithoutColumns() *Set { return &Set{Charge: s.Charge} }

// ZeroSum returns how many images have no charge at all.
func (s *Set) ZeroSum() int {
	n := 0
	for i := range s.Len() {
		if Sum(s.Image(i)) == 0 {
			n++
		}
	}
	return n
}

// NonZero returns the images that have charge, and how many were left out. If
// none were it returns s itself.
func (s *Set) NonZero() (*Set, int) {
	var keep []int
	for i := range s.Len() {
		if Sum(s.Image(i)) != 0 {
			keep = append(keep, i)
		}
	}
	if len(keep) == s.Len() {
		return s, 0
	}
	return s.Select(keep), s.Len() - len(keep)
}

// Split deals the images at random into parts of the given fractions, which
// must be positive and sum to 1: train, validation and test sets, say. Every
// image is in exactly one part; the same seed gives the same parts.
func (s *Set) Split(seed uint64, fractions ...float64) ([]*Set, error) {
	total := 0.0
	for _, f := range fractions {
		if !(f > 0 && f <= 1) {
			return nil, fmt.Errorf("wafer: split fraction %g is not in (0, 1]", f)
		}
		total += f
	}
	if math.Abs(total-1) > 1e-9 {
		return nil, fmt.Errorf("wafer: split fractions sum to %g, not 1", total)
	}
	random := counter.New(seed, splitStream)
	order := random.Perm(s.Len())
	parts := make([]*Set, len(fractions))
	from, sum := 0, 0.0
	for k, f := range fractions {
		sum += f
		to := int(math.Round(sum * float64(len(order))))
		if k == len(fractions)-1 {
			to = len(order)
		}
		parts[k] = s.Select(order[from:to])
		from = to
	}
	return parts, nil
}

// Streams of random numbers, so that the uses of one seed do not share any.
const (
	splitStream = 0x73706c6974 + iota
	pairStream
)

// Reader reads images from somewhere, a file format say.
type Reader interface {
	// Read puts up to n further images into s, replacing its contents but
	// reusing its memory, and returns how many; io.EOF if there are none left.
	Read(s *Set, n int) (int, error)
}

// Writer writes images somewhere. All sets must have the metadata columns of
// the first. Close flushes; the output is incomplete without it.
type Writer interface {
	Write(s *Set) error
	Close() error
}

// batch is how many images Copy and ReadAll move at a time: about 400 kB.
const batch = 1024

// ReadAll reads all remaining images into one set.
func ReadAll(r Reader) (*Set, error) {
	var all, part Set
	for {
		_, err := r.Read(&part, batch)
		if err == io.EOF {
			return &all, nil
		}
		if err != nil {
			return nil, err
		}
		if err := all.Append(&part); err != nil {
			return nil, err
		}
	}
}

// Copied counts what went by in a Copy.
type Copied struct {
	Images  int // all of them
	ZeroSum int // those without any charge, which were copied too
}

// Sharer is a Reader that knows which share of its images is read, in [0,1]; ok
// is false where it does not.
type Sharer interface {
	Share() (share float64, ok bool)
}

// CopySettings are those of Copy.
type CopySettings struct {
	// Progress, if not nil, is called after every batch with the share done, where
	// the reader knows it.
	Progress func(share float64, note string)
}

// Copy moves all remaining images from r to w, a batch at a time, whatever the
// size of the input. It does not close w. A cancelled context ends it between
// two batches.
func Copy(ctx context.Context, w Writer, r Reader, s CopySettings) (Copied, error) {
	var st Copied
	var part Set
	sharer, _ := r.(Sharer)
	for {
		if err := ctx.Err(); err != nil {
			return st, err
		}
		n, err := r.Read(&part, batch)
		if err == io.EOF {
			return st, nil
		}
		if err != nil {
			return st, err
		}
		st.Images += n
		st.ZeroSum += part.ZeroSum()
		if err := w.Write(&part); err != nil {
			return st, placed(err, r)
		}
		if s.Progress != nil && sharer != nil {
			if share, ok := sharer.Share(); ok {
				s.Progress(share, fmt.Sprintf("%d images", st.Images))
			}
		}
	}
}

// placed says of a value of the last images read where it stands, if the reader knows.
func placed(err error, r Reader) error {
	var kind *KindError
	if at, ok := r.(interface{ Place(i int) string }); ok && errors.As(err, &kind) {
		return fmt.Errorf("%s: %w", at.Place(kind.Image), err)
	}
	return err
}
