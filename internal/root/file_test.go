package root_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"barrow/internal/root"
	"barrow/internal/shared"
)

// TestPublicFiles reads all records of public files.
func TestPublicFiles(t *testing.T) {
	dir := shared.Data(t, "root")
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]map[string]struct{ Kind string }
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for name, tables := range want {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			f, err := root.Open(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range f.Keys() {
				if _, err := f.Bytes(k, nil); err != nil {
					t.Errorf("%s: %v", k.Path, err)
				}
			}
			for table := range tables {
				if _, err := f.Key(table); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
