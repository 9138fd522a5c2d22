package source

import (
	"bytes"
	"context"
	"fmt"
	"go/format"
	"strconv"
	"strings"

	"barrow/model"
	"barrow/nn"
)

// Go is a file of Go as a format of models, written only.
func Go() model.Format {
	return model.Format{
		Name: "go", About: "a file of Go without dependencies, and its test, to be read",
		Check: check1, Export: exportGo, Verify: verifyGo,
	}
}

func exportGo(_ context.Context, m *model.Model) ([]model.File, error) {
	p, err := programOf(m)
	if err != nil {
		return nil, err
	}
	code, err := format.Source(p.golang())
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	test, err := format.Source(p.goTest())
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	name := p.name + "_test.go"
	return []model.File{
		{Name: p.name + ".go", Data: code, About: "the model as functions of package " + p.name + " on slices of float32, one sample at a time"},
		{Name: name, Data: test, About: fmt.Sprintf("holds it to the vectors beside it: go test %s.go %s", p.name, name)},
	}, nil
}

// goName is the function of a part.
func goName(call string) string {
	if call == "emd" {
		return "EMD"
	}
	return strings.ToUpper(call[:1]) + call[1:]
}

func (p *program) golang() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Package %s was written by Barrow. Images and features are slices of numbers, channels\n// last; sums are formed in double precision.\n//\n%spackage %s\n\n", p.name, comment("//", p.about), p.name)
	if p.contract != nil || p.has(nn.KindSigmoid, nn.KindTanh, nn.KindSiLU, nn.KindQuantizedBits, nn.KindQuantizedReLU) {
		b.WriteString("import \"math\"\n\n")
	}
	if p.contract != nil {
		p.goImage(&b)
	}
	for _, part := range p.parts {
		if part.Name == "encoder" && p.chip != nil {
			fmt.Fprintf(&b, goChip, p.mask())
			continue
		}
		goPart(&b, part)
	}
	if d := p.find("decoder"); d != nil && p.contract != nil {
		more, pass := "", ""
		for _, in := range d.Inputs[1:] {
			more, pass = more+", "+in.Name, pass+", "+in.Name
		}
		fmt.Fprintf(&b, "// Autoencode is the whole: what Decode makes of what Encode makes of x.\nfunc Autoencode(x%s []float32) []float32 { return Decode(Encode(x)%s) }\n\n", more, pass)
	}
	for _, h := range goHelpers {
		if p.has(h.kinds...) {
			b.WriteString(h.text)
		}
	}
	p.goWeights(&b)
	return b.Bytes()
}

func (p *program) goImage(b *bytes.Buffer) {
	first, scale := 0, "_, e := math.Frexp(sum)\nscale := math.Ldexp(1, e-1)"
	switch p.contract.Normalisation {
	case "sum":
		scale = "scale := sum"
	case "max":
		scale = "scale := 0.0\nfor _, v := range charge {\nscale = math.Max(scale, float64(v))\n}"
	case "sumlog2-without-0":
		first = 1
	}
	fmt.Fprintf(b, `// cells says where each of 48 cells (V9 order) lies in the image.
var cells = [48]int{%s}

// Image is that of 48 charges, which are divided by %s; nil if that is not above 0.
func Image(charge []float32) []float32 {
	sum := 0.0
	for _, v := range charge[%d:] {
		sum += float64(v)
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil
	}
	%s
	x := make([]float32, %d)
	for i, v := range charge {
		x[cells[i]] = float32(float64(v) / scale)
	}
	return x
}

`, numbers(48, func(i int) string { return fmt.Sprint(p.contract.Cells[i]) }), scales[p.contract.Normalisation], first, scale, p.contract.Shape.Size())
}

func goPart(b *bytes.Buffer, p *part) {
	var names []string
	for _, in := range p.Inputs {
		names = append(names, in.Name)
	}
	name := goName(functions[p.Name])
	fmt.Fprintf(b, "// %s makes %s: of %s, %s.\nfunc %s(%s []float32) []float32 {\n", name, p.About, extent(p.Network.InputShape()), extent(p.Network.OutputShape()), name, strings.Join(names, ", "))
	last := names[0]
	if len(names) > 1 {
		last = "joined"
		b.WriteString("var joined []float32\n")
		for _, n := range names {
			fmt.Fprintf(b, "joined = append(joined, %s...)\n", n)
		}
	}
	first := last
	for _, o := range p.ops {
		if o.x == "x" {
			o.x = first
		}
		switch o.Kind {
		case nn.KindSwapPair, nn.KindNegatePair:
			b.WriteString("var pair [2][]float32\nfor k := range pair {\n")
		case nn.KindPairMean, nn.KindPairDifference:
			fmt.Fprintf(b, "pair[k] = %s\n}\n", o.x)
		}
		fmt.Fprintf(b, "// %s\n%s := %s\n", o.title(), o.y, goOp(o))
		last = o.y
	}
	fmt.Fprintf(b, "return %s\n}\n\n", last)
}

// goOp is an operation as an expression.
func goOp(o op) string {
	bias := "nil"
	if o.bias != nil {
		bias = o.bias.name + "[:]"
	}
	shapes := fmt.Sprintf("[3]int{%d, %d, %d}, [3]int{%d, %d, %d}", o.In.H, o.In.W, o.In.C, o.Out.H, o.Out.W, o.Out.C)
	each := func(expression string) string {
		return fmt.Sprintf("each(%s, func(v float64) float64 { return %s })", o.x, expression)
	}
	switch o.Kind {
	case nn.KindConv2D:
		return fmt.Sprintf("convolve(%s, %s[:], %s, %s, %d, %d, %d, %d)", o.x, o.kernel.name, bias, shapes, o.Kernel, o.Stride, o.top, o.left)
	case nn.KindConv2DTranspose:
		return fmt.Sprintf("transposed(%s, %s[:], %s, %s, %d, %d, %d, %d)", o.x, o.kernel.name, bias, shapes, o.Kernel, o.Stride, o.top, o.left)
	case nn.KindDense:
		return fmt.Sprintf("dense(%s, %s[:], %s, %d)", o.x, o.kernel.name, bias, o.Units)
	case nn.KindBatchNorm:
		return fmt.Sprintf("batchNorm(%s, %s[:], %s[:], %s)", o.x, o.mean.name, o.scale.name, bias)
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		round := map[bool]string{true: "Floor", false: "RoundToEven"}[o.grid.Floor]
		return each(fmt.Sprintf("min(max(math.%s(v/%v), %v), %v) * %v", round, o.grid.Step, o.grid.Low, o.grid.High, o.grid.Step))
	case nn.KindCrop:
		return fmt.Sprintf("crop(%s, %s, %d, %d)", o.x, shapes, o.top, o.left)
	case nn.KindAdd:
		return fmt.Sprintf("add(%s, %s)", o.x, o.from)
	case nn.KindSwapPair:
		return fmt.Sprintf("swap(%s, k, %d)", o.x, o.In.C)
	case nn.KindNegatePair:
		return fmt.Sprintf("negate(%s, k)", o.x)
	case nn.KindPairMean:
		return "mean(pair)"
	case nn.KindPairDifference:
		return "difference(pair)"
	case nn.KindReLU:
		return each("max(v, 0)")
	case nn.KindSigmoid:
		return each("1 / (1 + math.Exp(-v))")
	case nn.KindTanh:
		return each("math.Tanh(v)")
	case nn.KindSiLU:
		return each("v / (1 + math.Exp(-v))")
	case nn.KindSquare:
		return each("v * v")
	}
	return o.x // flatten, reshape
}

func (p *program) goWeights(b *bytes.Buffer) {
	for _, part := range p.parts {
		for _, a := range part.arrays() {
			fmt.Fprintf(b, "// %s %v\nvar %s = [...]float32{%s}\n\n", a.about, a.shape, a.name, numbers(len(a.value), func(i int) string { return strconv.FormatFloat(float64(a.value[i]), 'g', -1, 32) }))
		}
	}
	if p.chip == nil {
		return
	}
	r := p.chip.Registers()
	b.WriteString("// The encoder's weights in units of 1/32.\n")
	for _, a := range []struct {
		name     string
		from, to int
	}{{"conv", 0, 72}, {"convBias", 72, 80}, {"denseKernel", 80, 2128}, {"denseBias", 2128, 2144}} {
		fmt.Fprintf(b, "var %s = [...]int{%s}\n\n", a.name, numbers(a.to-a.from, func(i int) string { return fmt.Sprint(r[a.from+i]) }))
	}
}

func (p *program) goTest() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, goHarness, p.name)
	for _, c := range p.checks() {
		var in, args []string
		for i, name := range c.in {
			in, args = append(in, strconv.Quote(name)), append(args, fmt.Sprintf("in[%d]", i))
		}
		step := c.step
		if c.exact {
			step = 0
		}
		name := goName(c.call)
		fmt.Fprintf(&b, "func Test%s(t *testing.T) {\n\tcheck(t, []string{%s}, %q, %t, %v, func(in [][]float32) []float32 { return %s(%s) })\n}\n\n", name, strings.Join(in, ", "), c.out, c.exact, step, name, strings.Join(args, ", "))
	}
	return b.Bytes()
}
