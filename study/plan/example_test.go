package plan_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"barrow/study/plan"
)

func ExampleStart() {
	dir, _ := os.MkdirTemp("", "plan")
	defer os.RemoveAll(dir)
	modules := filepath.Join(dir, "modules.csv")
	os.WriteFile(modules, []byte("layer,waferu,waferv,links\n9,2,3,2\n9,3,3,2\n"), 0o644)
	p := plan.Quick()
	p.Modules, p.PerClass = modules, 60
	p.EncoderLinks, p.Decoders = []int{0}, 0 // the chip's algorithms by hand alone
	r, _, err := plan.Start(context.Background(), filepath.Join(dir, "run"), p, plan.Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Words())
	fmt.Println(r.MeanEMD > 0, r.Ratio <= 1.2)
	// Output:
	// 2 modules of modules.csv in 1 class, simulated images (mixed)
	// true true
}
