// Package pick reads some of the images of wafer files: those that an expression
// selects, every so many, in random order, at most so many.
//
// The steps are taken in this order: select, every, shuffle, limit. A shuffled and
// limited set is therefore a random sample. Memory does not grow with the number of
// images; a random order takes a temporary file.
//
// Expressions are those of github.com/expr-lang/expr: see [New].
package pick

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"barrow/wafer"
)

// Source is what images are picked from: a reader of package wafer/file, say.
type Source interface {
	wafer.Sharer
	wafer.Reader
	Info() wafer.Info
	Place(i int) string
}

// Settings say which images to pick. The zero value takes all.
type Settings struct {
	// Select is an expression that is true for the images to take; "" takes all.
	Select string
	// Columns are the metadata columns to give, in this order; nil gives all.
	// A name may be any of those of a well-known column, and stand between spaces; what
	// is given has the source's name.
	Columns []string
	// Every takes the first of so many selected images, then the first of the next; 0
	// and 1 take all.
	Every int
	// Shuffle puts the images in a random order, every one as likely as any other,
	// that of Seed.
	Shuffle bool
	Seed    uint64
	// Limit is how many images are given at most; 0 is all of them.
	Limit int
	// From and To bound the images of the source that are given, by their numbers from 0, To
	// being that behind the last, or 0 for no end. Those outside count for Every all the same; with
	// Shuffle or Limit there are none.
	From, To int
	// First is the number of the first image that the source gives, whose images before are passed
	// over: with it goes no Select beside Every, for which those count that are selected.
	First int
	// Spool makes the temporary file for Shuffle; nil takes one of the system's
	// temporary files.
	Spool func() (*os.File, error)
	// Progress, if not nil, is called with the share of the work that is done while
	// Shuffle reads all images before it gives the first.
	Progress func(share float64, note string)
}

// Check reports settings that mean nothing.
func (s Settings) Check() error {
	for name, n := range map[string]int{"every": s.Every, "limit": s.Limit} {
		if n < 0 {
			return fmt.Errorf("pick: %s = %d: want at least 1, or 0 for all", name, n)
		}
	}
	if (s.From != 0 || s.To != 0) && (s.Shuffle || s.Limit > 0) {
		return errors.New("pick: a range of images in random order, or of a limited number")
	}
	if s.First < 0 || s.First > 0 && (s.Shuffle || s.Limit > 0 || s.Select != "" && s.Every > 1) {
		return fmt.Errorf("pick: image %d is to be the first, and those before it are needed", s.First)
	}
	return nil
}

// Reader gives the images that are picked.
type Reader struct {
	ctx      context.Context
	from     Source
	settings Settings
	filter   *filter
	shuffle  *shuffle
	columns  []string

	in    wafer.Set // read of from
	next  int       // image of in to look at
	seen  int       // images of from before in
	taken int       // selected so far
	given int
	place []int // of the images of the last Read: in in, or shuffled their number in from
	done  bool
}

var _ wafer.Sharer = (*Reader)(nil)

// New starts picking. In Settings.Select the metadata columns are variables, by their
// names or those of the well-known columns that they are; one that is no word is
// $env["its name"]. Text that is a number counts as one, an empty text as NaN, which
// missing(column) tells; columns of words are text. A number compared with a text is an
// error, where elsewhere they would just be not equal. row is the number of the image,
// from 0, charge the list of its 48 charges in V9 order and sum their sum, unless
// columns are called so. What is no such variable is an error that lists them, a
// wrong type one that names the place in the expression.
func New(ctx context.Context, from Source, s Settings) (*Reader, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	r := &Reader{ctx: ctx, from: from, settings: s, columns: from.Info().Columns, seen: s.First, taken: s.First}
	if s.Columns != nil {
		var err error
		if r.columns, err = given(s.Columns, r.columns); err != nil {
			return nil, err
		}
	}
	var err error
	if s.Select != "" {
		if r.filter, err = newFilter(s.Select, from.Info().Columns); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Seen is how many images of the source were looked at.
func (r *Reader) Seen() int { return r.seen + r.next }

// Info is what the source says, with the columns that are given.
func (r *Reader) Info() wafer.Info {
	info := r.from.Info()
	info.Columns = append([]string{}, r.columns...)
	return info
}

// Place names where image i of the last Read stands.
func (r *Reader) Place(i int) string {
	if r.shuffle != nil {
		return fmt.Sprintf("image %d", r.place[i]+1)
	}
	return r.from.Place(r.place[i])
}

// Share is how much of the work is done.
func (r *Reader) Share() (share float64, ok bool) {
	share, ok = r.from.Share()
	if r.shuffle != nil && r.shuffle.rows > 0 {
		share, ok = (1+float64(r.given)/float64(r.shuffle.rows))/2, true
	}
	if r.settings.Limit > 0 {
		share, ok = max(share, float64(r.given)/float64(r.settings.Limit)), true
	}
	return share, ok
}

// Read puts up to n further images into s: see wafer.Reader.
func (r *Reader) Read(s *wafer.Set, n int) (int, error) {
	if limit := r.settings.Limit; limit > 0 {
		if n = min(n, limit-r.given); n == 0 {
			return 0, io.EOF
		}
	}
	got, err := 0, error(nil)
	if r.settings.Shuffle {
		got, err = r.shuffled(s, n)
	} else {
		got, err = r.pick(s, n)
	}
	r.given += got
	return got, err
}

// pick puts up to n selected images into s.
func (r *Reader) pick(s *wafer.Set, n int) (int, error) {
	for !r.done {
		if r.next == r.in.Len() {
			if err := r.ctx.Err(); err != nil {
				return 0, err
			}
			r.seen += r.in.Len()
			r.next = 0
			if r.settings.To > 0 && r.seen >= r.settings.To {
				r.in, r.done = wafer.Set{}, true
				return 0, io.EOF
			}
			got, err := r.from.Read(&r.in, batch)
			if err == io.EOF {
				r.in, r.done = wafer.Set{}, true
				return 0, io.EOF
			}
			if err != nil {
				return 0, err
			}
			if r.filter != nil {
				r.filter.start(&r.in)
			}
			if got == 0 {
				continue
			}
		}
		r.place = r.place[:0]
		for ; r.next < r.in.Len() && len(r.place) < n; r.next++ {
			take, err := r.take(r.next)
			if err != nil {
				return 0, err
			}
			if take {
				r.place = append(r.place, r.next)
			}
		}
		if len(r.place) > 0 {
			r.choose(s)
			return len(r.place), nil
		}
	}
	return 0, io.EOF
}

// take tells whether image i of in is picked.
func (r *Reader) take(i int) (bool, error) {
	if r.filter != nil {
		yes, err := r.filter.holds(&r.in, i, r.seen+i)
		if err != nil {
			return false, fmt.Errorf("pick: %s: %w", r.from.Place(i), err)
		}
		if !yes {
			return false, nil
		}
	}
	r.taken++
	if at := r.seen + i; at < r.settings.From || r.settings.To > 0 && at >= r.settings.To {
		return false, nil
	}
	return r.settings.Every < 2 || (r.taken-1)%r.settings.Every == 0, nil
}

// choose makes s the images at place with the columns that are given.
func (r *Reader) choose(s *wafer.Set) {
	from := &r.in
	if r.settings.Columns != nil {
		from = &wafer.Set{Charge: r.in.Charge}
		for _, name := range r.columns {
			from.Columns = append(from.Columns, *r.in.Column(name))
		}
	}
	from.SelectTo(s, r.place)
}

// shuffled puts up to n images into s in random order, reading all first.
func (r *Reader) shuffled(s *wafer.Set, n int) (int, error) {
	if r.shuffle == nil {
		sh, err := newShuffle(r.settings.Seed, r.settings.Spool)
		if err != nil {
			return 0, err
		}
		if err := r.fill(sh); err != nil {
			return 0, errors.Join(err, sh.close())
		}
		r.shuffle = sh
	}
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	var err error
	r.place, err = r.shuffle.read(s, n, r.columns, r.place[:0])
	return len(r.place), err
}

// fill puts all images into the shuffle.
func (r *Reader) fill(sh *shuffle) error {
	var part wafer.Set
	for {
		_, err := r.pick(&part, batch)
		if err == io.EOF {
			return sh.begin()
		}
		if err != nil {
			return err
		}
		for i := range part.Len() {
			if err := sh.add(&part, i, r.seen+r.place[i]); err != nil {
				return err
			}
		}
		if share, ok := r.from.Share(); ok && r.settings.Progress != nil {
			r.settings.Progress(share/2, fmt.Sprintf("%d images", sh.rows))
		}
	}
}

// batch is how many images are read at a time: about 400 kB.
const batch = 1024

// Close frees what the reader holds; the source stays open.
func (r *Reader) Close() error {
	if r.shuffle == nil {
		return nil
	}
	return r.shuffle.close()
}
