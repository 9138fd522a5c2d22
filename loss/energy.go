package loss

import "context"

var _ = register("energy", Traits{
	Label: "energy", Help: "(Σ decoded/Σ charge − 1)²: the total alone, to go with a distance", Sees: SeesTotal, Cost: 1,
}, func(Resources) (Loss, error) { return energy{}, nil })

// energy is the mean over images of (Σp/Σt − 1)², the squared error of the
// energy response. It sees nothing of the shape: added to a distance loss, which
// sees nothing of the total charge, it keeps the energy without pulling at the
// shape. Images without charge count 0.
type energy struct{}

func (energy) Name() string { return "energy" }

func (l energy) Eval(_ context.Context, target, pred, grad []float32) (float64, error) {
	n, err := check(l.Name(), target, pred, grad)
	if err != nil {
		return 0, err
	}
	clear(grad)
	sum := 0.0
	for i := range n {
		in, out := 0.0, 0.0
		for c := i * Cells; c < (i+1)*Cells; c++ {
			in += float64(target[c])
			out += float64(pred[c])
		}
		if in == 0 {
			continue
		}
		d := out/in - 1
		sum += d * d
		if grad == nil {
			continue
		}
		g := float32(2 * d / in / float64(n))
		for c := i * Cells; c < (i+1)*Cells; c++ {
			grad[c] = g
		}
	}
	return finite(l.Name(), sum/float64(n))
}
