package learned

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/run"
)

// TestSaw: an encoder of the same images and of another seed is told of.
func TestSaw(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		seed   uint64
		digest string
		files  bool // of both
		want   string
	}{
		{7, "these", true, "give seed = 7"},
		{1, "these", true, ""},
		{7, "others", true, ""},
		{1, "more of them", false, "give another seed"},
		{7, "others", false, ""},
	} {
		data := map[bool]string{true: `["data.csv"]`, false: "[]"}[tc.files]
		text := fmt.Sprintf(`{"seed": %d, "digest": %q, "preset": "mixed", "data": %s}`, tc.seed, tc.digest, data)
		if err := os.WriteFile(filepath.Join(dir, run.Config), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		told := Saw(dir, Images{Files: tc.files, Digest: "these", Preset: "mixed", Seed: 1})
		if tc.want == "" && told != "" || !strings.Contains(told, tc.want) {
			t.Errorf("%+v: %q", tc, told)
		}
	}
	if told := Saw(filepath.Join(dir, run.Config), Images{Preset: "mixed"}); told != "" {
		t.Errorf("a file: %q", told)
	}
}
