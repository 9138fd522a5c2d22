package hdf5io

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/shared"
	"barrow/wafer"
)

// want is a line that testdata/write.py prints: what is in a file.
type want struct {
	File, Tree, Order, Unit string
	Left                    int // remarks
	Charges                 string
	Columns                 map[string][]any
}

// opened is a file as a format gets it.
func opened(t testing.TB, path string) *wafer.Source {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return &wafer.Source{Name: filepath.Base(path), Stream: f, At: f, Size: info.Size()}
}

// TestPrograms reads what h5py, PyTables and pandas write to the same numbers.
func TestPrograms(t *testing.T) {
	dir := t.TempDir()
	lines := bufio.NewScanner(bytes.NewReader(shared.Python(t, "files", "testdata/write.py", dir)))
	lines.Buffer(nil, 1<<26)
	compared := 0
	for ; lines.Scan(); compared++ {
		var w want
		decode := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decode.UseNumber()
		if err := decode.Decode(&w); err != nil {
			t.Fatal(err)
		}
		t.Run(w.File+" "+w.Tree, func(t *testing.T) { compare(t, filepath.Join(dir, w.File), w) })
	}
	if err := lines.Err(); err != nil || compared < 50 {
		t.Errorf("%d files, %v", compared, err)
	}
	t.Run("refused", func(t *testing.T) { refused(t, dir) })
	t.Run("memory", func(t *testing.T) { memory(t, dir) })
	t.Run("inspect", func(t *testing.T) { inspected(t, dir) })
}

func compare(t *testing.T, path string, w want) {
	settings := wafer.ReadSettings{Tree: w.Tree}
	if w.Order != "" {
		if _, err := (Format{}).Open(opened(t, path), settings); err == nil || !strings.Contains(err.Error(), "order="+w.Order) {
			t.Fatalf("in another order: %v", err)
		}
		var err error
		if settings.Order, err = hgcal.ParseOrder(w.Order); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Format{}.Open(opened(t, path), settings)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := wafer.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	info := r.Info()
	if info.Unit != w.Unit || info.OrderSaid != (w.Order != "") || info.Format != "hdf5" {
		t.Errorf("info %+v", info)
	}
	if left := r.(wafer.Remarker).Remarks(); len(left) != w.Left {
		t.Errorf("remarks %q, want %d", left, w.Left)
	}
	raw, err := hex.DecodeString(w.Charges)
	if err != nil || len(raw) != 8*len(s.Charge) {
		t.Fatalf("%d charges, want %d (%v)", len(s.Charge), len(raw)/8, err)
	}
	cells := settings.Order.ToV9()
	for i := range s.Charge {
		at := i/hgcal.Cells*hgcal.Cells + cells[i%hgcal.Cells]
		if e := math.Float64frombits(binary.BigEndian.Uint64(raw[8*i:])); s.Charge[at] != e {
			t.Fatalf("charge %d of image %d is %v, want %v", i%hgcal.Cells, i/hgcal.Cells, s.Charge[at], e)
		}
	}
	if len(s.Columns) != len(w.Columns) {
		t.Errorf("columns %v, want %d", info.Columns, len(w.Columns))
	}
	for name, values := range w.Columns {
		c := s.Column(name)
		if c == nil {
			t.Errorf("no column %s in %v", name, info.Columns)
			continue
		}
		if err := sameColumn(c, values); err != nil {
			t.Error(err)
		}
	}
}

// sameColumn compares a column with JSON: texts, whole numbers, numbers with a point.
func sameColumn(c *wafer.Column, values []any) error {
	for i, v := range values {
		same := false
		switch n := v.(type) {
		case string:
			same = c.Text != nil && c.Text[i] == n
		case json.Number:
			if strings.ContainsAny(n.String(), ".e") {
				f, err := n.Float64()
				same = err == nil && c.Float != nil && c.Float[i] == f
			} else {
				whole, err := n.Int64()
				same = err == nil && c.Int != nil && c.Int[i] == whole
			}
		}
		if !same {
			return fmt.Errorf("%s: value %d is %q, want %v", c.Name, i, c.Value(i), v)
		}
	}
	return nil
}

func refused(t *testing.T, dir string) {
	for name, want := range map[string][]string{
		"bad_two":     {"hdf5io: bad_two.h5: 2 tables have charges", "tree=a", "tree=b", "2500 rows"},
		"bad_fit":     {"more than one dataset may be the charges", "tree=x", "tree=y", "int64 (2500, 48)"},
		"bad_none":    {"no charges", "images", "arrangement"},
		"bad_nan":     {"bad_nan.h5:1235", "CALQ[1234, 5]: charge NaN"},
		"bad_missing": {"no CALQ_47"},
		"bad_lengths": {"CALQ_9: int64 (2499,)", "as many"},
		"bad_keras":   {"holds weights of a Keras model, no images"},
		"bad_keras3":  {"holds weights of a Keras model, no images"},
		"bad_large":   {"bad_large.h5:1", "event[0]: 9223372036854775813 is beyond"},
		"bad_szip":    {"/CALQ: compressed with filter 6 (scaleoffset), which is not supported"},
		"bad_empty":   {"no images"},
	} {
		r, err := Format{}.Open(opened(t, filepath.Join(dir, name+".h5")), wafer.ReadSettings{})
		if err == nil {
			_, err = wafer.ReadAll(r)
		}
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v, want %q", name, err, w)
			}
		}
	}
	if _, err := (Format{}).Open(opened(t, filepath.Join(dir, "only.h5")), wafer.ReadSettings{Tree: "y"}); err == nil || !strings.Contains(err.Error(), "nothing is called y; there are x float32 (2500, 48)") {
		t.Errorf("a tree that is not there: %v", err)
	}
	for _, tree := range []string{"/a", "b/CALQ"} {
		if _, err := (Format{}).Open(opened(t, filepath.Join(dir, "bad_two.h5")), wafer.ReadSettings{Tree: tree}); err != nil {
			t.Errorf("%s: %v", tree, err)
		}
	}
	var unclear *wafer.UnclearError
	if _, err := (Format{}).Open(opened(t, filepath.Join(dir, "bad_two.h5")), wafer.ReadSettings{}); !errors.As(err, &unclear) {
		t.Errorf("two tables: %v", err)
	}
}

func inspected(t *testing.T, dir string) {
	look := func(name string) []wafer.Object {
		t.Helper()
		objects, err := Format{}.Inspect(t.Context(), opened(t, filepath.Join(dir, name)), wafer.InspectSettings{Stats: true})
		if err != nil {
			t.Fatal(err)
		}
		return objects
	}
	objects := look("group_latest_bigf8_0.h5")
	if len(objects) != 1 || objects[0].Name != "/" || objects[0].Entries != 2500 || !strings.Contains(objects[0].Images, "2500 images of CALQ, in mippt; with ModType, eta") {
		t.Fatalf("%+v", objects)
	}
	for _, c := range objects[0].Columns {
		switch c.Name {
		case "CALQ":
			if c.Type != "float64, big-endian (2500, 48)" || c.Stats.Values != 2500*48 || c.Stats.Min != 0 || c.Stats.Max != 899 {
				t.Errorf("%+v %+v", c, c.Stats)
			}
		case "short":
			if c.Stats.Sum != 21 {
				t.Errorf("%+v %+v", c, c.Stats)
			}
		case "ModType":
			if c.Stats != nil || c.Unread != "" || c.Type != "str (2500,)" {
				t.Errorf("%+v", c)
			}
		}
	}
	if objects = look("pandas_table.h5"); len(objects) != 1 || objects[0].Name != "some/df/table" || len(objects[0].Columns) != 56 {
		t.Errorf("%+v", objects)
	}
	objects = look("cells.h5")
	names := []string{}
	for _, o := range objects {
		names = append(names, o.Name)
	}
	if !slices.Equal(names, []string{"other", "wafers/data"}) {
		t.Errorf("tables %v", names)
	}
}

// memory compares what reading holds of a file with what it holds of one 20 times as
// long.
func memory(t *testing.T, dir string) {
	held := func(name string, want int) uint64 {
		t.Helper()
		for range 3 { // what other tests left
			runtime.GC()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := Format{}.Open(opened(t, filepath.Join(dir, name)), wafer.ReadSettings{})
		if err != nil {
			t.Fatal(err)
		}
		var s wafer.Set
		images, most := 0, uint64(0)
		for k := 0; ; k++ {
			n, err := r.Read(&s, 1000)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if images += n; k%5 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&after)
				most = max(most, after.HeapAlloc-min(after.HeapAlloc, before.HeapAlloc))
			}
		}
		if images != want {
			t.Errorf("%s: %d images, want %d", name, images, want)
		}
		return most
	}
	held("times_1.h5", 20000)
	short, long := held("times_1.h5", 20000), held("times_20.h5", 400000)
	t.Logf("%d and %d bytes", short, long)
	if long > short+short/10+1<<16 {
		t.Errorf("%d bytes for a file, %d for one of 20 times its length", short, long)
	}
}
