package tensorflow

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"barrow/model"
	"barrow/model/tensorflow/internal/graphpb"
	"barrow/nn"
)

// small is a graph of one matrix product.
func small() *graphpb.GraphDef {
	b := newBuilder()
	y := b.opWith("MatMul", "MatMul", nil, inputName, b.floats("w", []float32{1, 2, 3, 4, 5, 6}, 3, 2))
	return b.graph(placeholder(inputName, []int{3}), y)
}

// run does with a graph all that a user would, as far as it gets.
func run(raw []byte) error {
	g, err := parse(raw)
	if err != nil {
		return err
	}
	r, err := newRunner(g)
	if err != nil {
		return err
	}
	for _, p := range r.Inputs() {
		if n, err := sizeOf(p.Shape[1:]); err != nil || n > 1<<12 {
			return nil
		}
	}
	if r.batch < 16 {
		if c, err := lower(g); err == nil {
			_, _ = c.network("g", nn.Settings{Threads: 1})
		}
	}
	var in []*model.Array
	for _, p := range r.Inputs() {
		shape := append([]int{2}, p.Shape[1:]...)
		n, err := sizeOf(shape)
		if err != nil {
			return err
		}
		if n > 1<<12 {
			return nil
		}
		in = append(in, &model.Array{Shape: shape, Data: make([]float64, n)})
	}
	_, err = r.Run(context.Background(), in)
	return err
}

// TestRefused: what is wrong with a graph is told by the node.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(g *graphpb.GraphDef)
		want   string
	}{
		"op":     {func(g *graphpb.GraphDef) { g.Node[2].Op = "Cholesky" }, `node "MatMul" (Cholesky): this operation is not known`},
		"lost":   {func(g *graphpb.GraphDef) { g.Node[2].Input[1] = "v" }, `node "MatMul" (MatMul): its input "v" is not in the graph`},
		"port":   {func(g *graphpb.GraphDef) { g.Node[2].Input[1] = "w:1" }, `output 1 of node "w"`},
		"cycle":  {func(g *graphpb.GraphDef) { g.Node[2].Input[0] = outputName }, `depends on itself`},
		"twice":  {func(g *graphpb.GraphDef) { g.Node[1].Name = "MatMul" }, `two nodes of the name "MatMul"`},
		"empty":  {func(g *graphpb.GraphDef) { g.Node = nil }, "no frozen graph|without nodes"},
		"inputs": {func(g *graphpb.GraphDef) { g.Node[2].Input = g.Node[2].Input[:1] }, `node "MatMul" (MatMul): it has 1 inputs, not 2`},
		"negative": {func(g *graphpb.GraphDef) {
			g.Node[1].Attr["value"].GetTensor().TensorShape.Dim[0].Size = -3
		}, `node "w" (Const): a dimension of size -3`},
		"huge": {func(g *graphpb.GraphDef) {
			tensor := g.Node[1].Attr["value"].GetTensor()
			tensor.TensorShape.Dim[0].Size = 1 << 22
			tensor.TensorContent, tensor.FloatVal = nil, []float32{1}
		}, `node "w" (Const): a constant of the shape [4194304 2] with 1 numbers given`},
		"product": {func(g *graphpb.GraphDef) {
			for _, d := range g.Node[1].Attr["value"].GetTensor().TensorShape.Dim {
				d.Size = 1 << 23
			}
		}, `node "w" (Const): a tensor of the shape`},
		"short": {func(g *graphpb.GraphDef) {
			g.Node[1].Attr["value"].GetTensor().TensorContent = []byte{1, 2, 3}
		}, `node "w" (Const): 3 bytes for a tensor`},
		"type": {func(g *graphpb.GraphDef) {
			g.Node[1].Attr["value"].GetTensor().Dtype = graphpb.DataType_DT_STRING
		}, `DT_STRING`},
		"shape": {func(g *graphpb.GraphDef) { g.Node[0].Attr["shape"].GetShape().Dim[1].Size = 4 }, `node "MatMul" (MatMul): it multiplies the shape [2 4] by [3 2]`},
		"functions": {func(g *graphpb.GraphDef) {
			g.Library = &graphpb.FunctionDefLibrary{Function: []*graphpb.FunctionDef{{}}}
		}, "convert_variables_to_constants_v2"},
	} {
		g := small()
		c.change(g)
		raw, err := proto.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range [][]byte{raw, ascii(g)} {
			err = run(raw)
			found := false
			for _, want := range strings.Split(c.want, "|") {
				found = found || err != nil && strings.Contains(err.Error(), want)
			}
			if !found {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
	}
	if err := run([]byte("node { name: 1 }")); err == nil {
		t.Error("a name that is a number was read")
	}
}

// TestSamples: a graph frozen for three samples runs any number.
func TestSamples(t *testing.T) {
	def := small()
	def.Node[0].Attr["shape"].GetShape().Dim[0].Size = 3
	g, err := newFrozen(def)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRunner(g)
	if err != nil {
		t.Fatal(err)
	}
	x := &model.Array{Shape: []int{7, 3}}
	for i := range 21 {
		x.Data = append(x.Data, float64(i))
	}
	v, err := r.Run(context.Background(), []*model.Array{x})
	if err != nil {
		t.Fatal(err)
	}
	if y := v.Get("y"); y.Shape[0] != 7 || len(y.Data) != 14 || y.Data[12] != 18+19*3+20*5 || y.Data[13] != 18*2+19*4+20*6 {
		t.Errorf("%+v", y)
	}
}

// seeds are small graphs of our own, of every kind of layer.
func seeds(t testing.TB) [][]byte {
	t.Helper()
	b := newBuilder()
	net, err := nn.New(nn.Spec{Name: "s", Input: nn.Shape{H: 4, W: 4, C: 1}, Layers: []nn.Layer{
		{Kind: nn.KindQuantizedBits, Bits: 8, Integer: 1}, {Kind: nn.KindConv2D, Filters: 2, Kernel: 3, Stride: 2, Padding: nn.PaddingSame, Bits: 5},
		{Kind: nn.KindQuantizedReLU, Bits: 8, Integer: 1}, {Kind: nn.KindConv2DTranspose, Filters: 1, Kernel: 3, Stride: 2}, {Kind: nn.KindCrop, Height: 4, Width: 4},
		{Kind: nn.KindSigmoid}, {Kind: nn.KindFlatten}, {Kind: nn.KindDense, Units: 3}, {Kind: nn.KindTanh},
	}}, nn.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	at, err := b.network(net, "s", inputName, false)
	if err != nil {
		t.Fatal(err)
	}
	layers := b.graph(placeholder(inputName, []int{4, 4, 1}), at)
	// Small, too, with all operations of a chip's encoder in the other arrangement: a search
	// that shortens what it finds spends its time on large seeds.
	rhombi, square := arrangements[1].shape, arrangements[0].shape
	net, err = nn.New(nn.Spec{Name: "chip", Input: square, Layers: []nn.Layer{
		{Kind: nn.KindQuantizedBits, Bits: 8, Integer: 1, Rounding: nn.RoundFloor, Unsigned: true},
		{Kind: nn.KindConv2D, Filters: 1, Kernel: 3, Stride: 4, Padding: nn.PaddingSame, Bits: 6}, {Kind: nn.KindReLU},
		{Kind: nn.KindFlatten}, {Kind: nn.KindDense, Units: 2, Bits: 6}, {Kind: nn.KindQuantizedReLU, Bits: 9, Integer: 1, Rounding: nn.RoundFloor},
	}}, nn.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	b = newBuilder()
	at, err = b.network(net, "chip", b.arrange(inputName, "arrange", rhombi, square), true)
	if err != nil {
		t.Fatal(err)
	}
	encoder := b.graph(placeholder(inputName, []int{rhombi.H, rhombi.W, rhombi.C}), at)
	var out [][]byte
	for _, g := range []*graphpb.GraphDef{small(), layers, encoder} {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, raw)
	}
	return append(out, ascii(layers))
}

// TestDamaged: a graph with a byte changed, or cut off, is refused or run.
func TestDamaged(t *testing.T) {
	for _, raw := range seeds(t)[:2] {
		if err := run(raw); err != nil {
			t.Fatal(err)
		}
		if !recognise(raw[:min(512, len(raw))]) {
			t.Error("not recognised")
		}
		for k := range raw {
			bad := append([]byte{}, raw...)
			bad[k] ^= byte(1 + k%255)
			_ = run(bad)
			if k%7 == 0 {
				_ = run(raw[:k])
			}
		}
	}
}

// TestFile: errors of files name them.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "g.pb")
	if err := os.WriteFile(path, []byte("\n\x05ab"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, path + "x"} {
		if _, err := open(model.Source{Path: p}, nn.Settings{}); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func FuzzGraph(f *testing.F) {
	for _, raw := range seeds(f) {
		f.Add(raw)
	}
	f.Fuzz(func(_ *testing.T, raw []byte) {
		recognise(raw[:min(512, len(raw))])
		_ = run(raw)
	})
}
