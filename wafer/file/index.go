package file

import (
	"fmt"
	"io"

	"barrow/internal/index"
	"barrow/wafer"
)

// Index has the reader note in x, from before its first Read on, where its images stand: an index that
// is complete once Read has returned io.EOF, for GoTo of other readers of the same files with the
// same settings.
func (r *Reader) Index(x *index.Index) { r.index = x }

// File is the number of the file, from 0, that the last images were of.
func (r *Reader) File() int { return r.at }

// note keeps where the next image stands. Of images that were read ahead only the first has a mark:
// the beginning of its file.
func (r *Reader) note() {
	if r.index == nil {
		return
	}
	r.index.Rows = r.count
	var m wafer.Mark
	if of, ok := r.now.FileReader.(wafer.Marker); r.noted != r.at+1 {
		r.noted = r.at + 1
	} else if !ok || r.now.at < r.now.ahead.Len() {
		return
	} else if m, ok = of.Mark(); !ok {
		return
	}
	r.index.Note(index.Mark{Row: r.count, File: r.at, At: m.At, Sub: m.Sub})
}

// GoTo has the next Read begin at an image, by its number from 0 among those of all files, of a reader
// that has not read yet. Files before that one are not opened again, and what of it is before the image is
// not read again but for a little; where it is compressed, it is unpacked from its beginning.
func (r *Reader) GoTo(x *index.Index, image int) error {
	if image < 0 || image > x.Rows {
		return fmt.Errorf("wafer/file: image %d of %d", image, x.Rows)
	}
	m, ok := x.Before(image)
	if ok && m.File != r.at {
		now := r.now
		r.now = &opened{FileReader: ended{}}
		if err := now.close(); err != nil {
			return err
		}
		r.at = m.File
		if err := r.open(); err != nil {
			return err
		}
		if err := r.fits(); err != nil {
			return err
		}
	}
	if at := (wafer.Mark{At: m.At, Sub: m.Sub}); at != (wafer.Mark{}) {
		of, ok := r.now.FileReader.(wafer.Marker)
		if !ok {
			return fmt.Errorf("wafer/file: %s: an index of another format", r.now.source.Name)
		}
		r.now.ahead, r.now.at, r.now.from = wafer.Set{}, 0, 0
		if err := of.Go(at); err != nil {
			return err
		}
	}
	var passed wafer.Set
	for left := image - m.Row; left > 0; {
		n, err := r.Read(&passed, min(left, 1024))
		if err == io.EOF {
			return fmt.Errorf("wafer/file: %d images of %d are not there any more", left, x.Rows)
		}
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}
