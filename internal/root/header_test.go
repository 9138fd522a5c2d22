package root_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"barrow/internal/root"
)

// TestBigHeader reads a file whose header has the 64 bits of files beyond 2 GB.
func TestBigHeader(t *testing.T) {
	small, err := os.ReadFile("ttree/testdata/flat-zlib.root")
	if err != nil {
		t.Fatal(err)
	}
	u32 := func(i int) uint32 { return binary.BigEndian.Uint32(small[i:]) }
	head := append([]byte{}, small[:4]...)
	head = binary.BigEndian.AppendUint32(head, u32(4)+1000000)
	head = append(head, small[8:12]...)                         // where the data begins
	head = binary.BigEndian.AppendUint64(head, uint64(u32(12))) // and ends
	head = binary.BigEndian.AppendUint64(head, uint64(u32(16))) // what is free
	head = append(head, small[20:37]...)                        // its size and number, the name's size, units, codec
	head = binary.BigEndian.AppendUint64(head, uint64(u32(37))) // the classes
	head = append(head, small[41:63]...)                        // their size, the file's identifier
	big := append(append(head, make([]byte, 100-len(head))...), small[100:]...)
	f, err := root.Open(bytes.NewReader(big), int64(len(big)))
	if err != nil {
		t.Fatal(err)
	}
	k, err := f.Key("dir/t;1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Bytes(k, nil); err != nil {
		t.Error(err)
	}
	if s, err := f.Streamers(); err != nil || s.Base("TBranchElement") != "TBranch" {
		t.Error("classes are not described", err)
	}
}

// TestOpenRefuses names what is wrong with a file.
func TestOpenRefuses(t *testing.T) {
	data, err := os.ReadFile("ttree/testdata/flat-zlib.root")
	if err != nil {
		t.Fatal(err)
	}
	with := func(at int, v uint32) []byte {
		b := bytes.Clone(data)
		binary.BigEndian.PutUint32(b[at:], v)
		return b
	}
	for want, b := range map[string][]byte{
		"not a ROOT file":     []byte("PK\x03\x04 and so on"),
		"within its header":   data[:20],
		"cut off":             data[:len(data)-1],
		"header is damaged":   with(8, 0xFFFFFFF0),
		"the list of objects": with(28, 1<<30),
	} {
		if _, err := root.Open(bytes.NewReader(b), int64(len(b))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
