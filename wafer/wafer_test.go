package wafer

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"barrow/hgcal"
)

// numbered returns n images, image i with charge i+1 in cell i mod 48, and two
// columns that carry i.
func numbered(n int) *Set {
	s := &Set{Charge: make([]float64, n*hgcal.Cells)}
	num, text := Column{Name: "num"}, Column{Name: "text", Text: []string{}}
	for i := range n {
		s.Image(i)[i%hgcal.Cells] = float64(i + 1)
		num.Float = append(num.Float, float64(i))
		text.Text = append(text.Text, "t"+num.Value(i))
	}
	s.Columns = []Column{num, text}
	return s
}

// follow checks that images and metadata stayed together and returns their
// original indices.
func follow(t *rapid.T, s *Set) []int {
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	var at []int
	for i := range s.Len() {
		n := int(Sum(s.Image(i))) - 1
		if s.Image(i)[n%hgcal.Cells] != float64(n+1) || s.Column("num").Float[i] != float64(n) ||
			s.Column("text").Text[i] != "t"+s.Column("num").Value(i) {
			t.Fatalf("image %d is torn from its metadata", i)
		}
		at = append(at, n)
	}
	return at
}

func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		a := rapid.Float64Range(0.01, 0.6).Draw(t, "a")
		b := rapid.Float64Range(0.01, 0.38).Draw(t, "b")
		seed := rapid.Uint64().Draw(t, "seed")
		s := numbered(n)
		parts, err := s.Split(seed, a, b, 1-a-b)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := s.Split(seed, a, b, 1-a-b)
		var all []int
		for k, p := range parts {
			if !slices.Equal(p.Charge, again[k].Charge) {
				t.Fatal("the same seed split differently")
			}
			all = append(all, follow(t, p)...)
		}
		if d := float64(parts[0].Len()) - a*float64(n); math.Abs(d) > 0.5000001 {
			t.Fatalf("first part has %d of %d images for fraction %g", parts[0].Len(), n, a)
		}
		slices.Sort(all)
		for i, v := range all {
			if i != v {
				t.Fatalf("image %d is missing or double", i)
			}
		}
		if len(all) != n {
			t.Fatalf("%d of %d images", len(all), n)
		}
	})
	s := numbered(10)
	for _, f := range [][]float64{nil, {0.5}, {0.5, 0.6}, {1.5, -0.5}, {math.NaN(), 1}, {0, 1}} {
		if _, err := s.Split(1, f...); err == nil {
			t.Errorf("fractions %v were accepted", f)
		}
	}
	x, _ := numbered(100).Split(1, 0.5, 0.5)
	y, _ := numbered(100).Split(2, 0.5, 0.5)
	if slices.Equal(x[0].Charge, y[0].Charge) {
		t.Error("two seeds split alike")
	}
}

func TestSliceSelectAppend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := numbered(rapid.IntRange(1, 60).Draw(t, "n"))
		i := rapid.IntRange(0, s.Len()).Draw(t, "i")
		if got := follow(t, s.Slice(i, s.Len())); len(got) > 0 && got[0] != i {
			t.Fatal(got)
		}
		var joined Set
		for _, part := range []*Set{s.Slice(0, i), s.Slice(i, s.Len())} {
			if err := joined.Append(part); err != nil {
				t.Fatal(err)
			}
		}
		for k, n := range follow(t, &joined) {
			if k != n {
				t.Fatal("appending changed the order")
			}
		}
		if len(follow(t, s)) != s.Len() {
			t.Fatal("the source changed")
		}
	})
	s, bare := numbered(2), numbered(2).WithoutColumns()
	if err := s.Append(bare); !errors.Is(err, ErrColumns) {
		t.Errorf("joined sets with different metadata: %v", err)
	}
	other := numbered(2)
	other.Columns[0].Name = "other"
	if err := s.Append(other); !errors.Is(err, ErrColumns) {
		t.Errorf("joined sets with different metadata: %v", err)
	}
	// Numbers become text where a later part has text.
	other = numbered(1)
	other.Columns[0] = Column{Name: "num", Text: []string{"x"}}
	if err := s.Append(other); err != nil || !slices.Equal(s.Column("num").Text, []string{"0", "1", "x"}) {
		t.Errorf("%v, %v", s.Column("num"), err)
	}
}

func TestCheck(t *testing.T) {
	for want, spoil := range map[string]func(*Set){
		"no whole number":           func(s *Set) { s.Charge = s.Charge[1:] },
		"image 2, cell 2: charge -": func(s *Set) { s.Charge[50] = -1 },
		"image 1, cell 0: charge N": func(s *Set) { s.Charge[0] = math.NaN() },
		"charge +Inf":               func(s *Set) { s.Charge[0] = math.Inf(1) },
		`column "num" has 1 values`: func(s *Set) { s.Columns[0].Float = s.Columns[0].Float[:1] },
		"two columns":               func(s *Set) { s.Columns[1].Name = "num" },
	} {
		s := numbered(3)
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		spoil(s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := numbered(1).Column("text").Floats(); err == nil {
		t.Error("text was taken for numbers")
	}
	if numbered(1).Column("none") != nil {
		t.Error("found a column that is not there")
	}
}

func TestZeroSum(t *testing.T) {
	s := numbered(5)
	if same, n := s.NonZero(); same != s || n != 0 {
		t.Error("a full set was changed")
	}
	clear(s.Image(1))
	clear(s.Image(4))
	left, n := s.NonZero()
	if s.ZeroSum() != 2 || n != 2 || left.Len() != 3 || left.Column("text").Text[1] != "t2" {
		t.Errorf("%d zero images, %d left out, %d left", s.ZeroSum(), n, left.Len())
	}
}

func TestNorms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		image := rapid.SliceOfN(rapid.Float64Range(0, 1e6), hgcal.Cells, hgcal.Cells).Draw(t, "image")
		image[0]++ // never all zero
		dst := make([]float64, hgcal.Cells)
		for _, n := range []Norm{NormNone, NormSum, NormSumLog2, NormMax} {
			scale := n.Apply(dst, image)
			for i, v := range dst {
				if v != image[i]/scale {
					t.Fatalf("%v: cell %d", n, i)
				}
			}
			sum := Sum(dst)
			switch n {
			case NormNone:
				if scale != 1 {
					t.Fatal(scale)
				}
			case NormSum:
				if math.Abs(sum-1) > 1e-12 {
					t.Fatalf("sum %g", sum)
				}
			case NormSumLog2:
				if e := math.Log2(scale); e != math.Trunc(e) || sum < 1 || sum >= 2 {
					t.Fatalf("scale %g, sum %g", scale, sum)
				}
			case NormMax:
				if slices.Max(dst) != 1 {
					t.Fatal(dst)
				}
			}
		}
	})
	s := &Set{Charge: make([]float64, 2*hgcal.Cells)}
	s.Charge[hgcal.Cells] = 8
	charge, scale := s.Normalised(NormSumLog2)
	if scale[0] != 0 || scale[1] != 8 || charge[0] != 0 || charge[hgcal.Cells] != 1 {
		t.Error(scale, charge[hgcal.Cells])
	}
	s.Charge[hgcal.Cells+5] = 3
	if _, scale := s.Normalised(NormSumLog2Without0); scale[0] != 0 || scale[1] != 2 {
		t.Error("without cell 0:", scale)
	}
	s.Charge[hgcal.Cells+5] = 0
	if _, scale := s.Normalised(NormSumLog2Without0); scale[1] != 8 {
		t.Error("of cell 0 alone:", scale)
	}
	for v, want := range map[float64]float64{0: 0, 1: 1, 1.99: 1, 2: 2, 1023: 512, 1024: 1024, 0.3: 0.25} {
		if got := PowerBelow(v); got != want {
			t.Errorf("PowerBelow(%g) = %g, want %g", v, got, want)
		}
	}
	for _, n := range []Norm{NormNone, NormSum, NormSumLog2, NormMax, NormSumLog2Without0} {
		if got, err := ParseNorm(n.String()); err != nil || got != n {
			t.Error(got, err)
		}
	}
	if _, err := ParseNorm("l2"); err == nil {
		t.Error("normalisation l2 was accepted")
	}
	if n := Occupancy([]float64{0, 34, 35, 36}, 35); n != 1 {
		t.Errorf("occupancy %d", n)
	}
}

func TestPairs(t *testing.T) {
	p, err := IndependentPairs(7, 10_000, 3)
	if err != nil {
		t.Fatal(err)
	}
	count := map[Pair]int{}
	for _, q := range p {
		if q.A == q.B || q.A < 0 || q.A > 6 || q.B < 0 || q.B > 6 {
			t.Fatal(q)
		}
		count[q]++
	}
	for q, n := range count {
		if len(count) != 42 || math.Abs(float64(n)-10_000./42) > 80 {
			t.Errorf("pair %v came %d times; %d kinds", q, n, len(count))
		}
	}
	if _, err := IndependentPairs(1, 1, 1); err == nil {
		t.Error("a pair of one image")
	}
	used := map[int]bool{}
	for _, q := range DisjointPairs(101, 3) {
		if used[q.A] || used[q.B] || q.A == q.B {
			t.Fatal("an image is used twice")
		}
		used[q.A], used[q.B] = true, true
	}
	if len(used) != 100 {
		t.Errorf("%d images used", len(used))
	}
	if all := OrderedPairs(3); len(all) != 9 || all[5] != (Pair{1, 2}) {
		t.Error(all)
	}
}

// brokenWriter fails at its second set.
type brokenWriter struct{ n int }

func (w *brokenWriter) Write(*Set) error {
	if w.n++; w.n > 1 {
		return errors.New("full")
	}
	return nil
}
func (w *brokenWriter) Close() error { return nil }

// setReader reads from a set.
type setReader struct {
	s  *Set
	at int
}

func (r *setReader) Read(s *Set, n int) (int, error) {
	if r.at == r.s.Len() {
		return 0, io.EOF
	}
	n = min(n, r.s.Len()-r.at)
	*s = *r.s.Slice(r.at, r.at+n)
	r.at += n
	return n, nil
}

type setWriter struct{ s Set }

func (w *setWriter) Write(s *Set) error { return w.s.Append(s) }
func (w *setWriter) Close() error       { return nil }

func TestCopy(t *testing.T) {
	s := numbered(2500)
	clear(s.Image(7))
	var w setWriter
	st, err := Copy(context.Background(), &w, &setReader{s: s}, CopySettings{})
	if err != nil || st != (Copied{Images: 2500, ZeroSum: 1}) || !slices.Equal(w.s.Charge, s.Charge) {
		t.Errorf("%+v, %v", st, err)
	}
	if _, err := Copy(context.Background(), &brokenWriter{}, &setReader{s: s}, CopySettings{}); err == nil {
		t.Error("a failing writer went unnoticed")
	}
}

func TestDigest(t *testing.T) {
	s := numbered(3)
	first := s.Digest()
	for name, change := range map[string]func(*Set){
		"a charge":          func(s *Set) { s.Charge[5]++ },
		"a number":          func(s *Set) { s.Columns[0].Float[2]++ },
		"a text":            func(s *Set) { s.Columns[1].Text[0] += "x" },
		"a name":            func(s *Set) { s.Columns[1].Name = "words" },
		"one column less":   func(s *Set) { s.Columns = s.Columns[:1] },
		"texts' boundaries": func(s *Set) { s.Columns[1].Text[0], s.Columns[1].Text[1] = "t0t", "1" },
	} {
		s := numbered(3)
		change(s)
		if s.Digest() == first {
			t.Errorf("%s: the same digest", name)
		}
	}
	text := numbered(3)
	text.Columns[0] = Column{Name: "num", Text: []string{"0", "1", "2"}}
	if text.Digest() != first {
		t.Error("a number read as text counts as another")
	}
	if len(first) != 64 {
		t.Error(first)
	}
}

func TestKnownColumns(t *testing.T) {
	if len(KnownColumns()) != len(knownColumns) {
		t.Error("a well-known column is not listed")
	}
	seen := map[string]bool{}
	for _, k := range KnownColumns() {
		for _, name := range k.Names() {
			if seen[name] {
				t.Errorf("%s names two columns", name)
			}
			seen[name] = true
		}
		if k.Meaning() == "" {
			t.Errorf("%s has no meaning", k)
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "docs", "files.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range KnownColumns() {
		if !strings.Contains(string(page), "| `"+string(k)+"` |") || !strings.Contains(string(page), "| "+k.Meaning()+" |") {
			t.Errorf("docs/files.md does not have %s: %s", k, k.Meaning())
		}
	}
	s := &Set{Charge: make([]float64, 2*hgcal.Cells)}
	if _, err := s.WaferTypes(); !isNoColumn(err) || !strings.Contains(err.Error(), "no column wafertype or type or HD_LD") {
		t.Error(err)
	}
	s.Columns = []Column{{Name: "tc_eta", Text: []string{"1.5", "-2"}}, {Name: "HD_LD", Text: []string{"HD", "LD"}}}
	if eta, err := s.Numbers(Eta); err != nil || !slices.Equal(eta, []float64{1.5, -2}) {
		t.Error(eta, err)
	}
	if types, err := s.WaferTypes(); err != nil || !slices.Equal(types, []float64{0, 1}) {
		t.Error(types, err)
	}
	s.Columns[1].Text[1] = "0"
	if _, err := s.WaferTypes(); err == nil || !strings.Contains(err.Error(), `image 2: HD_LD is "0"`) {
		t.Error(err)
	}
}

// A stream that breaks leaves no temporary file behind, not even before Close.
func TestSourceFileBreaks(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP"} {
		t.Setenv(name, dir)
	}
	broken := errors.New("broken")
	src := &Source{Name: "pipe", Stream: io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), Size: -1}
	if _, _, err := src.File(); !errors.Is(err, broken) || !strings.Contains(err.Error(), "pipe: after 3 bytes") {
		t.Errorf("%v", err)
	}
	if src.spool != nil {
		t.Error("the temporary file is still open")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSourceFile(t *testing.T) {
	src := &Source{Name: "pipe", Stream: strings.NewReader("abc"), Size: -1}
	at, n, err := src.File()
	if err != nil || n != 3 {
		t.Fatal(n, err)
	}
	b := make([]byte, 2)
	if _, err := at.ReadAt(b, 1); err != nil || string(b) != "bc" {
		t.Errorf("%q, %v", b, err)
	}
	name := src.spool.Name()
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind: %v", name, err)
	}
}

func TestStats(t *testing.T) {
	var s Stats
	for _, v := range []float64{math.NaN(), 3, -1, math.Inf(1)} {
		s.Add(v)
	}
	if s != (Stats{4, 2, -1, 3, 2}) {
		t.Error(s)
	}
}

func TestColumnKinds(t *testing.T) {
	one := func(c Column) *Set {
		c.Name = "c"
		return &Set{Charge: make([]float64, c.Len()*hgcal.Cells), Columns: []Column{c}}
	}
	ints, floats, texts := Column{Int: []int64{1, 1 << 60}}, Column{Float: []float64{0.5, 2}}, Column{Text: []string{"a", "b"}}
	for _, c := range []struct{ a, b, want Column }{
		{ints, ints, Column{Int: []int64{1, 1 << 60, 1, 1 << 60}}},
		{floats, floats, Column{Float: []float64{0.5, 2, 0.5, 2}}},
		{ints, floats, Column{Text: []string{"1", "1152921504606846976", "0.5", "2"}}},
		{texts, ints, Column{Text: []string{"a", "b", "1", "1152921504606846976"}}},
	} {
		s := &Set{}
		if err := errors.Join(s.Append(one(c.a)), s.Append(one(c.b))); err != nil {
			t.Fatal(err)
		}
		c.want.Name = "c"
		if !reflect.DeepEqual(s.Columns[0], c.want) {
			t.Errorf("%v and %v: %v", c.a, c.b, s.Columns[0])
		}
		if got := s.Slice(1, 3).Select([]int{1}).Columns[0].Value(0); got != c.want.Value(2) {
			t.Errorf("%v: value 2 is %s", c.want, got)
		}
	}
}

func TestSelectTo(t *testing.T) {
	s := &Set{Charge: make([]float64, 3*48), Columns: []Column{{Name: "a", Int: []int64{1, 2, 3}}, {Name: "b", Text: []string{"x", "y", "z"}}}}
	for i := range s.Charge {
		s.Charge[i] = float64(i)
	}
	// Into memory that held more, of other kinds.
	to := &Set{Charge: make([]float64, 5*48), Columns: []Column{{Name: "c", Text: []string{"1", "2", "3", "4"}}, {Name: "d", Text: make([]string, 4)}, {Name: "e"}}}
	s.SelectTo(to, []int{2, 0})
	want := &Set{Charge: append(append([]float64{}, s.Image(2)...), s.Image(0)...), Columns: []Column{{Name: "a", Int: []int64{3, 1}}, {Name: "b", Text: []string{"z", "x"}}}}
	if !reflect.DeepEqual(to, want) {
		t.Errorf("%+v, want %+v", to.Columns, want.Columns)
	}
	s.Charge[0], s.Columns[0].Int[0] = -1, -1
	if !reflect.DeepEqual(to, want) {
		t.Error("shares memory with what it is a copy of")
	}
	if n := testing.AllocsPerRun(10, func() { s.SelectTo(to, []int{1, 1}) }); n > 0 {
		t.Errorf("%v allocations into memory that is enough", n)
	}
}
