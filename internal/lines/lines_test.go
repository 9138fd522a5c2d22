package lines

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReader(t *testing.T) {
	for _, x := range []struct {
		text string
		want []string
		err  string
	}{
		{"", nil, ""},
		{"a", []string{"a"}, ""},
		{"a\n\nb\r\nc\r", []string{"a", "", "b", "c"}, ""},
		{"\ufeffa\nb\n", []string{"a", "b"}, ""},
		{"\ufeff", nil, ""},
		{"a\rb\rc", nil, "carriage returns alone"},
		{"\xfe\xff\x00a", nil, "UTF-16"},
		{"a\x00\n", nil, "zero bytes"},
		{"a\n" + strings.Repeat("b", 600000) + "\n", []string{"a"}, "the row is longer than 1000 bytes"},
		{"a\n" + strings.Repeat("b", 1000) + "\n", []string{"a", strings.Repeat("b", 1000)}, ""},
	} {
		for _, in := range []io.Reader{strings.NewReader(x.text), iotest.OneByteReader(strings.NewReader(x.text))} {
			r, err := New(in, 1000)
			var got []string
			for err == nil {
				var line []byte
				if line, err = r.Next(); err == nil {
					got = append(got, string(line))
				}
			}
			if !slices.Equal(got, x.want) || x.err == "" && err != io.EOF || !strings.Contains(err.Error(), x.err) {
				t.Errorf("%.20q: %.20q, %v; want %.20q, %q", x.text, got, err, x.want, x.err)
			}
			if x.err == "" && r.Row() != len(x.want) {
				t.Errorf("%.20q: row %d", x.text, r.Row())
			}
		}
	}
}

func TestSeparator(t *testing.T) {
	for row, want := range map[string]byte{
		"1": ',', "1,2": ',', "1;2": ';', "1\t2": '\t', "1 2": ' ', " 1 , 2 ": ',', "1, 2, 3": ',', "1 ; 2": ';', `"a b",c`: ',',
		"  1,\t2": ',', "x in cm,y in cm": ',', "x y": ' ', "a 2 3 4,5": ',',
	} {
		if got := Separator([]byte(row), 9); got != want {
			t.Errorf("%q: %q, want %q", row, got, want)
		}
	}
	if got := Separator([]byte("1,5;2,5;3,5"), 3); got != ';' {
		t.Errorf("decimal commas: %q", got)
	}
	if got := Separator([]byte("1 2 3 a,b"), 4); got != ' ' {
		t.Errorf("words with commas: %q", got)
	}
}

func TestSplit(t *testing.T) {
	for _, x := range []struct {
		row  string
		sep  byte
		want string // joined by |
	}{
		{"1, 2 ,3", ',', "1|2|3"}, {"1,,", ',', "1||"}, {" 1  2\t3 ", ' ', "1|2|3"}, {"1\t\t 2", '\t', "1||2"},
		{`"a,b","c""d"`, ',', `a,b|c"d`}, {`"a" , b`, ',', "a|b"},
	} {
		got, err := Split(nil, []byte(x.row), x.sep)
		if s := string(bytes.Join(got, []byte("|"))); err != nil || s != x.want {
			t.Errorf("%q: %q, %v, want %q", x.row, s, err, x.want)
		}
	}
	for _, row := range []string{`"a`, `"a"b`} {
		if _, err := Split(nil, []byte(row), ','); err == nil {
			t.Errorf("%q was accepted", row)
		}
	}
}

// Forward goes to where a line begins, over any distance and in streams that cannot seek, and tells
// where none does.
func TestForward(t *testing.T) {
	var text strings.Builder
	text.WriteString("\ufeff")
	var want []string
	var offsets []int64
	for k := range 3000 {
		line := strings.Repeat("x", k%700) + string(rune('a'+k%26))
		want = append(want, line)
		offsets = append(offsets, int64(text.Len()))
		text.WriteString(line)
		text.WriteString([]string{"\n", "\r\n"}[k%2])
	}
	all := strings.TrimSuffix(text.String(), "\r\n") // the last line has no end
	for _, first := range []int{0, 1, 40} {
		for _, to := range []int{first, 41, 800, 2998, 2999} {
			for _, in := range []io.Reader{strings.NewReader(all), iotest.HalfReader(strings.NewReader(all))} {
				r, err := New(in, 1000)
				for range first {
					if err == nil {
						_, err = r.Next()
					}
				}
				if err == nil && first > 0 && r.Offset() != offsets[first] {
					t.Fatalf("line %d begins at %d, not at %d", first, r.Offset(), offsets[first])
				}
				if err == nil && to > 0 {
					err = r.Forward(offsets[to], to)
				}
				for k := to; k < len(want) && err == nil; k++ {
					var line []byte
					if line, err = r.Next(); err == nil && (string(line) != want[k] || r.Row() != k+1) {
						t.Fatalf("from %d to %d: line %d is %.20q, numbered %d", first, to, k, line, r.Row())
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				if _, err := r.Next(); err != io.EOF {
					t.Fatalf("behind the last line: %v", err)
				}
			}
		}
	}
	for _, wrong := range []int64{offsets[2000] - 1, offsets[2000] + 5, int64(len(all)) + 1, 1 << 40, 0} {
		for _, in := range []io.Reader{strings.NewReader(all), iotest.HalfReader(strings.NewReader(all))} {
			r, err := New(in, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if r.Forward(wrong, 2000) == nil {
				t.Errorf("byte %d is taken for the beginning of a line", wrong)
			}
		}
	}
}
