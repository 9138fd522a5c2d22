package table

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for _, x := range []struct {
		text string
		cols int
		want []float64
		err  string
	}{
		{"1,2\n3,4\n", 2, []float64{1, 2, 3, 4}, ""},
		{"a,b\n 1 , -2e3\n\n3,4", 2, []float64{1, -2000, 3, 4}, ""},
		{"1,2\r\n3,4\r\n", 2, []float64{1, 2, 3, 4}, ""},
		{"5\n", 1, []float64{5}, ""},
		{"1,2\n3\n", 2, nil, "t:2: 1 columns, the rows before have 2"},
		{"x,y\n1,2\n3,4,5\n", 2, nil, "t:3: 3 columns"},
		{"1,2\n3,b\n", 2, nil, `t:2:2: "b" is not a finite number`},
		{"1,b\n3,4\n", 2, nil, `t:1:2: "b" is not`},
		{"1,2\n3,NaN\n", 2, nil, "t:2:2:"},
		{"1,2\n3,\n", 2, nil, "t:2:2:"},
		{"a,b\nc,d\n1,2\n", 2, nil, "t:2:1:"},
		{"\ufeff1,2\n3,4\n", 2, []float64{1, 2, 3, 4}, ""},
		{"\ufeff1\n2\n", 1, []float64{1, 2}, ""},
		{"\ufeffx,y\r\n1,2\r\n", 2, []float64{1, 2}, ""},
		{"1;2\n3;4\n", 2, []float64{1, 2, 3, 4}, ""},
		{"1\t2\n3\t4\n", 2, []float64{1, 2, 3, 4}, ""},
		{"1.5e+00 2.5e+00\n3 4\n", 2, []float64{1.5, 2.5, 3, 4}, ""},
		{"# x y\n1 2\n3 4\n", 2, []float64{1, 2, 3, 4}, ""},
		{"x in cm,y in cm\n1,2\n", 2, []float64{1, 2}, ""},
		{"energy in GeV\n1\n2\n", 1, []float64{1, 2}, ""},
		{"\"x\",\"y\"\n\"1\",\"2\"\n", 2, []float64{1, 2}, ""},
		{"\"1\",\"2\"\n3,4\n", 2, []float64{1, 2, 3, 4}, ""},
		{"1e-400,5e-324\n", 2, []float64{0, 5e-324}, ""},
		// No row is dropped as a header that is none.
		{"1e400,1e400\n3,4\n", 2, nil, "t:1:1: \"1e400\" is not a finite number"},
		{"-1e400\n3\n", 1, nil, "t:1:1: \"-1e400\" is not a finite number"},
		{",\n3,4\n", 0, nil, "t:1: neither numbers nor names: column 1 is \"\""},
		{"NA,NA\n3,4\n", 0, nil, "t:1: neither numbers nor names: column 1 is \"NA\""},
		{"?\n3\n", 0, nil, "t:1: neither numbers nor names"},
		{"x,x\n3,4\n", 0, nil, "t:1: neither numbers nor names: \"x\" occurs twice"},
		{"x,y,z\n3,4\n", 0, nil, "t:1: neither numbers nor names: 3 fields, the row below has 2"},
		{"x\n3,4\n", 0, nil, "t:1: neither numbers nor names: 1 fields, the row below has 2"},
		{",x,y\n0,1,2\n1,3,4\n", 0, nil, "t:1: the first column has no name: are these the rows' numbers?"},
		{"Unnamed: 0,x\n0,1\n1,3\n", 0, nil, "t:1: the first column has no name"},
		{"1,2\r3,4\r", 0, nil, "t:1: the rows end in carriage returns alone"},
		{"\xff\xfe1\x00", 0, nil, "t:1: the text is UTF-16"},
		{"1,5;2,5\n1,5;2,5\n", 0, nil, "t:1: \"5;2\": are these numbers with a decimal comma?"},
		{"1,5;2,5e-3;7\n1;2;3\n", 0, nil, "t:1: \"2,5e-3\": are these numbers with a decimal comma?"},
		{"x\ty\n1,5\t-2,5\n", 0, nil, "t:2: \"5\\t-2\": are these numbers with a decimal comma?"},
		{"1,2,\n3,4,\n", 2, []float64{1, 2, 3, 4}, ""},
		{"1;2;\n3;4\n", 2, []float64{1, 2, 3, 4}, ""},
		{"a,b,\n1,2,\n", 2, []float64{1, 2}, ""},
		{"a\tb\n1\t2\t\n3\t4\t\n", 2, []float64{1, 2, 3, 4}, ""},
		{"1,2,\n3,4,5\n", 2, nil, "t:2: 3 columns, the rows before have 2"},
		{"1,2\n3,4,\n", 2, nil, "t:2:3: \"\" is not"},
		{"\x93NUMPY\x01\x00v", 0, nil, "t: an array of NumPy: it is read from a file"},
		{"PK\x03\x04\x14\x00", 0, nil, "t: an array of NumPy: it is read from a file"},
		{"\x1f\x8b\x08\x00", 0, nil, "t:1: the file is compressed by gzip: unpack it first"},
		{"0x1p4,1\n", 2, nil, "t:1:1: \"0x1p4\" is not a finite number"},
		{"1,2\n\"3,4\n", 2, nil, "t:2: a quotation mark is not closed"},
		{"0,1,2,3\n1,1,1,1\n", 4, []float64{0, 1, 2, 3, 1, 1, 1, 1}, ""},
		{"a,b,c,d\n0,1,2,3\n", 4, []float64{0, 1, 2, 3}, ""},
		{"", 0, nil, "t: no rows"},
		{"a,b\n\n", 0, nil, "t: no rows"},
	} {
		r, err := New(strings.NewReader(x.text), "t")
		var got []float64
		if err == nil {
			if r.Columns() != x.cols {
				t.Errorf("%q: %d columns, want %d", x.text, r.Columns(), x.cols)
			}
			for n := -1; n != len(got) && err == nil; {
				n = len(got)
				got, err = r.Read(got, 1)
			}
		}
		switch {
		case x.err == "" && (err != nil || !slices.Equal(got, x.want)):
			t.Errorf("%q: %v, %v, want %v", x.text, got, err, x.want)
		case x.err != "" && (err == nil || !strings.Contains(err.Error(), x.err)):
			t.Errorf("%q: error %v, want %q", x.text, err, x.err)
		}
	}
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("a,b\n1,2\n\n3,4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	v, err := r.Read(nil, 10)
	if err != nil || len(v) != 4 || r.Place(1) != path+":4" {
		t.Errorf("%v, %v, second row at %s", v, err, r.Place(1))
	}
	if share, ok := r.Share(); share != 1 || !ok {
		t.Errorf("share %v, %v", share, ok)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(path + ".not"); err == nil {
		t.Error("a missing file was opened")
	}
	if _, err := os.Stat("/dev/zero"); err == nil {
		if _, err := Open("/dev/zero"); err == nil || !strings.Contains(err.Error(), "zero bytes") {
			t.Errorf("an endless device: %v", err)
		}
	}
}

func TestCounts(t *testing.T) {
	for text, want := range map[string]bool{
		"0,1,2,3\n1,1,1,1\n": true, "1,2,3,4\n": true, "0,1,2\n": false, "0,1,2,4\n": false, "a,b,c,d\n0,1,2,3\n": false, "0,1,2,3.0\n": false,
	} {
		r, err := New(strings.NewReader(text), "t")
		if err != nil || r.Counts() != want {
			t.Errorf("%q: counts %v, want %v; %v", text, r.Counts(), want, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("1,2\n3,4\n")
	f.Add("a,b\n1,2")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := New(strings.NewReader(text), "t")
		if err != nil {
			return
		}
		v, err := r.Read(nil, 1<<20)
		if err == nil && (len(v) == 0 || len(v)%r.Columns() != 0) {
			t.Fatalf("%d numbers in rows of %d", len(v), r.Columns())
		}
	})
}
