package file

import (
	"context"
	"fmt"
	"math"
	"strings"

	"barrow/model"
)

// finiteWeights says which weight of a model is no number: no format is written of
// one that has such, since what tools make of it is nothing to be held to.
func finiteWeights(m *model.Model) error {
	for _, p := range m.Parts() {
		if p.Network == nil {
			continue
		}
		for _, w := range p.Network.Params() {
			layer, name := w.Name, "weights"
			if at := strings.LastIndexByte(w.Name, '/'); at >= 0 {
				layer, name = w.Name[:at], w.Name[at+1:]
			}
			for i, v := range w.Value {
				if infinite(float64(v)) {
					return fmt.Errorf("model: the part %s: layer %q: number %d of %d of its %s is %v: nothing is written of a model that has such a weight; take one whose training came to an end", p.Name, layer, i+1, len(w.Value), name, v)
				}
			}
		}
	}
	return nil
}

// finiteVectors says which result of a model is no number though its weights are, and
// which layer makes the first such.
func finiteVectors(ctx context.Context, m *model.Model, v model.Vectors) error {
	for _, a := range v {
		at, bad := firstInfinite(a.Data)
		if !bad {
			continue
		}
		_, size := a.Rows()
		text := fmt.Sprintf("model: number %d of the test vector %d of %s is %v", at%size+1, at/size+1, a.Name, a.Data[at])
		for i := range m.Parts() {
			if layer, value := overflows(ctx, &m.Parts()[i], v); layer != "" {
				text += fmt.Sprintf(", since the layer %q of the part %s makes %v", layer, m.Parts()[i].Name, value)
				break
			}
		}
		return fmt.Errorf("%s: nothing is written of a model whose results leave the range of 32-bit floating point; scale its weights down", text)
	}
	return nil
}

// overflows is the first layer of a part that makes what is no number, with that; "" if
// none does.
func overflows(ctx context.Context, p *model.Part, v model.Vectors) (string, float64) {
	if p.Network == nil {
		return "", 0
	}
	made, err := p.Trace(ctx, v)
	if err != nil {
		return "", 0
	}
	for _, l := range made {
		if at, bad := firstInfinite(l.Data); bad {
			return l.Name, l.Data[at]
		}
	}
	return "", 0
}

func firstInfinite(v []float64) (at int, bad bool) {
	for i, x := range v {
		if infinite(x) {
			return i, true
		}
	}
	return 0, false
}

func infinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }
