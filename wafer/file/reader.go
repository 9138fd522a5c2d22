package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"barrow/internal/index"
	"barrow/wafer"
)

// Reader reads the images of one or several files, one after the other.
type Reader struct {
	ctx      context.Context
	settings wafer.ReadSettings
	inputs   []Input
	sizes    []int64 // -1 where not known
	at       int     // input being read
	now      *opened
	first    string       // the first input that has images
	columns  []string     // of the first input that has images
	keep     []string     // columns that are wanted; nil for all
	unit     string       // of the charges so far, where it is known
	remarks  []string     // of the inputs before this one, and of settings
	index    *index.Index // nil unless it is to be made
	count    int          // images given so far
	noted    int          // input of the last mark, from 1
	vain     []string     // settings on which was remarked
}

// opened is an input under way.
type opened struct {
	wafer.FileReader
	*source // nil for one at its end

	ahead    wafer.Set // images read to see that there are any
	at, from int       // image of ahead to give, and of the last Read
}

// look reads the first images ahead: where there are none, that is an error wrapping
// wafer.ErrNoImages.
func (o *opened) look() error {
	_, err := o.FileReader.Read(&o.ahead, 1024)
	if err == io.EOF {
		return fmt.Errorf("wafer/file: %s: %w", o.source.Name, wafer.ErrNoImages)
	}
	return err
}

// Read gives what was read ahead, then the rest.
func (o *opened) Read(s *wafer.Set, n int) (int, error) {
	if o.at == o.ahead.Len() {
		o.ahead, o.at, o.from = wafer.Set{}, 0, 0
		return o.FileReader.Read(s, n)
	}
	o.from = o.at
	o.at += min(n, o.ahead.Len()-o.at)
	*s = wafer.Set{}
	return o.at - o.from, s.Append(o.ahead.Slice(o.from, o.at))
}

// Place names where image i of the last Read stands.
func (o *opened) Place(i int) string { return o.FileReader.Place(o.from + i) }

func (o *opened) close() error {
	err := o.FileReader.Close()
	if o.source != nil {
		err = errors.Join(err, o.source.close())
	}
	return err
}

var (
	_ wafer.Sharer   = (*Reader)(nil)
	_ wafer.Remarker = (*Reader)(nil)
)

// expand puts files for patterns: see Expand.
func expand(inputs []Input) ([]Input, error) {
	var all []Input
	for _, in := range inputs {
		if in.Stream != nil || in.File != nil {
			all = append(all, in)
			continue
		}
		names, err := Expand(in.Name)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			all = append(all, Input{Name: n})
		}
	}
	return all, nil
}

// Open opens the files at these paths or patterns (see Expand), at least one, as one
// stream of images.
// The first that has images is opened at once, the others when their turn comes, but
// that all are there is checked at once. A file without images is left out with a
// remark, unless there is no other: see wafer.ErrNoImages. A cancelled context ends reads that wait, of a
// pipe say.
func Open(ctx context.Context, s wafer.ReadSettings, paths ...string) (*Reader, error) {
	var inputs []Input
	for _, p := range paths {
		inputs = append(inputs, Input{Name: p})
	}
	return New(ctx, s, inputs...)
}

// New is Open of files, streams and open files.
func New(ctx context.Context, s wafer.ReadSettings, inputs ...Input) (*Reader, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if len(inputs) == 0 {
		return nil, errors.New("wafer/file: no files to read")
	}
	r := &Reader{ctx: ctx, settings: s}
	var err error
	if r.inputs, err = expand(inputs); err != nil {
		return nil, err
	}
	for _, in := range r.inputs {
		size, err := in.size()
		if err != nil {
			return nil, err
		}
		r.sizes = append(r.sizes, size)
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	info := r.now.Info()
	r.first = r.now.source.Name
	r.columns, r.unit = info.Columns, info.Unit
	return r, nil
}

// ReadAll reads all images of a file.
func ReadAll(ctx context.Context, path string, s wafer.ReadSettings) (*wafer.Set, error) {
	r, err := Open(ctx, s, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return wafer.ReadAll(r)
}

// open starts the input whose turn it is or, of several, the next that has images; where
// none is left, that is an error wrapping wafer.ErrNoImages.
func (r *Reader) open() error {
	var first error
	for ; r.at < len(r.inputs); r.at++ {
		err := r.start()
		if err == nil || len(r.inputs) == 1 || !errors.Is(err, wafer.ErrNoImages) {
			return err
		}
		r.remarks = append(r.remarks, "left out: "+err.Error())
		first = cmp.Or(first, err)
	}
	r.at--
	return fmt.Errorf("wafer/file: none of %d files has images; the first: %w", len(r.inputs), first)
}

// start starts the input whose turn it is.
func (r *Reader) start() error {
	src, err := openSource(r.ctx, r.inputs[r.at], r.sizes[r.at])
	if err != nil {
		return err
	}
	images, err := src.format.Open(&src.Source, r.settings)
	if err != nil {
		return errors.Join(misnamed(err, r.inputs[r.at].Name, src.format), src.close())
	}
	now := &opened{FileReader: images, source: src}
	if len(r.inputs) > 1 {
		if err := now.look(); err != nil {
			return errors.Join(err, now.close())
		}
	}
	if err := r.heeds(now); err != nil {
		return errors.Join(err, now.close())
	}
	r.now = now
	return nil
}

// misnamed adds to an error of a file that its ending is another format's, where it is: the
// content, which tells the format, may be damaged.
func misnamed(err error, name string, read wafer.Format) error {
	inner, _ := unpackedName(name)
	end := ending(inner)
	if slices.Contains(read.Endings(), end) {
		return err
	}
	for _, f := range formats() {
		if slices.Contains(f.Endings(), end) {
			return fmt.Errorf("wafer/file: the ending %s is that of %s, the content is not, and is read as %s: %w", end, f.Name(), read.Name(), err)
		}
	}
	return err
}

// heeds remarks on settings that do not apply to a file, on each once. A file whose
// charges are said to be others than those asked for is an error.
func (r *Reader) heeds(now *opened) error {
	var heeded []string
	if h, ok := now.source.format.(wafer.Heeder); ok {
		heeded = h.Heeds()
	}
	s, info := &r.settings, now.Info()
	if s.Charge != "" && info.Unit != "" && info.Unit != s.Charge {
		return fmt.Errorf("wafer/file: %s: its charges are %s, and %s is asked for: they are charges as such, of which no others can be made", now.source.Name, info.Unit, s.Charge)
	}
	for _, set := range [][2]string{{"header", s.Header}, {"layout", s.Layout}, {"tree", s.Tree}, {"charge", s.Charge}} {
		name, value := set[0], set[1]
		if value == "" || slices.Contains(heeded, name) || slices.Contains(r.vain, name) || name == "charge" && info.Unit == value {
			continue
		}
		r.vain = append(r.vain, name)
		r.remarks = append(r.remarks, fmt.Sprintf("%s: the setting %s %s changes nothing: it is not for files of the format %s", now.source.Name, name, value, info.Format))
	}
	return nil
}

// Read puts up to n further images of one file into s: see wafer.Reader. A file
// whose columns are not those of the first is an error that wraps
// wafer.ErrColumns, unless Keep names what is wanted; so is one whose charges have
// another unit.
func (r *Reader) Read(s *wafer.Set, n int) (int, error) {
	for {
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
		r.note()
		got, err := r.now.Read(s, n)
		r.count += got
		if err != io.EOF || r.at == len(r.inputs)-1 {
			if err == nil {
				r.shape(s)
			}
			return got, err
		}
		if err := r.Next(); err != nil {
			return 0, err
		}
	}
}

// Next passes over the rest of the file that is being read: the next images are those of
// the file behind it, if there is one.
func (r *Reader) Next() error {
	r.remarks = r.Remarks()
	now := r.now
	r.now = &opened{FileReader: ended{}}
	if err := now.close(); err != nil {
		return err
	}
	if r.at == len(r.inputs)-1 {
		return nil
	}
	r.at++
	err := r.open()
	if errors.Is(err, wafer.ErrNoImages) {
		return nil
	}
	if err == nil {
		err = r.fits()
	}
	if err != nil {
		failed := r.now
		r.now = &opened{FileReader: ended{}}
		return errors.Join(err, failed.close())
	}
	return nil
}

// fits reports whether a further file goes with those before it.
func (r *Reader) fits() error {
	info := r.now.Info()
	switch {
	case r.unit == "" || info.Unit == "":
		if r.unit != info.Unit {
			r.remarks = append(r.remarks, fmt.Sprintf("%s: charges in %s, joined with others of which one is not said", r.now.source.Name, cmp.Or(info.Unit, r.unit)))
		}
		r.unit = cmp.Or(r.unit, info.Unit)
	case r.unit != info.Unit:
		return fmt.Errorf("wafer/file: %s: its charges are %s, those before it are %s: files of one unit can be joined", r.now.source.Name, info.Unit, r.unit)
	}
	if r.keep != nil {
		return r.has(r.keep)
	}
	mine := slices.Sorted(slices.Values(info.Columns))
	if want := slices.Sorted(slices.Values(r.columns)); !slices.Equal(mine, want) {
		return fmt.Errorf("wafer/file: %s and %s: %w: %s", r.first, r.now.source.Name, wafer.ErrColumns, differ(want, mine))
	}
	return nil
}

// differ says what columns two files do not have in common, the second last.
func differ(a, b []string) string {
	only := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) })
	}
	both := len(a) - len(only(a, b))
	return fmt.Sprintf("%s in the first alone, %s in the second alone, %d in both; name those to keep, of them", few(only(a, b)), few(only(b, a)), both)
}

// few lists names, many of them not to the end.
func few(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", list(names[:most]), len(names)-most)
	}
	return list(names)
}

// sumName is the column that wafer.QuirkSumWithout0 makes.
const sumName = "sumCALQ"

// Keep reads of all files only these metadata columns, in this order; a file that
// lacks one is an error that lists what there is.
func (r *Reader) Keep(columns []string) error {
	for i, name := range columns {
		if slices.Contains(columns[:i], name) {
			return fmt.Errorf("wafer/file: the column %q is named twice", name)
		}
	}
	if err := r.has(columns); err != nil {
		return err
	}
	r.keep = append([]string{}, columns...)
	return nil
}

func (r *Reader) has(columns []string) error {
	have := r.all()
	for _, name := range columns {
		if !slices.Contains(have, name) {
			return fmt.Errorf("wafer/file: %s: no column %q; it has %s", printable(r.inputs[r.at].Name), name, list(have))
		}
	}
	return nil
}

// all are the columns that can be had of the file being read.
func (r *Reader) all() []string {
	have := slices.Clone(r.now.Info().Columns)
	if r.settings.Quirk(wafer.QuirkSumWithout0) && !slices.Contains(have, sumName) {
		have = append(have, sumName)
	}
	return have
}

// shape makes the columns those of Info.
func (r *Reader) shape(s *wafer.Set) {
	if r.settings.Quirk(wafer.QuirkSumWithout0) {
		sums := wafer.Column{Name: sumName, Float: make([]float64, s.Len())}
		for i := range sums.Float {
			sums.Float[i] = wafer.Sum(s.Image(i)[1:])
		}
		if c := s.Column(sumName); c != nil {
			*c = sums
		} else {
			s.Columns = append(s.Columns, sums)
		}
	}
	if r.keep == nil {
		return
	}
	kept := make([]wafer.Column, len(r.keep))
	for i, name := range r.keep {
		kept[i] = *s.Column(name)
	}
	s.Columns = kept
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ",")
}

// Info is what the file being read says; before the first Read, what the first
// one says.
func (r *Reader) Info() wafer.Info {
	info := r.now.Info()
	info.Columns = r.all()
	if r.keep != nil {
		info.Columns = slices.Clone(r.keep)
	}
	return info
}

// Place names where image i of the last Read stands.
func (r *Reader) Place(i int) string { return r.now.Place(i) }

// Remarks are what the files' readers have to say of how they read them, each with
// its file's name: see wafer.Remarker.
func (r *Reader) Remarks() []string {
	remarks := slices.Clone(r.remarks)
	if now, ok := r.now.FileReader.(wafer.Remarker); ok {
		for _, line := range now.Remarks() {
			remarks = append(remarks, printable(r.inputs[r.at].Name)+": "+line)
		}
	}
	return remarks
}

// Share is how much of the files is read, by their bytes; ok is false where the
// size of one is not known.
func (r *Reader) Share() (share float64, ok bool) {
	var whole, done float64
	for i, n := range r.sizes {
		if n < 0 {
			return 0, false
		}
		whole += float64(n)
		switch {
		case i < r.at || i == r.at && r.now.source == nil:
			done += float64(n)
		case i == r.at:
			done += float64(n) * r.now.share()
		}
	}
	if whole == 0 {
		return 1, true
	}
	return done / whole, true
}

// Close closes what is open.
func (r *Reader) Close() error { return r.now.close() }

// ended is a reader at its end.
type ended struct{}

func (ended) Read(*wafer.Set, int) (int, error) { return 0, io.EOF }
func (ended) Info() wafer.Info                  { return wafer.Info{} }
func (ended) Place(int) string                  { return "" }
func (ended) Close() error                      { return nil }
