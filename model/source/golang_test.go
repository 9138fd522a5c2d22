package source_test

import (
	"os/exec"
	"strings"
	"testing"

	"barrow/model/file"
)

// TestGo: the written file passes its own test.
func TestGo(t *testing.T) {
	for name, m := range models(t) {
		if m.Encoder() == nil || testing.Short() && name != "asic3" {
			continue
		}
		dir := t.TempDir()
		if _, err := file.Export(t.Context(), m, "go", dir, false); err != nil {
			t.Fatal(name, err)
		}
		cmd := exec.Command("go", "test", "-v", "encoder.go", "encoder_test.go")
		cmd.Dir = dir
		if said, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(said), "numbers equal") {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
	}
}
