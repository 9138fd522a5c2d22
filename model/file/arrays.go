package file

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/npz"
	"barrow/internal/outfile"
	"barrow/internal/sniff"
	"barrow/model"
)

// writeArrays writes arrays into one file of NumPy's. Without force an existing file
// is an error.
func writeArrays(path string, force bool, arrays model.Vectors) error {
	return outfile.Write(path, force, func(w io.Writer) error {
		archive := zip.NewWriter(w)
		for _, a := range arrays {
			b, err := encode(a.Array)
			if err != nil {
				return fmt.Errorf("array %s: %w", a.Name, err)
			}
			entry, err := archive.Create(a.Name + ".npy")
			if err != nil {
				return err
			}
			if _, err := entry.Write(b); err != nil {
				return err
			}
		}
		return archive.Close()
	})
}

// encode is an array as an entry of NumPy's archives.
func encode(a *model.Array) ([]byte, error) {
	switch a.Type {
	case model.Float64:
		return npz.Encode(nil, npz.Float64, a.Shape, a.Data)
	case model.Int64:
		whole := make([]int64, len(a.Data))
		for i, v := range a.Data {
			whole[i] = int64(v)
		}
		return npz.Encode(nil, npz.Int64, a.Shape, whole)
	}
	return npz.Encode(nil, npz.Float32, a.Shape, a.Float32s())
}

// maxNumbers bounds the numbers of one array that is read.
const maxNumbers = 1 << 26

// An inFile is a file of NumPy's arrays: an archive or, as the array x, a single one.
type inFile struct {
	*os.File
	names []string
	open  func(i int) (*npz.Reader, error)
}

func openArrays(path string) (_ *inFile, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	head, err := sniff.Head(path)
	if err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		return &inFile{f, []string{inputName(0)}, func(int) (*npz.Reader, error) { return npz.NewReader(f, info.Size(), path) }}, nil
	case !bytes.HasPrefix(head, []byte("PK")):
		return nil, fmt.Errorf("%s: %s; wanted is a file of NumPy's arrays, as numpy.savez writes it (.npz), or a single array (.npy)", path, sniff.Looks(head))
	}
	archive, err := npz.NewArchive(f, info.Size(), path)
	if err != nil {
		return nil, err
	}
	return &inFile{f, archive.Names, archive.Open}, nil
}

// inputs takes from a file of NumPy's, x.npz say, what a model's inputs are called
// there: the names that the model has for them, or, for those that are not there by
// name, x, x1, x2 and so on by their places.
func inputs(path string, ports []model.Port) ([]*model.Array, error) {
	f, err := openArrays(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	at, err := places(f.names, ports)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var in []*model.Array
	for i, p := range ports {
		a, err := f.input(at[i], p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		in = append(in, a)
	}
	return in, nil
}

// places finds for every input which of the arrays it is. An array that bears one
// input's name is never taken for another's place, and names and places that
// contradict one another are an error.
func places(names []string, ports []model.Port) ([]int, error) {
	at := make([]int, len(ports))
	named := map[string]bool{}
	for i, p := range ports {
		if at[i] = slices.Index(names, p.Name); at[i] >= 0 {
			named[p.Name] = true
		}
	}
	for i, p := range ports {
		if at[i] >= 0 {
			continue
		}
		name := inputName(i)
		has := "it has " + strings.Join(names, ", ")
		if at[i] = slices.Index(names, name); at[i] < 0 {
			return nil, fmt.Errorf("no array %s for the model's input %s of the shape %s; %s", name, p.Name, lengths(p.Shape), has)
		}
		if named[name] {
			return nil, fmt.Errorf("no array %s for the model's input of that name and of the shape %s, and %s is the name of another; %s", p.Name, lengths(p.Shape), name, has)
		}
		for k, q := range ports {
			if other := inputName(k); named[q.Name] && !named[other] && slices.Contains(names, other) {
				return nil, fmt.Errorf("the arrays %s and %s may both be the model's input %s, and there is none called %s: give all inputs by their names, or all as x, x1 and so on; %s", q.Name, other, q.Name, p.Name, has)
			}
		}
	}
	return at, nil
}

// input reads the array of an input. What is too large is not read, and of one that
// does not fit is said which would.
func (f *inFile) input(at int, p model.Port) (*model.Array, error) {
	r, err := f.open(at)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	numbers := 1
	for _, n := range r.Shape {
		if n > 0 && numbers > maxNumbers/n {
			return nil, fmt.Errorf("the array %s has the shape %s: more than %d numbers", f.names[at], lengths(r.Shape), maxNumbers)
		}
		numbers *= n
	}
	if !fits(r.Shape, p.Shape) {
		var others []string
		for i, name := range f.names {
			if other, err := f.open(i); err == nil {
				if fits(other.Shape, p.Shape) {
					others = append(others, name)
				}
				other.Close()
			}
		}
		if len(others) > 0 {
			return nil, fmt.Errorf("the array %s has the shape %s, and the model's input %s is %s: of that shape is %s, so write it to a file of its own as %s", f.names[at], lengths(r.Shape), p.Name, lengths(p.Shape), strings.Join(others, ", "), f.names[at])
		}
	}
	return readArray(r)
}

// fits reports whether an array may be an input: of its lengths, or of as many numbers a
// sample.
func fits(shape, want []int) bool {
	if len(want) == 0 {
		return true
	}
	same := len(shape) == len(want)
	for i := 0; same && i < len(want); i++ {
		same = want[i] < 0 || want[i] == shape[i]
	}
	if same || len(shape) == 0 || slices.Contains(want[1:], -1) {
		return same
	}
	product := func(s []int) int {
		n := 1
		for _, d := range s {
			n *= d
		}
		return n
	}
	return product(shape[1:]) == product(want[1:])
}

// inputName is x, x1, x2 and so on.
func inputName(i int) string {
	if i == 0 {
		return "x"
	}
	return "x" + strconv.Itoa(i)
}

// lengths is a shape as in (N, 8, 8, 1).
func lengths(shape []int) string {
	words := make([]string, len(shape))
	for i, n := range shape {
		if words[i] = strconv.Itoa(n); n < 0 {
			words[i] = "N"
		}
	}
	return "(" + strings.Join(words, ", ") + ")"
}

func readArray(r *npz.Reader) (*model.Array, error) {
	a := &model.Array{Shape: slices.Clone(r.Shape)}
	switch t := r.Type(); {
	case t.Kind() == npz.Whole:
		a.Type = model.Int64
	case strings.HasSuffix(string(t), "f8"):
		a.Type = model.Float64
	}
	var err error
	if a.Data, err = r.All(); err != nil {
		return nil, err
	}
	return a, nil
}
