package limit

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func ExampleThreads() {
	n, err := Threads(math.MaxInt)
	fmt.Println(n, err)
	// Output: 0 9223372036854775807 threads: want 1 to 1024, or 0 for all processors
}

func TestThreads(t *testing.T) {
	if n, err := Threads(0); err != nil || n < 1 {
		t.Errorf("all processors: %d, %v", n, err)
	}
	if n, err := Threads(7); err != nil || n != 7 {
		t.Errorf("7: %d, %v", n, err)
	}
	if _, err := Threads(-1); err == nil {
		t.Error("-1 was accepted")
	}
}

func TestCountAndFits(t *testing.T) {
	if err := Count("epochs", 0, 10); err == nil || err.Error() != "epochs 0: want 1 to 10" {
		t.Error(err)
	}
	if err := Count("epochs", 10, 10); err != nil {
		t.Error(err)
	}
	if err := Fits("images", math.MaxInt, 400); err == nil || !strings.Contains(err.Error(), "PB, this machine has") {
		t.Error(err)
	}
	if err := Fits("images", 1000, 400); err != nil {
		t.Error(err)
	}
	if m := Memory(); !(m > 1e8) || math.IsInf(m, 1) {
		t.Errorf("memory %v", m)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := ReadFile(path, "a metric", 5); err != nil || string(b) != "12345" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := ReadFile(path, "a metric", 4); err == nil || !strings.Contains(err.Error(), "a metric of") {
		t.Errorf("5 of 4 bytes: %v", err)
	}
	if _, err := os.Stat("/dev/zero"); err == nil {
		if _, err := ReadFile("/dev/zero", "a metric", 1000); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("an endless device: %v", err)
		}
	}
}
