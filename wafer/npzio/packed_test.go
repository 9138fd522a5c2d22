package npzio

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"
)

// packed is an archive with its entries compressed, as numpy.savez_compressed does.
func packed(t testing.TB, stored []byte) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(stored), int64(len(stored)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, e := range in.File {
		from, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		to, err := out.CreateHeader(&zip.FileHeader{Name: e.Name, Method: zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(to, from); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
