package econt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// float is the precision of a reference network.
type float interface{ ~float32 | ~float64 }

// network is the quantised encoder in floating point: weights in units of
// 1/32, an 8×8 image below 2, floors where the chip truncates. It shares no
// code with the kernels.
type network[F float] struct {
	conv      [3][3][8]F
	convBias  [8]F
	dense     [128][16]F
	denseBias [16]F
}

func newNetwork[F float](w *FloatWeights) *network[F] {
	n := new(network[F])
	for y := range 3 {
		for x := range 3 {
			for f := range 8 {
				n.conv[y][x][f] = F(w.Conv[(y*3+x)*8+f])
			}
		}
	}
	for k := range 128 {
		for j := range 16 {
			n.dense[k][j] = F(w.Dense[k*16+j])
		}
	}
	for f := range 8 {
		n.convBias[f] = F(w.ConvBias[f])
	}
	for j := range 16 {
		n.denseBias[j] = F(w.DenseBias[j])
	}
	return n
}

// floorTo truncates to a number of fractional bits.
func floorTo[F float](v F, bits int) F {
	unit := F(int(1) << bits)
	return F(math.Floor(float64(v*unit))) / unit
}

// forward takes charges in raster order and gives outputs in units of 1.
func (n *network[F]) forward(q *[48]uint32) (out [16]F) {
	var sum F
	for _, v := range q {
		sum += F(v)
	}
	var image [10][10]F // with the zeros below and to the right
	if sum > 0 {
		scale := F(math.Exp2(math.Floor(math.Log2(float64(sum)))))
		for i, v := range q {
			y, x := i/8, i%8
			if i >= 32 {
				y, x = 4+(i-32)/4, i%4
			}
			image[y][x] = floorTo(F(v)/scale, 7)
		}
	}
	var hidden [128]F
	for y := range 4 {
		for x := range 4 {
			for f := range 8 {
				acc := n.convBias[f]
				for dy := range 3 {
					for dx := range 3 {
						acc += floorTo(image[2*y+dy][2*x+dx]*n.conv[dy][dx][f], 7)
					}
				}
				hidden[(y*4+x)*8+f] = max(acc, 0)
			}
		}
	}
	for j := range out {
		acc := n.denseBias[j]
		for k, h := range hidden {
			acc += floorTo(h*n.dense[k][j], 8)
		}
		out[j] = min(max(acc, 0), 511.0/256)
	}
	return out
}

// exactImages is how many random images the reference sees: a million with
// BARROW_LONG set.
func exactImages() int {
	if os.Getenv("BARROW_LONG") != "" {
		return 1_000_000
	}
	return 12_000
}

// TestEncoderIsTheNetwork: the chip's outputs equal the quantised network's
// forward pass in float64, and in float32, bit for bit.
func TestEncoderIsTheNetwork(t *testing.T) {
	const batch = 1000
	r := rand.New(rand.NewPCG(7, 7))
	n := exactImages()
	calq, out := make([]uint32, batch*Channels), make([]uint16, batch*16)
	for done := 0; done < n; done += batch {
		w := randomWeights(r)
		if done/batch%2 == 0 { // as trained: most weights small
			for i := range w.Conv {
				w.Conv[i] /= 2
			}
			for j := range w.Dense {
				for k := range w.Dense[j] {
					w.Dense[j][k] /= 4
				}
			}
		}
		f := w.Float(DenseKeras)
		ref64, ref32 := newNetwork[float64](f), newNetwork[float32](f)
		e, err := NewEncoder(w, EncoderSettings{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range batch {
			q := randomCALQ(r)
			copy(calq[i*Channels:], q[:])
		}
		if err := e.Encode(calq, out, nil); err != nil {
			t.Fatal(err)
		}
		for i := range batch {
			q := (*[48]uint32)(calq[i*Channels:])
			want := ref64.forward(q)
			for j, v := range want {
				if got := float64(out[16*i+j]) / 256; got != v {
					t.Fatalf("image %d output %d: chip %v, float64 network %v", done+i, j, got, v)
				}
			}
			// Sums of charges above 2^24 are not exact in float32.
			if oracleSum(q[:]) < 1<<24 {
				for j, v := range ref32.forward(q) {
					if got := float32(out[16*i+j]) / 256; got != v {
						t.Fatalf("image %d output %d: chip %v, float32 network %v", done+i, j, got, v)
					}
				}
			}
		}
	}
	t.Logf("%d images", n)
}

// TestEncoderTails: any number of wafers, with and without sums.
func TestEncoderTails(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	e, err := NewEncoder(randomWeights(r), EncoderSettings{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		calq := make([]uint32, n*Channels)
		for i := range n {
			q := randomCALQ(r)
			copy(calq[i*Channels:], q[:])
		}
		out, sums := make([]uint16, n*16), make([]uint32, n)
		if err := e.Encode(calq, out, sums); err != nil {
			t.Fatal(err)
		}
		without := make([]uint16, n*16)
		if err := e.Encode(calq, without, nil); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			var one [16]uint16
			e.packed.Prepare()
			sum, _ := e.encodeOne((*[48]uint32)(calq[i*Channels:]), &one)
			if sum != sums[i] || one != [16]uint16(out[16*i:]) || one != [16]uint16(without[16*i:]) {
				t.Fatalf("wafer %d of %d: %v, want %v", i, n, out[16*i:16*i+16], one)
			}
		}
	}
}

func TestEncoderErrors(t *testing.T) {
	w := new(Weights)
	for _, s := range []EncoderSettings{{Kernel: "sse9"}, {Overflow: 3}} {
		if _, err := NewEncoder(w, s); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
	if _, err := NewEncoder(nil, EncoderSettings{}); err == nil {
		t.Error("no weights were accepted")
	}
	w.DenseBias[3] = 40
	if _, err := NewEncoder(w, EncoderSettings{}); err == nil || !strings.Contains(err.Error(), "dense bias 3") {
		t.Errorf("weight of 40: %v", err)
	}
	e, err := NewEncoder(new(Weights), EncoderSettings{})
	if err != nil {
		t.Fatal(err)
	}
	calq, out := make([]uint32, 96), make([]uint16, 32)
	calq[50] = 1 << 22
	for _, err := range []error{
		e.Encode(calq[:95], out, nil), e.Encode(calq, out[:31], nil),
		e.Encode(calq, out, make([]uint32, 3)), e.Encode(calq, out, nil),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "econt: ") {
			t.Errorf("got %v", err)
		}
	}
}

// TestEncoderRange: one charge of 23 bits anywhere is an error that names it,
// with every kernel.
func TestEncoderRange(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	const n = 37
	calq, out := make([]uint32, n*Channels), make([]uint16, n*16)
	for _, name := range Kernels() {
		e, err := NewEncoder(randomWeights(r), EncoderSettings{Kernel: name})
		if err != nil {
			t.Fatal(err)
		}
		if e.Kernel() != name {
			t.Errorf("asked for %s, got %s", name, e.Kernel())
		}
		for range 200 {
			i := r.IntN(len(calq))
			calq[i] = 1<<22 - 1
			if err := e.Encode(calq, out, nil); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			calq[i] = 1 << (22 + r.IntN(10))
			want := fmt.Sprintf("wafer %d, channel %d: charge %d", i/Channels, i%Channels, calq[i])
			if err := e.Encode(calq, out, nil); err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("%s: %v, want … %s …", name, err, want)
			}
			calq[i] = 0
		}
	}
}

// TestNoAllocations: neither the chip nor the encoder, decoder and baseline
// allocate once they are built.
func TestNoAllocations(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for a := ThresholdSum; a <= Autoencoder; a++ {
		c, err := BaselineConfig(a, 5, true, randomWeights(r))
		if err != nil {
			t.Fatal(err)
		}
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		b, err := NewBaseline(c, BaselineSettings{})
		if err != nil {
			t.Fatal(err)
		}
		in, image := BunchCrossing{BX: 3}, make([]float64, Channels)
		for i := range in.ERx {
			in.ERx[i] = r.Uint32()
		}
		for i, q := range randomCALQ(r) {
			image[i] = float64(q)
		}
		var out Output
		decoded := make([]float64, Channels)
		if n := testing.AllocsPerRun(20, func() {
			e.Step(&in, &out)
			if _, err := b.Encode(image, decoded); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations a wafer", a, n)
		}
	}
	e, err := NewEncoder(randomWeights(r), EncoderSettings{})
	if err != nil {
		t.Fatal(err)
	}
	calq, out := make([]uint32, 21*Channels), make([]uint16, 21*16)
	if n := testing.AllocsPerRun(20, func() { _ = e.Encode(calq, out, nil) }); n != 0 {
		t.Errorf("Encode: %v allocations", n)
	}
}
