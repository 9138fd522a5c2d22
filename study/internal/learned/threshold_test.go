package learned

import (
	"context"
	"testing"

	"barrow/decoder"
)

// TestThreshold: without given images threshold sum's is that of the images that epochs are chosen
// by, whatever the seed of the training: that seed's own images may be held out.
func TestThreshold(t *testing.T) {
	var seen []uint32
	for seed := range uint64(4) {
		l := Lesson{Links: 2, Learn: decoder.LearnSettings{Seed: seed, Threads: 1, Course: decoder.Course{Validation: 100}}}
		v, err := l.threshold(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, v)
	}
	for _, v := range seen {
		if v != seen[0] || v == 0 {
			t.Errorf("thresholds %v", seen)
		}
	}
}
