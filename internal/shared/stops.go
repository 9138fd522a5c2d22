package shared

import (
	"context"
	"errors"
	"testing"
)

// Stops does a run in pieces: start is called again and again, stopped where its progress exceeds each of
// the shares in turn, and then to its end.
func Stops(t *testing.T, shares []float64, start func(ctx context.Context, progress func(share float64, note string)) error) {
	t.Helper()
	for _, share := range shares {
		ctx, cancel := context.WithCancel(t.Context())
		err := start(ctx, func(s float64, _ string) {
			if s > share {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at %g: %v", share, err)
		}
	}
	if err := start(t.Context(), func(float64, string) {}); err != nil {
		t.Fatal(err)
	}
}
