package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/file"
	"barrow/wafer/pick"
)

// files reads and writes wafer files.
var files = subject{kinds: map[string]open{"files.reader": openReader, "files.writer": openWriter}}

// readParams are the settings of "barrow convert" about what it reads, by the names of
// its flags.
type readParams struct {
	Files   []string `json:"files"` // or patterns
	Order   string   `json:"order"`
	Header  string   `json:"header"`
	Layout  string   `json:"layout"`
	Tree    string   `json:"tree"`
	Charge  string   `json:"charge"`
	Quirk   []string `json:"quirk"`
	Select  string   `json:"select"`
	Columns []string `json:"columns"`
	Every   int      `json:"every"`
	Shuffle bool     `json:"shuffle"`
	Seed    uint64   `json:"seed"`
	Limit   int      `json:"limit"`
	// Words are columns to give as they stand, whatever they look like.
	Words []string `json:"words"`
}

func (p *readParams) settings() (wafer.ReadSettings, pick.Settings, error) {
	s := wafer.ReadSettings{Header: p.Header, Layout: p.Layout, Tree: p.Tree, Charge: p.Charge, Quirks: p.Quirk}
	k := pick.Settings{Select: p.Select, Columns: p.Columns, Every: p.Every, Shuffle: p.Shuffle, Seed: p.Seed, Limit: p.Limit}
	var err error
	if s.Order, err = hgcal.ParseOrder(p.Order); err != nil {
		return s, k, err
	}
	return s, k, errors.Join(s.Check(), k.Check())
}

// A reader is wafer files that are being read.
type reader struct {
	file  *file.Reader
	pick  *pick.Reader
	types *wafer.Types
	set   wafer.Set
	at    place
}

func openReader(ctx context.Context, c *call) (object, error) {
	p := readParams{Order: "v9", Seed: 1}
	if err := c.decode(&p); err != nil {
		return object{}, err
	}
	s, k, err := p.settings()
	if err != nil {
		return object{}, err
	}
	names, err := file.Expand(p.Files...)
	if err != nil {
		return object{}, fileError(err)
	}
	r := &reader{types: wordTypes(p.Words)}
	if r.file, err = file.Open(ctx, s, names...); err != nil {
		return object{}, unreadable(err)
	}
	if r.pick, err = r.picked(ctx, k); err != nil {
		return object{}, errors.Join(err, r.file.Close())
	}
	return object{methods: map[string]function{"read": r.read}, close: r.close}, nil
}

func (r *reader) picked(ctx context.Context, k pick.Settings) (*pick.Reader, error) {
	if k.Columns != nil {
		keep, err := pick.Columns(k, r.file.Info().Columns)
		if err != nil {
			return nil, err
		}
		if err := r.file.Keep(keep); err != nil {
			return nil, err
		}
	}
	return pick.New(ctx, r.file, k)
}

// unreadable is an error of opening files: what the settings should have said is the
// caller's to say, the rest is the file's.
func unreadable(err error) error {
	var unclear *wafer.UnclearError
	if errors.As(err, &unclear) {
		return fmt.Errorf("worker: %w", err)
	}
	return fileError(err)
}

// read gives further images, none at the end. Kinds of columns are those by all values
// that were read so far.
func (r *reader) read(_ context.Context, c *call) error {
	var p struct {
		Rows int `json:"rows"`
	}
	if err := c.decode(&p); err != nil {
		return err
	}
	if err := r.at.follows(c); err != nil {
		return err
	}
	if p.Rows < 1 {
		return fmt.Errorf("worker: %d rows to read: want at least 1", p.Rows)
	}
	answer := map[string]any{}
	n, err := r.pick.Read(&r.set, p.Rows)
	switch {
	case err == io.EOF:
		r.set = wafer.Set{}
		answer["end"], answer["remarks"] = true, r.file.Remarks()
	case err != nil:
		return unreadable(err)
	}
	r.at += place(n)
	r.typed()
	r.types.Look(&r.set)
	typed, err := r.types.Apply(&r.set)
	if err != nil {
		return err
	}
	if answer["columns"], err = answerImages(c, typed); err != nil {
		return err
	}
	if r.at == 0 { // of no images the columns are known all the same
		answer["names"] = r.pick.Info().Columns
	}
	if share, ok := r.pick.Share(); ok {
		answer["share"] = share
	}
	answer["unit"] = r.pick.Info().Unit
	return c.answer(answer)
}

// typed keeps words of files whose columns have types as words, whatever they look like;
// in text tables all is text.
func (r *reader) typed() {
	if r.pick.Info().Format == "csv" {
		return
	}
	var names []string
	for i := range r.set.Columns {
		if c := &r.set.Columns[i]; c.Text != nil && !slices.ContainsFunc(wafer.KnownColumns(), func(k wafer.Known) bool {
			return slices.Contains(k.Names(), c.Name)
		}) {
			names = append(names, c.Name)
		}
	}
	r.types.Look(asWords(names))
}

func (r *reader) close() error { return errors.Join(r.pick.Close(), r.file.Close()) }

// A writer is a wafer file that is being written.
type writer struct {
	path string
	file *file.Writer
	at   place
	// words are what columns of words look like, of a file that does not say that they
	// are words, in the columns' order.
	words wafer.Types
	names []string
}

func openWriter(_ context.Context, c *call) (object, error) {
	var p struct {
		File    string `json:"file"`
		Force   bool   `json:"force"`
		Order   string `json:"order"`
		Dialect string `json:"dialect"`
		Digits  int    `json:"digits"`
		Unit    string `json:"unit"`
	}
	p.Order = "v9"
	if err := c.decode(&p); err != nil {
		return object{}, err
	}
	s := wafer.WriteSettings{Dialect: p.Dialect, Digits: p.Digits, Unit: p.Unit}
	var err error
	if s.Order, err = hgcal.ParseOrder(p.Order); err != nil {
		return object{}, err
	}
	if p.Unit != "" && !slices.Contains(wafer.Charges(), p.Unit) {
		return object{}, fmt.Errorf("worker: the unit %q is none of %s", p.Unit, strings.Join(wafer.Charges(), ", "))
	}
	f, err := file.Create(p.File, p.Force, s)
	if err != nil {
		return object{}, ofFile(err, p.File)
	}
	w := &writer{path: p.File, file: f}
	return object{
		methods: map[string]function{"temporary": w.temporary, "write": w.write, "finish": w.finish, "abort": w.abort},
		close:   func() error { w.file.Abort(); return nil },
	}, nil
}

// temporary is the name of the file until it is finished, so that the client can
// remove it should the worker be killed.
func (w *writer) temporary(_ context.Context, c *call) error {
	return c.answer(map[string]any{"file": w.file.Temporary()})
}

func (w *writer) write(_ context.Context, c *call) error {
	var p struct {
		Columns []columnHead `json:"columns"`
	}
	if err := c.decode(&p); err != nil {
		return err
	}
	if err := w.at.follows(c); err != nil {
		return err
	}
	images, err := imagesOf(c, p.Columns)
	if err != nil {
		return err
	}
	if w.at == 0 {
		w.names = wordColumns(p.Columns)
	}
	switch {
	case !w.file.Typed():
		for _, name := range w.names {
			if c := images.Column(name); c != nil {
				w.words.Look(&wafer.Set{Columns: []wafer.Column{*c}})
			}
		}
	case w.at == 0:
		w.file.SetTypes(wordTypes(w.names))
	}
	w.at += place(images.Len())
	return ofFile(w.file.Write(images), w.path)
}

// wordTypes keep columns from becoming numbers that their words look like.
func wordTypes(names []string) *wafer.Types {
	t := &wafer.Types{}
	t.Look(asWords(names))
	return t
}

// asWords is an image whose columns are words for certain.
func asWords(names []string) *wafer.Set {
	s := &wafer.Set{}
	for _, name := range names {
		s.Columns = append(s.Columns, wafer.Column{Name: name, Text: []string{"a word"}})
	}
	return s
}

func wordColumns(heads []columnHead) (names []string) {
	for _, h := range heads {
		if h.Kind == kindWords {
			names = append(names, h.Name)
		}
	}
	return names
}

// finish puts the file in its place and says what of the images it does not have.
func (w *writer) finish(_ context.Context, c *call) error {
	if err := w.at.follows(c); err != nil {
		return err
	}
	if err := w.file.Close(); err != nil {
		return fileError(ofFile(err, w.path))
	}
	return c.answer(map[string]any{"lost": append(w.file.Lost(), w.numbers()...)})
}

// numbers says which columns of words will be read as numbers, where the file does not
// say that they are words.
func (w *writer) numbers() (lost []string) {
	if w.file.Typed() {
		return nil
	}
	for _, name := range w.names {
		if w.words.Kind(name) != wafer.Words {
			lost = append(lost, fmt.Sprintf("that the column %q is of words: it will be read as numbers", name))
		}
	}
	return lost
}

func (w *writer) abort(context.Context, *call) error {
	w.file.Abort()
	return nil
}
