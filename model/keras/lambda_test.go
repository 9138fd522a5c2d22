package keras

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// text is an expression as Python would have it, calls for slices.
func (e *pyExpr) text() string {
	var parts []string
	for _, p := range e.parts {
		parts = append(parts, p.text())
	}
	for _, name := range []string{"shape"} {
		if p := e.named[name]; p != nil {
			parts = append(parts, name+"="+p.text())
		}
	}
	list := strings.Join(parts, ", ")
	switch e.op {
	case "arg":
		return fmt.Sprintf("x%v", e.value)
	case "const":
		return fmt.Sprint(e.value)
	case "tuple":
		return "(" + list + ")"
	case "call", "binary":
		return e.name + "(" + list + ")"
	}
	return e.op + "(" + list + ")"
}

// TestLambdas: the functions of testdata/lambdas.py, as Python 3.6 to 3.13 compile them.
func TestLambdas(t *testing.T) {
	all := "slice(<nil>, <nil>)"
	want := []string{
		"index(x0, (" + all + ", slice(<nil>, 16)))",
		"index(x0, ({}, slice(8, <nil>)))",
		"index(x0, (" + all + ", slice(1, 300, 2), 0))",
		"tf.slice(x0, (0, 4), (-1, 3))",
		"subtract(multiply(tf.reshape(x0, shape=(-1, 2)), 2.5), 1)",
		"negative(index(x0, slice(<nil>, 4)))",
		"",
	}
	file, err := os.ReadFile("testdata/lambdas.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(file)), "\n")
	if len(lines) != 8*len(want) {
		t.Fatalf("%d functions", len(lines))
	}
	for i, line := range lines {
		version, code, _ := strings.Cut(line, " ")
		data, err := base64.StdEncoding.DecodeString(code)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		c, err := parseMarshal(data)
		if err == nil {
			var e *pyExpr
			if e, err = c.follow([]any{4.0}[:b2i(c.args > 1)], nil); err == nil {
				got = e.text()
			}
		}
		w := want[i%len(want)]
		if got != w || w == "" && !errors.Is(err, errLambda) {
			t.Errorf("Python %s: %q (%v), want %q", version, got, err, w)
		}
		for n := range data { // cut short, nothing is read, and nothing fails otherwise
			if _, err := parseMarshal(data[:n]); err == nil {
				t.Fatalf("Python %s: read of %d of %d bytes", version, n, len(data))
			}
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// FuzzLambda: a function made by anybody is read or refused.
func FuzzLambda(f *testing.F) {
	file, err := os.ReadFile("testdata/lambdas.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		_, code, _ := strings.Cut(strings.TrimSpace(line), " ")
		data, _ := base64.StdEncoding.DecodeString(code)
		f.Add(data)
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		if c, err := parseMarshal(data); err == nil {
			_, _ = c.follow(nil, []any{1.0})
		}
	})
}

// TestLambdaCount: a function that says it has more parameters than names for them is
// refused, not given memory for all.
func TestLambdaCount(t *testing.T) {
	file, err := os.ReadFile("testdata/lambdas.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		version, code, _ := strings.Cut(strings.TrimSpace(line), " ")
		data, err := base64.StdEncoding.DecodeString(code)
		if err != nil {
			t.Fatal(err)
		}
		copy(data[1:], "0000") // 808 464 432
		if _, err := parseMarshal(data); !errors.Is(err, errMarshal) {
			t.Errorf("Python %s: %v", version, err)
		}
	}
}
