package decoder

import (
	"errors"
	"fmt"
	"strings"

	"barrow/econt"
	"barrow/nn"
)

// Join makes one decoder of several for the same frames, of the same units, blocks and conditions:
// its images are the mean of theirs. Distances are convex, so that it is never further from an image
// than they are on average, and mostly nearer. Its network has theirs side by side, with zeros
// between them.
func Join(models ...*Model) (*Model, error) {
	if len(models) == 0 {
		return nil, errors.New("decoder: no decoders to be one")
	}
	first := models[0]
	a := first.arch
	a.Members = 0
	for _, m := range models {
		one := m.arch
		one.Members = a.Members
		if err := first.chip.fits(m.chip); err != nil || one != a || m.net.InputShape() != first.net.InputShape() {
			return nil, fmt.Errorf("decoder: one for frames of %v with %v and one for %v with %v cannot be one: want the same of both", first.chip, first.arch, m.chip, m.arch)
		}
		a.Members += m.arch.members()
	}
	if err := a.Check(); err != nil {
		return nil, err
	}
	out, err := newModel(a, first.chip, nn.Settings{Threads: first.net.Settings().Threads, Kernel: first.net.Settings().Kernel})
	if err != nil {
		return nil, err
	}
	for _, p := range out.net.Params() {
		clear(p.Value)
		at := 0 // members before
		for _, m := range models {
			own := m.net.Param(p.Name)
			columns, all := own.Shape[len(own.Shape)-1], p.Shape[len(p.Shape)-1]
			perMember := columns / m.arch.members()
			rows := len(own.Value) / columns
			down := 0 // where the rows begin: the input is everybody's
			if len(own.Shape) == 2 && !strings.HasPrefix(p.Name, layerInput+"/") {
				down = at * rows / m.arch.members()
			}
			for r := range rows {
				copy(p.Value[(down+r)*all+at*perMember:][:columns], own.Value[r*columns:][:columns])
			}
			at += m.arch.members()
		}
	}
	return out, nil
}

// place writes the charges of all channels of frame k of a batch, the mean of its members'.
func (m *Model) place(f *econt.Decoded, y *nn.Tensor, k int, out *[econt.Channels]float64) {
	n := m.arch.members()
	shares := y.Data[k*n*econt.Channels:]
	place(f, shares[:econt.Channels], out)
	if n == 1 {
		return
	}
	var one [econt.Channels]float64
	for i := 1; i < n; i++ {
		place(f, shares[i*econt.Channels:][:econt.Channels], &one)
		for ch, v := range one {
			out[ch] += v
		}
	}
	for ch := range out {
		out[ch] /= float64(n)
	}
	each(f.Known(), func(ch int) { out[ch] = f.Image[ch] })
}

// back takes the gradient with respect to the charges of frame k of a batch, times unit, to that with
// respect to its members' shares.
func (m *Model) back(f *econt.Decoded, y *nn.Tensor, k int, dq *[econt.Channels]float64, unit float64, dy *nn.Tensor) {
	n := m.arch.members()
	for i := range n {
		at := (k*n + i) * econt.Channels
		back(f, y.Data[at:][:econt.Channels], dq, unit/float64(n), dy.Data[at:][:econt.Channels])
	}
}
