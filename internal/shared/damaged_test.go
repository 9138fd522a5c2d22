package shared

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// recorder is a test whose failures are looked at.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper()                    {}
func (r *recorder) Failed() bool               { return len(r.said) > 0 }
func (r *recorder) Logf(f string, args ...any) { r.said = append(r.said, fmt.Sprintf(f, args...)) }
func (r *recorder) Errorf(f string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(f, args...))
}

var errShort = errors.New("short")

func TestDamaged(t *testing.T) {
	data := []byte(strings.Repeat("0123456789", 30))
	const flips = 5000
	runs := make([][][]byte, 2)
	for i := range runs {
		touched := make([]bool, len(data))
		noticed := Damaged(t, data, flips, func(b []byte) error {
			runs[i] = append(runs[i], b)
			if len(b) < len(data) {
				return errShort
			}
			differ := 0
			for at := range b {
				if b[at] != data[at] {
					touched[at] = true
					differ++
				}
			}
			if differ != 1 {
				t.Fatalf("%d bytes differ", differ)
			}
			if b[0] != data[0] {
				return errShort
			}
			return nil
		})
		if noticed == 0 || noticed > flips/10 {
			t.Errorf("%d flips of the first byte", noticed)
		}
		if at := slices.Index(touched, false); at >= 0 && !testing.Short() {
			t.Errorf("byte %d was left as it is", at)
		}
	}
	want := 20 + flips
	if testing.Short() {
		want = 20 + flips/10
	}
	if len(runs[0]) != want || !slices.EqualFunc(runs[0], runs[1], bytes.Equal) {
		t.Errorf("%d and %d files, not %d, or not the same ones", len(runs[0]), len(runs[1]), want)
	}
}

// TestBounded: what must not happen fails the test, and says with which file.
func TestBounded(t *testing.T) {
	var sink []byte
	for want, read := range map[string]func(tb testing.TB) error{
		"":                                   func(testing.TB) error { return errShort },
		"byte 7: panic: no such":             func(testing.TB) error { panic("no such") },
		"byte 7: 3":                          func(testing.TB) error { sink = make([]byte, 33<<20); return nil },
		"the first failure was with: byte 7": func(tb testing.TB) error { tb.Errorf("wrong"); return nil },
	} {
		r := &recorder{TB: t}
		err := Bounded(r, "byte 7", []byte("x"), func([]byte) error { return read(r) })
		if all := strings.Join(r.said, "\n"); !strings.Contains(all, want) || (want == "") != (all == "") {
			t.Errorf("said %q, not %q", all, want)
		}
		if strings.Contains(want, "panic") && err == nil {
			t.Error("a panic is no error")
		}
	}
	_ = sink
	r := &recorder{TB: t}
	if Damaged(r, make([]byte, 100), 0, func([]byte) error { return nil }); len(r.said) == 0 || !strings.Contains(r.said[0], "cut off after 0 of 100 bytes: read without an error") {
		t.Errorf("said %q", r.said)
	}
}
