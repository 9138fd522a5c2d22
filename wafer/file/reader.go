package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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
	columns  []string // of the first input
	remarks  []string // of the inputs before this one
}

// opened is an input under way.
type opened struct {
	wafer.FileReader
	*source // nil for one at its end
}

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
		if in.Stream != nil {
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
// The first is opened at once, the others when their turn comes, but that all
// are there is checked at once. A cancelled context ends reads that wait, of a
// pipe say.
func Open(ctx context.Context, s wafer.ReadSettings, paths ...string) (*Reader, error) {
	var inputs []Input
	for _, p := range paths {
		inputs = append(inputs, Input{Name: p})
	}
	return New(ctx, s, inputs...)
}

// New is Open of files and streams.
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
	r.columns = r.now.Info().Columns
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

// open starts the input whose turn it is.
func (r *Reader) open() error {
	src, err := openSource(r.ctx, r.inputs[r.at], r.sizes[r.at])
	if err != nil {
		return err
	}
	images, err := src.format.Open(&src.Source, r.settings)
	if err != nil {
		return errors.Join(err, src.close())
	}
	r.now = &opened{images, src}
	return nil
}

// Read puts up to n further images of one file into s: see wafer.Reader. A file
// whose columns are not those of the first is an error that wraps
// wafer.ErrColumns.
func (r *Reader) Read(s *wafer.Set, n int) (int, error) {
	for {
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
		got, err := r.now.Read(s, n)
		if err != io.EOF || r.at == len(r.inputs)-1 {
			return got, err
		}
		r.remarks = r.Remarks()
		if err := r.now.close(); err != nil {
			return 0, err
		}
		r.at++
		if err := r.open(); err != nil {
			r.now = &opened{ended{}, nil}
			return 0, err
		}
		mine := slices.Clone(r.now.Info().Columns)
		slices.Sort(mine)
		if want := slices.Sorted(slices.Values(r.columns)); !slices.Equal(mine, want) {
			return 0, fmt.Errorf("wafer/file: %s and %s: %w: %s and %s; copies in the dialect charges, which has none, can be joined", printable(r.inputs[0].Name), printable(r.inputs[r.at].Name),
				wafer.ErrColumns, list(want), list(mine))
		}
	}
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ",")
}

// Info is what the file being read says; before the first Read, what the first
// one says.
func (r *Reader) Info() wafer.Info { return r.now.Info() }

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
		case i < r.at:
			done += float64(n)
		case i == r.at && r.now.source != nil:
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
