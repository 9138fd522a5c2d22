package source

import "barrow/nn"

// goHelpers are the file's functions, each written where its kinds of layer occur.
var goHelpers = []struct {
	kinds []string
	text  string
}{
	{[]string{nn.KindConv2D}, `
// convolve has a kernel [k][k][channels][filters]; top and left are rows and columns of 0 before
// the image. Shapes are rows, columns, channels.
func convolve(x, w, b []float32, in, out [3]int, k, stride, top, left int) []float32 {
	y := make([]float32, 0, out[0]*out[1]*out[2])
	for at := range out[0] * out[1] {
		for f := range out[2] {
			sum := bias(b, f)
			for tap := range k * k {
				row, column := at/out[1]*stride+tap/k-top, at%out[1]*stride+tap%k-left
				if row < 0 || row >= in[0] || column < 0 || column >= in[1] {
					continue
				}
				for c := range in[2] {
					sum += float64(x[(row*in[1]+column)*in[2]+c]) * float64(w[(tap*in[2]+c)*out[2]+f])
				}
			}
			y = append(y, float32(sum))
		}
	}
	return y
}
`},
	{[]string{nn.KindConv2DTranspose}, `
// transposed is a transposed convolution with a kernel [k][k][filters][channels]; top rows and left
// columns of what it makes are cut away.
func transposed(x, w, b []float32, in, out [3]int, k, stride, top, left int) []float32 {
	y := make([]float32, 0, out[0]*out[1]*out[2])
	for at := range out[0] * out[1] {
		for f := range out[2] {
			sum := bias(b, f)
			for tap := range k * k {
				row, column := at/out[1]+top-tap/k, at%out[1]+left-tap%k
				if row < 0 || row%stride != 0 || row/stride >= in[0] || column < 0 || column%stride != 0 || column/stride >= in[1] {
					continue
				}
				for c := range in[2] {
					sum += float64(x[(row/stride*in[1]+column/stride)*in[2]+c]) * float64(w[(tap*out[2]+f)*in[2]+c])
				}
			}
			y = append(y, float32(sum))
		}
	}
	return y
}
`},
	{[]string{nn.KindDense}, `
// dense has a kernel [inputs][m].
func dense(x, w, b []float32, m int) []float32 {
	y := make([]float32, m)
	for j := range y {
		sum := bias(b, j)
		for i, v := range x {
			sum += float64(v) * float64(w[i*m+j])
		}
		y[j] = float32(sum)
	}
	return y
}
`},
	{[]string{nn.KindConv2D, nn.KindConv2DTranspose, nn.KindDense}, `
func bias(b []float32, i int) float64 {
	if b == nil {
		return 0
	}
	return float64(b[i])
}
`},
	{[]string{nn.KindBatchNorm}, `
func batchNorm(x, mean, scale, b []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		c := i % len(b)
		y[i] = (v-mean[c])*scale[c] + b[c]
	}
	return y
}
`},
	{[]string{nn.KindQuantizedBits, nn.KindQuantizedReLU, nn.KindReLU, nn.KindSigmoid, nn.KindTanh, nn.KindSiLU, nn.KindSquare}, `
func each(x []float32, f func(v float64) float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(f(float64(v)))
	}
	return y
}
`},
	{[]string{nn.KindCrop}, `
func crop(x []float32, in, out [3]int, top, left int) (y []float32) {
	for r := range out[0] {
		from := ((r+top)*in[1] + left) * in[2]
		y = append(y, x[from:from+out[1]*out[2]]...)
	}
	return y
}
`},
	{[]string{nn.KindAdd}, `
func add(x, z []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = v + z[i]
	}
	return y
}
`},
	{[]string{nn.KindSwapPair}, `
// swap exchanges the two halves of the channels, for k = 1.
func swap(x []float32, k, channels int) []float32 {
	y := make([]float32, len(x))
	for i := range x {
		y[i] = x[i/channels*channels+(i+k*channels/2)%channels]
	}
	return y
}
`},
	{[]string{nn.KindNegatePair}, `
// negate turns all signs, for k = 1.
func negate(x []float32, k int) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = v * float32(1-2*k)
	}
	return y
}
`},
	{[]string{nn.KindPairMean}, `
func mean(pair [2][]float32) []float32 {
	y := make([]float32, len(pair[0]))
	for i, v := range pair[0] {
		y[i] = (v + pair[1][i]) / 2
	}
	return y
}
`},
	{[]string{nn.KindPairDifference}, `
func difference(pair [2][]float32) []float32 {
	y := make([]float32, len(pair[0]))
	for i, v := range pair[0] {
		y[i] = v - pair[1][i]
	}
	return y
}
`},
}

const goChip = `// Encode is the chip in integers: pixels in units of 1/128, at most 255, weights of 1/32, outputs of
// 1/256. Every product is rounded down (>>) before it is added.
func Encode(x []float32) []float32 {
	sent := [16]int{%s} // the bits of each output
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
			sum += h * denseKernel[j*128+i] >> 4
		}
		y[j] = float32(min(max(sum, 0), 511)&sent[j]) / 256
	}
	return y
}

`

// goHarness begins the test.
const goHarness = `package %s

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"
)

func read(t *testing.T, name string) (rows [][]float32) {
	f, err := os.Open("vectors_" + name + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("%%d rows: %%v", len(all), err)
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

// check: numbers are equal, or within 1e-6, or at most one in a hundred is one step off.
func check(t *testing.T, in []string, out string, exact bool, step float64, run func(in [][]float32) []float32) {
	var inputs [][][]float32
	for _, name := range in {
		inputs = append(inputs, read(t, name))
	}
	want := read(t, out)
	equal, near, all, most, largest := 0, 0, 0, 0.0, 1.0
	for _, row := range want {
		for _, v := range row {
			largest = max(largest, math.Abs(float64(v)))
		}
	}
	for i, row := range want {
		var x [][]float32
		for _, rows := range inputs {
			x = append(x, rows[i])
		}
		got := run(x)
		if len(got) != len(row) {
			t.Fatalf("%%d numbers, not %%d", len(got), len(row))
		}
		for j, v := range row {
			off := math.Abs(float64(got[j]) - float64(v))
			most = max(most, off)
			all++
			if off == 0 {
				equal++
			}
			if off <= 1e-6*(largest+math.Abs(float64(v))) {
				near++
			}
		}
	}
	t.Logf("%%d of %%d numbers equal, the farthest off by %%g", equal, all, most)
	ok := near == all
	if exact {
		ok = equal == all
	}
	if step > 0 {
		ok = (all-equal)*100 <= all && most <= step
	}
	if !ok {
		t.Error("not what Barrow computes")
	}
}

`
