package learned_test

import (
	"fmt"
	"testing"

	"barrow/econt"
	"barrow/study/internal/learned"
)

// The links on which an algorithm leaves something to a decoder.
func ExampleAlgorithm_Learns() {
	for _, word := range []string{"bc", "stc16", "ts"} {
		a, _ := learned.Find(word)
		var links []int
		for n := 1; n <= econt.MaxETx; n++ {
			if a.Learns(n) {
				links = append(links, n)
			}
		}
		fmt.Println(a.Scheme.Name(), links)
	}
	// Output:
	// best choice [1 2 3 4 5 6 7 8 9 10 11 12]
	// STC16 5E4M [1 2]
	// threshold sum [1 2 3 4 5]
}

// TestCourse: a decoder sees no more simulated images than it is given, and nearly as many.
func TestCourse(t *testing.T) {
	for _, images := range []int{1, 99, 100, 1234, 199_999, 600_000, 5_000_000} {
		c := learned.Course(images, 7)
		if seen := c.Simulated.Epochs * c.PerEpoch; seen > images || seen < images-30 || c.Given.Epochs != 7 {
			t.Errorf("%d images: %+v", images, c)
		}
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
}

// TestWords: every algorithm is found by its word, and has a rule by hand on some links.
func TestWords(t *testing.T) {
	if len(learned.Words()) != len(learned.Algorithms()) {
		t.Error(learned.Words())
	}
	for _, word := range learned.Words() {
		if a, ok := learned.Find(word); !ok || a.Word != word || len(a.Rules(1)) == 0 {
			t.Errorf("%s: %+v, %v", word, a, ok)
		}
	}
	if _, ok := learned.Find("rpt"); ok {
		t.Error("a repeater leaves nothing to a decoder")
	}
}
