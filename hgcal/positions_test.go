package hgcal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	good := strings.Repeat("1,2\n", Cells)
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "0 positions, want 48"},
		{"short", "1,2\n", "1 positions, want 48"},
		{"long", good + "3,4\n", "49 positions, want 48"},
		{"one column", "1\n", "1: 1 columns, want 2"},
		{"word", good[:4] + "1,two\n", `2:2: "two" is not a finite number`},
		{"NaN", "NaN,1\n", `1:1: "NaN" is not a finite number`},
		{"infinite", "1,-Inf\n", `1:2: "-Inf" is not a finite number`},
		{"header", "a,b\n" + good, "names no column beginning with x"},
		{"quote", "\"1,2\n", `parse error on line 1`},
	} {
		_, err := readPositions(strings.NewReader(c.in))
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
	f.Add([]byte(strings.Repeat("1,2\n", Cells)))
	f.Add([]byte("tc,x,y\n" + strings.Repeat("0,1e300,-2\n", Cells)))
	f.Add([]byte("x,y\n1,NaN\n"))
	f.Add([]byte("\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPositions(bytes.NewReader(b))
		if err != nil {
			return
		}
		if len(p) != Cells {
			t.Fatalf("%d positions without an error", len(p))
		}
		for _, q := range p {
			if q[0]-q[0] != 0 || q[1]-q[1] != 0 {
				t.Fatalf("position %v", q)
			}
		}
	})
}
