// Package decoder makes images of the trigger chip's frames by networks that have learned
// how: of any of its algorithms, best choice, super trigger cells, threshold sum, the
// encoder. What arrived cell by cell stays as it was sent, bit for bit. Of what
// arrived as a sum only (econt.Group), the network says how it is shared among the
// cells, so that an image's sum is the sum sent. A decoder runs off the detector: it costs
// the chip nothing.
//
// [Train] trains with any loss.Loss on simulated or given images, [Model.Decode] decodes, and
// evaluate.Scheme takes a Model beside the rules by hand.
package decoder

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/wafer"
)

// Cells is the number of trigger cells in an image.
const Cells = hgcal.Cells

// A Model is a decoder with its weights. It is used by one goroutine at a time.
type Model struct {
	arch      Architecture
	chip      Chip
	algorithm econt.Algorithm
	channel   [Cells]int // of the image's cell in V9 order
	net       *nn.Network
	in        *nn.Tensor
}

// decodeBatch is how many frames go through the network at once.
const decodeBatch = 500

// New makes an untrained decoder for the frames of a chip, read as its settings say.
func New(a Architecture, chip *econt.Baseline, s nn.Settings) (*Model, error) {
	return newModel(a, chipOf(chip), s)
}

func newModel(a Architecture, c Chip, s nn.Settings) (*Model, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	algorithm, err := c.algorithm()
	if err != nil {
		return nil, err
	}
	a = a.withDefaults()
	s.MaxBatch = max(s.MaxBatch, decodeBatch)
	net, err := nn.New(a.spec(algorithm), s)
	if err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	m := &Model{arch: a, chip: c, algorithm: algorithm, channel: hgcal.Map(algorithm.Order(), hgcal.V9), net: net}
	m.in = nn.NewTensor(1, net.InputShape())
	for _, l := range net.Layers() { // residual blocks start as the identity
		if strings.HasSuffix(l.Name, blockOut) {
			clear(net.Param(l.Name + "/kernel").Value)
		}
	}
	return m, nil
}

// about is what a weights file says of a decoder.
type about struct {
	Architecture Architecture `json:"architecture"`
	Chip         Chip         `json:"chip"`
}

// metaDecoder is its key among the file's notes.
const metaDecoder = "decoder"

// Load reads the weights file of a decoder, as Save writes it.
func Load(path string, s nn.Settings) (*Model, error) {
	c, err := nn.ReadCheckpoint(path)
	if err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	text, ok := c.Meta[metaDecoder]
	if !ok || !strings.HasPrefix(c.Spec.Name, specName) {
		return nil, fmt.Errorf("decoder: %s holds the network %q, no decoder of frames: name the weights of one", path, c.Spec.Name)
	}
	var is about
	if err := json.Unmarshal([]byte(text), &is); err != nil {
		return nil, fmt.Errorf("decoder: %s: what it decodes cannot be read: %w", path, err)
	}
	m, err := newModel(is.Architecture, is.Chip, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.Fill(m.net); err != nil {
		return nil, fmt.Errorf("decoder: %s: %w", path, err)
	}
	return m, nil
}

// Save writes the decoder to a file, in one step.
func (m *Model) Save(path string) error { return m.net.Save(path, m.meta()) }

func (m *Model) meta() map[string]string {
	b, err := json.Marshal(about{m.arch, m.chip})
	if err != nil { // plain strings and numbers
		return nil
	}
	return map[string]string{metaDecoder: string(b)}
}

// Architecture is what the decoder was built as.
func (m *Model) Architecture() Architecture { return m.arch }

// Chip says which frames the decoder reads.
func (m *Model) Chip() Chip { return m.chip }

// Network is the decoder's network, whose outputs are not charges yet, but shares of what
// arrived in sums.
func (m *Model) Network() *nn.Network { return m.net }

// Clone is a copy for another goroutine, which computes on one thread.
func (m *Model) Clone() (*Model, error) {
	c, err := newModel(m.arch, m.chip, nn.Settings{Threads: 1, Kernel: m.net.Settings().Kernel})
	if err != nil {
		return nil, err
	}
	return c, c.fill(m)
}

// Fits tells why the frames of a chip are not those that the decoder reads: of another
// algorithm, on other links, read from their codes in another way; once it has learned, also of
// other dropped bits, of the sum of other cells, or of a density that it did not learn, where
// that changes what a frame means.
func (m *Model) Fits(b *econt.Baseline) error {
	if err := m.chip.fits(chipOf(b)); err != nil {
		return err
	}
	return m.chip.fitsSent(b.Config())
}

// Conditions are what the decoder wants to know of images beside their frames, eight numbers
// each, nil if it wants none. A column that is missing is an error that names it.
func (m *Model) Conditions(images *wafer.Set) ([]float32, error) {
	if !m.arch.Conditions {
		return nil, nil
	}
	return autoencoder.Conditions(images)
}

// Decode makes images of frames of the chip, read with its [econt.Decoder]: N×48 charges in
// CALQ counts, V9 order. conditions are N×8 numbers, or nil, as [Model.Conditions] gives
// them. Where no charge arrived, the image has none.
func (m *Model) Decode(ctx context.Context, frames []econt.Decoded, conditions []float32, out []float64) error {
	n := len(frames)
	if len(out) != n*Cells {
		return fmt.Errorf("decoder: room for %d charges: want %d for %d frames", len(out), n*Cells, n)
	}
	if err := m.checkConditions(conditions, n); err != nil {
		return err
	}
	var charges [econt.Channels]float64
	for i := 0; i < n; i += decodeBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := min(decodeBatch, n-i)
		m.in.Resize(b)
		for k := range b {
			m.load(k, &frames[i+k], condition(conditions, i+k))
		}
		y, err := m.net.Forward(m.in, nn.Inference)
		if err != nil {
			return fmt.Errorf("decoder: %w", err)
		}
		for k := range b {
			m.place(&frames[i+k], y, k, &charges)
			row := out[(i+k)*Cells:][:Cells]
			for c, ch := range m.channel {
				row[c] = charges[ch]
			}
		}
	}
	return nil
}

// Inputs is what the network is told of frames, a row of Network().InputShape() numbers each
// (docs/decoder.md); conditions are as for [Model.Decode].
func (m *Model) Inputs(frames []econt.Decoded, conditions []float32) ([]float32, error) {
	if err := m.checkConditions(conditions, len(frames)); err != nil {
		return nil, err
	}
	size := m.net.InputShape().Size()
	out := make([]float32, len(frames)*size)
	for i := range frames {
		describe(&frames[i], m.algorithm, condition(conditions, i), out[i*size:][:size])
	}
	return out, nil
}

// Channels are the chip's channels of the 48 cells in V9 order.
func (m *Model) Channels() [Cells]int { return m.channel }

// checkConditions holds the conditions to the decoder and to n frames.
func (m *Model) checkConditions(conditions []float32, n int) error {
	want := 0
	if m.arch.Conditions {
		want = n * autoencoder.ConditionCount
	}
	if len(conditions) != want {
		return fmt.Errorf("decoder: %d conditions for %d frames: want %d", len(conditions), n, want)
	}
	return nil
}

// condition is row i of the conditions, if there are any.
func condition(all []float32, i int) []float32 {
	if len(all) == 0 {
		return nil
	}
	return all[i*autoencoder.ConditionCount:][:autoencoder.ConditionCount]
}

// load fills row k of the network's input.
func (m *Model) load(k int, f *econt.Decoded, conditions []float32) {
	size := m.in.Shape.Size()
	describe(f, m.algorithm, conditions, m.in.Data[k*size:][:size])
}
