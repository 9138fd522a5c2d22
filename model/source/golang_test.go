package source_test

import "testing"

// TestGo: the written file passes its own test.
func TestGo(t *testing.T) {
	for name, m := range models(t) {
		if testing.Short() && name != "asic3" && name != "cnn" {
			continue
		}
		exported(t, name, m, "go")
	}
}
