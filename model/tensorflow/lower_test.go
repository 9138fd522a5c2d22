package tensorflow

import (
	"strings"
	"testing"

	"barrow/model"
	"barrow/nn"
)

// TestNoLayer: what fits no layer is told by its node and operation, quantisers that
// are nearly one of Barrow's among them.
func TestNoLayer(t *testing.T) {
	for name, c := range map[string]struct {
		build func(b *builder) string
		want  string
	}{
		"relu6":     {func(b *builder) string { return b.op("six", "Relu6", inputName) }, `node "six" (Relu6): no layer computes`},
		"symmetric": {func(b *builder) string { return b.round(inputName, model.Grid{Step: 1. / 8, Low: -31, High: 31}) }, `node "mul" (Mul): no layer computes`},
		"third":     {func(b *builder) string { return b.round(inputName, model.Grid{Step: 1. / 3, Low: -32, High: 31}) }, `node "mul" (Mul): no layer computes`},
		"offset": {func(b *builder) string {
			return b.round(b.op("add", "AddV2", inputName, b.scalar("by", 1./64)), model.Grid{Step: 1. / 8, Low: -32, High: 31})
		}, `node "add" (AddV2): no layer computes`},
		"unlimited": {func(b *builder) string { return b.op("down", "Floor", inputName) }, `node "down" (Floor)`},
		"vector": {func(b *builder) string {
			return b.op("scale", "Mul", inputName, b.floats("by", []float32{1, 2, 3, 4}, 4))
		}, `node "scale" (Mul)`},
		"aside": {func(b *builder) string {
			x := b.op("tanh", "Tanh", inputName)
			return b.op("sum", "AddV2", x, b.op("other", "Relu", inputName))
		}, `node "`},
		"softmax": {func(b *builder) string { return b.op("soft", "Softmax", inputName) }, `node "soft" (Softmax)`},
		"padding": {func(b *builder) string {
			return b.opWith("around", "Pad", attrs{"Tpaddings": int32s["T"]}, inputName, b.ints("by", []int{2, 2}, 0, 0, 0, 1))
		}, `node "around" (Pad)`},
	} {
		b := newBuilder()
		g, err := newFrozen(b.graph(placeholder(inputName, []int{4}), c.build(b)))
		if err != nil {
			t.Fatal(name, err)
		}
		if _, err := lower(g); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestQuantisers: every quantiser that a layer can be is found as it was written.
func TestQuantisers(t *testing.T) {
	for _, kind := range []string{nn.KindQuantizedBits, nn.KindQuantizedReLU} {
		for _, rounding := range []string{nn.RoundNearest, nn.RoundFloor} {
			for bits := 2; bits <= 20; bits += 3 {
				for integer := -3; integer <= min(bits, 10); integer++ {
					want := nn.Layer{Kind: kind, Bits: bits, Integer: integer, Rounding: rounding}
					b := newBuilder()
					g, err := newFrozen(b.graph(placeholder(inputName, []int{4}), b.round(inputName, model.GridOf(want))))
					if err != nil {
						t.Fatal(err)
					}
					c, err := lower(g)
					if err != nil {
						t.Errorf("%+v: %v", want, err)
						continue
					}
					got := c.layers[0].Layer
					got.Name = ""
					if got != want || len(c.layers) != 1 {
						t.Errorf("%+v, want %+v", c.layers, want)
					}
				}
			}
		}
	}
}
