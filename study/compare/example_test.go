package compare_test

import (
	"fmt"

	"barrow/study/compare"
)

// Two losses in the chip's arithmetic at two link budgets.
func ExamplePlan_Jobs() {
	p := compare.Default()
	p.Losses, p.Precisions, p.Bits = []string{"telescope", "emd+energy"}, []string{"asic"}, []int{3, 9}
	if err := p.Check(false); err != nil {
		fmt.Println(err)
		return
	}
	for _, j := range p.Jobs() {
		fmt.Println(j.Name())
	}
	// Output:
	// asic-3bit-telescope-seed1
	// asic-3bit-emd+energy-seed1
	// asic-9bit-telescope-seed1
	// asic-9bit-emd+energy-seed1
}
