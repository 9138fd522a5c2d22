package file

import (
	"errors"
	"testing"

	"barrow/wafer"
)

// keeper is a writer that keeps something until it is closed or aborted.
type keeper struct {
	fails bool
	kept  int
}

func (k *keeper) Write(*wafer.Set) error { k.kept++; return nil }
func (k *keeper) Abort()                 { k.kept = 0 }
func (k *keeper) Close() error {
	if k.fails {
		return errors.New("full")
	}
	k.kept = 0
	return nil
}

// What a format keeps outside memory is freed however writing ends.
func TestAbortFreesTheFormat(t *testing.T) {
	for name, end := range map[string]func(*Writer) error{
		"abort": func(w *Writer) error { w.Abort(); return nil },
		"fails": func(w *Writer) error {
			if w.Close() == nil {
				return errors.New("no error")
			}
			return nil
		},
	} {
		k := &keeper{fails: name == "fails"}
		w := &Writer{Writer: k}
		if err := w.Write(set(0, 1)); err != nil || k.kept == 0 {
			t.Fatal(err)
		}
		if err := end(w); err != nil || k.kept != 0 {
			t.Errorf("%s: %v, %d kept", name, err, k.kept)
		}
	}
}
