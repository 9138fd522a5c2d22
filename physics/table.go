package physics

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"barrow/internal/npz"
	"barrow/internal/outfile"
	"barrow/internal/sniff"
	"barrow/simulate"
)

// A file of a block has the arrays "contenders", their names, and "events", first,
// events and wafers of the block; and of contender k of 0, 1, … the columns "k/event",
// "k/zside" and so on with a row a record.
const (
	contendersArray = "contenders"
	eventsArray     = "events"
)

// maxContenders bounds the contenders of a block, as the arrays of an archive are.
const maxContenders = 36

// maxRecords bounds the records that a file may claim to have.
const maxRecords = 1 << 26

var wholeNames = []string{"event", "zside", "found", "cells", "wafers"}

// wholes are a record's whole numbers, in the order of wholeNames.
func (r *Record) wholes() [5]int64 {
	found := int64(0)
	if r.Found {
		found = 1
	}
	return [...]int64{r.Event, int64(r.Zside), found, int64(r.Cells), int64(r.Wafers)}
}

// setWholes takes them back.
func (r *Record) setWholes(v [5]int64) error {
	r.Event, r.Zside, r.Found, r.Cells, r.Wafers = v[0], int(v[1]), v[2] == 1, int(v[3]), int(v[4])
	if r.Zside != 1 && r.Zside != -1 || v[2]>>1 != 0 || min(v[3], v[4]) < 0 || max(v[3], v[4]) > math.MaxInt32 {
		return fmt.Errorf("zside %d, found %d, %d cells, %d wafers cannot be", v[1], v[2], v[3], v[4])
	}
	return nil
}

var realNames = []string{"gen_pt", "gen_eta", "gen_phi", "gen_energy", "x", "y", "eta", "phi", "seed", "sum", "around", "emd", "emd_charge", "charge"}

// reals are a record's numbers, in the order of realNames.
func (r *Record) reals() [14]*float64 {
	return [...]*float64{&r.Truth.Pt, &r.Truth.Eta, &r.Truth.Phi, &r.Truth.Energy,
		&r.X, &r.Y, &r.Eta, &r.Phi, &r.Seed, &r.Sum, &r.Around, &r.EMD, &r.ChargeEMD, &r.Charge}
}

// unknown are the columns that may hold NaN.
var unknown = []string{"gen_phi", "emd", "emd_charge"}

// Write writes the block to a file of NumPy's arrays (.npz), complete or not at all.
// Without force an existing file is an error.
func (b *Block) Write(path string, force bool) error {
	if len(b.Contenders) == 0 || len(b.Contenders) > maxContenders || len(b.Records) != len(b.Contenders) {
		return fmt.Errorf("physics: %d contenders with %d lists of records: want 1 to %d, with one each", len(b.Contenders), len(b.Records), maxContenders)
	}
	return outfile.Write(path, force, func(out io.Writer) error {
		w := blockWriter{z: zip.NewWriter(out)}
		w.add(contendersArray, npz.Text, []int{len(b.Contenders)}, b.Contenders)
		w.add(eventsArray, npz.Int64, []int{3}, []int64{int64(b.First), int64(b.Events), int64(b.Wafers)})
		for k, records := range b.Records {
			w.records(k, records)
		}
		if w.err != nil {
			return w.err
		}
		return w.z.Close()
	})
}

// blockWriter writes arrays until the first error.
type blockWriter struct {
	z   *zip.Writer
	buf []byte
	err error
}

func (w *blockWriter) add(name string, t npz.Type, shape []int, values any) {
	if w.err != nil {
		return
	}
	var entry io.Writer
	if entry, w.err = w.z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store}); w.err != nil {
		return
	}
	if w.buf, w.err = npz.Encode(w.buf[:0], t, shape, values); w.err == nil {
		_, w.err = entry.Write(w.buf)
	}
}

// records writes the columns of contender k.
func (w *blockWriter) records(k int, records []Record) {
	n, layers := len(records), 0
	if n > 0 {
		layers = len(records[0].Layers)
	}
	classes := make([]string, n)
	wholes, reals := make([][]int64, len(wholeNames)), make([][]float64, len(realNames))
	layer, shape := make([]float64, 0, n*layers), make([]float64, 0, n*len(ShapeNames()))
	for i := range records {
		r := &records[i]
		if len(r.Layers) != layers && w.err == nil {
			w.err = fmt.Errorf("physics: record %d has %d layers, the first one %d", i+1, len(r.Layers), layers)
		}
		classes[i] = r.Truth.Class.String()
		for j, v := range r.wholes() {
			wholes[j] = append(wholes[j], v)
		}
		for j, v := range r.reals() {
			reals[j] = append(reals[j], *v)
		}
		layer, shape = append(layer, r.Layers...), append(shape, r.Shape.Values()...)
	}
	name := func(column string) string { return columnName(k, column) }
	w.add(name("class"), npz.Text, []int{n}, classes)
	for j, c := range wholeNames {
		w.add(name(c), npz.Int64, []int{n}, append([]int64{}, wholes[j]...))
	}
	for j, c := range realNames {
		w.add(name(c), npz.Float64, []int{n}, append([]float64{}, reals[j]...))
	}
	w.add(name("layers"), npz.Float64, []int{n, layers}, layer)
	w.add(name("shape"), npz.Float64, []int{n, len(ShapeNames())}, shape)
}

func columnName(contender int, column string) string { return fmt.Sprintf("%d/%s", contender, column) }

// ReadTable reads what a contender left from the files of blocks, in their order. Columns
// of others are not read.
func ReadTable(contender string, paths ...string) (*Table, error) {
	t := &Table{Contender: contender}
	for _, path := range paths {
		if err := t.read(path); err != nil {
			return nil, fmt.Errorf("physics: %w", err)
		}
	}
	return t, nil
}

// read adds the records of a file. Errors name it.
func (t *Table) read(path string) error {
	f, err := openBlock(path)
	if err != nil {
		return err
	}
	defer f.in.Close()
	names, err := f.texts(contendersArray)
	if err != nil {
		return err
	}
	k := slices.Index(names, t.Contender)
	if k < 0 {
		return fmt.Errorf("%s: no contender %q, only %q: is it of another run?", path, t.Contender, names)
	}
	head, err := f.ints(eventsArray)
	if err != nil {
		return err
	}
	if len(head) != 3 || slices.Min(head) < 0 || slices.Max(head) > math.MaxInt32 {
		return fmt.Errorf("%s: array %s is %d: want three numbers, at least 0; the file is damaged", path, eventsArray, head)
	}
	records, err := f.records(k)
	if err != nil {
		return err
	}
	if len(t.Records) > 0 && len(records) > 0 && len(records[0].Layers) != len(t.Records[0].Layers) {
		return fmt.Errorf("%s: records of %d layers, those before of %d: is it of another run?", path, len(records[0].Layers), len(t.Records[0].Layers))
	}
	t.Events += int(head[1])
	t.Records = append(t.Records, records...)
	return nil
}

// blockFile is a file of a block that is read.
type blockFile struct {
	in   *os.File
	path string
	a    *npz.Archive
}

func openBlock(path string) (*blockFile, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &blockFile{in: in, path: path}
	if err := f.open(); err != nil {
		in.Close()
		return nil, err
	}
	return f, nil
}

func (f *blockFile) open() error {
	head, err := sniff.Head(f.path)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(head, []byte("PK")) {
		return fmt.Errorf("%s: %s; wanted is a block of records (.npz)", f.path, sniff.Looks(head))
	}
	info, err := f.in.Stat()
	if err != nil {
		return err
	}
	f.a, err = npz.NewArchive(f.in, info.Size(), f.path)
	return err
}

// open begins to read an array of items of a kind. Its rows are at most maxRecords.
func (f *blockFile) array(name string, kind npz.Kind) (*npz.Reader, error) {
	i := slices.Index(f.a.Names, name)
	if i < 0 {
		return nil, fmt.Errorf("%s: no array %s: no block of records, or a damaged one", f.path, name)
	}
	r, err := f.a.Open(i)
	if err != nil {
		return nil, err
	}
	if len(r.Fields) != 1 || r.Fields[0].Type.Kind() != kind || len(r.Shape) == 0 || r.Rows() > maxRecords {
		r.Close()
		return nil, fmt.Errorf("%s: %s: an array of %v, %s, which is none of a block of records", f.path, name, r.Type(), r.Dims())
	}
	return r, nil
}

// rows reads an array to its end, take being called with the rows at hand.
func rows(r *npz.Reader, take func() error) error {
	defer r.Close()
	for {
		_, err := r.Next(1024)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = take()
		}
		if err != nil {
			return err
		}
	}
}

func (f *blockFile) texts(name string) (list []string, err error) {
	r, err := f.array(name, npz.Words)
	if err != nil {
		return nil, err
	}
	return list, rows(r, func() error {
		some, err := r.Texts(&r.Fields[0], nil)
		list = append(list, some...)
		return err
	})
}

func (f *blockFile) ints(name string) (list []int64, err error) {
	r, err := f.array(name, npz.Whole)
	if err != nil {
		return nil, err
	}
	return list, rows(r, func() error {
		some, err := r.Ints(&r.Fields[0], nil)
		list = append(list, some...)
		return err
	})
}

// floats reads an array of n rows of any or the given width.
func (f *blockFile) floats(name string, n, width int) (list []float64, _ int, err error) {
	r, err := f.array(name, npz.Real)
	if err != nil {
		return nil, 0, err
	}
	w := r.Fields[0].Len()
	if r.Rows() != n || width >= 0 && w != width {
		r.Close()
		return nil, 0, fmt.Errorf("%s: array %s is %s: want %d rows of %d", f.path, name, r.Dims(), n, max(width, 1))
	}
	return list, w, rows(r, func() error {
		list = append(list, r.Floats(&r.Fields[0], nil)...)
		return nil
	})
}

// records reads the columns of contender k.
func (f *blockFile) records(k int) ([]Record, error) {
	classes, err := f.texts(columnName(k, "class"))
	if err != nil {
		return nil, err
	}
	records := make([]Record, len(classes))
	for i, name := range classes {
		if records[i].Truth.Class, err = simulate.ParseClass(name); err != nil {
			return nil, fmt.Errorf("%s: record %d: %w", f.path, i+1, err)
		}
	}
	if err := f.wholes(k, records); err != nil {
		return nil, err
	}
	for j, name := range realNames {
		values, _, err := f.floats(columnName(k, name), len(records), 1)
		if err != nil {
			return nil, err
		}
		for i, v := range values {
			if math.IsInf(v, 0) || math.IsNaN(v) && !slices.Contains(unknown, name) {
				return nil, fmt.Errorf("%s: record %d: %s is %g: the file is damaged", f.path, i+1, name, v)
			}
			*records[i].reals()[j] = v
		}
	}
	return records, f.vectors(k, records)
}

func (f *blockFile) wholes(k int, records []Record) error {
	all := make([][5]int64, len(records))
	for j, name := range wholeNames {
		values, err := f.ints(columnName(k, name))
		if err != nil {
			return err
		}
		if len(values) != len(records) {
			return fmt.Errorf("%s: array %s has %d rows, others %d: the file is damaged", f.path, columnName(k, name), len(values), len(records))
		}
		for i, v := range values {
			all[i][j] = v
		}
	}
	for i := range records {
		if err := records[i].setWholes(all[i]); err != nil {
			return fmt.Errorf("%s: record %d: %w: the file is damaged", f.path, i+1, err)
		}
	}
	return nil
}

// vectors reads energies by layer and shapes.
func (f *blockFile) vectors(k int, records []Record) error {
	layers, nl, err := f.floats(columnName(k, "layers"), len(records), -1)
	if err != nil {
		return err
	}
	shapes, ns, err := f.floats(columnName(k, "shape"), len(records), len(ShapeNames()))
	if err != nil {
		return err
	}
	for _, list := range [][]float64{layers, shapes} {
		for _, v := range list {
			if !(v >= 0) || math.IsInf(v, 1) {
				return fmt.Errorf("%s: contender %d: %g among the energies by layer and shapes: the file is damaged", f.path, k+1, v)
			}
		}
	}
	for i := range records {
		r := &records[i]
		r.Layers = layers[i*nl : (i+1)*nl : (i+1)*nl]
		for j, at := range r.Shape.variables() {
			*at = shapes[i*ns+j]
		}
	}
	return nil
}
