package learned

import (
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/run"
	"barrow/wafer"
)

// TestSeen: images are known again from a run's folder, and others are not taken for them.
func TestSeen(t *testing.T) {
	set := &wafer.Set{Charge: make([]float64, 6*hgcal.Cells)}
	for i := range set.Len() {
		set.Image(i)[i/2] = 7 // two of each kind
	}
	s := See(set.Slice(0, 3), nil)
	if len(s) != 2 || s.Count(set) != 4 {
		t.Errorf("%d kinds, %d images", len(s), s.Count(set))
	}
	folder := t.TempDir()
	f, err := run.Open(folder, run.Identity{Kind: run.Kind{Name: "test", Version: 1}, Settings: struct{}{}}, run.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := ReadSeen(folder); err != nil || got != nil {
		t.Errorf("of a run without: %v %v", got, err)
	}
	if err := s.Write(f); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadSeen(folder); err != nil || got.Count(set) != 4 || got.Count(set.Slice(4, 6)) != 0 {
		t.Errorf("read again: %v %v", got, err)
	}
	if text := Shared(set, set.Slice(0, 2)); !strings.HasPrefix(text, "2 of 6 held-out images") {
		t.Error(text)
	}
	if text := Shared(set.Slice(0, 2), set.Slice(2, 6)); text != "" {
		t.Error(text)
	}
}
