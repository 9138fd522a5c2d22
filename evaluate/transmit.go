package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat"

	"barrow/econt"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/stats"
	"barrow/wafer"
)

// A Codec is a trained autoencoder: its decoder makes images of what the chip
// sends, and its encoder says what that has to be: N×16 outputs in units of the
// network.
type Codec interface {
	Encode(ctx context.Context, images *wafer.Set) ([]float32, error)
	Decode(ctx context.Context, images *wafer.Set) (*wafer.Set, error)
}

// TransmitSettings say how [Transmit] decodes and measures.
type TransmitSettings struct {
	Metric  *emd.Metric  // between image and decoded image, 48 points
	Codec   Codec        // decodes AE; without it AE gives outputs but no images
	Decoder FrameDecoder // decodes any algorithm, in place of Codec and of the chip's own rule; nil for none
	// High is the chip of the images that the column HD_LD says are of high density; nil sends
	// all through the same.
	High    *econt.Baseline
	Seen    func(images *wafer.Set) int // of how many the decoder has learned; nil where that is not known
	Threads int                         // 0: all processors
}

// A Transmission is what became of images that were sent through the chip.
type Transmission struct {
	Algorithm string   `json:"algorithm"`
	ETx       int      `json:"etx"`
	Wafers    int      `json:"wafers"`
	LinkBits  int      `json:"link_bits"` // a bunch crossing
	MeanBits  float64  `json:"bits_mean"` // of information in a frame, without padding
	MaxBits   int      `json:"bits_max"`
	Density   string   `json:"wafer_density,omitempty"` // in words, where the column HD_LD decides
	Empty     int      `json:"empty"`                   // without charge before, and so without an EMD
	Nothing   int      `json:"nothing_arrives"`         // with charge before and none after: scored as the same charge in all cells
	MeanEMD   *float64 `json:"emd_mean,omitempty"`
	MedianEMD *float64 `json:"emd_median,omitempty"`
	Q95EMD    *float64 `json:"emd_q95,omitempty"`
	Seen      *int     `json:"learned_from,omitempty"` // images that the decoder has learned from or was chosen by, where that is known
}

// An ImageError is what is wrong with one image of several.
type ImageError struct {
	Image int // counted from 1
	Err   error
}

func (e *ImageError) Error() string { return fmt.Sprintf("image %d: %v", e.Image, e.Err) }

// Unwrap is what is wrong.
func (e *ImageError) Unwrap() error { return e.Err }

// transmitBatch is how many images are under way at once.
const transmitBatch = 1024

// Transmit sends images through one algorithm of the chip, without its output
// buffer, decodes the frames and measures the exact EMD of images with charge; one of
// which nothing arrives is scored as the same charge in all cells, as a [ChipMeter] does.
// Charges are CALQ counts, of which fractions are cut off. The decoded images go to out, unless it is nil, with the columns that the images have, bits
// (information in the frame) and, for AE, AE0 to AE15. Memory does not grow with
// the images but for eight bytes each, of which the quantiles are.
func Transmit(ctx context.Context, chip *econt.Baseline, in wafer.Reader, out wafer.Writer, s TransmitSettings) (*Transmission, error) {
	batch, err := emd.NewBatch(s.Metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: s.Threads})
	if err != nil {
		return nil, err
	}
	config := chip.Config()
	t := &transmitter{chips: [2]*econt.Baseline{chip, s.High}, codec: s.Codec, learned: learned{decoder: s.Decoder}, batch: batch, ae: config.Algorithm == econt.Autoencoder}
	if err := t.fits(s.Decoder); err != nil {
		return nil, err
	}
	t.r = Transmission{Algorithm: config.Algorithm.String(), ETx: config.ETx(), LinkBits: chip.LinkBits()}
	if s.Seen != nil {
		t.r.Seen = new(int)
	}
	var images wafer.Set
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := in.Read(&images, transmitBatch)
		if err == io.EOF {
			return t.result(), nil
		}
		if err != nil {
			return nil, err
		}
		if s.Seen != nil {
			*t.r.Seen += s.Seen(&images)
		}
		if out != nil && images.Column("bits") != nil {
			return nil, errors.New(`evaluate: the images have a column "bits", as images have that were sent before: take it out, or write no images`)
		}
		if err := t.send(ctx, &images); err != nil {
			return nil, err
		}
		if out != nil {
			if err := out.Write(&t.decoded); err != nil {
				return nil, err
			}
		}
		t.r.Wafers += n
	}
}

// transmitter holds what is under way.
type transmitter struct {
	chips [2]*econt.Baseline // of low and of high density; the second nil where one is for all
	codec Codec
	batch *emd.Batch
	ae    bool

	learned   learned
	densities densities

	r       Transmission
	bits    int
	decoded wafer.Set
	p, q, e []float64 // pairs of a batch and their distances
	values  []float64 // all distances
}

// fits refuses chips whose frames a decoder does not read.
func (t *transmitter) fits(d FrameDecoder) error {
	for _, chip := range t.chips {
		if d == nil || chip == nil {
			continue
		}
		if err := d.Fits(chip); err != nil {
			return err
		}
		if o := chip.Settings().Order; o != hgcal.V9 {
			return fmt.Errorf("evaluate: a decoder makes images in the order %v, the chip takes them in %v", hgcal.V9, o)
		}
	}
	return nil
}

// send takes a batch of images to decoded.
func (t *transmitter) send(ctx context.Context, images *wafer.Set) error {
	n := images.Len()
	t.decoded.Charge = append(t.decoded.Charge[:0], images.Charge...)
	bits := wafer.Column{Name: "bits", Float: make([]float64, n)}
	var outputs []wafer.Column
	if t.ae {
		for j := range 16 {
			outputs = append(outputs, wafer.Column{Name: fmt.Sprintf("AE%d", j), Float: make([]float64, n)})
		}
	}
	var high []bool
	if t.chips[1] != nil {
		var err error
		if high, err = t.densities.add(images); err != nil {
			return err
		}
	}
	for i := range n {
		chip := t.chips[0]
		if high != nil && high[i] {
			chip = t.chips[1]
		}
		used, err := chip.Encode(images.Image(i), t.decoded.Image(i))
		if err != nil {
			return &ImageError{t.r.Wafers + i + 1, err}
		}
		t.learned.add(chip)
		t.bits += used
		t.r.MaxBits = max(t.r.MaxBits, used)
		bits.Float[i] = float64(used)
		for j := range outputs {
			outputs[j].Float[i] = float64(chip.Decoded().Latent[j])
		}
	}
	t.decoded.Columns = append(append(images.Columns[:len(images.Columns):len(images.Columns)], bits), outputs...)
	switch {
	case t.learned.decoder != nil:
		conditions, err := t.learned.decoder.Conditions(images)
		if err != nil {
			return err
		}
		if err := t.learned.decode(ctx, conditions, t.decoded.Charge); err != nil {
			return err
		}
	case t.ae && t.codec == nil:
		return nil
	case t.ae:
		if err := t.decode(ctx, images, outputs); err != nil {
			return err
		}
	}
	return t.measure(ctx, images)
}

// decode puts the codec's images in place of the empty ones, and checks that the
// chip sent what the codec's own encoder computes.
func (t *transmitter) decode(ctx context.Context, images *wafer.Set, sent []wafer.Column) error {
	var rows []int
	for i := range images.Len() {
		if slices.Max(images.Image(i)) >= 1 {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	whole := images.Select(rows)
	for i, v := range whole.Charge {
		whole.Charge[i] = math.Floor(v) // as the chip takes it
	}
	outputs, err := t.codec.Encode(ctx, whole)
	if err != nil {
		return err
	}
	decoded, err := t.codec.Decode(ctx, whole)
	if err != nil {
		return err
	}
	for k, i := range rows {
		for j := range sent {
			if got, want := sent[j].Float[i], 256*float64(outputs[16*k+j]); got != want {
				return &ImageError{t.r.Wafers + i + 1, fmt.Errorf("the chip sends %v as output %d, the model computes %v", got, j, want)}
			}
		}
		copy(t.decoded.Image(i), decoded.Image(k))
	}
	return nil
}

// measure adds the exact EMDs of the batch's images with charge.
func (t *transmitter) measure(ctx context.Context, images *wafer.Set) error {
	t.p, t.q = t.p[:0], t.q[:0]
	for i := range images.Len() {
		if wafer.Sum(images.Image(i)) == 0 {
			continue
		}
		t.p, t.q = append(t.p, images.Image(i)...), append(t.q, t.decoded.Image(i)...)
		if arrived := t.q[len(t.q)-Cells:]; wafer.Sum(arrived) == 0 {
			fillEmpty(arrived)
			t.r.Nothing++
		}
	}
	n := len(t.p) / Cells
	t.r.Empty += images.Len() - n
	if n == 0 {
		return nil
	}
	t.e = append(t.e[:0], make([]float64, n)...)
	if err := t.batch.Distance(ctx, t.p, t.q, t.e); err != nil {
		return err
	}
	t.values = append(t.values, t.e...)
	return nil
}

func (t *transmitter) result() *Transmission {
	r := &t.r
	if t.chips[1] != nil {
		r.Density = t.densities.String()
	}
	r.MeanBits = float64(t.bits) / float64(max(r.Wafers, 1))
	if len(t.values) > 0 {
		mean := stat.Mean(t.values, nil)
		sort.Float64s(t.values)
		median, q95 := stats.Quantile(t.values, 0.5), stats.Quantile(t.values, 0.95)
		r.MeanEMD, r.MedianEMD, r.Q95EMD = &mean, &median, &q95
	}
	return r
}
