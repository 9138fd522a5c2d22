package file

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/wafer"
)

// TestNtuples reads two ROOT files as one, of which one is compressed and so no file
// to read in any order.
func TestNtuples(t *testing.T) {
	dir := t.TempDir()
	b, err := os.ReadFile("../rootio/testdata/small.root")
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "a.root")
	if err := os.WriteFile(plain, b, 0o600); err != nil {
		t.Fatal(err)
	}
	one, err := ReadAll(context.Background(), plain, wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	packed := filepath.Join(dir, "b.root.gz")
	if err := WriteAll(packed, false, one, wafer.WriteSettings{Unit: "calq"}); err != nil {
		t.Fatal(err)
	}
	r, err := Open(context.Background(), wafer.ReadSettings{}, plain, packed)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if in := r.Info(); in.Format != "root" || in.Unit != "calq" || !in.OrderSaid {
		t.Errorf("%+v", in)
	}
	both, err := wafer.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	twice := *one.Slice(0, one.Len())
	if err := twice.Append(one); err != nil {
		t.Fatal(err)
	}
	if both.Digest() != twice.Digest() || one.Len() == 0 {
		t.Errorf("%d images, want those %d twice", both.Len(), one.Len())
	}
	if remarks := r.Remarks(); len(remarks) != 1 || !strings.HasPrefix(remarks[0], plain+": ") || !strings.Contains(remarks[0], "tiles of scintillator") {
		t.Errorf("%q", remarks)
	}
}
