package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"strconv"

	"barrow/model"
	"barrow/nn"
)

// Go is a file of Go as a format of models, written only: encoders, to be read.
func Go() model.Format {
	return model.Format{
		Name: "go", About: "a file of Go without dependencies: the encoder alone, to be read",
		Check: checkGo, Export: exportGo,
	}
}

func checkGo(m *model.Model) error {
	if m.Encoder() == nil {
		return errors.New("source: Go is written of encoders, and this network is none: take cpp or python")
	}
	_, err := goSource(m)
	return err
}

func exportGo(_ context.Context, m *model.Model) ([]model.File, error) {
	raw, err := goSource(m)
	if err != nil {
		return nil, err
	}
	return []model.File{{Name: "encoder.go", Data: raw, About: "Encode makes 16 numbers of an image"},
		{Name: "encoder_test.go", Data: []byte(goTest), About: "holds it to the vectors beside it: go test encoder.go encoder_test.go"}}, nil
}

func goSource(m *model.Model) ([]byte, error) {
	p, err := programOf(m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("// Package encoder was written by Barrow.\n//\n" + comment("//", p.about) + "package encoder\n\nimport \"math\"\n\n")
	e := p.find("encoder")
	fmt.Fprintf(&b, "const (\n\texact = %t // whether outputs are the same to the bit\n\tstep = %v // of outputs that rounding may put to the other side\n)\n\n", e.outcome.exact, e.outcome.step)
	if w := p.chip; w != nil {
		r := w.Registers()
		fmt.Fprintf(&b, goChip, p.dropped, p.dropped)
		for _, a := range []struct {
			name     string
			from, to int
		}{{"conv", 0, 72}, {"convBias", 72, 80}, {"dense", 80, 2128}, {"denseBias", 2128, 2144}} {
			fmt.Fprintf(&b, "var %s = [...]int{%s}\n\n", a.name, numbers(a.to-a.from, func(i int) string { return fmt.Sprint(r[a.from+i]) }))
		}
		return format.Source(b.Bytes())
	}
	b.WriteString("// Encode makes 16 numbers of an image, channels last. Sums are in double precision.\nfunc Encode(x []float32) []float32 {\n")
	for _, o := range e.ops {
		fmt.Fprintf(&b, "// %s\n", o.title())
		switch o.Kind {
		case nn.KindConv2D:
			fmt.Fprintf(&b, "x = convolve(x, %s[:], %s[:], %d, %d, %d, %d, %d, %d, %d, %d, %d)\n", o.kernel.name, o.bias.name, o.In.H, o.In.W, o.In.C, o.Out.H, o.Out.W, o.Kernel, o.Stride, o.top, o.left)
		case nn.KindDense:
			// An image of one pixel, of as many channels as there are numbers.
			fmt.Fprintf(&b, "x = convolve(x, %s[:], %s[:], 1, 1, %d, 1, 1, 1, 1, 0, 0)\n", o.kernel.name, o.bias.name, o.In.Size())
		case nn.KindReLU:
			b.WriteString("x = each(x, func(v float64) float64 { return max(v, 0) })\n")
		case nn.KindQuantizedBits, nn.KindQuantizedReLU:
			round := map[bool]string{true: "Floor", false: "RoundToEven"}[o.grid.floor]
			fmt.Fprintf(&b, "x = each(x, func(v float64) float64 { return min(max(math.%s(v/%v), %v), %v) * %v })\n", round, o.grid.step, o.grid.low, o.grid.high, o.grid.step)
		case nn.KindFlatten, nn.KindReshape:
		default:
			return nil, fmt.Errorf("source: layer %q (%s): Go is not written of such layers: take cpp or python", o.Name, o.Kind)
		}
	}
	b.WriteString("return x\n}\n\n" + goHelpers)
	for _, a := range e.arrays() {
		fmt.Fprintf(&b, "// %s %v\nvar %s = [...]float32{%s}\n\n", a.about, a.shape, a.name, numbers(len(a.value), func(i int) string { return strconv.FormatFloat(float64(a.value[i]), 'g', -1, 32) }))
	}
	return format.Source(b.Bytes())
}

const goHelpers = `
func each(x []float32, f func(v float64) float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(f(float64(v)))
	}
	return y
}

var _ = math.Floor

// convolve has a kernel [k][k][c][filters]; top and left are rows and columns of 0 before the image.
func convolve(x, w, b []float32, h, wide, c, oh, ow, k, stride, top, left int) (y []float32) {
	for at := range oh * ow {
		for f := range b {
			sum := float64(b[f])
			for tap := range k * k {
				row, column := at/ow*stride+tap/k-top, at%ow*stride+tap%k-left
				if row < 0 || row >= h || column < 0 || column >= wide {
					continue
				}
				for i := range c {
					sum += float64(x[(row*wide+column)*c+i]) * float64(w[(tap*c+i)*len(b)+f])
				}
			}
			y = append(y, float32(sum))
		}
	}
	return y
}
`

const goChip = `// Encode is the chip in integers: pixels in units of 1/128, at most 255, weights of 1/32, outputs of
// 1/256. Every product is rounded down (>>) before it is added.
func Encode(x []float32) []float32 {
	var hidden [128]int
	for i := range hidden {
		at, f := i/8, i%%8
		sum := convBias[f] * 4
		for tap := range 9 {
			row, column := at/4*2+tap/3, at%%4*2+tap%%3
			if row < 8 && column < 8 {
				sum += int(math.Min(float64(x[row*8+column])*128, 255)) * conv[tap*8+f] >> 5
			}
		}
		hidden[i] = max(sum, 0)
	}
	y := make([]float32, 16)
	for j := range y {
		sum := denseBias[j] * 8
		for i, h := range hidden {
			sum += h * dense[j*128+i] >> 4
		}
		y[j] = float32(min(max(sum, 0), 511)>>%d<<%d) / 256
	}
	return y
}

`

const goTest = `package encoder

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"
)

func read(t *testing.T, name string) (rows [][]float32) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range all {
		var row []float32
		for _, s := range line {
			v, err := strconv.ParseFloat(s, 32)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, float32(v))
		}
		rows = append(rows, row)
	}
	return rows
}

func TestEncode(t *testing.T) {
	x, want := read(t, "vectors_x.csv"), read(t, "vectors_latent.csv")
	equal, all, most, largest := 0, 0, 0.0, 1.0
	for i := range x {
		for j, v := range Encode(x[i]) {
			off := math.Abs(float64(v) - float64(want[i][j]))
			most, largest = max(most, off), max(largest, math.Abs(float64(want[i][j])))
			all++
			if off == 0 {
				equal++
			}
		}
	}
	t.Logf("%d of %d numbers equal, the farthest off by %g", equal, all, most)
	ok := exact && equal == all || !exact && step == 0 && most <= 2e-6*largest || !exact && step > 0 && (all-equal)*100 <= all && most <= step
	if !ok || all == 0 {
		t.Error("not what Barrow computes")
	}
}
`
