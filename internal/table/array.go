package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"barrow/internal/npz"
)

// numpy says that a file is an array of NumPy's, or an archive of them, and leaves it at its
// start.
func numpy(f *os.File) bool {
	var head [numpyHead]byte
	n, _ := f.ReadAt(head[:], 0)
	return isNumPy(head[:n])
}

// numpyHead is how many bytes tell such a file.
const numpyHead = 6

func isNumPy(head []byte) bool {
	return string(head) == "\x93NUMPY" || bytes.HasPrefix(head, []byte("PK\x03\x04"))
}

// An array is the rows of an array along its first axis.
type array struct {
	archive *npz.Archive // nil for an array alone
	in      *npz.Reader
	name    string
	words   *npz.Reader // the labels, or nil
	done    int
	held    []float64
	whole   []int64
	texts   []string
}

// startArray opens the array of a file: of an archive the only one of numbers with more than one
// axis.
func (r *Reader) startArray() error {
	a := &array{}
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	r.size = info.Size()
	var head [1]byte
	if _, err := r.file.ReadAt(head[:], 0); err != nil {
		return err
	}
	if head[0] != 'P' {
		if a.in, err = npz.NewReader(r.file, r.size, r.name); err != nil {
			return err
		}
		if !numbers(a.in) {
			return fmt.Errorf("%s: an array of %s, %v; want rows of numbers", r.name, a.in.Dims(), a.in.Type())
		}
	} else if err := a.choose(r); err != nil {
		return err
	}
	r.array = a
	r.cols = a.in.Fields[0].Len()
	if r.cols == 0 || a.in.Rows() == 0 {
		a.close()
		return fmt.Errorf("%s: no rows of numbers in an array of %s", r.name, a.in.Dims())
	}
	return nil
}

// numbers says that an array is rows of numbers.
func numbers(in *npz.Reader) bool {
	if len(in.Fields) != 1 || len(in.Shape) == 0 || in.Pickled() {
		return false
	}
	k := in.Fields[0].Type.Kind()
	return k == npz.Whole || k == npz.Real
}

func (a *array) choose(r *Reader) (err error) {
	if a.archive, err = npz.NewArchive(r.file, r.size, r.name); err != nil {
		return err
	}
	var names []string
	at := -1
	for i, name := range a.archive.Names {
		in, err := a.archive.Open(i)
		if err != nil {
			return err
		}
		if numbers(in) && len(in.Shape) > 1 {
			at = i
			names = append(names, name)
		}
		in.Close()
	}
	switch len(names) {
	case 0:
		return fmt.Errorf("%s: none of its arrays (%s) is rows of numbers: an axis of rows and one more", r.name, strings.Join(a.archive.Names, ", "))
	case 1:
	default:
		return fmt.Errorf("%s: the arrays %s are rows of numbers: save the one that is meant in a file of its own, with labels if there are any", r.name, strings.Join(names, ", "))
	}
	a.name = a.archive.Names[at]
	a.in, err = a.archive.Open(at)
	return err
}

// label opens the array of labels.
func (a *array) label(r *Reader, name string) (bool, error) {
	if a.archive == nil {
		return false, nil
	}
	for i, n := range a.archive.Names {
		if n != name || n == a.name {
			continue
		}
		in, err := a.archive.Open(i)
		if err != nil {
			return false, err
		}
		if len(in.Fields) != 1 || len(in.Shape) == 0 || in.Fields[0].Len() != 1 || in.Pickled() || in.Fields[0].Type.Kind() == npz.Other || in.Rows() != a.in.Rows() {
			in.Close()
			return false, fmt.Errorf("%s: the array %s is %s, %v: want a label for each of the %d rows of %s", r.name, name, in.Dims(), in.Type(), a.in.Rows(), a.name)
		}
		a.words = in
		return true, nil
	}
	return false, nil
}

func (a *array) share() float64 { return float64(a.done) / float64(a.in.Rows()) }

// read is Read.
func (a *array) read(r *Reader, values []float64, n int) ([]float64, error) {
	for most := max(1, 1<<16/r.cols); n > 0; {
		got, err := a.in.Next(min(n, most))
		if err == io.EOF || err == nil && got == 0 {
			return values, nil
		}
		if err != nil {
			return values, err
		}
		a.held = a.in.Floats(&a.in.Fields[0], a.held)
		for k, x := range a.held {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return values, fmt.Errorf("%s:%d:%d: %v is not a finite number", r.name, a.done+k/r.cols+1, k%r.cols+1, x)
			}
		}
		values = append(values, a.held...)
		if err := a.readLabels(r, got); err != nil {
			return values, err
		}
		for range got {
			a.done++
			r.at = append(r.at, a.done)
		}
		n -= got
	}
	return values, nil
}

// readLabels has those of the next rows.
func (a *array) readLabels(r *Reader, n int) (err error) {
	if a.words == nil {
		return nil
	}
	if got, err := a.words.Next(n); err != nil || got != n {
		return errors.Join(err, fmt.Errorf("%s: the labels end at row %d", r.name, a.done+got+1))
	}
	f := &a.words.Fields[0]
	switch f.Type.Kind() {
	case npz.Words:
		if a.texts, err = a.words.Texts(f, a.texts); err == nil {
			r.labels = append(r.labels, a.texts...)
		}
	case npz.Whole:
		a.whole, err = a.words.Ints(f, a.whole)
		for _, x := range a.whole {
			r.labels = append(r.labels, strconv.FormatInt(x, 10))
		}
	default:
		a.held = a.words.Floats(f, a.held)
		for _, x := range a.held {
			r.labels = append(r.labels, strconv.FormatFloat(x, 'g', -1, 64))
		}
	}
	return err
}

func (a *array) close() {
	a.in.Close()
	if a.words != nil {
		a.words.Close()
	}
}
