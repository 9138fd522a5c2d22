package model

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"barrow/nn"
)

// Trace gives what every layer makes of the inputs, by the layers' names.
func (r *network) Trace(ctx context.Context, in []*Array) (Vectors, error) {
	n, err := r.check(in)
	if err != nil {
		return nil, err
	}
	n = min(n, r.net.Settings().MaxBatch)
	x := nn.NewTensor(n, r.net.InputShape())
	if err := r.load(x, in, 0); err != nil {
		return nil, err
	}
	var out Vectors
	for i, l := range r.net.Layers() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		view, err := r.net.View(0, i+1, nn.Settings{})
		if err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
		// The sides of the whole network, as far as the view has their layers.
		if err := (&network{net: view, inputs: r.inputs}).load(x, in, 0); err != nil {
			return nil, err
		}
		y, err := view.Forward(x, nn.Inference)
		if err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
		size := y.Shape.Size()
		a := &Array{Shape: []int{n, y.N / n * size}, Data: make([]float64, 0, y.N*size)}
		row := make([]float32, size)
		for k := range n {
			for half := k; half < y.N; half += n { // within a pair a sample has two
				y.Sample(half, row)
				for _, v := range row {
					a.Data = append(a.Data, float64(v))
				}
			}
		}
		out = append(out, Vector{l.Name, l.Kind, a})
	}
	return out, nil
}

// Trace of a part is that of its network.
func (p *Part) Trace(ctx context.Context, v Vectors) (Vectors, error) {
	return (&network{net: p.Network, inputs: p.Inputs}).Trace(ctx, p.Take(v))
}

// Take is what the vectors have of the part's inputs.
func (p *Part) Take(v Vectors) []*Array {
	var in []*Array
	for _, i := range p.Inputs {
		in = append(in, v.Get(i.Name))
	}
	return in
}

// The tolerances within which two tools compute the same: a millionth of the largest
// number, or of 1, and of each.
const same = 1e-6

// Differ compares what was computed with what was expected: at which index they first
// differ, or -1, and by how much at most. Where exact is set no bit may differ, else
// each number may by 1e-6 of itself and 1e-6 of the larger of 1 and the largest. Infinities
// and NaN are the same as themselves alone, and make no other number's share larger.
func Differ(got, want []float64, exact bool) (at int, most float64) {
	if len(got) != len(want) {
		return min(len(got), len(want)), math.Inf(1)
	}
	largest := 1.0
	for _, v := range want {
		if a := math.Abs(v); a <= math.MaxFloat64 {
			largest = max(largest, a)
		}
	}
	at = -1
	for i, v := range want {
		off := math.Abs(got[i] - v)
		switch {
		case got[i] == v || got[i] != got[i] && v != v:
			off = 0 // that of infinities is NaN
		case off != off:
			off = math.Inf(1)
		}
		most = max(most, off)
		if at < 0 && (exact && off > 0 || math.IsInf(off, 1) || off > same*(largest+math.Abs(v))) {
			at = i
		}
	}
	return at, most
}

// FirstPart compares two traces of the same computation, which may differ in what they
// count as an operation and in their layout, and names the first operation of want
// whose result got has not, with the one that stands there in got: what comes after
// the last that both have. Ok is false where got has all.
func FirstPart(got, want Vectors) (here, there string, ok bool) {
	from, after := 0, -1 // of got, of want
	for i, w := range want {
		for k := from; k < len(got); k++ {
			if alike(got[k].Array, w.Array) {
				from, after = k+1, i
				break
			}
		}
	}
	if after == len(want)-1 {
		return "", "", false
	}
	if from < len(got) {
		there = got[from].Name
	}
	return want[after+1].Name, there, true
}

// alike compares arrays sample by sample, whatever the order of the numbers in one.
func alike(a, b *Array) bool {
	n, size := a.Rows()
	rows, other := b.Rows()
	if n != rows || size != other {
		return false
	}
	for i := range n {
		x, y := slices.Clone(a.Data[i*size:(i+1)*size]), slices.Clone(b.Data[i*size:(i+1)*size])
		slices.SortFunc(x, cmp.Compare[float64])
		slices.SortFunc(y, cmp.Compare[float64])
		if at, _ := Differ(x, y, false); at >= 0 {
			return false
		}
	}
	return true
}
