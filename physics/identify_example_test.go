package physics_test

import (
	"context"
	"fmt"

	"barrow/internal/counter"
	"barrow/physics"
)

// Clusters of particles that are narrower than those of minimum bias, mostly.
func ExampleIdentify() {
	r := counter.New(1, 1)
	clusters := func(narrower float64) *physics.Table {
		t := &physics.Table{Events: 1000}
		for i := range t.Events {
			c := physics.Record{Event: int64(i), Found: true}
			c.Layers, c.Cells, c.Sum, c.Eta = []float64{1}, 1, 10, 2
			c.Shape.Core = r.Float64() + narrower
			t.Records = append(t.Records, c)
		}
		return t
	}
	pt := func(r *physics.Record) float64 { return r.Sum }
	id, err := physics.Identify(context.Background(), clusters(0.5), clusters(0), pt, physics.IdentifySettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Half of each kind overlaps: 1 − ½·½·½ of the pairs are in order.
	fmt.Printf("area %.2f, background at 90 %% of the particles %.1f\n", id.AUC.Value, id.Background[0].Value.Value)
	// Output: area 0.87, background at 90 % of the particles 0.4
}
