package surrogate

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"barrow/emd"
	"barrow/hgcal"
)

// Cells is the number of trigger cells in an image.
const Cells = hgcal.Cells

// Kind names how the pairs are made that an EMD CNN learns from. The first
// three are the paper's.
type Kind string

const (
	Pair  Kind = "pair"  // two different images
	AE    Kind = "ae"    // an image and its decoded image
	App   Kind = "app"   // pair and ae in turn
	Fresh Kind = "fresh" // two images, or one and what is smeared, gained, vague or decoded of it
)

// ParseKind checks a kind's name.
func ParseKind(name string) (Kind, error) {
	switch k := Kind(name); k {
	case Pair, AE, App, Fresh:
		return k, nil
	}
	return "", fmt.Errorf("surrogate: unknown kind of pairs %q; the kinds are pair, ae, app and fresh", name)
}

// A Source draws pairs of images, each scaled to sum 1. The k-th pair of a
// seed is always the same, whoever asks and in whatever order.
type Source struct {
	kind    Kind
	images  []float64   // N×Cells, each row sums to 1
	decoded [][]float64 // per decoder N×Cells, row i decoded from image i
	smear   [][]float64 // smearing matrices of several widths
}

// smearWidths are the Gaussian widths, in units of the ground metric, that the
// fresh kind smears with.
var smearWidths = []float64{0.7, 0.9, 1.2, 1.6, 2.2, 3}

// NewSource prepares pairs of the N images (N×48, any units) and, for the
// kinds that want them, their decoded images: for each decoder N×48 values,
// row i decoded from image i. Rows must have a positive sum.
func NewSource(kind Kind, m *emd.Metric, images []float64, decoded ...[]float64) (*Source, error) {
	if _, err := ParseKind(string(kind)); err != nil {
		return nil, err
	}
	if m.Len() != Cells {
		return nil, fmt.Errorf("surrogate: the metric has %d points, an image %d cells", m.Len(), Cells)
	}
	if kind != Pair && kind != Fresh && len(decoded) == 0 {
		return nil, fmt.Errorf("surrogate: pairs of kind %q need decoded images: train an encoder first or choose another kind", kind)
	}
	s := &Source{kind: kind}
	var err error
	if s.images, err = normalised(images); err != nil {
		return nil, fmt.Errorf("surrogate: images: %w", err)
	}
	if len(s.images) < 2*Cells {
		return nil, errors.New("surrogate: pairs need at least two images")
	}
	for d, set := range decoded {
		if len(set) != len(images) {
			return nil, fmt.Errorf("surrogate: decoder %d gave %d images for %d", d, len(set)/Cells, len(images)/Cells)
		}
		rows, err := normalised(set)
		if err != nil {
			return nil, fmt.Errorf("surrogate: decoder %d: %w", d, err)
		}
		s.decoded = append(s.decoded, rows)
	}
	for _, w := range smearWidths {
		s.smear = append(s.smear, smearing(m, w))
	}
	return s, nil
}

// count is the number of images that pairs are drawn from.
func (s *Source) count() int { return len(s.images) / Cells }

// Draw writes the k-th pair of a seed into p and q, 48 values each.
func (s *Source) Draw(seed, k uint64, p, q []float64) {
	rng := rand.New(rand.NewPCG(seed, k))
	i := rng.IntN(s.count())
	copy(p, s.row(s.images, i))
	switch s.kind {
	case Pair:
		s.other(rng, i, q)
	case AE:
		s.decode(rng, i, q)
	case App:
		if k%2 == 0 {
			s.other(rng, i, q)
		} else {
			s.decode(rng, i, q)
		}
	case Fresh:
		s.fresh(rng, i, q)
	}
	if rng.IntN(2) == 1 && s.kind != AE {
		for c := range q {
			p[c], q[c] = q[c], p[c]
		}
	}
}

func (s *Source) row(set []float64, i int) []float64 { return set[i*Cells : (i+1)*Cells] }

// other is an image different from image i.
func (s *Source) other(rng *rand.Rand, i int, q []float64) {
	j := (i + 1 + rng.IntN(s.count()-1)) % s.count()
	copy(q, s.row(s.images, j))
}

func (s *Source) decode(rng *rand.Rand, i int, q []float64) {
	copy(q, s.row(s.decoded[rng.IntN(len(s.decoded))], i))
}

// fresh draws what an encoder in training shows the network: far images, near
// ones of every blur, and what decoders of any skill make of the image.
func (s *Source) fresh(rng *rand.Rand, i int, q []float64) {
	kinds := 5
	if len(s.decoded) > 0 {
		kinds = 7
	}
	switch rng.IntN(kinds) {
	case 0:
		s.other(rng, i, q)
	case 1, 2:
		s.smeared(rng, i, q)
		if rng.IntN(2) == 0 {
			gain(rng, append([]float64(nil), q...), q)
		}
	case 3:
		gain(rng, s.row(s.images, i), q)
	case 4:
		s.vague(rng, i, q)
	default:
		s.decode(rng, i, q)
	}
	if rng.IntN(4) == 0 {
		blend(rng.Float64(), s.row(s.images, i), q)
	}
}

// smeared is image i smeared by a Gaussian of any width, with an even floor.
func (s *Source) smeared(rng *rand.Rand, i int, q []float64) {
	smearInto(s.smear[rng.IntN(len(s.smear))], s.row(s.images, i), 0.004*rng.Float64(), q)
}

// vague has charge in every cell, as an untrained decoder makes it: the
// exponential of a random field of any smoothness, over some of image i.
func (s *Source) vague(rng *rand.Rand, i int, q []float64) {
	var z [Cells]float64
	for c := range z {
		z[c] = rng.NormFloat64()
	}
	k, width := s.smear[rng.IntN(len(s.smear))], 3*rng.Float64()
	for c := range q {
		v := 0.0
		for j, x := range z {
			v += k[c*Cells+j] * x
		}
		q[c] = math.Exp(width * v)
	}
	scaleToOne(q)
	blend(rng.Float64()*rng.Float64(), s.row(s.images, i), q)
}

// gain multiplies every cell by a log-normal factor of random width and adds a
// small even floor.
func gain(rng *rand.Rand, p, q []float64) {
	width, floor := 0.05+0.75*rng.Float64(), 0.01*math.Pow(rng.Float64(), 3)
	for c, v := range p {
		q[c] = v*math.Exp(width*rng.NormFloat64()) + floor*rng.Float64()
	}
	scaleToOne(q)
}

// blend replaces q by (1−t)·q + t·p.
func blend(t float64, p, q []float64) {
	for c := range q {
		q[c] += t * (p[c] - q[c])
	}
}

// smearing is the matrix exp(−d²/2w²) with columns scaled to sum 1: column j
// is what a unit charge in cell j becomes.
func smearing(m *emd.Metric, width float64) []float64 {
	k := make([]float64, Cells*Cells)
	for j := range Cells {
		sum := 0.0
		for i := range Cells {
			d := m.At(i, j) / width
			k[i*Cells+j] = math.Exp(-d * d / 2)
			sum += k[i*Cells+j]
		}
		for i := range Cells {
			k[i*Cells+j] /= sum
		}
	}
	return k
}

// smearedWidth and smearedFloor define the smeared pairs that EMD networks are
// measured on: a Gaussian of this width in units of the ground metric, then
// this charge added to every cell, then scaled to sum 1.
const (
	smearedWidth = 1.2
	smearedFloor = 0.002
)

// Smeared returns the smeared copies of N images (N×48, each row with a
// positive sum), scaled to sum 1.
func Smeared(m *emd.Metric, images []float64) ([]float64, error) {
	rows, err := normalised(images)
	if err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	k, out := smearing(m, smearedWidth), make([]float64, len(rows))
	for i := 0; i < len(rows); i += Cells {
		smearInto(k, rows[i:i+Cells], smearedFloor, out[i:i+Cells])
	}
	return out, nil
}

// smearInto writes into q the product of the 48×48 matrix k with p plus a floor in
// every cell, scaled to sum 1.
func smearInto(k, p []float64, floor float64, q []float64) {
	for i := range q {
		v := floor
		for j, x := range p {
			v += k[i*Cells+j] * x
		}
		q[i] = v
	}
	scaleToOne(q)
}

func scaleToOne(q []float64) {
	sum := 0.0
	for _, v := range q {
		sum += v
	}
	for c := range q {
		q[c] /= sum
	}
}

// normalised copies images with every row scaled to sum 1.
func normalised(images []float64) ([]float64, error) {
	if len(images)%Cells != 0 {
		return nil, fmt.Errorf("%d charges are not a whole number of %d-cell images", len(images), Cells)
	}
	out := append([]float64(nil), images...)
	for i := 0; i < len(out); i += Cells {
		if _, err := unit(out[i : i+Cells]); err != nil {
			return nil, fmt.Errorf("row %d: %w", i/Cells, err)
		}
	}
	return out, nil
}
