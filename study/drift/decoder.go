package drift

import (
	"context"
	"fmt"
	"math"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/loss"
	"barrow/nn"
)

// Cells is the number of trigger cells in an image.
const cells = hgcal.Cells

const latent = autoencoder.Latent

// Conditions are the names of the numbers that a tunable decoder takes beside outputs and sum: what
// it is told of the detector's state, all 0 for a new one.
//
//	gain    charge that is lost in all cells, as the exponent of e
//	gain_x  what of it grows along x, from the wafer's middle to 8 half pitches away
//	gain_y  the same along y
//	noise   growth of the noise, 1 when it has doubled
//	pile_up logarithm of the collisions' mean number over the plan's
func conditionNames() []string { return []string{"gain", "gain_x", "gain_y", "noise", "pile_up"} }

const (
	onGain = iota
	onGainX
	onGainY
	onNoise
	onPileUp

	conditions = 5
)

// conditionScale is by how much a condition typically changes.
var conditionScale = [conditions]float64{0.5, 0.4, 0.4, 0.7, 0.4}

// family bounds the states that a tunable decoder is trained for: conditions, and what it is not told
// of, a spread of the cells' gains and dead cells.
var family = struct {
	low, high    [conditions]float64
	spread, dead float64
}{
	low: [conditions]float64{0, -0.8, -0.8, 0, -1}, high: [conditions]float64{1.5, 0.8, 0.8, 2.5, 0.2},
	spread: 0.25, dead: 0.1,
}

// ageOf is the age of a module in a state, all its cells alike but for what the conditions say.
func ageOf(state []float64) *age {
	a := fresh()
	a.noise = 1 + max(0, state[onNoise])
	for c, p := range hgcal.CellCentres() {
		a.Gain[c] = min(1, math.Exp(-state[onGain]-state[onGainX]*p[0]/8-state[onGainY]*p[1]/8))
	}
	return a
}

// anyState draws a state of the family: each condition is as often at rest as not.
func anyState(s *counter.Stream) []float64 {
	state := make([]float64, conditions)
	for k := range state {
		u, v := s.Float64(), s.Float64()
		if k == onPileUp { // of whole sets of images, see pileUps
			continue
		}
		if u < 0.5 {
			state[k] = family.low[k] + (family.high[k]-family.low[k])*v
		}
	}
	return state
}

// anyAge is the age of a state with what it says nothing of.
func anyAge(state []float64, s *counter.Stream) *age {
	a := ageOf(state)
	spread, dead := 0.0, 0.0
	if s.Float64() < 0.5 {
		spread = family.spread * s.Float64()
	}
	if s.Float64() < 0.5 {
		dead = family.dead * s.Float64()
	}
	for c := range a.Gain {
		a.Gain[c] *= math.Exp(-spread * math.Abs(s.Normal()))
		if s.Float64() < dead {
			a.Gain[c] = 0
		}
	}
	return a
}

// given is what every decoder gets of an image besides the outputs: the conditions of the autoencoder, of
// which the sum alone differs between images of one module, and then the detector's.
const given = latent + autoencoder.ConditionCount

// onSum is the place of the sum among the autoencoder's conditions.
const onSum = 6

// A decoder makes shapes of images of what arrives: the outputs, the sum, and what is known of module and
// detector.
type decoder struct {
	net    *nn.Network
	in     *nn.Tensor
	module []float32 // conditions of the module, the sum's to be filled in
}

const batchSize = 500

// newDecoder is a decoder with conditions of the detector that decodes as an autoencoder's own does,
// whatever they are.
func newDecoder(m *autoencoder.Model, module []float32) (*decoder, error) {
	from, err := m.DecoderNetwork(nn.Settings{Threads: 1})
	if err != nil {
		return nil, err
	}
	net, err := nn.New(spec(), nn.Settings{Threads: 1, MaxBatch: batchSize})
	if err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	d := &decoder{net: net, in: nn.NewTensor(1, net.InputShape()), module: module}
	to, of := net.Params(), from.Params()
	if len(to) != len(of) {
		return nil, fmt.Errorf("drift: a decoder of %d weights and biases; those with conditions have %d", len(of), len(to))
	}
	at, all := autoencoder.Arrangement(from.OutputShape()), from.OutputShape().Size()
	for i, p := range to {
		clear(p.Value) // the rows of the detector's conditions stay 0
		if i < len(to)-2 {
			copy(p.Value, of[i].Value)
			continue
		}
		for row := range len(p.Value) / cells {
			for c := range cells {
				p.Value[row*cells+c] = of[i].Value[row*all+at[c]]
			}
		}
	}
	return d, nil
}

// units is the width of the layers, that of the autoencoder's decoder.
const units = 256

func spec() nn.Spec {
	s := nn.Spec{Name: "decoder with conditions of the detector", Input: nn.Vector(given + conditions)}
	for range 3 {
		s.Layers = append(s.Layers, nn.Layer{Kind: nn.KindDense, Units: units}, nn.Layer{Kind: nn.KindReLU})
	}
	s.Layers = append(s.Layers, nn.Layer{Kind: nn.KindDense, Units: cells}, nn.Layer{Kind: nn.KindSigmoid})
	return s
}

// A shift is what is added off the detector: to the 16 outputs, and the conditions.
type shift struct {
	outputs    []float64 // 16, or nil
	conditions []float64 // nil for those of a new detector
}

// row writes what the network gets of an image.
func (d *decoder) row(to []float32, outputs []float32, sum float64, s shift) {
	for k, v := range outputs {
		if s.outputs != nil {
			v += float32(s.outputs[k])
		}
		to[k] = v
	}
	copy(to[latent:], d.module)
	to[latent+onSum] = float32(math.Log(sum + 1))
	clear(to[given:])
	for k, v := range s.conditions {
		to[given+k] = float32(v)
	}
}

// decode makes N×48 shapes, of sum 1.
func (d *decoder) decode(f *frames, s shift, out []float64) ([]float64, error) {
	if cap(out) < f.len()*cells {
		out = make([]float64, f.len()*cells)
	}
	out = out[:f.len()*cells]
	width := d.net.InputShape().Size()
	for i := 0; i < f.len(); i += batchSize {
		n := min(batchSize, f.len()-i)
		d.in.Resize(n)
		for k := range n {
			d.row(d.in.Data[k*width:(k+1)*width], f.outputs[(i+k)*latent:(i+k+1)*latent], f.sums[i+k], s)
		}
		y, err := d.net.Forward(d.in, nn.Inference)
		if err != nil {
			return nil, fmt.Errorf("drift: %w", err)
		}
		for k := range n {
			shape(out[(i+k)*cells:(i+k+1)*cells], func(c int) float64 { return float64(y.Data[k*cells+c]) })
		}
	}
	return out, nil
}

// shape scales to sum 1; nothing at all is spread evenly.
func shape(to []float64, of func(c int) float64) {
	sum := 0.0
	for c := range to {
		to[c] = of(c)
		sum += to[c]
	}
	for c := range to {
		if sum > 0 {
			to[c] /= sum
		} else {
			to[c] = 1.0 / cells
		}
	}
}

// lesson is the training of a tunable decoder.
type lesson struct {
	decoder           *decoder
	loss              loss.Loss
	train, chosen     *pupils
	target, out, grad []float32
	dy                *nn.Tensor
}

// pupils are images to learn from: what arrives, the state of the detector, and the truth.
type pupils struct {
	frames *frames
	states [][]float64
	truth  []float64
}

func newLesson(d *decoder, m *emd.Metric, train, chosen *pupils) (*lesson, error) {
	b, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1})
	if err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	return &lesson{decoder: d, loss: loss.FromDistance("emd", b), train: train, chosen: chosen, dy: nn.NewTensor(1, d.net.OutputShape())}, nil
}

func (l *lesson) forward(p *pupils, mode nn.Mode, n int, at func(k int) int) error {
	in := l.decoder.in.Resize(n)
	width := in.Shape.Size()
	l.target = l.target[:0]
	for k := range n {
		i := at(k)
		l.decoder.row(in.Data[k*width:(k+1)*width], p.frames.outputs[i*latent:(i+1)*latent], p.frames.sums[i], shift{conditions: p.states[i]})
		for _, v := range p.truth[i*cells : (i+1)*cells] {
			l.target = append(l.target, float32(v))
		}
	}
	y, err := l.decoder.net.Forward(in, mode)
	if err != nil {
		return err
	}
	l.out = append(l.out[:0], y.Data...)
	return nil
}

// Train is a step.
func (l *lesson) Train(ctx context.Context, index []int) (float64, error) {
	if err := l.forward(l.train, nn.Training, len(index), func(k int) int { return index[k] }); err != nil {
		return 0, err
	}
	l.grad = append(l.grad[:0], l.out...)
	v, err := loss.EvalIn(ctx, l.loss, nil, l.target, l.out, l.grad)
	if err != nil {
		return 0, err
	}
	copy(l.dy.Resize(len(index)).Data, l.grad)
	return v, l.decoder.net.BackwardWeights(l.dy)
}

// Validate is the mean loss over the images that choose the epoch.
func (l *lesson) Validate(ctx context.Context) (float64, error) {
	n, sum := l.chosen.frames.len(), 0.0
	for i := 0; i < n; i += batchSize {
		b := min(batchSize, n-i)
		if err := l.forward(l.chosen, nn.Inference, b, func(k int) int { return i + k }); err != nil {
			return 0, err
		}
		v, err := loss.EvalIn(ctx, l.loss, nil, l.target, l.out, nil)
		if err != nil {
			return 0, err
		}
		sum += v * float64(b)
	}
	return sum / float64(n), nil
}
