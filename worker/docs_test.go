//go:build unix

package worker

import (
	"encoding/binary"
	"encoding/hex"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocs holds docs/worker.md to the code: the bytes of its example, and a line for all
// that is served.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../docs/worker.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	said := ""
	for _, m := range regexp.MustCompile(`(?m)^((?:[0-9a-f]{2} ?){1,16})(?:  .*)$`).FindAllStringSubmatch(text, -1) {
		said += strings.ReplaceAll(m[1], " ", "")
	}
	var want []byte
	p := array{name: "p", dtype: tFloat64, shape: []int{3}}
	for _, f := range [][]byte{
		frame(typeHello, 1, 0, "", nil, nil, `{"client":"example","descriptor":3}`),
		frame(typeCall, 2, 0, "echo", []array{p}, nil, `{"n":3}`),
	} {
		want = append(binary.LittleEndian.AppendUint32(want, uint32(len(f))), f...)
	}
	p.offset = alignment
	r := reply{id: 2, size: 1 << 20, arrays: []array{p}, params: []byte(`{"n":3}`)}
	want = r.appendTo(want)
	if said != hex.EncodeToString(want) {
		t.Errorf("the example has the bytes\n%s\nwant\n%x", said, want)
	}
	s := all()
	for _, name := range slices.Sorted(maps.Keys(s.functions)) {
		if !strings.Contains(text, "| `"+name+"(") {
			t.Errorf("the function %q is not in docs/worker.md", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.kinds)) {
		if !strings.Contains(text, "| kind `"+name+"` |") {
			t.Errorf("the kind %q is not in docs/worker.md", name)
		}
	}
}
