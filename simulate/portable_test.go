package simulate

import (
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"barrow/internal/limit"
	"barrow/wafer"
)

// TestPortable holds images and their truth to digests that builds with and
// without fused multiply-adds (GOAMD64=v1 and v3) both give.
func TestPortable(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("Go's own logarithms and exponentials are rounded otherwise on other processors")
	}
	for preset, want := range map[string]string{
		"mixed":     "69e8a2eb39338b2f5b7b433055e6f0fafb51100127a18cc925547e29c4bcf809",
		"electrons": "e75fdc41dbe21d0159430582f65d9eb43410dd3fba91ea674f4a8003f5a34834",
		"pions":     "f38e0f67c61e0ef7ecc18aa635a309fa7adb2a8e47f348da5869fc07e5ce7aa4",
	} {
		if got := generate(t, 2000, Settings{Preset: preset, Seed: 3}).Digest(); got != want {
			t.Errorf("%s: digest %s, want %s", preset, got, want)
		}
	}
}

// TestReaderOfEvents reads whole events in parts.
func TestReaderOfEvents(t *testing.T) {
	g, err := New(Settings{Preset: "pions", Seed: 3, Whole: true, Layers: []int{5, 9}})
	if err != nil {
		t.Fatal(err)
	}
	var want wafer.Set
	for k := range uint64(3) {
		var event wafer.Set
		g.Event(4+k, &event)
		if err := want.Append(&event); err != nil {
			t.Fatal(err)
		}
	}
	var got, part wafer.Set
	r := g.Reader(4, 3)
	for {
		if n, err := r.Read(&part, 7); err == io.EOF {
			break
		} else if err != nil || n > 7 || n != part.Len() {
			t.Fatal(n, err)
		}
		if err := got.Append(&part); err != nil {
			t.Fatal(err)
		}
	}
	if got.Digest() != want.Digest() || !slices.Equal(got.Charge, want.Charge) {
		t.Errorf("%d images, want %d", got.Len(), want.Len())
	}
	if share, ok := r.(wafer.Sharer).Share(); !ok || share != 1 {
		t.Error(share, ok)
	}
}

func TestSizes(t *testing.T) {
	for _, n := range []int{-1, 10_000_000_000_000} {
		if _, err := Generate(n, Settings{}); err == nil {
			t.Errorf("%d images were drawn", n)
		}
	}
	if _, err := New(Settings{Threads: limit.MaxThreads + 1}); err == nil {
		t.Error("too many threads were accepted")
	}
	if _, err := parseParameters("[pileup]\nscale = nan\n"); err == nil || !strings.Contains(err.Error(), "pileup.scale is NaN") {
		t.Error(err)
	}
	if _, err := parseParameters("seed = -1\n"); err == nil || !strings.Contains(err.Error(), "unknown parameter seed") {
		t.Error(err)
	}
}
