package source

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"barrow/model"
	"barrow/nn"
)

// Cpp is C++17 as a format of models, written only.
func Cpp() model.Format {
	return model.Format{
		Name: "cpp", About: "a C++17 header without dependencies, and its test program",
		Check: check1, Export: exportCpp, Verify: verifyCpp,
	}
}

// check1 says why a model cannot be written.
func check1(m *model.Model) error {
	_, err := programOf(m)
	return err
}

func exportCpp(_ context.Context, m *model.Model) ([]model.File, error) {
	p, err := programOf(m)
	if err != nil {
		return nil, err
	}
	return []model.File{
		{Name: p.name + ".h", Data: p.cpp(), About: "the model as functions of namespace " + p.name + " on arrays of float; nothing is allocated"},
		{Name: "test.cpp", Data: p.cppTest(), About: "holds the header to the vectors beside it:\ng++ -std=c++17 -O2 -o test test.cpp && ./test"},
	}, nil
}

// literal is a number of 32 bits, all of it.
func literal(v float32) string {
	s := strconv.FormatFloat(float64(v), 'g', -1, 32)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// numbers lists constants, a few a line.
func numbers(n int, one func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i%12 == 0 {
			b.WriteString("\n    ")
		} else {
			b.WriteString(" ")
		}
		b.WriteString(one(i) + ",")
	}
	return b.String() + "\n"
}

func comment(mark, text string) string {
	return mark + " " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+mark+" ") + "\n"
}

func (p *program) cpp() []byte {
	var b bytes.Buffer
	b.WriteString(comment("//", "Written by Barrow. Images and features are arrays of float, channels last.\n"+p.about))
	fmt.Fprintf(&b, "#pragma once\n\n#include <algorithm>\n#include <cmath>\n\nnamespace %s {\n\n", p.name)
	for _, h := range cppHelpers {
		if p.has(h.kinds...) || len(h.kinds) == 0 {
			b.WriteString(h.text)
		}
	}
	if p.contract != nil {
		p.cppImage(&b)
	}
	for _, part := range p.parts {
		if part.Name == "encoder" && p.chip != nil {
			p.cppChip(&b)
			continue
		}
		for _, a := range part.arrays() {
			fmt.Fprintf(&b, "// %s %v\ninline constexpr float %s[%d] = {%s};\n\n", a.about, a.shape, a.name, len(a.value),
				numbers(len(a.value), func(i int) string { return literal(a.value[i]) + "f" }))
		}
		cppPart(&b, part)
	}
	if d := p.find("decoder"); d != nil && p.contract != nil {
		more, pass := "", ""
		for _, in := range d.Inputs[1:] {
			more, pass = more+", const float* "+in.Name, pass+", "+in.Name
		}
		fmt.Fprintf(&b, "// The whole: what decode makes of what encode makes of x.\ninline void autoencode(const float* x%s, float* y) {\n  float latent[16];\n  encode(x, latent);\n  decode(latent%s, y);\n}\n\n", more, pass)
	}
	fmt.Fprintf(&b, "}  // namespace %s\n", p.name)
	return b.Bytes()
}

func (p *program) cppImage(b *bytes.Buffer) {
	scale := map[string]string{"sum": "  const double scale = sum;\n", "max": "  const double scale = *std::max_element(charge, charge + 48);\n"}[p.contract.Normalisation]
	first := 0
	if p.contract.Normalisation == "sumlog2-without-0" {
		first = 1
	}
	if scale == "" {
		scale = "  int e = 0;\n  std::frexp(sum, &e);\n  const double scale = std::ldexp(1.0, e - 1);\n"
	}
	fmt.Fprintf(b, "// Where each of 48 cells (V9 order) lies in the image.\ninline constexpr int cells[48] = {%s};\n\n", numbers(48, func(i int) string { return fmt.Sprint(p.contract.Cells[i]) }))
	fmt.Fprintf(b, `// The image of 48 charges, which are divided by %s; false if that is 0.
inline bool image(const float* charge, float* x) {
  double sum = 0;
  for (int i = %d; i < 48; i++) sum += charge[i];
  if (!(sum > 0)) return false;
%s  std::fill(x, x + %d, 0.0f);
  for (int i = 0; i < 48; i++) x[cells[i]] = static_cast<float>(charge[i] / scale);
  return true;
}

`, scales[p.contract.Normalisation], first, scale, p.contract.Shape.Size())
}

func (p *program) cppChip(b *bytes.Buffer) {
	w := p.chip
	array := func(name string, n int, at func(i int) int8) {
		fmt.Fprintf(b, "inline constexpr int %s[%d] = {%s};\n\n", name, n, numbers(n, func(i int) string { return fmt.Sprint(at(i)) }))
	}
	b.WriteString("// The encoder's weights in units of 1/32: 3x3x8, 8, 16x128 and 16.\n")
	array("conv_weights", 72, func(i int) int8 { return w.Conv[i] })
	array("conv_bias", 8, func(i int) int8 { return w.ConvBias[i] })
	array("dense_weights", 2048, func(i int) int8 { return w.Dense[i/128][i%128] })
	array("dense_bias", 16, func(i int) int8 { return w.DenseBias[i] })
	fmt.Fprintf(b, `// The encoder in the chip's integers: 8x8 pixels in units of 1/128, at most 255; outputs
// in units of 1/256. Every product is rounded down (>> of a negative number does) before
// it is added.
inline void encode_integers(const int* pixels, int* latent) {
  constexpr int sent[16] = {%[1]s};  // the bits of each output
  int hidden[128];  // in units of 1/128
  for (int y = 0; y < 4; y++)
    for (int x = 0; x < 4; x++)
      for (int f = 0; f < 8; f++) {
        int sum = conv_bias[f] * 4;
        for (int dy = 0; dy < 3; dy++)
          for (int dx = 0; dx < 3; dx++) {
            const int row = 2 * y + dy, column = 2 * x + dx;
            if (row < 8 && column < 8) sum += (pixels[row * 8 + column] * conv_weights[(dy * 3 + dx) * 8 + f]) >> 5;
          }
        hidden[(y * 4 + x) * 8 + f] = std::max(sum, 0);
      }
  for (int j = 0; j < 16; j++) {
    int sum = dense_bias[j] * 8;
    for (int i = 0; i < 128; i++) sum += (hidden[i] * dense_weights[j * 128 + i]) >> 4;
    latent[j] = std::min(std::max(sum, 0), 511) & sent[j];
  }
}

// The same of an image as numbers that are not negative.
inline void encode(const float* x, float* latent) {
  int pixels[64], outputs[16];
  for (int i = 0; i < 64; i++) pixels[i] = static_cast<int>(std::min(x[i] * 128, 255.0f));
  encode_integers(pixels, outputs);
  for (int j = 0; j < 16; j++) latent[j] = static_cast<float>(outputs[j]) / 256;
}

`, p.mask())
}

func cppPart(b *bytes.Buffer, p *part) {
	name, args, size := functions[p.Name], "", 0
	for _, in := range p.Inputs {
		args += fmt.Sprintf("const float* %s, ", in.Name)
		size += in.Shape.Size()
	}
	fmt.Fprintf(b, "// %s: of %s to %s.\ninline void %s(%sfloat* out) {\n", strings.ToUpper(p.About[:1])+p.About[1:], extent(p.Network.InputShape()), extent(p.Network.OutputShape()), name, args)
	last := p.Inputs[0].Name
	if len(p.Inputs) > 1 {
		fmt.Fprintf(b, "  float joined[%d];\n  float* end = joined;\n", size)
		for _, in := range p.Inputs {
			fmt.Fprintf(b, "  end = std::copy(%s, %s + %d, end);\n", in.Name, in.Name, in.Shape.Size())
		}
		last = "joined"
	}
	first := last
	for _, o := range p.ops {
		if o.x == "x" {
			o.x = first
		}
		last = cppOp(b, o)
	}
	fmt.Fprintf(b, "  std::copy(%s, %s + %d, out);\n}\n\n", last, last, p.Network.OutputShape().Size())
}

func cppOp(b *bytes.Buffer, o op) string {
	in, out := o.In.Size(), o.Out.Size()
	fmt.Fprintf(b, "  // %s\n", o.title())
	made := func(format string, a ...any) {
		fmt.Fprintf(b, "  float %s[%d];\n  %s;\n", o.y, out, fmt.Sprintf(format, a...))
	}
	bias := "nullptr"
	if o.bias != nil {
		bias = o.bias.name
	}
	shapes := fmt.Sprintf("%d, %d, %d, %d, %d, %d", o.In.H, o.In.W, o.In.C, o.Out.H, o.Out.W, o.Out.C)
	switch o.Kind {
	case nn.KindConv2D, nn.KindConv2DTranspose:
		made("%s<%s, %d, %d, %d, %d>(%s, %s, %s, %s)", o.Kind, shapes, o.Kernel, o.Stride, o.top, o.left, o.x, o.kernel.name, bias, o.y)
	case nn.KindDense:
		made("dense<%d, %d>(%s, %s, %s, %s)", in, out, o.x, o.kernel.name, bias, o.y)
	case nn.KindBatchNorm:
		made("batch_norm<%d, %d>(%s, %s, %s, %s, %s)", out, o.In.C, o.x, o.mean.name, o.scale.name, bias, o.y)
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		made("quantise<%d, %t>(%s, %sf, %sf, %sf, %s)", out, o.grid.Floor, o.x, literal(o.grid.Step), literal(o.grid.Low), literal(o.grid.High), o.y)
	case nn.KindCrop:
		made("crop<%s, %d, %d>(%s, %s)", shapes, o.top, o.left, o.x, o.y)
	case nn.KindAdd:
		made("for (int i = 0; i < %d; i++) %s[i] = %s[i] + %s[i]", out, o.y, o.x, o.from)
	case nn.KindSwapPair, nn.KindNegatePair:
		fmt.Fprintf(b, "  float pair[2][%d];\n  for (int k = 0; k < 2; k++) {\n", out)
		if o.Kind == nn.KindSwapPair {
			made("for (int i = 0; i < %[1]d; i++) %[2]s[i] = %[3]s[i / %[4]d * %[4]d + (i + k * %[5]d) %% %[4]d]", out, o.y, o.x, o.In.C, o.In.C/2)
		} else {
			made("for (int i = 0; i < %d; i++) %s[i] = k ? -%s[i] : %s[i]", out, o.y, o.x, o.x)
		}
	case nn.KindPairMean, nn.KindPairDifference:
		fmt.Fprintf(b, "  std::copy(%s, %s + %d, pair[k]);\n  }\n", o.x, o.x, in)
		what := "(pair[0][i] + pair[1][i]) / 2"
		if o.Kind == nn.KindPairDifference {
			what = "pair[0][i] - pair[1][i]"
		}
		made("for (int i = 0; i < %d; i++) %s[i] = %s", out, o.y, what)
	case nn.KindFlatten, nn.KindReshape:
		fmt.Fprintf(b, "  const float* %s = %s;\n", o.y, o.x)
	default:
		made("for (int i = 0; i < %d; i++) %s[i] = %s(%s[i])", out, o.y, o.Kind, o.x)
	}
	return o.y
}

func (p *program) cppTest() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, cppHarness, p.name)
	for _, c := range p.checks() {
		args, names := "", []string{}
		for i := range c.in {
			args += fmt.Sprintf("in[%d].data(), ", i)
			names = append(names, fmt.Sprintf("{%q, %d}", c.in[i], c.sizes[i]))
		}
		step := c.step
		if c.exact {
			step = 0
		}
		fmt.Fprintf(&b, "  ok &= check(\"%s\", {%s}, {%q, %d}, %t, %v, [](const Rows& in, float* out) { %s::%s(%sout); });\n",
			c.call, strings.Join(names, ", "), c.out, c.size, c.exact, step, p.name, c.call, args)
	}
	b.WriteString("  return ok ? 0 : 1;\n}\n")
	return b.Bytes()
}
