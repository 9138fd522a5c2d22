package surrogate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"barrow/emd"
	"barrow/internal/outfile"
	"barrow/nn"
)

// A potential file is, in this order: the eight bytes of potentialMagic; the
// format's version and the length of the header, little-endian uint32; the
// header, JSON; the metric's distances, n·n little-endian float64; the weights
// of both networks in the order of nn's Params, float32 or float16; the
// SHA-256 sum of all that.
const (
	potentialMagic   = "BARROWPT"
	potentialVersion = 1
)

// ErrPotential is wrapped by every error about a potential file's content.
var ErrPotential = errors.New("not a usable potential network")

type potentialHeader struct {
	Shape PotentialShape `json:"shape"`
	Cells int            `json:"cells"`
	Bits  int            `json:"bits"` // of a weight: 32 or 16
}

// Save writes the network and its metric to a file, in one step.
func (m *Potential) Save(path string) error {
	return outfile.Write(path, true, func(w io.Writer) error { return m.Encode(w, 32) })
}

// Encode writes the network and its metric with 32 or 16 bits a weight.
func (m *Potential) Encode(w io.Writer, bits int) error {
	if bits != 32 && bits != 16 {
		return fmt.Errorf("surrogate: weights of %d bits; 32 and 16 are known", bits)
	}
	header, err := json.Marshal(potentialHeader{m.shape, Cells, bits})
	if err != nil {
		return err
	}
	b := binary.LittleEndian.AppendUint32([]byte(potentialMagic), potentialVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(header)))
	b = append(b, header...)
	for i := range Cells {
		for j := range Cells {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.g.metric.At(i, j)))
		}
	}
	for _, net := range []*nn.Network{m.net, m.gap} {
		for _, p := range net.Params() {
			for _, v := range p.Value {
				if bits == 16 {
					b = binary.LittleEndian.AppendUint16(b, toHalf(v))
				} else {
					b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
				}
			}
		}
	}
	sum := sha256.Sum256(b)
	_, err = w.Write(append(b, sum[:]...))
	return err
}

// LoadPotential reads a file that Save or Encode wrote.
func LoadPotential(path string, s nn.Settings) (*Potential, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	m, err := DecodePotential(b, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// largestNetwork bounds what a damaged header can ask for.
const largestNetwork = 1 << 14

// DecodePotential reads the content of a potential file. Its errors wrap
// ErrPotential.
func DecodePotential(b []byte, s nn.Settings) (*Potential, error) {
	fail := func(format string, a ...any) (*Potential, error) {
		return nil, fmt.Errorf("surrogate: %w: %s", ErrPotential, fmt.Sprintf(format, a...))
	}
	const fixed = len(potentialMagic) + 8
	if !bytes.HasPrefix(b, []byte(potentialMagic)) {
		return fail("it does not start with %s", potentialMagic)
	}
	if len(b) < fixed+sha256.Size {
		return fail("it is cut off after %d bytes", len(b))
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != potentialVersion {
		return fail("it has version %d; this program reads version %d", v, potentialVersion)
	}
	body := b[:len(b)-sha256.Size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], b[len(body):]) {
		return fail("its checksum is wrong: the file is damaged or cut off")
	}
	body = body[fixed:]
	length := int64(binary.LittleEndian.Uint32(b[12:]))
	if length > int64(len(body)) {
		return fail("its header has %d bytes, the file %d", length, len(b))
	}
	var h potentialHeader
	if err := json.Unmarshal(body[:length], &h); err != nil {
		return fail("its header is damaged: %v", err)
	}
	a := h.Shape
	if h.Cells != Cells || h.Bits != 32 && h.Bits != 16 || a.Width < 1 || a.Width > largestNetwork || a.Layers < 1 || a.Layers > 64 {
		return fail("its header asks for %+v", h)
	}
	weights := int64(gapWeights) + int64(a.weights())
	body = body[length:]
	if want := 8*Cells*Cells + weights*int64(h.Bits/8); int64(len(body)) != want {
		return fail("it holds %d bytes of numbers, %d are expected for %v", len(body), want, a)
	}
	d := make([]float64, Cells*Cells)
	for i := range d {
		d[i] = math.Float64frombits(binary.LittleEndian.Uint64(body[8*i:]))
	}
	metric, err := emd.NewMetric(Cells, d)
	if err != nil {
		return fail("its metric: %v", err)
	}
	m, err := NewPotential(metric, a, s)
	if err != nil {
		return fail("%v", err)
	}
	body = body[8*len(d):]
	for _, net := range []*nn.Network{m.net, m.gap} {
		for _, p := range net.Params() {
			for i := range p.Value {
				if h.Bits == 16 {
					p.Value[i] = fromHalf(binary.LittleEndian.Uint16(body))
				} else {
					p.Value[i] = math.Float32frombits(binary.LittleEndian.Uint32(body))
				}
				body = body[h.Bits/8:]
			}
		}
	}
	m.net.Lock()
	m.gap.Lock()
	return m, nil
}

// weights counts the network's weights.
func (a PotentialShape) weights() int {
	return denseWeights(features, Cells, a.Width, a.Layers)
}

var gapWeights = denseWeights(gapFeatures, 1, 64, 2)

func denseWeights(in, out, width, layers int) int {
	n := 0
	for range layers {
		n += (in + 1) * width
		in = width
	}
	return n + (in+1)*out
}

// toHalf rounds to IEEE 754 binary16, to nearest, ties to even.
func toHalf(v float32) uint16 {
	b := math.Float32bits(v)
	sign := uint16(b >> 16 & 0x8000)
	a := math.Float32frombits(b &^ (1 << 31))
	switch {
	case a != a:
		return sign | 0x7e00
	case a >= 65520:
		return sign | 0x7c00
	case a < 0x1p-14: // subnormal: adding 2^-1's last place rounds to 2^-24
		return sign | uint16(math.Float32bits(a+0.5)-math.Float32bits(0.5))
	}
	u := math.Float32bits(a)
	u += 0xfff + u>>13&1
	return sign | uint16(u>>13-(127-15)<<10)
}

// fromHalf widens an IEEE 754 binary16.
func fromHalf(h uint16) float32 {
	exponent, fraction := int(h>>10&31), float64(h&1023)
	v := 0.0
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 31:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1+fraction/1024, exponent-15)
	}
	if h&0x8000 != 0 {
		v = -v
	}
	return float32(v)
}
