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

// Python is NumPy as a format of models, written only.
func Python() model.Format {
	return model.Format{
		Name: "python", About: "a file of Python that needs NumPy alone, to be read",
		Check: check1, Export: exportPython, Verify: verifyPython,
	}
}

func exportPython(_ context.Context, m *model.Model) ([]model.File, error) {
	p, err := programOf(m)
	if err != nil {
		return nil, err
	}
	return []model.File{{Name: p.name + ".py", Data: p.python(), About: "the model as functions on NumPy arrays of many samples; run by itself, it holds them to vectors.npz beside it"}}, nil
}

func (p *program) python() []byte {
	var b bytes.Buffer
	b.WriteString(comment("#", "Written by Barrow. Arrays are samples first, channels last; sums are formed in double precision.\n"+p.about))
	b.WriteString(pythonHelpers)
	if p.contract != nil {
		scale := map[string]string{
			"sum": "charge.sum(axis=1)", "max": "charge.max(axis=1)", "sumlog2": "2.0 ** (np.frexp(charge.sum(axis=1))[1] - 1)",
			"sumlog2-without-0": "2.0 ** (np.frexp(charge[:, 1:].sum(axis=1))[1] - 1)",
		}[p.contract.Normalisation]
		s := p.contract.Shape
		fmt.Fprintf(&b, "# Where each of 48 cells (V9 order) lies in the image.\nCELLS = [%s]\n\n\ndef image(charge):\n    \"\"\"The images of charges, N x 48, divided by %s.\"\"\"\n    scale = %s\n    x = np.zeros((len(charge), %d), np.float32)\n    x[:, CELLS] = charge / scale[:, None]\n    return x.reshape(-1, %d, %d, %d)\n\n\n",
			numbers(48, func(i int) string { return fmt.Sprint(p.contract.Cells[i]) }), scales[p.contract.Normalisation], scale, s.Size(), s.H, s.W, s.C)
	}
	for _, part := range p.parts {
		if part.Name == "encoder" && p.chip != nil {
			fmt.Fprintf(&b, pythonChip, p.mask())
			continue
		}
		pythonPart(&b, part)
	}
	if d := p.find("decoder"); d != nil && p.contract != nil {
		more := ""
		for _, in := range d.Inputs[1:] {
			more += ", " + in.Name
		}
		fmt.Fprintf(&b, "def autoencode(x%[1]s):\n    return decode(encode(x)%[1]s)\n\n\n", more)
	}
	p.pythonWeights(&b)
	b.WriteString(pythonMain)
	for _, c := range p.checks() {
		step := c.step
		if c.exact {
			step = 0
		}
		exact := map[bool]string{true: "True", false: "False"}[c.exact]
		fmt.Fprintf(&b, "    ok &= check(%s, [\"%s\"], \"%s\", %s, %v)\n", c.call, strings.Join(c.in, `", "`), c.out, exact, step)
	}
	b.WriteString("    sys.exit(not ok)\n")
	return b.Bytes()
}

func (p *program) pythonWeights(b *bytes.Buffer) {
	dims := func(shape []int) string { return strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", ", ") }
	for _, part := range p.parts {
		for _, a := range part.arrays() {
			fmt.Fprintf(b, "# %s\n%s = constant([%s], %s)\n", a.about, a.name, numbers(len(a.value), func(i int) string {
				return strconv.FormatFloat(float64(a.value[i]), 'g', -1, 32)
			}), dims(a.shape))
		}
	}
	if w := p.chip; w != nil {
		r := w.Registers()
		b.WriteString("# The encoder's weights in units of 1/32.\n")
		for _, a := range []struct {
			name, shape string
			from, to    int
		}{{"CONV", "3, 3, 8", 0, 72}, {"CONV_BIAS", "8", 72, 80}, {"DENSE", "16, 128", 80, 2128}, {"DENSE_BIAS", "16", 2128, 2144}} {
			fmt.Fprintf(b, "%s = np.array([%s]).reshape(%s)\n", a.name, numbers(a.to-a.from, func(i int) string { return fmt.Sprint(r[a.from+i]) }), a.shape)
		}
	}
}

func pythonPart(b *bytes.Buffer, p *part) {
	var names []string
	for _, in := range p.Inputs {
		names = append(names, in.Name)
	}
	fmt.Fprintf(b, "def %s(%s):\n    \"\"\"%s: of %s to %s.\"\"\"\n", functions[p.Name], strings.Join(names, ", "), strings.ToUpper(p.About[:1])+p.About[1:], extent(p.Network.InputShape()), extent(p.Network.OutputShape()))
	last := names[0]
	if len(names) > 1 {
		last = "np.concatenate([" + strings.Join(names, ", ") + "], axis=1)"
	}
	fmt.Fprintf(b, "    x = %s\n", last)
	indent := "    "
	for _, o := range p.ops {
		fmt.Fprintf(b, "%s# %s\n", indent, o.title())
		switch o.Kind {
		case nn.KindSwapPair, nn.KindNegatePair:
			fmt.Fprintf(b, "    pair = []\n    for k in range(2):\n")
			indent += "    "
		case nn.KindPairMean, nn.KindPairDifference:
			fmt.Fprintf(b, "%spair.append(%s)\n", indent, o.x)
			indent = "    "
		}
		fmt.Fprintf(b, "%s%s = %s\n", indent, o.y, pythonOp(o))
		last = o.y
	}
	fmt.Fprintf(b, "    return %s.astype(np.float32)\n\n\n", last)
}

func pythonOp(o op) string {
	bias := "0"
	if o.bias != nil {
		bias = o.bias.name
	}
	in, out := o.In, o.Out
	shape := fmt.Sprintf("reshape(-1, %d, %d, %d)", out.H, out.W, out.C)
	if out.H*out.W == 1 {
		shape = fmt.Sprintf("reshape(-1, %d)", out.C)
	}
	image := fmt.Sprintf("%s.reshape(-1, %d, %d, %d)", o.x, in.H, in.W, in.C)
	switch o.Kind {
	case nn.KindConv2D, nn.KindConv2DTranspose:
		return fmt.Sprintf("%s(%s, %s, %s, %d, %d, %d, %d, %d).%s", o.Kind, image, o.kernel.name, bias, o.Stride, o.top, o.left, out.H, out.W, shape)
	case nn.KindDense:
		return fmt.Sprintf("dense(%s.reshape(-1, %d), %s, %s)", o.x, in.Size(), o.kernel.name, bias)
	case nn.KindBatchNorm:
		return fmt.Sprintf("(%s - %s) * %s + %s", o.x, o.mean.name, o.scale.name, bias)
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		round := map[bool]string{true: "np.floor", false: "np.rint"}[o.grid.Floor]
		return fmt.Sprintf("np.clip(%s(%s / %v), %v, %v) * %v", round, o.x, o.grid.Step, o.grid.Low, o.grid.High, o.grid.Step)
	case nn.KindCrop:
		return fmt.Sprintf("%s[:, %d:%d, %d:%d].%s", image, o.top, o.top+out.H, o.left, o.left+out.W, shape)
	case nn.KindAdd:
		return o.x + " + " + o.from
	case nn.KindSwapPair:
		return fmt.Sprintf("np.roll(%s, k * %d, axis=-1)", o.x, in.C/2)
	case nn.KindNegatePair:
		return fmt.Sprintf("-%s if k else %s", o.x, o.x)
	case nn.KindPairMean:
		return "(pair[0] + pair[1]) / 2"
	case nn.KindPairDifference:
		return "pair[0] - pair[1]"
	case nn.KindReLU:
		return fmt.Sprintf("np.maximum(%s, 0)", o.x)
	case nn.KindSigmoid:
		return fmt.Sprintf("1 / (1 + np.exp(-%s))", o.x)
	case nn.KindTanh:
		return fmt.Sprintf("np.tanh(%s)", o.x)
	case nn.KindSiLU:
		return fmt.Sprintf("%s / (1 + np.exp(-%s))", o.x, o.x)
	case nn.KindSquare:
		return o.x + " ** 2"
	}
	return o.x + "." + shape // flatten, reshape
}

const pythonHelpers = `
import os
import sys

import numpy as np


def constant(numbers, *shape):
    return np.array(numbers, np.float32).astype(float).reshape(shape)


def conv2d(x, kernel, bias, stride, top, left, high, wide):
    """Convolution with a kernel (k, k, channels, filters); top rows and left columns of 0 are before the image."""
    k = len(kernel)
    x = np.pad(x, ((0, 0), (top, k + stride), (left, k + stride), (0, 0)))
    y = np.zeros((len(x), high, wide, kernel.shape[3])) + bias
    for r in range(k):
        for c in range(k):
            y += x[:, r : r + stride * high : stride, c : c + stride * wide : stride] @ kernel[r, c]
    return y


def conv2d_transpose(x, kernel, bias, stride, top, left, high, wide):
    """Transposed convolution with a kernel (k, k, filters, channels); top rows and left columns are cut away."""
    k, h, w = len(kernel), x.shape[1], x.shape[2]
    y = np.zeros((len(x), h * stride + k, w * stride + k, kernel.shape[2]))
    for r in range(k):
        for c in range(k):
            y[:, r : r + stride * h : stride, c : c + stride * w : stride] += x @ kernel[r, c].T
    return y[:, top : top + high, left : left + wide] + bias


def dense(x, kernel, bias):
    return x @ kernel + bias


`

const pythonChip = `def encode_integers(pixels):
    """The encoder in the chip's integers: N x 8 x 8 pixels in units of 1/128, at most 255; outputs in
    units of 1/256. Every product is rounded down (>>) before it is added."""
    pixels = np.pad(pixels, ((0, 0), (0, 1), (0, 1)))
    hidden = np.zeros((len(pixels), 4, 4, 8), int) + 4 * CONV_BIAS  # in units of 1/128
    for r in range(3):
        for c in range(3):
            hidden += pixels[:, r : r + 7 : 2, c : c + 7 : 2, None] * CONV[r, c] >> 5
    hidden = np.maximum(hidden, 0).reshape(-1, 1, 128)
    latent = (hidden * DENSE >> 4).sum(axis=2) + 8 * DENSE_BIAS
    return np.clip(latent, 0, 511) & np.array([%[1]s])  # the bits that are sent


def encode(x):
    """16 numbers of images, N x 8 x 8 x 1."""
    pixels = np.minimum(x * 128, 255).astype(int).reshape(-1, 8, 8)
    return (encode_integers(pixels) / 256).astype(np.float32)


`

const pythonMain = `

def check(function, inputs, output, exact, step):
    """Equal, or within 1e-6, or at most one number in a hundred a step off."""
    want = VECTORS[output].astype(float)
    off = np.abs(function(*[VECTORS[name] for name in inputs]).reshape(want.shape) - want)
    ok = np.all(off <= (0 if exact else 1e-6 * max(1, np.abs(want).max()) + 1e-6 * np.abs(want)))
    if step:
        ok = np.mean(off > 0) <= 0.01 and off.max() <= step
    print(f"{function.__name__:10} {np.sum(off == 0)} of {off.size} numbers equal, the farthest off by {off.max():g}: {'ok' if ok else 'WRONG'}")
    return ok


if __name__ == "__main__":
    VECTORS = np.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors.npz"))
    ok = True
`
