package surrogate

import (
	"context"

	"barrow/nn"
)

// Surplus reports whether the network sees what is left of two images when what
// they share is taken away: its output is then multiplied by how much that was.
func (m *CNN) Surplus() bool { return m.surplus }

// Inputs are N pairs of rows (N×48 each) as the network takes them, N×4×4×6 numbers
// with the channels last.
func (m *CNN) Inputs(p, q []float64) ([]float32, error) {
	n := len(p) / Cells
	if err := checkRows(n, p, q, nil, nil); err != nil {
		return nil, err
	}
	if err := m.load(0, p, q); err != nil {
		return nil, err
	}
	size := m.net.InputShape().Size()
	out := make([]float32, n*size)
	for i := range n {
		m.in.Sample(i, out[i*size:(i+1)*size])
	}
	return out, nil
}

// Networks are the network that makes 48 potentials of a pair's features, and the
// one that guesses, before a softplus, what their bound lacks of the EMD.
func (m *Potential) Networks() (potentials, gap *nn.Network) { return m.net, m.gap }

// Inputs are N pairs of rows (N×48 each) as the two networks take them: N×144 and
// N×100 numbers.
func (m *Potential) Inputs(ctx context.Context, p, q []float64) (potentials, gap []float32, err error) {
	n := len(p) / Cells
	if err := checkRows(n, p, q, nil, nil); err != nil {
		return nil, nil, err
	}
	err = m.each(ctx, p, q, n, true, func(_, k int, _ *solution) {
		potentials = append(potentials, m.in.Data[k*features:(k+1)*features]...)
		gap = append(gap, m.gapIn.Data[k*gapFeatures:(k+1)*gapFeatures]...)
	})
	return potentials, gap, err
}
