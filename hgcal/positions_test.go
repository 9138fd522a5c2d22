package hgcal

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/counter"
	"barrow/internal/shared"
)

func TestPositions(t *testing.T) {
	for name, want := range map[string][]Point{"benchmark": Benchmark(), "cmssw": CMSSW()} {
		if got, err := Positions(name); err != nil || !slices.Equal(got, want) {
			t.Errorf("Positions(%q): %v", name, err)
		}
	}
	dir := t.TempDir()
	for name, form := range map[string]string{
		"plain.csv":  "%[2]v,%[3]v\n",
		"spaces.csv": "  %[2]v,\t%[3]v\n",
		"named.csv":  "%[1]d,%[3]v,%[2]v\n",
	} {
		var b bytes.Buffer
		if name == "named.csv" {
			b.WriteString("tc,Y_cm,X_cm\r\n")
		}
		for i, p := range Benchmark() {
			fmt.Fprintf(&b, form, i, p[0], p[1])
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Positions(path); err != nil || !slices.Equal(got, Benchmark()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := Positions(data(t, "geometry/hex_cmssw_cm.csv")); err != nil || !slices.Equal(got, CMSSW()) {
		t.Errorf("reference file: %v", err)
	}
}

func TestPositionsErrors(t *testing.T) {
	table := func(header string, row func(i int) string) string {
		var b strings.Builder
		b.WriteString(header)
		for i := range Cells {
			b.WriteString(row(i) + "\n")
		}
		return b.String()
	}
	good := table("", func(i int) string { return fmt.Sprintf("%d,%d", i, i*i) })
	named := func(i int) string { return fmt.Sprintf("%d,%d,%d", i, i, i*i) }
	uv := func(i int) string { u, v := UV(i); return fmt.Sprintf("%d,%d,%d,%d,%d", i, u, v, i, i*i) }
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "0 positions, want 48"},
		{"short", "1,2\n", "1 positions, want 48"},
		{"long", good + "3,4\n", "49: more than 48 positions"},
		{"one column", "1\n", "1: 1 columns, want 2"},
		{"word", "1,2\n1,two\n", `2:2: "two" is not a finite number`},
		{"NaN", "NaN,1\n", `1:1: "NaN" is not a finite number`},
		{"infinite", "1,-Inf\n", `1:2: "-Inf" is not a finite number`},
		{"header", "a,b\n" + good, "names no column beginning with x"},
		{"huge", "1,1e300\n", "1:2: the coordinate 1e+300 is above 1e+09"},
		{"one point", strings.Repeat("1,2\n", Cells), "is it one point?"},
		{"one place twice", strings.Replace(good, "\n7,49\n", "\n3,9\n", 1), "8: cell 7 is where cell 3 is (line 4)"},
		{"three columns without names", "0,1,2\n", "1: 3 columns, want 2, x and y, or a first line that names"},
		{"a cell twice", "tc,x,y\n0,1,2\n0,2,3\n" + strings.Repeat("1,3,4\n", 46), "3: cell 0 once more, after line 2"},
		{"cells from 1", table("tc,x,y\n", func(i int) string { return named(i + 1) }), "49:1: there is no cell 48"},
		{"half a cell", "tc,x,y\n0.5,1,2\n", `2:1: "0.5" is no number of a cell`},
		{"no such u, v", "u,v,x,y\n9,9,1,2\n", "2:1: no trigger cell is at u=9, v=9"},
		{"tc against u, v", strings.Replace(table("tc,u,v,x,y\n", uv), "\n5,", "\n6,", 1), "7:2: u=6, v=5 is cell 5, not 6"},
		{"u alone", "u,x,y\n", "one of u and v"},
		{"two x", "x_mm,x_cm,y\n", `"x_mm" and "x_cm" both begin with x`},
		{"two columns of a name", "x,x,y\n", `two columns are called "x"`},
		{"quote", "\"1,2\n", `1: a quotation mark is not closed`},
		{"old Macintosh", strings.ReplaceAll(good, "\n", "\r"), "1: the rows end in carriage returns alone"},
		{"UTF-16", "\xff\xfe1\x00", "1: the text is UTF-16"},
	} {
		_, err := parsePositions([]byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := Positions(""); err == nil {
		t.Error("an empty name was accepted")
	}
	if _, err := Positions("no such file"); err == nil || !strings.Contains(err.Error(), "neither benchmark nor cmssw") {
		t.Error(err)
	}
}

func FuzzPositions(f *testing.F) {
	f.Add([]byte("1,2\n3,4\n"))
	f.Add([]byte("tc,x,y\n0,1e300,-2\n"))
	f.Add([]byte("u;v;x;y\n7;4;1;-2\n"))
	f.Add([]byte("x,y\n1,NaN\n"))
	f.Add([]byte("\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePositions(b)
		if err != nil {
			return
		}
		if len(p.Points) != Cells {
			t.Fatalf("%d positions without an error", len(p.Points))
		}
		for _, q := range p.Points {
			if q[0]-q[0] != 0 || q[1]-q[1] != 0 {
				t.Fatalf("position %v", q)
			}
		}
	})
}

// TestPositionsByName writes the cells in any order, with what names them.
func TestPositionsByName(t *testing.T) {
	random := counter.New(3, 3)
	for _, c := range []struct{ header, note string }{
		{"tc,x,y", "V9 number"}, {"Cell;X_cm;Y_cm", "V9 number"}, {"u,v,x,y", "their u and v"}, {"tc_cellu tc_cellv tc_x tc_y", "their u and v"}, {"tc\tu\tv\tx\ty", "their u and v"},
	} {
		var b bytes.Buffer
		b.WriteString("\ufeff# centres\n" + c.header + "\n")
		sep := strings.Trim(strings.Map(func(r rune) rune {
			if strings.ContainsRune(",; \t", r) {
				return r
			}
			return -1
		}, c.header)[:1], "")
		for _, i := range random.Perm(Cells) {
			u, v := UV(i)
			var f []string
			for _, name := range strings.Split(strings.ToLower(c.header), sep) {
				switch strings.TrimPrefix(name, "tc_")[0] {
				case 't':
					f = append(f, fmt.Sprint(i))
				case 'c':
					switch name {
					case "cell":
						f = append(f, fmt.Sprint(i))
					case "tc_cellu":
						f = append(f, fmt.Sprintf("%d.0", u))
					default:
						f = append(f, fmt.Sprintf("%d.0", v))
					}
				case 'u':
					f = append(f, fmt.Sprint(u))
				case 'v':
					f = append(f, fmt.Sprint(v))
				case 'x':
					f = append(f, fmt.Sprint(CMSSW()[i][0]))
				case 'y':
					f = append(f, fmt.Sprint(CMSSW()[i][1]))
				}
			}
			b.WriteString(strings.Join(f, sep) + "\n")
		}
		p, err := parsePositions(b.Bytes())
		if err != nil || !slices.Equal(p.Points, CMSSW()) || !strings.Contains(p.Note, c.note) {
			t.Errorf("%s: %v, %q", c.header, err, p.Note)
		}
	}
}

// TestPositionsOfPublicTable compares a public table of centres, sorted by v and
// then u, with the built-in ones.
func TestPositionsOfPublicTable(t *testing.T) {
	got, err := Positions(data(t, "geometry/tc_uv_to_xy.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range CMSSW() {
		if math.Hypot(p[0]-got[i][0], p[1]-got[i][1]) > 1e-5 {
			t.Errorf("cell %d: %v, want %v", i, got[i], p)
		}
	}
}

// TestPositionsCase is a reviewer's table in two orders of rows.
func TestPositionsCase(t *testing.T) {
	dir := shared.Case(t, "11-metric-file-with-u-v")
	a, err := Positions(filepath.Join(dir, "in_order.csv"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Positions(filepath.Join(dir, "shuffled.csv"))
	if err != nil || !slices.Equal(a, b) {
		t.Errorf("%v and %v: %v", a, b, err)
	}
}

func TestPositionsAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.csv")
	if err := os.WriteFile(path, make([]byte, maxMetric+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Positions(path); err == nil || !strings.Contains(err.Error(), "a metric of") {
		t.Error(err)
	}
}
