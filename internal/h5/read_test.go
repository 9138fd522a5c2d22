package h5

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/shared"
)

// want is a line that testdata/datasets.py prints: what h5py reads.
type want struct {
	File, Path, Type string
	Shape            []int
	Numbers          string
	Words            []string
}

// TestDatasets reads what h5py writes, in all layouts, indices, filters and types and of
// four versions of the format, to the same numbers.
func TestDatasets(t *testing.T) {
	dir := t.TempDir()
	lines := bufio.NewScanner(bytes.NewReader(shared.Python(t, "files", "testdata/datasets.py", dir)))
	lines.Buffer(nil, 1<<26)
	files := map[string]*Group{}
	compared := 0
	for lines.Scan() {
		var w want
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			t.Fatal(err)
		}
		root := files[w.File]
		if root == nil {
			root = openFile(t, filepath.Join(dir, w.File))
			files[w.File] = root
		}
		if err := compareDataset(root, w, 1+compared%37); err != nil {
			t.Errorf("%s: %v", w.File, err)
		}
		compared++
	}
	if err := lines.Err(); err != nil || compared < 2000 {
		t.Errorf("%d datasets, %v", compared, err)
	}
	for name, root := range files {
		if strings.HasPrefix(name, "groups") {
			checkGroups(t, root)
			checkLong(t, root, !strings.HasSuffix(name, "earliest.h5") && !strings.HasSuffix(name, "order.h5"))
		}
	}
	checkRefused(t, openFile(t, filepath.Join(dir, "refused.h5")))
}

// openFile opens a file as a stream of its own.
func openFile(t *testing.T, path string) *Group {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	info, err := in.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(in, info.Size())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	root, err := f.Root()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return root
}

// compareDataset reads a dataset, or a field of one, a batch of rows at a time.
func compareDataset(root *Group, w want, batch int) error {
	path, field, isField := strings.Cut(strings.TrimPrefix(w.Path, "/"), ".")
	d, err := root.Dataset(path)
	if err != nil {
		return err
	}
	typ, offset, shape := d.Type(), 0, d.Shape()
	if isField {
		i := slices.IndexFunc(typ.Members, func(m Member) bool { return m.Name == field })
		if i < 0 {
			return fmt.Errorf("%s: no field in %v", w.Path, typ.Members)
		}
		offset, typ = typ.Members[i].Offset, typ.Members[i].Type
	}
	per := 1
	if typ.Class == Block {
		shape = append(shape, typ.Dims...)
		for _, n := range typ.Dims {
			per *= n
		}
		typ = typ.Base
	}
	if !slices.Equal(shape, w.Shape) {
		return fmt.Errorf("%s: shape %v, want %v", w.Path, shape, w.Shape)
	}
	if name := typ.String(); w.Type != "" && !strings.HasPrefix(name, w.Type) && typ.Class != Text {
		return fmt.Errorf("%s: type %v, want %v", w.Path, typ, w.Type)
	}
	numbers, words, err := readElements(d, typ, offset, per, batch)
	if err != nil {
		return err
	}
	if w.Words != nil {
		if !slices.Equal(words, w.Words) {
			return fmt.Errorf("%s: %.200q, want %.200q", w.Path, words, w.Words)
		}
		return nil
	}
	raw, err := hex.DecodeString(w.Numbers)
	if err != nil || len(raw) != 8*len(numbers) {
		return fmt.Errorf("%s: %d numbers, want %d (%v)", w.Path, len(numbers), len(raw)/8, err)
	}
	for i, v := range numbers {
		if e := math.Float64frombits(binary.BigEndian.Uint64(raw[8*i:])); math.Float64bits(v) != math.Float64bits(e) && !(v != v && e != e) {
			return fmt.Errorf("%s: number %d is %v, want %v", w.Path, i, v, e)
		}
	}
	return nil
}

// readElements reads elements of a type, per of them in each place that begins offset
// bytes behind an element of the dataset.
func readElements(d *Dataset, typ *Type, offset, per, batch int) (numbers []float64, words []string, err error) {
	rows, err := d.Rows()
	if err != nil {
		return nil, nil, err
	}
	var raw []byte
	for first := 0; first < rows.Len(); first += batch {
		n := min(batch, rows.Len()-first)
		if raw, err = rows.Read(raw, first, n); err != nil {
			return nil, nil, err
		}
		stride := d.Type().Size
		for at := offset; at < len(raw); at += stride {
			if typ.Words() {
				w, err := d.Strings(typ, per, raw[at:], typ.Size)
				if err != nil {
					return nil, nil, err
				}
				words = append(words, w...)
				continue
			}
			if !typ.Number() {
				return nil, nil, fmt.Errorf("%s: type %v", d.Path(), typ)
			}
			v := make([]float64, per)
			typ.Floats(v, raw[at:], typ.Size)
			if typ.Whole() {
				whole := make([]int64, per)
				if bad := typ.Ints(whole, raw[at:], typ.Size); bad >= 0 || float64(whole[0]) != v[0] {
					return nil, nil, fmt.Errorf("%s: %d and %v", d.Path(), whole, v)
				}
			}
			numbers = append(numbers, v...)
		}
	}
	return numbers, words, nil
}

func checkGroups(t *testing.T, root *Group) {
	t.Helper()
	if got := root.Names(); !slices.Equal(got, []string{"again", "deep"}) {
		t.Errorf("members %v", got)
	}
	for _, n := range []int{0, 1, 8, 9, 40, 400} {
		g, err := root.Group(fmt.Sprintf("deep/er/%d", n))
		if err != nil {
			t.Fatal(err)
		}
		if len(g.Names()) != n {
			t.Errorf("%s: %d members", g.Path(), len(g.Names()))
		}
		for i := range n/4 + 1 {
			got, ok, err := g.String(fmt.Sprintf("attribute %d", i))
			if err != nil || ok != (i < n/4) || ok && got != fmt.Sprintf("value %d", i) {
				t.Errorf("%s: attribute %d: %q, %v, %v", g.Path(), i, got, ok, err)
			}
		}
	}
}

// checkLong reads attributes that are larger than the blocks they are kept in.
func checkLong(t *testing.T, root *Group, there bool) {
	t.Helper()
	for i := range 3 {
		got, ok, err := root.String(fmt.Sprintf("long %d", i))
		if err != nil || ok != there || ok && got != strings.Repeat(fmt.Sprint(i), 70000) {
			t.Errorf("long attribute %d: %d bytes, %v, %v", i, len(got), ok, err)
		}
	}
	if _, ok, err := root.String("short"); ok != there || err != nil {
		t.Errorf("a short attribute among long ones: %v, %v", ok, err)
	}
}

func checkRefused(t *testing.T, root *Group) {
	t.Helper()
	for name, want := range map[string]string{
		"scaleoffset": "filter 6 (scaleoffset), which is not supported", "virtual": "a virtual dataset", "region": "type reference",
	} {
		d, err := root.Dataset(name)
		if err == nil {
			_, err = d.Float32s()
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "/"+name) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
