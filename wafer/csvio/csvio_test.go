package csvio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/internal/shared"
	"barrow/wafer"
)

// row returns 48 charges as fields: 0, 2, 4, … 94.
func row() []string {
	f := make([]string, hgcal.Cells)
	for i := range f {
		f[i] = strconv.Itoa(2 * i)
	}
	return f
}

func calq() []string {
	f := make([]string, hgcal.Cells)
	for i := range f {
		f[i] = fmt.Sprintf("CALQ_%d", i)
	}
	return f
}

func join(parts ...[]string) string { return strings.Join(slices.Concat(parts...), ",") + "\n" }

func read(t *testing.T, text string, o wafer.ReadSettings) *wafer.Set {
	t.Helper()
	// One byte at a time, so that every line crosses a refill.
	r, err := NewReader(iotest.OneByteReader(strings.NewReader(text)), "test", o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := wafer.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDialects(t *testing.T) {
	ecoder := EcoderColumns()
	tail := []string{"1.5", "20", ".075", "1", "9", "-3", "4", "LD", "FI"}
	shenoy := []string{"7", "1", "9", "-3", "4", "12.5", "1", "1.9", "-0.5"}
	reversed := calq()
	slices.Reverse(reversed)
	backwards := row()
	slices.Reverse(backwards)
	for _, c := range []struct {
		name, text string
		columns    []string
		values     []string
	}{
		{"charges", join(calq()) + join(row()), nil, nil},
		{"plain", join(row()), nil, nil},
		{"no line end", strings.TrimSuffix(join(row()), "\n"), nil, nil},
		{"empty lines at the end", join(row()) + "\n\r\n \n", nil, nil},
		{"carriage returns", strings.ReplaceAll(join(calq())+join(row()), "\n", "\r\n"), nil, nil},
		{"byte order mark", "\ufeff" + join(calq()) + join(row()), nil, nil},
		{"spaces", strings.ReplaceAll(join(row()), ",", " ,\t"), nil, nil},
		{"other columns order", join(reversed) + join(backwards), nil, nil},
		{"ecoder", join([]string{"entry"}, calq(), ecoder[1:]) + join([]string{"5"}, row(), tail),
			ecoder, append([]string{"5"}, tail...)},
		{"ecoder without header", join([]string{"5"}, row(), tail), ecoder, append([]string{"5"}, tail...)},
		{"57 columns", join(row(), shenoy), NoHeaderColumns(), shenoy},
		{"quotes", join(calq(), []string{`"a,b"`}) + join(row(), []string{` "x,""y""" `}),
			[]string{"a,b"}, []string{`x,"y"`}},
		{"quoted charges", `"` + strings.ReplaceAll(strings.TrimSuffix(join(row()), "\n"), ",", `","`) + `"`, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := read(t, c.text, wafer.ReadSettings{})
			if s.Len() != 1 || len(s.Columns) != len(c.columns) {
				t.Fatalf("%d images, columns %v", s.Len(), s.Columns)
			}
			for i, v := range s.Image(0) {
				if v != float64(2*i) {
					t.Errorf("cell %d: %g", i, v)
				}
			}
			for k, name := range c.columns {
				if s.Columns[k].Name != name || s.Columns[k].Value(0) != c.values[k] {
					t.Errorf("column %d: %v, want %s %q", k, s.Columns[k], name, c.values[k])
				}
			}
		})
	}
}

func TestOrders(t *testing.T) {
	for _, o := range hgcal.Orders() {
		for _, text := range []string{join(row()), join(calq()) + join(row())} {
			s := read(t, text, wafer.ReadSettings{Order: o})
			for j, i := range o.ToV9() {
				if got := s.Image(0)[i]; got != float64(2*j) {
					t.Errorf("%v: V9 cell %d holds %g, want the file's number %d", o, i, got, j)
				}
			}
			var b bytes.Buffer
			w, err := NewWriter(&b, wafer.WriteSettings{Order: o, Dialect: "plain"})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(s); err != nil || b.String() != join(row()) {
				t.Errorf("%v: writes %q, %v", o, b.String(), err)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]float64{
		"0": 0, "00": 0, "-0": 0, "-0.0": 0, "168.0": 168, "0.1": 0.1, ".5": 0.5, "5.": 5, "+3": 3, "1e3": 1000, "2.5E-3": 0.0025,
		"123456789012345": 123456789012345, "0.000000000000000000001": 1e-21, "9007199254740993": 9007199254740992,
		"0.30000000000000004": 0.30000000000000004, "179769313486231570000e288": 1.7976931348623157e308, "1e-400": 0, "5e-324": 5e-324,
	} {
		if got, err := parseCharge([]byte(in)); err != nil || got != want || math.Signbit(got) {
			t.Errorf("%q: %g, %v, want %g", in, got, err, want)
		}
	}
	for in, want := range map[string]error{
		"": errMissing, "-1": errNegative, "-1e-9": errNegative, "NaN": errFinite, "nan": errFinite, "inf": errFinite, "-Inf": errFinite,
		"1e999": errFinite, "0x10": errNumber, "0x1p3": errNumber, "1_0": errNumber, ".": errNumber, "1.2.3": errNumber, "1 2": errNumber, "x": errNumber,
		"e5": errNumber, "--1": errNumber, "1e": errNumber,
	} {
		if got, err := parseCharge([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%q: %g, error %v, want %v", in, got, err, want)
		}
	}
	s := counter.New(1, 1)
	for range 100_000 {
		v := s.Float64() * math.Pow(10, float64(s.IntN(30)-12))
		for _, b := range [][]byte{appendNumber(nil, v), strconv.AppendFloat(nil, v, 'f', s.IntN(20), 64)} {
			want, _ := strconv.ParseFloat(string(b), 64)
			if got, err := parseCharge(b); got != want || err != nil {
				t.Fatalf("%s: %g, %v, want %g", b, got, err, want)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	bad := func(j int, v string) string { f := row(); f[j] = v; return join(f) }
	short := row()[:47]
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "test: empty: no images"},
		{"empty lines", "\n\n", "test: empty: no images"},
		{"header alone", join(calq()), "test: a header and no images"},
		{"short row", join(calq()) + join(row()) + join(short), "test:3: 47 columns where the first row has 48"},
		{"long row", join(row()) + join(row(), []string{"1"}), "test:2: 49 columns where the first row has 48"},
		{"quoted short row", join(row()) + "\"1\",2\n", "test:2: 2 columns where the first row has 48"},
		{"few columns", join(short), "test:1: 47 columns and no header with CALQ_0"},
		{"one word", "hello\n", "test:1: 1 columns and no header with CALQ_0"},
		{"foreign header", strings.ReplaceAll(join(calq()), "CALQ", "Q") + join(row()), "test:1: a header without CALQ_0"},
		{"missing charge column", join(calq()[1:]) + join(row()[1:]), "test:1: the header has no column CALQ_0"},
		{"charge column twice", join(calq(), []string{"CALQ_3"}), `test:1: column "CALQ_3" occurs twice, at 4 and 49`},
		{"charge column 48", join(calq(), []string{"CALQ_48"}), `test:1: column 49 is "CALQ_48"`},
		{"charge column 03", join(calq(), []string{"CALQ_03"}), `test:1: column "CALQ_03" occurs twice, at 4 and 49`},
		{"word", join(row()) + bad(2, "two"), `test:2:3: charge "two" is not a decimal number`},
		{"missing", bad(2, ""), `test:1:3: the charge is missing`},
		{"negative", join(calq()) + bad(47, "-2"), `test:2:48: charge "-2" is negative`},
		{"NaN", bad(1, "NaN"), `test:1:2: charge "NaN" is not a finite number`},
		{"infinite", bad(0, "+Inf"), `test:1:1: charge "+Inf" is not a finite number`},
		{"quoted word", bad(3, `"x"`), `test:1:4: charge "x" is not a decimal number`},
		{"overflowing sum", strings.Replace(bad(0, "1.7e308"), ",2,", ",1.7e308,", 1), "test:1: the charges sum to more"},
		{"open quote", bad(3, `"x`), `test:1: a quotation mark is not closed`},
		{"text behind quote", bad(3, `"3"4`), `test:1: text behind a closing quotation mark`},
		{"empty row", join(row()) + "\n" + join(row()), "test:2: empty row"},
		{"long line", strings.Repeat("1", maxRow+300<<10), "test:1: the row is longer than"},
		{"long field", bad(0, strings.Repeat("x", 500)), `charge "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" is not`},
	} {
		r, err := NewReader(strings.NewReader(c.in), "test", wafer.ReadSettings{})
		if err == nil {
			_, err = wafer.ReadAll(r)
		}
		if err == nil || !strings.Contains(err.Error(), "csvio: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	broken := errors.New("broken")
	_, err := NewReader(iotest.ErrReader(broken), "test", wafer.ReadSettings{})
	if !errors.Is(err, broken) {
		t.Errorf("a broken stream: %v", err)
	}
	if _, err := NewReader(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(join(row())))), "test", wafer.ReadSettings{}); err == nil {
		t.Error("a stream that breaks in its first row was accepted")
	}
}

// write writes a set as text.
func write(t *testing.T, s *wafer.Set, o wafer.WriteSettings) string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(s), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWrite(t *testing.T) {
	s := read(t, join([]string{"5"}, row(), []string{"1", "2", "3", "4", "5", "6", "7", "a b", "FI"}), wafer.ReadSettings{})
	for d, want := range map[string]string{
		"ecoder": "entry,CALQ_0,", "header": "CALQ_0,CALQ_1,", "": "CALQ_0,CALQ_1,", "charges": "CALQ_0,", "plain": "0,2,4,",
	} {
		text := write(t, s, wafer.WriteSettings{Dialect: d})
		if !strings.HasPrefix(text, want) {
			t.Errorf("%v: %.60q", d, text)
		}
		if back := read(t, text, wafer.ReadSettings{}); !slices.Equal(back.Charge, s.Charge) {
			t.Errorf("%v does not read back", d)
		}
	}
	for name, c := range map[string]struct {
		set *wafer.Set
		o   wafer.WriteSettings
	}{
		"missing metadata": {s, wafer.WriteSettings{Dialect: "noheader"}},
		"negative":         {&wafer.Set{Charge: append(make([]float64, 47), -1)}, wafer.WriteSettings{}},
		"nothing":          {&wafer.Set{}, wafer.WriteSettings{}},
		"dialect":          {s, wafer.WriteSettings{Dialect: "tsv"}},
		"digits":           {s, wafer.WriteSettings{Digits: -1}},
		"order":            {s, wafer.WriteSettings{Order: 3}},
	} {
		w, err := NewWriter(io.Discard, c.o)
		if err == nil {
			if err = w.Write(c.set); err == nil {
				err = w.Close()
			}
		}
		if err == nil {
			t.Errorf("%s was written", name)
		}
	}
	if text := write(t, s, wafer.WriteSettings{Dialect: "plain", Digits: 12}); !strings.HasPrefix(text, "0.000000000000,2.000000000000,") {
		t.Errorf("%.60q", text)
	}
}

// TestRoundTrip writes what was read, for random images with metadata that
// needs quoting, in every order.
func TestRoundTrip(t *testing.T) {
	random := counter.New(5, 5)
	var s wafer.Set
	text := wafer.Column{Name: `odd "name", yes`}
	number := wafer.Column{Name: "energy"}
	for i := range 3000 {
		for range hgcal.Cells {
			v := 0.0
			if random.IntN(3) == 0 {
				v = math.Floor(random.Float64() * 1000)
			} else if random.IntN(9) == 0 {
				v = math.Exp(40 * (random.Float64() - 0.5))
			}
			s.Charge = append(s.Charge, v)
		}
		text.Text = append(text.Text, []string{"", "plain", `"`, "a,b", " padded ", ",", "\u00a0x"}[i%7])
		number.Float = append(number.Float, random.Float64()-0.5)
	}
	s.Columns = []wafer.Column{text, number}
	for _, o := range hgcal.Orders() {
		var b bytes.Buffer
		w, err := NewWriter(&b, wafer.WriteSettings{Order: o})
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < s.Len(); i += 700 {
			if err := w.Write(s.Slice(i, min(i+700, s.Len()))); err != nil {
				t.Fatal(err)
			}
		}
		first := b.String()
		r, err := NewReader(&b, "test", wafer.ReadSettings{Order: o})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Info().Columns; !slices.Equal(got, []string{text.Name, "energy"}) {
			t.Error(got)
		}
		back, err := wafer.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(back.Charge, s.Charge) || !slices.Equal(back.Columns[0].Text, text.Text) {
			t.Fatalf("%v: changed by a round trip", o)
		}
		if energy, err := back.Column("energy").Floats(); err != nil || !slices.Equal(energy, number.Float) {
			t.Fatalf("%v: metadata changed by a round trip: %v", o, err)
		}
		var again bytes.Buffer
		if w, err = NewWriter(&again, wafer.WriteSettings{Order: o}); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(back); err != nil || again.String() != first {
			t.Errorf("%v: a second writing differs: %v", o, err)
		}
	}
}

func TestReferenceWafers(t *testing.T) {
	for name, want := range map[string]int{"ldm.csv": 3000, "hdm.csv": 3183} {
		raw, err := os.ReadFile(shared.Data(t, "wafers", name))
		if err != nil {
			t.Fatal(err)
		}
		s := read(t, string(raw), wafer.ReadSettings{})
		if s.Len() != want || s.Check() != nil {
			t.Fatalf("%s: %d images", name, s.Len())
		}
		var b bytes.Buffer
		w, err := NewWriter(&b, wafer.WriteSettings{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(s); err != nil || !bytes.Equal(b.Bytes(), raw) {
			t.Errorf("%s does not come back byte for byte: %v", name, err)
		}
	}
}

// expand writes whole rows for single bytes, so that inputs stay short: 1 the
// names of the charges, 2 an image, 3 a row that counts.
func expand(in []byte) []byte {
	trim := func(f []string) []byte { return []byte(strings.TrimSpace(join(f))) }
	in = bytes.ReplaceAll(in, []byte{1}, trim(calq()))
	in = bytes.ReplaceAll(in, []byte{2}, trim(row()))
	return bytes.ReplaceAll(in, []byte{3}, trim(numbers(0, hgcal.Cells)))
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"\x01,entry,ModType\n\x02,1,FI\n", "\x02\n\n", "# x\n\x02\n", ",\x03\n7,\x02\n8,\x02\n", "\x03\n\x02\n",
		"\x01\n1,\x02\n2,\x02\n", "\x02,\n\x02,\n", "sep=;\n", "\ufeff\x01\n\x02\n", "\x02,\"a \"\"b\"\", c\",\n", "\x02,1,1,9,2,1,1,1,2,0\n", "1,\x02,1,1,9,2,1,1,1,LD,FI\n",
	} {
		f.Add([]byte(s), uint8(0))
	}
	f.Fuzz(func(t *testing.T, in []byte, order uint8) {
		o := wafer.WriteSettings{Order: hgcal.Order(order % 3)}
		in1 := wafer.ReadSettings{Order: o.Order}
		r, err := NewReader(bytes.NewReader(expand(in)), "fuzz", in1)
		if err != nil {
			return
		}
		s, err := wafer.ReadAll(r)
		if err != nil {
			return
		}
		if err := s.Check(); err != nil || s.Len() == 0 {
			t.Fatalf("%d images: %v", s.Len(), err)
		}
		var b bytes.Buffer
		w, err := NewWriter(&b, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
		r, err = NewReader(&b, "again", in1)
		if err != nil {
			t.Fatal(err)
		}
		back, err := wafer.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(back.Charge, s.Charge) || len(back.Columns) != len(s.Columns) {
			t.Fatal("changed by a round trip")
		}
		for k, c := range s.Columns {
			if back.Columns[k].Name != c.Name || !slices.Equal(back.Columns[k].Text, c.Text) {
				t.Fatalf("metadata changed by a round trip: %v and %v", c, back.Columns[k])
			}
		}
	})
}

// benchmarkInput is about 8 MB of sparse images as the training files have them.
func benchmarkInput(meta bool) []byte {
	random := counter.New(1, 1)
	var b []byte
	for i := range 60_000 {
		for j := range hgcal.Cells {
			if j > 0 {
				b = append(b, ',')
			}
			v := 0
			if random.IntN(4) == 0 {
				v = random.IntN(1000)
			}
			b = strconv.AppendInt(b, int64(v), 10)
		}
		if meta {
			b = fmt.Appendf(b, ",%d,1,9,-3,4,%.6g,1,1.912345,-0.512345", i, random.Float64()*100)
		}
		b = append(b, '\n')
	}
	return b
}

func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name string
		meta bool
	}{{"plain", false}, {"metadata", true}} {
		in := benchmarkInput(c.meta)
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			var s wafer.Set
			for b.Loop() {
				r, err := NewReader(bytes.NewReader(in), "bench", wafer.ReadSettings{})
				for err == nil {
					_, err = r.Read(&s, 1024)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	in := benchmarkInput(false)
	r, err := NewReader(bytes.NewReader(in), "bench", wafer.ReadSettings{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := wafer.ReadAll(r)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		w, err := NewWriter(io.Discard, wafer.WriteSettings{Dialect: "plain"})
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Write(s); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLacking: a dialect that must have columns says which are missing, and what to do.
func TestLacking(t *testing.T) {
	for dialect, want := range map[string]string{
		"ecoder":   "no metadata column entry, SimEnergyTotal, EventSimEnergy, SimEnergyFraction, Subdet, waferu, waferv, HD_LD, ModType, which the dialect ecoder must have: add",
		"noheader": "no metadata column entry, zside, waferu, waferv, simenergy, subdet, tc_eta, tc_phi, which the dialect noheader must have: add",
	} {
		w, err := NewWriter(io.Discard, wafer.WriteSettings{Dialect: dialect})
		if err != nil {
			t.Fatal(err)
		}
		s := &wafer.Set{Charge: make([]float64, 48), Columns: []wafer.Column{{Name: "layer", Int: []int64{1}}}}
		if err := w.Write(s); err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) || !strings.Contains(err.Error(), "or write the dialect header") {
			t.Errorf("%s: %v, want %q", dialect, err, want)
		}
	}
	w, err := NewWriter(io.Discard, wafer.WriteSettings{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"layer", "lay"} {
		err = w.Write(&wafer.Set{Charge: make([]float64, 48), Columns: []wafer.Column{{Name: name, Int: []int64{1}}}})
	}
	if err == nil || !strings.Contains(err.Error(), "no metadata column layer, which those before had") {
		t.Errorf("another set: %v", err)
	}
}

// TestNames has metadata columns whose names would not be read as what they are.
func TestNames(t *testing.T) {
	for _, name := range []string{"CALQ_1", "CALQ_50", " calq7", "wafer_CALQ_v9_3", "", " ", "a\nb"} {
		var b bytes.Buffer
		w, err := NewWriter(&b, wafer.WriteSettings{})
		if err != nil {
			t.Fatal(err)
		}
		set := &wafer.Set{Charge: make([]float64, hgcal.Cells), Columns: []wafer.Column{{Name: name, Int: []int64{1}}}}
		if err := w.Write(set); err == nil || !strings.Contains(err.Error(), "rename it") || b.Len() > 0 {
			t.Errorf("%q: %v, %d bytes", name, err, b.Len())
		}
	}
}

// TestLineBreaks has texts with line breaks, which are told of, each once.
func TestLineBreaks(t *testing.T) {
	w, err := NewWriter(io.Discard, wafer.WriteSettings{})
	if err != nil {
		t.Fatal(err)
	}
	set := &wafer.Set{Charge: make([]float64, 3*hgcal.Cells), Columns: []wafer.Column{{Name: "a", Text: []string{"x\ny\n", "x", "\r"}}}}
	if err := w.Write(set); err != nil {
		t.Fatal(err)
	}
	if lost := w.Lost(); len(lost) != 1 || lost[0] != "line breaks in 2 texts: they are spaces" {
		t.Errorf("%q", lost)
	}
}
