package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"barrow/internal/shared"
)

// write makes a file with an array of every type, in several pieces.
func write(t *testing.T, path string) {
	t.Helper()
	w, err := Create(path, false,
		Array{"f", Float64, []int{3}}, Array{"x", Float32, []int{2, 2}}, Array{"row", Int64, nil}, Array{"k", Int32, []int{1}}, Array{"b", Uint8, nil}, Array{"none", Float64, []int{48}}, Array{"t", Text, nil})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, a := range []struct {
		name   string
		values any
	}{
		{"f", []float64{1, -2.5, math.Inf(1)}}, {"x", []float32{1, 2, 3, 4}}, {"f", []float64{0, math.NaN(), 5e-324}},
		{"row", []int64{math.MinInt64, 7, 1 << 40}}, {"k", []int32{-1, math.MaxInt32}}, {"b", []uint8{0, 255}},
		{"t", []string{"HD", ""}}, {"t", []string{"größer 🙂"}},
	} {
		if err := w.Append(a.name, a.values); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []error{w.Append("g", []float64{1}), w.Append("f", []float32{1, 2, 3}), w.Append("f", []float64{1, 2}), w.Append("t", []float64{1}), w.Append("f", []string{"a"})} {
		if bad == nil {
			t.Error("wrong rows were accepted")
		}
	}
	w.Word("unit", "calq")
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

// open opens a file of either sort, a lone array under the name "".
func open(b []byte, name string) (map[string]*Reader, []string, error) {
	in := bytes.NewReader(b)
	if strings.HasSuffix(name, ".npy") {
		r, err := NewReader(in, in.Size(), name)
		return map[string]*Reader{"": r}, []string{""}, err
	}
	a, err := NewArchive(in, in.Size(), name)
	if err != nil {
		return nil, nil, err
	}
	out := map[string]*Reader{}
	for i, n := range a.Names {
		r, err := a.Open(i)
		if err != nil {
			return nil, nil, err
		}
		out[n] = r
	}
	return out, a.Names, nil
}

// values reads all of a field, in steps of n rows.
func values(r *Reader, f *Field, n int) ([]any, error) {
	out := []any{}
	var floats []float64
	var ints []int64
	var texts []string
	for {
		_, err := r.Next(n)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch f.Type.Kind() {
		case Real:
			floats = r.Floats(f, floats)
			out = appendAny(out, floats)
		case Whole:
			if ints, err = r.Ints(f, ints); err != nil {
				return nil, err
			}
			out = appendAny(out, ints)
		case Words:
			if texts, err = r.Texts(f, texts); err != nil {
				return nil, err
			}
			out = appendAny(out, texts)
		default:
			return out, nil
		}
	}
}

func appendAny[T any](out []any, v []T) []any {
	for _, x := range v {
		out = append(out, x)
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	write(t, path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, names, err := open(b, path)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names, " "); got != "f x row k b none t unit" {
		t.Errorf("arrays %s", got)
	}
	const want = `f <f8 [2 3] [1 -2.5 +Inf 0 NaN 5e-324]
x <f4 [1 2 2] [1 2 3 4]
row <i8 [3] [-9223372036854775808 7 1099511627776]
k <i4 [2 1] [-1 2147483647]
b |u1 [2] [0 255]
none <f8 [0 48] []
t <U8 [3] [HD  größer 🙂]
unit <U4 [] [calq]
`
	for _, step := range []int{1, 2, 1000} {
		arrays, _, _ := open(b, path)
		var got strings.Builder
		for _, n := range names {
			r := arrays[n]
			v, err := values(r, &r.Fields[0], step)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&got, n, string(r.Type()), r.Shape, v)
		}
		if got.String() != want {
			t.Errorf("read\n%s\nwant\n%s", got.String(), want)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// NumPy reads what is written.
func TestNumPyReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	write(t, path)
	var b bytes.Buffer
	w, err := NewBare(&b, Array{"", Float32, []int{2}})
	if err != nil {
		t.Fatal(err)
	}
	bare := filepath.Join(t.TempDir(), "a.npy")
	if err := errors.Join(w.Append("", []float32{1, 2.5, -3, 0}), w.Commit(), os.WriteFile(bare, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	const want = `f <f8 (2, 3) [1.0, -2.5, inf, 0.0, nan, 5e-324]
x <f4 (1, 2, 2) [1.0, 2.0, 3.0, 4.0]
row <i8 (3,) [-9223372036854775808, 7, 1099511627776]
k <i4 (2, 1) [-1, 2147483647]
b |u1 (2,) [0, 255]
none <f8 (0, 48) []
t <U8 (3,) ['HD', '', 'größer 🙂']
unit <U4 () ['calq']
 <f4 (2, 2) [1.0, 2.5, -3.0, 0.0]
`
	if got := string(shared.Python(t, "files", "testdata/read.py", path, bare)); got != want {
		t.Errorf("NumPy reads\n%s\nwant\n%s", got, want)
	}
}

// What NumPy writes is read, every type in every storage.
func TestNumPyWrites(t *testing.T) {
	dir := t.TempDir()
	var said map[string]map[string]any
	d := json.NewDecoder(bytes.NewReader(shared.Python(t, "files", "testdata/write.py", dir)))
	d.UseNumber()
	if err := d.Decode(&said); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for file, arrays := range said {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []int{1, 3, 5000} {
			readers, _, err := open(b, file)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range arrays {
				r := readers[name]
				fields, isRecord := want.(map[string]any)
				if !isRecord {
					fields = map[string]any{"": want}
				}
				for field, want := range fields {
					if isRecord {
						again, _, _ := open(b, file)
						r = again[name]
					}
					k := slices.IndexFunc(r.Fields, func(f Field) bool { return f.Name == field })
					if k < 0 {
						t.Fatalf("%s: %s: no field %q in %v", file, name, field, r.Fields)
					}
					got, err := values(r, &r.Fields[k], step)
					if err != nil {
						t.Fatal(err)
					}
					same(t, file+" "+name+" "+field, got, want.([]any))
					compared++
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if compared < 200 {
		t.Errorf("%d arrays compared", compared)
	}
	b, err := os.ReadFile(filepath.Join(dir, "object.npy"))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := NewReader(bytes.NewReader(b), int64(len(b)), "o"); err != nil || !r.Type().Object() || r.Type().Kind() != Other {
		t.Errorf("objects: %v", err)
	}
}

// same compares with JSON's numbers, truth values and texts.
func same(t *testing.T, name string, got, want []any) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d items, want %d", name, len(got), len(want))
		return
	}
	for i, w := range want {
		ok := false
		switch w := w.(type) {
		case json.Number:
			switch g := got[i].(type) {
			case int64:
				ok = w.String() == fmt.Sprint(g)
			case float64:
				v, err := w.Float64()
				ok = err == nil && v == g
			}
		case bool:
			ok = got[i] == any(map[bool]int64{false: 0, true: 1}[w])
		case string:
			ok = got[i] == any(w)
		}
		if !ok {
			t.Errorf("%s: item %d is %v, want %v", name, i, got[i], w)
			return
		}
	}
}

// array makes an array of any type and shape, in either order of bytes and of axes, with
// its items in C order.
func array(t *rapid.T) (file []byte, items []float64, rows int) {
	kind := rapid.SampledFrom([]string{"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"}).Draw(t, "type")
	order := rapid.SampledFrom([]string{"<", ">"}).Draw(t, "order")
	shape := rapid.SliceOfN(rapid.IntRange(1, 5), 0, 4).Draw(t, "shape")
	fortran := rapid.Bool().Draw(t, "fortran")
	size, n := int(kind[1]-'0'), 1
	for _, k := range shape {
		n *= k
	}
	data := make([]byte, n*size)
	items = make([]float64, n)
	for i := range items {
		top := map[byte]int64{'b': 1, 'i': 127, 'u': 255, 'f': 1 << 20}[kind[0]]
		v := rapid.Int64Range(0, top).Draw(t, "item")
		if kind[0] == 'i' || kind[0] == 'f' {
			v -= top / 2
		}
		items[i] = float64(v)
		bits := uint64(v)
		switch kind {
		case "f4":
			bits = uint64(math.Float32bits(float32(v)))
		case "f8":
			bits = math.Float64bits(float64(v))
		}
		at := i
		if fortran {
			at = 0
			rest, step, stride := i, n, 1
			for _, k := range shape {
				step /= k
				at += rest / step * stride
				rest, stride = rest%step, stride*k
			}
		}
		for b := range size {
			place := b
			if order == ">" {
				place = size - 1 - b
			}
			data[at*size+place] = byte(bits >> (8 * b))
		}
	}
	text := fmt.Sprintf("{ 'shape':%s,\"descr\": '%s%s','fortran_order': %s}", tuple(shape), order, kind, map[bool]string{true: "True", false: "False"}[fortran])
	version := rapid.IntRange(1, 3).Draw(t, "version")
	file = append([]byte(magic), byte(version), 0)
	if version == 1 {
		file = binary.LittleEndian.AppendUint16(file, uint16(len(text)))
	} else {
		file = binary.LittleEndian.AppendUint32(file, uint32(len(text)))
	}
	rows = 1
	if len(shape) > 0 {
		rows = shape[0]
	}
	return append(append(file, text...), data...), items, rows
}

func TestAnyArray(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file, items, rows := array(t)
		r, err := NewReader(bytes.NewReader(file), int64(len(file)), "a")
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.All()
		if err != nil || r.Rows() != rows || !slices.Equal(got, items) || r.Behind != 0 {
			t.Fatalf("%v rows of %v: %v, %v, want %v", r.Shape, r.Type(), got, err, items)
		}
	})
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.npz")
	for _, arrays := range [][]Array{{{"a", "<q16", nil}}, {{"a", Float64, []int{0}}}, {{"a", Float64, nil}, {"a", Float32, nil}}} {
		if _, err := Create(path, false, arrays...); err == nil {
			t.Errorf("%v was accepted", arrays)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	large := append(header("<u8", []int{1}), 0, 0, 0, 0, 0, 0, 0, 0x80)
	r, err := NewReader(bytes.NewReader(large), int64(len(large)), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := values(r, &r.Fields[0], 1); err == nil || !strings.Contains(err.Error(), "a[0]: 9223372036854775808 is beyond") {
		t.Errorf("2^63: %v", err)
	}
}

func TestHeaders(t *testing.T) {
	for text, want := range map[string]string{
		`{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }`:                                                      "",
		`{"shape": (1L,), 'fortran_order': True, u'descr': b'f8'}`:                                                       "",
		`{'descr': [('a\'\x41', '<i4'), ('', '|V2'), (('t', 'b'), '<i2', (1,))], 'fortran_order': False, 'shape': (1,)}`: "",
		`{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}`:                                                        "more than the 8 bytes",
		`{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807)}`:                  "rows of more than",
		`{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775808,)}`:                                      "out of range",
		`{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}`:                                                       "whole numbers",
		`{'descr': '<f8', 'fortran_order': False, 'shape': 1}`:                                                           "without descr",
		`{'descr': '<f8', 'fortran_order': False}`:                                                                       "without descr",
		`{'descr': 'elephant', 'fortran_order': False, 'shape': ()}`:                                                     "no type of NumPy's",
		`{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000,)}`:                                               "items of no bytes",
		`{'descr': {}, 'fortran_order': False, 'shape': ()}`:                                                             "neither a type nor",
		`{'descr': [('a',)], 'fortran_order': False, 'shape': (1,)}`:                                                     "something else",
		`{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1, 2)}`:                                             "want a list",
		`{'descr': ` + strings.Repeat("[", 5000):                                                                         "too deep",
		`{'descr': ` + strings.Repeat("[('a',", 8):                                                                       "ends early",
		`{'descr': '<f8`:   "ends early",
		`__import__('os')`: "not understood",
	} {
		file := append([]byte(magic), 2, 0)
		file = append(binary.LittleEndian.AppendUint32(file, uint32(len(text))), text...)
		file = append(file, make([]byte, 8)...)
		_, err := NewReader(bytes.NewReader(file), int64(len(file)), "a")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.90s: %v, want %q", text, err, want)
		}
	}
}

func TestHeaderAligned(t *testing.T) {
	for n := 1; n < 1<<40; n *= 7 {
		h := header(Float64, []int{n, 48})
		if len(h)%64 != 0 || int(binary.LittleEndian.Uint16(h[8:])) != len(h)-10 {
			t.Errorf("%d rows: a header of %d bytes", n, len(h))
		}
	}
}

// What goes to a device or a stream is spooled elsewhere: no file can be made beside
// those.
func TestWriteThrough(t *testing.T) {
	if _, err := os.Stat(os.DevNull); err != nil || runtime.GOOS == "windows" {
		t.Skip("no /dev/null")
	}
	t.Setenv("TMPDIR", t.TempDir())
	w, err := Create(os.DevNull, false, Array{Name: "a", Type: Float64})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if got := filepath.Dir(w.arrays[0].file.Name()); got != os.TempDir() {
		t.Errorf("spooled to %s", got)
	}
	if err := errors.Join(w.Append("a", []float64{1}), w.Commit()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A long text among many short ones would make a file beyond all measure.
func TestLongText(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	w := NewWriter(io.Discard)
	defer w.Abort()
	if err := w.Add(Array{Name: "a", Type: Text}); err != nil {
		t.Fatal(err)
	}
	text := make([]string, 10_000)
	text[7] = strings.Repeat("x", 100_000)
	if err := w.Append("a", text); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err == nil || !strings.Contains(err.Error(), `"a": one of its texts has 100000 characters`) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestDamaged reads the arrays of files that are cut off, and of such with another byte.
func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	write(t, path)
	archive, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lone := append(header("<U2", []int{3}), bytes.Repeat([]byte("a\x00\x00\x00"), 6)...)
	for name, data := range map[string][]byte{"a.npz": archive, "a.npy": lone} {
		shared.Damaged(t, data, 5000, func(b []byte) error {
			arrays, names, err := open(b, name)
			if err != nil {
				return err
			}
			for _, n := range names {
				if _, err := values(arrays[n], &arrays[n].Fields[0], 3); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// FuzzReader gives any bytes as an array.
func FuzzReader(f *testing.F) {
	f.Add(append(header(Float64, []int{1}), 0, 0, 0, 0, 0, 0, 0, 64))
	f.Add(append(header("<U2", []int{1}), "a\x00\x00\x00\x00\x00\x00\x00"...))
	f.Add([]byte("\x93NUMPY\x02\x00\x04\x00\x00\x00{}  "))
	f.Add([]byte("\x93NUMPY"))
	f.Add([]byte("\x93NUMPY\x01\x00\x3a\x00{'descr':'<f2','fortran_order':True,'shape':(2,2)}        12345678"))
	f.Add([]byte("\x93NUMPY\x01\x00\x4a\x00{'descr':[('a','<f4',(2,)),('b','>U1')],'fortran_order':False,'shape':(1,)}123456780000"))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file), int64(len(file)), "a")
		if err != nil {
			return
		}
		defer r.Close()
		if r.Pickled() {
			if _, err := r.Next(1); err == nil {
				t.Fatal("objects were read")
			}
			return
		}
		if r.Rows()*r.RowSize() > len(file) {
			t.Fatalf("shape %v in %d bytes", r.Shape, len(file))
		}
		for rows := 0; ; {
			n, err := r.Next(3)
			if err == io.EOF && rows == r.Rows() {
				return
			}
			if err != nil {
				t.Fatalf("%d of %d rows: %v", rows, r.Rows(), err)
			}
			rows += n
			for k := range r.Fields {
				switch f := &r.Fields[k]; f.Type.Kind() {
				case Real, Whole:
					if got := r.Floats(f, nil); len(got) != n*f.Len() {
						t.Fatalf("%d numbers", len(got))
					}
					if f.Type.Kind() == Whole {
						_, _ = r.Ints(f, nil)
					}
				case Words:
					_, _ = r.Texts(f, nil)
				}
			}
		}
	})
}

// An archive is not trusted: its own sizes are held against the file, and names against
// each other.
func TestArchiveRefused(t *testing.T) {
	entry := append(header(Float64, []int{1}), 0, 0, 0, 0, 0, 0, 0, 64)
	archive := func(change func(h *zip.FileHeader), names ...string) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, name := range names {
			h := &zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(entry), CompressedSize64: uint64(len(entry)), UncompressedSize64: uint64(len(entry))}
			change(h)
			out, err := w.CreateRaw(h)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := out.Write(entry); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	same := func(*zip.FileHeader) {}
	for want, b := range map[string][]byte{
		"":                                  archive(same, "a.npy"),
		"two arrays are called a":           archive(same, "a.npy", "a.npy"),
		"packed into":                       archive(func(h *zip.FileHeader) { h.UncompressedSize64++ }, "a.npy"),
		"bytes packed into":                 archive(func(h *zip.FileHeader) { h.Method, h.UncompressedSize64 = zip.Deflate, 1<<40 }, "a.npy"),
		"bytes are not there":               archive(func(h *zip.FileHeader) { h.CompressedSize64, h.UncompressedSize64 = 1<<40, 1<<40 }, "a.npy"),
		"not read here: encrypted":          archive(func(h *zip.FileHeader) { h.Flags |= 1 }, "a.npy"),
		"not read here: compressed by meth": archive(func(h *zip.FileHeader) { h.Method = 12 }, "a.npy"),
		"checksum":                          archive(func(h *zip.FileHeader) { h.CRC32++ }, "a.npy"),
		"cut off or damaged":                archive(same, "a.npy")[:100],
	} {
		arrays, _, err := open(b, "a.npz")
		if err == nil {
			_, err = arrays["a"].All()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
