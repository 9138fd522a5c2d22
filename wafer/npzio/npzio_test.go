package npzio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"barrow/hgcal"
	"barrow/internal/npz"
	"barrow/internal/shared"
	"barrow/wafer"
	"barrow/wafer/csvio"
)

// format is the one of a file's name.
func format(name string) wafer.Creator {
	if strings.HasSuffix(name, ".npy") {
		return Array{}
	}
	return Archive{}
}

// read reads all images of a file, n at a time, after it was sniffed.
func read(b []byte, name string, s wafer.ReadSettings, n int) (*wafer.Set, wafer.FileReader, error) {
	f := format(name)
	if !f.Sniff(b[:min(len(b), wafer.SniffLength)]) {
		return nil, nil, errors.New("not recognised")
	}
	src := &wafer.Source{Name: name, Stream: bytes.NewReader(b), At: bytes.NewReader(b), Size: int64(len(b))}
	r, err := f.Open(src, s)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	var all, part wafer.Set
	for {
		_, err := r.Read(&part, n)
		if err == io.EOF {
			return &all, r, nil
		}
		if err != nil {
			return nil, r, err
		}
		if err := errors.Join(part.Check(), all.Append(&part)); err != nil {
			return nil, r, err
		}
	}
}

func write(t testing.TB, name string, s wafer.WriteSettings, sets ...*wafer.Set) ([]byte, []string) {
	t.Helper()
	var b bytes.Buffer
	w, err := format(name).Create(&b, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range sets {
		if err := w.Write(set); err != nil {
			t.Fatal(err)
		}
	}
	lost := w.(wafer.Loser).Lost()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), lost
}

// images are n with a column of every kind.
func images(n int) *wafer.Set {
	s := &wafer.Set{Charge: make([]float64, n*hgcal.Cells), Columns: []wafer.Column{
		{Name: "layer", Int: make([]int64, n)}, {Name: "eta", Float: make([]float64, n)}, {Name: "HD_LD", Text: make([]string, n)}}}
	for i := range s.Charge {
		s.Charge[i] = float64(i) / 3
	}
	for i := range n {
		s.Columns[0].Int[i] = int64(i) << 50
		s.Columns[1].Float[i] = -1 / float64(i+1)
		s.Columns[2].Text[i] = strings.Repeat("größer", i%3)
	}
	return s
}

func equal(a, b *wafer.Set) bool { return a.Digest() == b.Digest() }

func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := images(3000)
	for _, o := range hgcal.Orders() {
		b, lost := write(t, "a.npz", wafer.WriteSettings{Order: o, Unit: "mippt"}, s.Slice(0, 1), s.Slice(1, 2000), &wafer.Set{}, s.Slice(2000, 3000))
		for _, n := range []int{7, 1024, 100_000} {
			back, r, err := read(b, "a.npz", wafer.ReadSettings{Order: o}, n)
			if err != nil || !equal(back, s) {
				t.Fatalf("%v: changed by a round trip: %v", o, err)
			}
			info := r.Info()
			if info.Format != "npz" || info.OrderSaid != (o != hgcal.V9) || info.Order != o || info.Unit != "mippt" || !slices.Equal(info.Columns, []string{"layer", "eta", "HD_LD"}) || len(lost) > 0 {
				t.Errorf("%v: %+v, lost %q", o, info, lost)
			}
		}
		b, lost = write(t, "a.npy", wafer.WriteSettings{Order: o, Unit: "mippt"}, s)
		back, _, err := read(b, "a.npy", wafer.ReadSettings{Order: o}, 1000)
		if err != nil || !equal(back, s.WithoutColumns()) {
			t.Errorf("%v: a single array: %v", o, err)
		}
		if text := strings.Join(lost, "\n"); !strings.Contains(text, "layer, eta, HD_LD") || !strings.Contains(text, "mippt") || strings.Contains(text, o.String()) != (o != hgcal.V9) {
			t.Errorf("%v: lost %q", o, lost)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Any set comes back as it was.
func TestAnySet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "images")
		s := &wafer.Set{Charge: rapid.SliceOfN(rapid.Float64Range(0, math.MaxFloat64/100), n*hgcal.Cells, n*hgcal.Cells).Draw(t, "charge")}
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zé_ /.]{1,8}`), 0, 5, rapid.ID[string]).Draw(t, "names")
		for _, name := range names {
			c := wafer.Column{Name: name}
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				c.Int = rapid.SliceOfN(rapid.Int64(), n, n).Draw(t, "ints")
			case 1:
				c.Float = rapid.SliceOfN(rapid.Float64(), n, n).Draw(t, "floats")
			default:
				c.Text = rapid.SliceOfN(rapid.StringMatching(`[a-zß🙂\n\x00]{0,5}[.]`), n, n).Draw(t, "texts")
			}
			s.Columns = append(s.Columns, c)
		}
		order := rapid.SampledFrom(hgcal.Orders()).Draw(t, "order")
		var b bytes.Buffer
		w, err := Archive{}.Create(&b, wafer.WriteSettings{Order: order})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Write(s), w.Close()); err != nil {
			t.Fatal(err)
		}
		back, _, err := read(b.Bytes(), "a.npz", wafer.ReadSettings{Order: order}, rapid.IntRange(1, 25).Draw(t, "batch"))
		if err != nil || !equal(back, s) {
			t.Fatalf("%v: %v, want %v", err, back, s)
		}
	})
}

func TestWriterRefuses(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	one := images(2)
	other := func(change func(s *wafer.Set)) *wafer.Set {
		s := images(2)
		change(s)
		return s
	}
	for want, sets := range map[string][]*wafer.Set{
		"no images":                    nil,
		"not a finite number":          {{Charge: append(make([]float64, 47), -1)}},
		"would be read as charges":     {other(func(s *wafer.Set) { s.Columns[0].Name = "CALQ_3" })},
		"no name for an array":         {other(func(s *wafer.Set) { s.Columns[0].Name = "a\xff" })},
		"is text from image 3 on":      {one, other(func(s *wafer.Set) { s.Columns[0] = wafer.Column{Name: "layer", Text: []string{"a", "b"}} })},
		"have no metadata column":      {one, other(func(s *wafer.Set) { s.Columns[0].Name = "lay" })},
		"2 metadata columns after 2 i": {one, other(func(s *wafer.Set) { s.Columns = s.Columns[:2] })},
	} {
		w, err := Archive{}.Create(io.Discard, wafer.WriteSettings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sets {
			err = w.Write(s)
		}
		if err == nil {
			err = w.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		w.(wafer.Aborter).Abort()
	}
	for _, s := range []wafer.WriteSettings{{Order: 9}, {Dialect: "plain"}} {
		if _, err := (Archive{}).Create(io.Discard, s); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	s := other(func(s *wafer.Set) { s.Columns[2].Text, s.Columns[1].Name = []string{"a\x00", "\xff"}, "unit" })
	_, lost := write(t, "a.npz", wafer.WriteSettings{Unit: "calq"}, s)
	if text := strings.Join(lost, "\n"); !strings.Contains(text, "2 texts of HD_LD") || !strings.Contains(text, "unit, calq") {
		t.Errorf("lost %q", lost)
	}
}

func TestNumPyReads(t *testing.T) {
	s := images(3)
	dir := t.TempDir()
	var paths []string
	for _, name := range []string{"a.npz", "a.npy"} {
		b, _ := write(t, name, wafer.WriteSettings{Unit: "calq"}, s)
		paths = append(paths, filepath.Join(dir, name))
		if err := os.WriteFile(paths[len(paths)-1], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := string(shared.Python(t, "files", "testdata/read.py", paths...))
	lines := strings.Split(out, "\n")
	for i, want := range []string{"CALQ <f8 (3, 48) [0.0, 0.3333333333333333, 0.6666666666666666] ", "layer <i8 (3,) [0, 1125899906842624, 2251799813685248] ",
		"eta <f8 (3,) [-1.0, -0.5, -0.3333333333333333] ", "HD_LD <U12 (3,) ['', 'größer', 'größergrößer'] ", "unit <U4 () ['calq'] ", " <f8 (3, 48) [0.0, 0.3333333333333333, 0.6666666666666666] "} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("NumPy reads\n%s", out)
		}
	}
	if last := func(s string) string { return s[strings.LastIndexByte(s, ' '):] }; last(lines[0]) != last(lines[5]) {
		t.Errorf("the two have other charges:\n%s", out)
	}
}

func TestNumPyWrites(t *testing.T) {
	dir := t.TempDir()
	shared.Python(t, "files", "testdata/write.py", dir)
	file := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	r, err := csvio.NewReader(bytes.NewReader(file("images.csv")), "images.csv", wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := wafer.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want.Columns { // 2.0 to Python, 2 to Go
		if c := &want.Columns[i]; c.Name == "eta" {
			if c.Float, err = c.Floats(); err != nil {
				t.Fatal(err)
			}
			c.Text = nil
		}
	}
	for name, s := range map[string]wafer.ReadSettings{
		"plain.npz": {}, "packed.npz": {}, "turned.npz": {}, "turnedstored.npz": {}, "other.npz": {}, "cells.npz": {}, "channels.npz": {}, "list.npz": {}, "plain.npy": {}, "turned.npy": {},
		"record.npy": {}, "fields.npy": {}, "table.npz": {Tree: "table"}, "two.npz": {Tree: "b"}, "one.npz": {Header: "first"},
		"order.npz": {Order: hgcal.PostMux}, "postmux.npz": {Order: hgcal.PostMux},
	} {
		for _, n := range []int{1000, 1 << 20} {
			got, r, err := read(file(name), name, s, n)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			want := want
			if len(got.Columns) == 0 {
				want = want.WithoutColumns()
			}
			if !equal(got, want) {
				t.Errorf("%s: other images, or columns %v", name, r.Info().Columns)
			}
			if got := r.Info().Unit; (got == "mippt") != (s.Order == hgcal.PostMux) {
				t.Errorf("%s: unit %q", name, got)
			}
			if name == "other.npz" {
				remarks := strings.Join(r.(wafer.Remarker).Remarks(), "\n")
				for _, want := range []string{"x is taken for the charges", "latent: float64 (2500, 16)", "ids: int64 (7,)", "threshold: float64 ()", "names: object (2500,) (objects of Python", "datetime64[s] (2500,)"} {
					if !strings.Contains(remarks, want) {
						t.Errorf("remarks %s lack %q", remarks, want)
					}
				}
			}
		}
	}
	for name, want := range map[string]string{
		"object.npy": "objects of Python", "objects.npy": "objects of Python", "transposed.npz": "save it as calq.t", "sixtyfour.npz": "x: float64 (5, 64) is not: an image of Barrow has 48", "arranged.npz": "arrangement", "nothing.npz": "there are layer: int32 (2500,)",
		"empty.npz": "no images: CALQ: float64 (0, 48)", "missing.npz": "there is no CALQ_47", "one.npz": "header=first", "unequal.npz": "must be as many", "negative.npz": "negative.npz:1301: CALQ[1300, 7]: charge -1 is",
		"nan.npz": "nan.npz:1301: CALQ[1300, 7]: charge NaN is", "large.npz": "large.npz: id[0]: 9223372036854775808", "inexact.npz": "beyond 2^53", "badorder.npz": "spiral", "contradiction.npz": "says that their order is raster",
		"two.npz": "tree=a (int64 (2500, 48)), or tree=b", "postmux.npz": "order=postmux (as the file says)", "order.npz": "order=postmux (as the file says)",
	} {
		_, _, err := read(file(name), name, wafer.ReadSettings{}, 1000)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if _, _, err := read(file("two.npz"), "two.npz", wafer.ReadSettings{Tree: "c"}, 10); err == nil || !strings.Contains(err.Error(), "no array is called c; there are a: int64 (2500, 48)") {
		t.Errorf("an array that is not there: %v", err)
	}
}

func TestInspect(t *testing.T) {
	b, _ := write(t, "a.npz", wafer.WriteSettings{Unit: "calq"}, images(4))
	look := func(b []byte) wafer.Object {
		src := &wafer.Source{Name: "a.npz", Stream: bytes.NewReader(b), At: bytes.NewReader(b), Size: int64(len(b))}
		objects, err := Archive{}.Inspect(context.Background(), src, wafer.InspectSettings{Stats: true})
		if err != nil || len(objects) != 1 {
			t.Fatal(objects, err)
		}
		return objects[0]
	}
	o := look(b)
	var text strings.Builder
	fmt.Fprintln(&text, o.Kind, o.Entries, o.Images)
	for _, c := range o.Columns {
		fmt.Fprint(&text, c.Name, ", ", c.Type, c.Unread)
		if c.Stats != nil {
			fmt.Fprint(&text, ", ", *c.Stats)
		}
		fmt.Fprintln(&text)
	}
	const want = `arrays 4 4 images of CALQ, in calq; with layer, eta, HD_LD
CALQ, float64 (4, 48), {192 0 0 63.666666666666664 6112}
layer, int64 (4,), {4 0 0 3.377699720527872e+15 6.755399441055744e+15}
eta, float64 (4,), {4 0 -1 -0.25 -2.083333333333333}
HD_LD, <U12 (4,)
unit, <U4 ()
`
	if text.String() != want {
		t.Errorf("%s\nwant\n%s", text.String(), want)
	}
	at := bytes.Index(b, []byte("\x93NUMPY")) + 128 // in the charges
	b[at+3] ^= 1
	if o := look(b); o.Columns[0].Unread == "" || o.Columns[0].Stats != nil || o.Columns[1].Stats == nil {
		t.Errorf("a flipped bit: %+v", o.Columns)
	}
}

// damaged are files of both formats, stored and compressed, in several storages.
func damaged(t testing.TB) map[string][]byte {
	s := images(9)
	stored, _ := write(t, "a.npz", wafer.WriteSettings{}, s)
	bare, _ := write(t, "a.npy", wafer.WriteSettings{}, s)
	array := func(header, row string) []byte {
		b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
		return append(append(b, header...), strings.Repeat(row, 3)...)
	}
	record := array("{'descr':[('CALQ','<u2',(48,)),('layer','>i2'),('t','<U1')],'fortran_order':False,'shape':(3,)}", strings.Repeat("ab", 48)+"\x00\x09H\x00\x00\x00")
	turned := array("{'descr':'<u1','fortran_order':True,'shape':(3,48)}", strings.Repeat("abc", 16))
	return map[string][]byte{"stored.npz": stored, "packed.npz": packed(t, stored), "plain.npy": bare, "record.npy": record, "turned.npy": turned}
}

func TestDamaged(t *testing.T) {
	for name, b := range damaged(t) {
		want, _, err := read(b, name, wafer.ReadSettings{}, 5)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		shared.Damaged(t, b, 5000, func(c []byte) error {
			got, r, err := read(c, name, wafer.ReadSettings{}, 5)
			if err != nil || !strings.HasSuffix(name, ".npz") || got.Len() != want.Len() || slices.Equal(got.Charge, want.Charge) {
				return err
			}
			// A header that ends early has the array end early too, which is remarked on.
			if !strings.Contains(strings.Join(r.(wafer.Remarker).Remarks(), "\n"), "behind the array") {
				t.Errorf("%s: charges changed unnoticed: archives have checksums", name)
			}
			return err
		})
	}
}

func FuzzOpen(f *testing.F) {
	for _, b := range damaged(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, name := range []string{"a.npz", "a.npy"} {
			s, _, err := read(b, name, wafer.ReadSettings{}, 100)
			if err == nil && (s.Len() == 0 || s.Check() != nil) {
				t.Fatalf("%d images: %v", s.Len(), s.Check())
			}
			src := &wafer.Source{Name: name, At: bytes.NewReader(b), Size: int64(len(b))}
			objects, said := format(name).(wafer.Inspector).Inspect(t.Context(), src, wafer.InspectSettings{Stats: true})
			if err == nil && (said != nil || len(objects) != 1 || objects[0].Entries != int64(s.Len())) {
				t.Fatalf("%d images, but inspected: %v, %v", s.Len(), objects, said)
			}
		}
	})
}

// TestOnly: an array of another name is taken with a remark though it is alone.
func TestOnly(t *testing.T) {
	for name, want := range map[string]string{"x": "x is taken for the charges", "CALQ": ""} {
		var b bytes.Buffer
		w := npz.NewWriter(&b)
		err := w.Add(npz.Array{Name: name, Type: npz.Float64, Row: []int{hgcal.Cells}})
		if err = errors.Join(err, w.Append(name, make([]float64, 2*hgcal.Cells)), w.Commit()); err != nil {
			t.Fatal(err)
		}
		_, r, err := read(b.Bytes(), "a.npz", wafer.ReadSettings{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		if remarks := strings.Join(r.(wafer.Remarker).Remarks(), "\n"); !strings.HasPrefix(remarks, want) || (want == "") != (remarks == "") {
			t.Errorf("%s: remarks %q, want %q", name, remarks, want)
		}
	}
}
