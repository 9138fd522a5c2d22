package decode

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"barrow/decoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/model/file"
	"barrow/run"
	"barrow/study/internal/learned"
	"barrow/wafer"
)

// Open opens a decoder by its run's folder or its weights file, with the chip whose frames it
// reads: the run's or, of a file, what that says of the chip and else the usual one of the algorithm, of
// which AE's lacks the model.
func Open(name string, threads int) (*decoder.Model, Chip, error) {
	m, err := file.Decoder(name, file.Settings{Threads: threads})
	if err != nil {
		return nil, Chip{}, err
	}
	if info, err := run.Inspect(name); err == nil && info.Name == Kind().Name && info.Version == Kind().Version {
		var of Plan
		if err := run.ReadJSON(name, run.Config, &of); err != nil {
			return nil, Chip{}, err
		}
		return m, of.Chip, nil
	}
	is, c := m.Chip(), defaultChip()
	c.Algorithm, c.STCType, c.ZeroCode, c.Pedestal = is.Algorithm, is.STCType, is.ZeroCode, is.Pedestal
	if is.Links > 0 { // else TS's, of which any number has the same frames
		c.Links = is.Links
	}
	if is.Algorithm == econt.ThresholdSum.String() {
		c.Threshold = int(is.Threshold)
	}
	if is.Entry == econt.EntryERx {
		c.Entry = "erx"
	}
	if is.Point == econt.Lowest {
		c.Point = "lowest"
	}
	c.sent(is)
	return m, c, nil
}

// sent takes over what the chips sent that a decoder learned from, as far as its file says.
func (c *Chip) sent(is decoder.Chip) {
	one := cmp.Or(is.Low, is.High)
	switch {
	case one == nil:
		return
	case is.High == nil:
		c.Density = evaluate.LowDensity
	case is.Low == nil:
		c.Density = evaluate.HighDensity
	}
	c.UseSum = one.UseSum
	for k, s := range []*decoder.Sent{is.Low, is.High} {
		usual, err := econt.BaselineConfig(econt.BestChoice, 1, k == 1, nil)
		if s != nil && err == nil && c.drops() && s.DropLSB != usual.DropLSB {
			c.DropLSB = int(s.DropLSB)
		}
	}
}

// EvalSettings of a measurement.
type EvalSettings struct {
	Density string // of all wafers, in place of the chip's; "" leaves it
	Model   string // AE's, in place of the chip's; "" leaves it
	Metric  string // ground metric
	Threads int    // 0 means all processors

	Progress func(share float64, note string) // of measuring, once the images are read; nil for none
}

// An Evaluation is what decodings of the same frames keep of images.
type Evaluation struct {
	Frames    string                `json:"frames"`
	Density   string                `json:"wafer_density"` // in words
	Dropped   int                   `json:"without_charge"`
	Decodings []evaluate.ChipResult `json:"decodings"` // the rules by hand, or the encoder's own decoder, and the learned one
	// Against compares the learned decoder with the other that leaves least of these images, image
	// by image.
	Against *evaluate.Versus  `json:"against_best_rule"`
	Rule    evaluate.Decoding `json:"best_rule"`
	// Seen is how many of the images are as ones that the decoder's run learned from or chose by.
	Seen int `json:"learned_from"`
}

// Seen counts images that the decoder of a run's folder has learned from or was chosen by, those of files; none of
// a weights file, which does not say.
func Seen(name string) (func(*wafer.Set) int, error) {
	seen, err := learned.ReadSeen(name)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return seen.Count, nil
}

// Eval measures a decoder, as Open finds it, on images beside the rules by hand.
func Eval(ctx context.Context, name string, images wafer.Reader, s EvalSettings) (*Evaluation, error) {
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	m, chip, err := Open(name, threads)
	if err != nil {
		return nil, err
	}
	if s.Model != "" {
		chip.Model = s.Model
	}
	if s.Density != "" {
		chip.Density = s.Density
	}
	if err := chip.Check(); err != nil {
		return nil, err
	}
	if err := checkMetric(s.Metric); err != nil {
		return nil, err
	}
	c := &contest{density: chip.Density, threads: threads, progress: s.Progress}
	if c.points, err = hgcal.Positions(s.Metric); err != nil {
		return nil, err
	}
	if c.metric, err = emd.Euclidean(c.points); err != nil {
		return nil, err
	}
	if c.chips, c.encoder, err = chip.open(threads); err != nil {
		return nil, err
	}
	seen, err := Seen(name)
	if err != nil {
		return nil, err
	}
	return c.evaluate(ctx, m, images, seen)
}

// evalBatch is how many images are read at once.
const evalBatch = 4096

func (c *contest) evaluate(ctx context.Context, m *decoder.Model, images wafer.Reader, seen func(*wafer.Set) int) (*Evaluation, error) {
	meter, err := c.start([]evaluate.FrameDecoder{m})
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Frames: m.Chip().String()}
	var batch wafer.Set
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, err := images.Read(&batch, evalBatch)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		some, none := batch.NonZero()
		e.Dropped += none
		e.Seen += seen(some)
		if err := meter.add(ctx, some); err != nil {
			return nil, err
		}
	}
	got, err := meter.measure(ctx)
	if err != nil {
		return nil, err
	}
	e.Density, e.Decodings = got.density, got.list
	n := c.rules()
	best := 0
	for k := range n {
		if mean(got.list[k]) < mean(got.list[best]) {
			best = k
		}
	}
	v, err := evaluate.Compare(values(got.list[n]), values(got.list[best]), draws, 1)
	if err != nil {
		return nil, err
	}
	e.Against, e.Rule = &v, got.list[best].Decoding
	for _, r := range e.Decodings {
		forget(r)
	}
	return e, nil
}

// Verdict says how the decoder compares with the others.
func (e *Evaluation) Verdict() string {
	n := e.Decodings[0].Fidelity.Of(evaluate.EMD).N
	text := verdict(e.Against, e.Rule, n)
	if n > 1 && e.Against.Interval.Low > 1 {
		text += fmt.Sprintf(" On these images %s is better: take that.", e.Rule)
	}
	return text
}

// verdict is of n images.
func verdict(v *evaluate.Versus, rule evaluate.Decoding, n int) string {
	if n == 1 {
		return fmt.Sprintf("The decoder leaves %.3f of the EMD that the best other decoding, %s, leaves: of one image, so that there is no interval.", v.Ratio, rule)
	}
	return fmt.Sprintf("The decoder leaves %.3f (95 %% interval %.3f–%.3f) of the EMD that the best other decoding, %s, leaves.", v.Ratio, v.Interval.Low, v.Interval.High, rule)
}
