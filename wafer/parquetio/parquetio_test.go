package parquetio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/wafer"

	"github.com/parquet-go/parquet-go"
)

// sample is images of whole and other charges with metadata of all kinds.
func sample(n int) *wafer.Set {
	random := counter.New(3, 1)
	s := &wafer.Set{}
	event, eta, mod := wafer.Column{Name: "event"}, wafer.Column{Name: "eta"}, wafer.Column{Name: "ModType"}
	for i := range n {
		for range hgcal.Cells {
			v := 0.0
			switch random.IntN(8) {
			case 0, 1:
				v = float64(random.IntN(1000))
			case 2:
				if i%1000 < 300 {
					v = random.Float64()
				}
			}
			s.Charge = append(s.Charge, v)
		}
		event.Int = append(event.Int, int64(i)*1_000_003-7)
		eta.Float = append(eta.Float, random.Float64()*3)
		mod.Text = append(mod.Text, []string{"FI", "aO", "", "ü"}[random.IntN(4)])
	}
	if n > 5 {
		eta.Float[5] = math.NaN()
	}
	s.Columns = []wafer.Column{event, eta, mod}
	return s
}

func write(t testing.TB, s *wafer.Set, o wafer.WriteSettings) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := newWriter(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < s.Len(); i += 3000 {
		if err := w.Write(s.Slice(i, min(i+3000, s.Len()))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, b []byte, o wafer.ReadSettings) *wafer.Set {
	t.Helper()
	r, err := newReader(bytes.NewReader(b), int64(len(b)), "test", o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return readAll(t, r, 999)
}

func same(t *testing.T, a, b *wafer.Set) {
	t.Helper()
	if !slices.Equal(a.Charge, b.Charge) || len(a.Columns) != len(b.Columns) {
		t.Fatal("changed by a round trip")
	}
	for i, c := range a.Columns {
		d := b.Column(c.Name)
		equal := func(x, y float64) bool { return x == y || x != x && y != y }
		if d == nil || !slices.Equal(c.Int, d.Int) || !slices.EqualFunc(c.Float, d.Float, equal) || !slices.Equal(c.Text, d.Text) {
			t.Errorf("column %d, %s, changed by a round trip", i, c.Name)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, n := range []int{1, 7, 1024, 70_001} {
		s := sample(n)
		for _, dialect := range []string{"", "list", "columns"} {
			for _, o := range hgcal.Orders() {
				if n > 2000 && (o == hgcal.V9) == (dialect == "columns") {
					continue // one of each is enough of the long ones
				}
				b := write(t, s, wafer.WriteSettings{Dialect: dialect, Order: o, Unit: "data"})
				same(t, s, read(t, b, wafer.ReadSettings{Order: o}))
				r, err := newReader(bytes.NewReader(b), int64(len(b)), "test", wafer.ReadSettings{Order: o})
				if err != nil {
					t.Fatal(err)
				}
				if i := r.Info(); i.Unit != "data" || i.Order != o || !i.OrderSaid || !slices.Equal(i.Columns, []string{"event", "eta", "ModType"}) {
					t.Errorf("%+v", i)
				}
				for _, other := range hgcal.Orders() {
					if _, err := newReader(bytes.NewReader(b), int64(len(b)), "test", wafer.ReadSettings{Order: other}); (err == nil) != (other == o) {
						t.Errorf("%v read as %v: %v", o, other, err)
					}
				}
			}
		}
	}
}

// TestSecondOpinion has parquet-go read what is written here, and the other way round.
func TestSecondOpinion(t *testing.T) {
	type row struct {
		CALQ    []float64 `parquet:"CALQ,list"`
		Event   int64     `parquet:"event"`
		Eta     float64   `parquet:"eta"`
		ModType string    `parquet:"ModType"`
	}
	s := sample(3000)
	b := write(t, s, wafer.WriteSettings{})
	rows, err := parquet.Read[row](bytes.NewReader(b), int64(len(b)))
	if err != nil || len(rows) != s.Len() {
		t.Fatal(len(rows), err)
	}
	for i, r := range rows {
		if !slices.Equal(r.CALQ, s.Image(i)) || r.Event != s.Columns[0].Int[i] || r.ModType != s.Columns[2].Text[i] {
			t.Fatalf("row %d: %v", i, r)
		}
	}
	for _, o := range []parquet.WriterOption{parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1), parquet.PageBufferSize(3000), parquet.MaxRowsPerRowGroup(77)} {
		var b bytes.Buffer
		if err := parquet.Write(&b, rows, o); err != nil {
			t.Fatal(err)
		}
		same(t, s, read(t, b.Bytes(), wafer.ReadSettings{}))
	}
	// Encodings, codecs and versions of pages.
	for name, b := range kinds(t) {
		s := read(t, b, wafer.ReadSettings{})
		if s.Len() != 60 {
			t.Fatal(name, s.Len())
		}
		for i := range s.Len() {
			if name == "list" || name == "columns" {
				break
			}
			ok, yes := s.Column("ok").Float[i], i%3 > 0
			if s.Column("layer").Int[i] != int64(i*i) || s.Column("eta").Float[i] != float64(i)/7 || s.Column("ModType").Text[i] != "FI" ||
				len(s.Column("text").Text[i]) != i%5 || s.Image(i)[i%48] != float64(i) || yes && ok != 1 || !yes && !math.IsNaN(ok) {
				t.Fatalf("%s: row %d: %v", name, i, s.Slice(i, i+1))
			}
		}
	}
	// Lists without the group around them, as protocol buffers have them.
	type bare struct {
		CALQ []int32 `parquet:"CALQ"`
		N    *int64  `parquet:"n"`
	}
	var c bytes.Buffer
	one := bare{CALQ: make([]int32, 48)}
	one.CALQ[3] = 5
	if err := parquet.Write(&c, []bare{one, one}); err != nil {
		t.Fatal(err)
	}
	if s := read(t, c.Bytes(), wafer.ReadSettings{}); s.Len() != 2 || s.Image(1)[3] != 5 || !math.IsNaN(s.Columns[0].Float[1]) {
		t.Error(s)
	}
}

// table is a file of parquet-go with these rows.
func table[T any](t testing.TB, rows []T, o ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parquet.Write(&b, rows, o...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type list struct {
	CALQ []*float64 `parquet:"CALQ,optional,list"`
}

func values(n int, change ...float64) list {
	l := list{}
	for i := range n {
		v := float64(i)
		if i < len(change) {
			v = change[i]
		}
		l.CALQ = append(l.CALQ, &v)
	}
	return l
}

func TestErrors(t *testing.T) {
	hole := values(48)
	hole.CALQ[7] = nil
	good := values(48)
	type two struct {
		A []float64 `parquet:"a,list"`
		B []float64 `parquet:"b,list"`
	}
	type texts struct {
		CALQ []string `parquet:"CALQ,list"`
	}
	type few struct {
		A float64 `parquet:"CALQ_0"`
		B float64 `parquet:"CALQ_1"`
	}
	type more struct {
		A float64 `parquet:"CALQ_48"`
	}
	type odd struct {
		A float64 `parquet:"CALQ_3.1"`
	}
	full := make([]float64, 48)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"short", table(t, []list{good, values(47), good}), "test: row 2, column CALQ.list.element: the list has 47 values; want 48"},
		{"long", table(t, []list{good, good, values(49)}), "test: row 3, column CALQ.list.element: the list has more than 48"},
		{"last short", table(t, []list{good, values(3)}), "row 2, column CALQ.list.element: the list has 3 values"},
		{"last of one", table(t, []list{good, values(1)}), "row 2, column CALQ.list.element: the list has 1 values"},
		{"no list", table(t, []list{good, {}, good}), "row 2, column CALQ.list.element: the list is empty or missing"},
		{"hole", table(t, []list{good, hole}), "row 2, column CALQ.list.element: a charge is missing"},
		{"negative", table(t, []list{good, good, values(48, 0, -2)}), "row 3, column CALQ.list.element: charge 1 of the list, -2, is negative"},
		{"NaN", table(t, []list{values(48, math.NaN())}), "row 1, column CALQ.list.element: charge 0 of the list, NaN, is not a finite number"},
		{"sum", table(t, []list{values(48, 1e308, 1e308)}), "row 1: the charges sum to more"},
		{"two lists", table(t, []two{{full, full}}), "no column is called CALQ, and more than one has lists of 48 numbers; say which it is: tree=a (list<double>), or tree=b (list<double>)"},
		{"texts", table(t, []texts{{}}), `column "CALQ": values of type list<string> are no charges`},
		{"few", table(t, []few{{}}), "there is no column CALQ_2"},
		{"more", table(t, []more{{}}), `column "CALQ_48": an image of Barrow has the charges CALQ_0 … CALQ_47`},
		{"odd", table(t, []odd{{}}), `column "CALQ_3.1": charges are`},
		{"none", table(t, []struct {
			X int32 `parquet:"x"`
		}{{}}), `no charges: want columns CALQ_0 … CALQ_47, or one of lists of 48 numbers; there are "x" (int32)`},
		{"no rows", table(t, []list{}), "a table without rows"},
		{"empty", nil, "too short: 0 bytes"},
		{"no Parquet", []byte(strings.Repeat("x", 100)), "ends without PAR1"},
		{"encrypted", []byte("PARE" + strings.Repeat("x", 100) + "\x03\x00\x00\x00PARE"), "encrypted"},
		// What parquet-go asks 64 GiB for.
		{"absurd", []byte("PAR1\x15\x02\x19\x1c\x48\x01a\x00\x16\x00\x19\xfc\xff\xff\xff\xff\x07\x11\x00\x00\x00PAR1"), "a list of 2147483647 in 0 bytes"},
	} {
		r, err := newReader(bytes.NewReader(c.file), int64(len(c.file)), "test", wafer.ReadSettings{})
		if err == nil {
			_, err = wafer.ReadAll(r)
		}
		if err == nil || !strings.HasPrefix(err.Error(), "parquetio: test: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	s := sample(3)
	if _, err := newWriter(io.Discard, wafer.WriteSettings{Dialect: "plain"}); err == nil || !strings.Contains(err.Error(), "want list, columns") {
		t.Error(err)
	}
	w, err := newWriter(io.Discard, wafer.WriteSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "no images") {
		t.Error(err)
	}
	if err := w.Write(s); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(s.WithoutColumns()); err == nil || !strings.Contains(err.Error(), "0 metadata columns after 3 images that have 3") {
		t.Error(err)
	}
	s.Charge[3] = -1
	if err := w.Write(s); err == nil || !strings.Contains(err.Error(), "charge -1") {
		t.Error(err)
	}
}

// numbered are 48 columns of a name before a number, from so many on.
func numbered(t testing.TB, prefix string, from int, o ...parquet.WriterOption) []byte {
	t.Helper()
	g := parquet.Group{"layer": parquet.Int(32)}
	for k := range hgcal.Cells {
		g[fmt.Sprint(prefix, k+from)] = parquet.Uint(16)
	}
	schema := parquet.NewSchema("test", g)
	var b bytes.Buffer
	w := parquet.NewWriter(&b, append(o, schema)...)
	row := parquet.Row{}
	for i, path := range schema.Columns() {
		var k int
		fmt.Sscanf(strings.TrimPrefix(path[0], prefix), "%d", &k)
		row = append(row, parquet.Int32Value(int32(k-from)).Level(0, 0, i))
	}
	if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNames(t *testing.T) {
	type two struct {
		A []float64 `parquet:"a,list"`
		B []float64 `parquet:"b,list"`
	}
	ramp := make([]float64, hgcal.Cells)
	for k := range ramp {
		ramp[k] = float64(k)
	}
	order := func(v string) parquet.WriterOption { return parquet.KeyValueMetadata("order", v) }
	for _, c := range []struct {
		name    string
		file    []byte
		s       wafer.ReadSettings
		said    bool
		remark  string
		refused string
	}{
		{name: "CALQ_", file: numbered(t, "CALQ_", 0)},
		{name: "CALQ", file: numbered(t, "CALQ", 0)},
		{name: "wafer_calq", file: numbered(t, "wafer_CALQ_", 0)},
		{name: "numbers", file: numbered(t, "", 0), remark: "the charges are taken from columns 0 … 47"},
		{name: "from 1", file: numbered(t, "CALQ_", 1), refused: "the charges are called CALQ_1 … CALQ_48, Barrow's CALQ_0 … CALQ_47; say which it is: header=first"},
		{name: "from 1, said", file: numbered(t, "CALQ_", 1), s: wafer.ReadSettings{Header: "first"}},
		{name: "from 2", file: numbered(t, "CALQ_", 2), refused: `"CALQ_49": an image of Barrow has`},
		{name: "raster", file: numbered(t, "CALQ_raster_", 0), s: wafer.ReadSettings{Order: hgcal.Raster}, said: true},
		{name: "raster as V9", file: numbered(t, "CALQ_raster_", 0), refused: "numbered raster, as the file says, and v9 is asked for; say which it is: order=raster"},
		{name: "order", file: numbered(t, "CALQ_", 0, order("postmux")), s: wafer.ReadSettings{Order: hgcal.PostMux}, said: true},
		{name: "order of something else", file: numbered(t, "CALQ_", 0, order("17")), refused: `the order of its charges is "17", which is none of v9, postmux, raster`},
		{name: "order of something else, said", file: numbered(t, "CALQ_", 0, order("17")), s: wafer.ReadSettings{Order: hgcal.Raster}, remark: `its order "17" is none of`},
		{name: "order of something else, named", file: numbered(t, "CALQ_v9_", 0, order("17")), said: true, remark: "taken as v9, as they are called"},
		{name: "two orders", file: numbered(t, "CALQ_raster_", 0, order("postmux")), refused: "the charges are called CALQ_raster_0, but the file says that their order is postmux"},
		{name: "unit", file: numbered(t, "CALQ_", 0, parquet.KeyValueMetadata("unit", "GeV")), remark: `its unit "GeV" is none of calq, `},
		{name: "one of two", file: table(t, []two{{make([]float64, 48), ramp}}), s: wafer.ReadSettings{Tree: "b"}, remark: "left out, lists and structures: a"},
		{name: "none of two", file: table(t, []two{{ramp, ramp}}), s: wafer.ReadSettings{Tree: "c"}, refused: "no column of lists is called c"},
	} {
		r, err := newReader(bytes.NewReader(c.file), int64(len(c.file)), "test", c.s)
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: %v, want %q", c.name, err, c.refused)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		s := readAll(t, r, 10)
		for k, cell := range c.s.Order.ToV9() {
			if s.Image(0)[cell] != float64(k) {
				t.Errorf("%s: charge %d is %v", c.name, k, s.Image(0)[cell])
			}
		}
		if r.Info().OrderSaid != c.said || !strings.Contains(strings.Join(r.Remarks(), "; "), c.remark) || c.remark == "" && len(r.Remarks()) > 0 {
			t.Errorf("%s: %+v, %q", c.name, r.Info(), r.Remarks())
		}
	}
}

func TestLost(t *testing.T) {
	s := sample(3)
	s.Columns[2].Text = []string{"a", "b\xffc", "ü"}
	var b bytes.Buffer
	w, err := newWriter(&b, wafer.WriteSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := w.Lost(); !slices.Equal(got, []string{"bytes of 1 texts of ModType that are not UTF-8"}) {
		t.Error(got)
	}
	if got := read(t, b.Bytes(), wafer.ReadSettings{}).Columns[2].Text; !slices.Equal(got, []string{"a", "b\ufffdc", "ü"}) || s.Columns[2].Text[1] != "b\xffc" {
		t.Errorf("%q", got)
	}
	s.Columns[0].Name = "CALQ_7"
	if w, err = newWriter(io.Discard, wafer.WriteSettings{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(s); err == nil || !strings.Contains(err.Error(), "would be read as charges") {
		t.Error(err)
	}
}

func TestInspect(t *testing.T) {
	b := write(t, sample(100), wafer.WriteSettings{Unit: "calq"})
	src := &wafer.Source{Name: "test", At: bytes.NewReader(b), Size: int64(len(b))}
	objects, err := Format{}.Inspect(context.Background(), src, wafer.InspectSettings{Stats: true})
	if err != nil || len(objects) != 1 {
		t.Fatal(objects, err)
	}
	o := objects[0]
	var columns []string
	for _, c := range o.Columns {
		columns = append(columns, c.Name+" "+c.Type)
	}
	if got := strings.Join(columns, ", "); got != "CALQ.list.element list<double>, event int64, eta double, ModType string" {
		t.Error(got)
	}
	if o.Entries != 100 || o.Images != "100 images, the charges in lists of column CALQ, and 3 columns, cells numbered v9, unit calq" {
		t.Errorf("%+v", o)
	}
	if st := o.Columns[1].Stats; st == nil || st.Values != 100 || st.Min != -7 || st.Max != 99*1_000_003-7 {
		t.Errorf("%+v", st)
	}
	if st := o.Columns[2].Stats; st == nil || st.Values != 100 || st.NonFinite != 1 {
		t.Errorf("%+v", st)
	}
	if o.Columns[3].Stats != nil {
		t.Error("statistics of text")
	}
}

// BenchmarkRead reads images of a long row group; the bytes are those of the charges.
func BenchmarkRead(b *testing.B) {
	for _, dialect := range (Format{}).Dialects() {
		file := write(b, sample(60_000), wafer.WriteSettings{Dialect: dialect})
		b.Run(dialect, func(b *testing.B) {
			b.SetBytes(60_000 * hgcal.Cells * 8)
			for b.Loop() {
				r, err := newReader(bytes.NewReader(file), int64(len(file)), "test", wafer.ReadSettings{})
				if err != nil {
					b.Fatal(err)
				}
				var part wafer.Set
				for err == nil {
					_, err = r.Read(&part, 1024)
				}
				if r.Close(); err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	s := sample(60_000)
	for _, dialect := range (Format{}).Dialects() {
		b.Run(dialect, func(b *testing.B) {
			b.SetBytes(60_000 * hgcal.Cells * 8)
			for b.Loop() {
				write(b, s, wafer.WriteSettings{Dialect: dialect})
			}
		})
	}
}
