package file

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/wafer"
)

// TestInVain: settings that a file's format does not have are remarked on, each once; what
// a file contradicts is an error.
func TestInVain(t *testing.T) {
	ctx := context.Background()
	csv, other := write(t, "a.csv", set(0, 3), wafer.WriteSettings{}), write(t, "b.csv", set(3, 3), wafer.WriteSettings{})
	data, calq := write(t, "d.npz", set(0, 3), wafer.WriteSettings{Unit: "data"}), write(t, "c.npz", set(0, 3), wafer.WriteSettings{Unit: "calq"})
	bare := write(t, "b.npz", set(0, 3), wafer.WriteSettings{})
	for _, c := range []struct {
		paths []string
		s     wafer.ReadSettings
		want  []string // remarks
	}{
		{[]string{csv, other}, wafer.ReadSettings{Tree: "nix", Charge: "calq"}, []string{csv + ": the setting tree nix changes nothing", csv + ": the setting charge calq changes nothing"}},
		{[]string{calq}, wafer.ReadSettings{Charge: "calq", Tree: "CALQ"}, nil},
		{[]string{bare}, wafer.ReadSettings{Charge: "calq", Layout: "charges"}, []string{bare + ": the setting layout charges", "the setting charge calq changes nothing: it is not for files of the format npz"}},
		{[]string{"../rootio/testdata/small.root"}, wafer.ReadSettings{Charge: "data", Header: "none"}, []string{"the setting header none", "tiles"}},
	} {
		r, err := Open(ctx, c.s, c.paths...)
		if err != nil {
			t.Errorf("%v: %v", c.s, err)
			continue
		}
		if _, err := wafer.ReadAll(r); err != nil {
			t.Error(err)
		}
		said := r.Remarks()
		if len(said) != len(c.want) {
			t.Errorf("%v: %q", c.s, said)
		}
		for _, want := range c.want {
			if !slices.ContainsFunc(said, func(line string) bool { return strings.Contains(line, want) }) {
				t.Errorf("%v: %q, want %q", c.s, said, want)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Open(ctx, wafer.ReadSettings{Charge: "calq"}, data); err == nil || !strings.Contains(err.Error(), "d.npz: its charges are data, and calq is asked for") {
		t.Errorf("another unit: %v", err)
	}
	for name, want := range map[string]int{"a.npz": 1, "a.csv": 0} {
		w, err := Create(filepath.Join(t.TempDir(), name), false, wafer.WriteSettings{Digits: 2})
		if err != nil {
			t.Fatal(err)
		}
		if lost := w.Lost(); len(lost) != want {
			t.Errorf("%s: %q", name, lost)
		}
		w.Abort()
	}
}
