package kernel

// The kernel in Go looks products up instead of computing them: four filters
// or four outputs to a 64-bit word, 16 bits each. Every lane starts at an
// offset that keeps it positive, so that words add without borrows and a lane
// is read by a shift.

const (
	hiddenTop    = 371     // the largest hidden unit, see Pack
	hiddenOffset = 1 << 10 // more than the smallest: −(255 + 9 + 128)
	outputOffset = 1 << 15 // more than 23,841, see Pack
)

// lanes is one number in each of the four lanes.
const lanes = 1<<48 | 1<<32 | 1<<16 | 1

// tables are the products of one set of weights.
type tables struct {
	conv  [9][256][2]uint64            // tap, pixel: filters 0–3 and 4–7
	bias  [2]uint64                    // with the offset
	dense [96][hiddenTop + 1][4]uint64 // active unit, value: outputs 0–3, 4–7, …
}

// windowTap is one pixel that a window sees.
type windowTap struct{ pixel, tap uint8 }

// windowTaps lists the pixels of each active window.
var windowTaps = func() (list [12][]windowTap) {
	for i, win := range active {
		for dy := range 3 {
			for dx := range 3 {
				if p := pixel(2*win[0]+dy, 2*win[1]+dx); p >= 0 {
					list[i] = append(list[i], windowTap{uint8(p), uint8(3*dy + dx)})
				}
			}
		}
	}
	return list
}()

// Prepare makes the tables of the kernel in Go, 1.2 MB, unless they are there.
func (w *Weights) Prepare() {
	if w.tables != nil {
		return
	}
	t := new(tables)
	for f := range 8 {
		word, shift := f/4, 16*(f%4)
		bias := int64(int16(w.ConvBias[f]))
		t.bias[word] += uint64(bias+hiddenOffset) << shift
		for tap := range 9 {
			c := int64(w.convTap(f, tap))
			for v := range t.conv[tap] {
				t.conv[tap][v][word] += uint64(int64(v)*c>>5) << shift
			}
		}
	}
	for k := range t.dense {
		for j := range 16 {
			d := int64(int16(w.Dense[k/2][j]>>(16*(k%2)))) >> 6
			for v := range t.dense[k] {
				t.dense[k][v][j/4] += uint64(int64(v)*d>>4) << (16 * (j % 4))
			}
		}
	}
	w.tables = t
}

// convTap is a weight of the convolution.
func (w *Weights) convTap(f, tap int) int {
	dy, dx := tap/3, tap%3
	pair := w.Conv[f][2*dy+dx/2]
	return int(int16(pair>>(16*(dx%2)))) >> 5
}

// encodePortable is the kernel in Go.
func encodePortable(out []uint16, sums, calq []uint32, w *Weights, s *Scratch) {
	w.Prepare()
	s.Any = [16]uint32{}
	for _, q := range calq[:Block*cells] {
		s.Any[0] |= q
	}
	if !s.InRange() {
		return
	}
	for r := range Block {
		var image [cells]uint8
		sums[r] = Normalise(&image, (*[cells]uint32)(calq[r*cells:]))
		raw := w.Raw(&image)
		for j, v := range &raw {
			out[16*r+j] = uint16(min(v, w.Limit) & w.Keep)
		}
	}
}

// Raw gives the outputs of one normalised image after the ReLU, not limited to
// nine bits. The image must sum to at most 255, and Prepare have been called.
func (w *Weights) Raw(image *[cells]uint8) (out [16]int32) {
	t := w.tables
	const zero = outputOffset * lanes
	e0, e1, e2, e3 := uint64(zero), uint64(zero), uint64(zero), uint64(zero)
	o0, o1, o2, o3 := e0, e1, e2, e3
	for i, list := range &windowTaps {
		a, b := t.bias[0], t.bias[1]
		for _, p := range list {
			e := &t.conv[p.tap%9][image[p.pixel%cells]]
			a += e[0]
			b += e[1]
		}
		units := (*[8][hiddenTop + 1][4]uint64)(t.dense[8*i:])
		for f := 0; f < 8; f += 2 {
			if f == 4 {
				a = b
			}
			x := max(int(a&0xffff)-hiddenOffset, 0)
			y := max(int(a>>16&0xffff)-hiddenOffset, 0)
			a >>= 32
			p, q := &units[f][x], &units[f+1][y]
			e0, e1, e2, e3 = e0+p[0], e1+p[1], e2+p[2], e3+p[3]
			o0, o1, o2, o3 = o0+q[0], o1+q[1], o2+q[2], o3+q[3]
		}
	}
	even, odd := [4]uint64{e0, e1, e2, e3}, [4]uint64{o0, o1, o2, o3}
	for j := range out {
		shift := 16 * (j % 4)
		sum := int32(even[j/4]>>shift&0xffff) + int32(odd[j/4]>>shift&0xffff) - 2*outputOffset
		out[j] = max(sum+w.DenseBias[j], 0)
	}
	return out
}
