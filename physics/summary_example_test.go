package physics_test

import (
	"context"
	"fmt"

	"barrow/physics"
)

// What a contender makes of ten particles' energy, beside all cells.
func ExampleSummarise() {
	const n = 10
	var contenders []physics.Columns
	for k, name := range []string{"all cells", "half"} {
		c := physics.Columns{Contender: name}
		for i := range n {
			c.Event, c.Zside = append(c.Event, int64(i)), append(c.Zside, 1)
			c.TruthPt, c.TruthEta, c.TruthPhi = append(c.TruthPt, 20), append(c.TruthEta, 2), append(c.TruthPhi, 0)
			pt := float64(18+4*(i%2)) / float64(k+1)
			c.Found, c.Raw, c.Pt = append(c.Found, true), append(c.Raw, 50*pt), append(c.Pt, pt)
			c.Eta, c.Phi = append(c.Eta, 2), append(c.Phi, 0.01)
			c.EMD, c.Wafers = append(c.EMD, float64(k)), append(c.Wafers, 5)
			c.ChargeEMD, c.Charge = append(c.ChargeEMD, float64(k)), append(c.Charge, 1)
		}
		contenders = append(contenders, c)
	}
	s, err := physics.Summarise(context.Background(), contenders, physics.SummarySettings{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	half := &s.Contenders[1]
	fmt.Printf("response %.2f, of all cells' %.2f ± %.2f\n",
		half.Figure("response").Value.Value, half.Figure("response").Ratio.Value, half.Figure("response").Ratio.Error)
	fmt.Printf("resolution %.2f\n", half.Figure("resolution").Value.Value)
	fmt.Println("threshold:", half.Figure("threshold").Value.Note)
	// Output:
	// response 0.50, of all cells' 0.50 ± 0.00
	// resolution 0.10
	// threshold: no minimum bias
}
