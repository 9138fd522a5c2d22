package loss

import (
	"fmt"

	"barrow/emd"
)

var _ = register("emd", Traits{
	Label: "exact EMD", Help: "exact earth mover's distance of the two images, each scaled to sum 1", Sees: SeesShape, Cost: 2,
}, exact)

// exact is the exact EMD between image and decoded image, both scaled to sum
// 1, on the ground metric; its gradient is made of the dual potentials.
func exact(r Resources) (Loss, error) {
	if err := onCells("emd", r.Metric); err != nil {
		return nil, err
	}
	b, err := emd.NewBatch(r.Metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: r.Threads})
	if err != nil {
		return nil, fmt.Errorf("loss: emd: %w", err)
	}
	return FromDistance("emd", b), nil
}

// onCells checks that there is a ground metric of the cells.
func onCells(name string, m *emd.Metric) error {
	if m == nil || m.Len() != Cells {
		return fmt.Errorf("loss: %s needs a ground metric of %d cells", name, Cells)
	}
	return nil
}
