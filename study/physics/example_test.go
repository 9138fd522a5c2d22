package physics_test

import (
	"fmt"

	"barrow/study/physics"
)

// What is compared by default.
func ExamplePlan_Complete() {
	p := physics.Default().Complete()
	fmt.Println(p.Events, p.Class, p.Links, p.Contenders)
	// Output: 10000 electron modules [rpt ts stc4 stc16 ctc bc bc-spread weighted-mse telescope emd-cnn emd]
}
