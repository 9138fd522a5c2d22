package version

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"barrow/nn"
)

func ExampleProgram_String() {
	fmt.Println(Program{Version: "v0.2.0", Commit: "0123456789ab", Go: "go1.26.8", System: "linux/amd64", Kernel: "avx2"})
	// Output: v0.2.0, commit 0123456789ab, go1.26.8, linux/amd64, kernel avx2
}

func TestCurrent(t *testing.T) {
	p := Current()
	if p.Version == "" || p.Go != runtime.Version() || !slices.Contains(nn.Kernels(), p.Kernel) {
		t.Errorf("%+v", p)
	}
}
