package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/wait"
	"barrow/wafer"
)

// Input is a file by its path, or a stream with a name to call it by.
type Input struct {
	Name   string
	Stream io.Reader // nil for the file at Name
}

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
	src   *wafer.Source
	file  *os.File
	bytes *counted
}

func (o *opened) close() error {
	err := o.FileReader.Close()
	if o.src != nil {
		err = errors.Join(err, o.src.Close())
	}
	if o.file != nil {
		err = errors.Join(err, o.file.Close())
	}
	return err
}

var (
	_ wafer.Sharer   = (*Reader)(nil)
	_ wafer.Remarker = (*Reader)(nil)
)

// Open opens the files at these paths, at least one, as one stream of images.
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
	r := &Reader{ctx: ctx, settings: s, inputs: slices.Clone(inputs)}
	for _, in := range inputs {
		size := int64(-1)
		if in.Stream == nil {
			info, err := os.Stat(in.Name)
			if err != nil {
				return nil, pathError(err)
			}
			if info.IsDir() {
				return nil, fmt.Errorf("wafer/file: %s: is a folder; name a file", printable(in.Name))
			}
			if info.Mode().IsRegular() {
				size = info.Size()
			}
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
func (r *Reader) open() (err error) {
	in := r.inputs[r.at]
	o := &opened{}
	src := &wafer.Source{Name: printable(in.Name), Size: r.sizes[r.at]}
	stream := in.Stream
	if stream == nil {
		if o.file, err = wait.Open(r.ctx, in.Name); err != nil {
			return pathError(err)
		}
		defer func() {
			if err != nil {
				o.file.Close()
			}
		}()
		stream = o.file
	}
	if src.Size < 0 {
		stream = wait.Reader(r.ctx, stream)
	} else {
		o.bytes = &counted{Reader: stream, at: o.file}
		stream, src.At = o.bytes, o.bytes
	}
	buffered := bufio.NewReaderSize(stream, wafer.SniffLength)
	head, err := buffered.Peek(wafer.SniffLength)
	if err != nil && err != io.EOF {
		return fmt.Errorf("wafer/file: %s: %w", src.Name, err)
	}
	format, err := recognise(head, in.Name)
	if err != nil {
		return err
	}
	src.Stream = buffered
	if o.FileReader, err = format.Open(src, r.settings); err != nil {
		return errors.Join(err, src.Close())
	}
	o.src, r.now = src, o
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
			r.now = &opened{FileReader: ended{}}
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
		case i == r.at && r.now.bytes != nil:
			done += float64(min(r.now.bytes.n, n))
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

// counted counts the bytes that are read of a file.
type counted struct {
	io.Reader
	at io.ReaderAt
	n  int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.at.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

// pathError is an error of the file system with a path that can be printed.
func pathError(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return fmt.Errorf("open %s: %w", printable(p.Path), p.Err)
	}
	return fmt.Errorf("wafer/file: %w", err)
}

// printable is a name as a message may hold it: in quotation marks where it has
// characters that a terminal would obey.
func printable(name string) string {
	for _, c := range name {
		if !strconv.IsPrint(c) {
			return strconv.Quote(name)
		}
	}
	return name
}
