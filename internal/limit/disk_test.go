package limit

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestDisk(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "yet", "to", "be", "made")
	if err := Disk("a run", folder, 1); err != nil {
		t.Error(err)
	}
	if _, known := free(t.TempDir()); !known {
		t.Skip("this system does not say what is free")
	}
	err := Disk("a run", folder, 1e24)
	if err == nil || !strings.Contains(err.Error(), "a run needs some 1000000000000000.0 GB in ") {
		t.Error(err)
	}
}
