package worker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/hgcal"
	modelfile "barrow/model/file"
	"barrow/model/registers"
	"barrow/wafer"
)

// chips are the trigger chip: its words in and out, and images through one algorithm.
var chips = subject{
	functions: map[string]function{"econt.words": readWords},
	kinds:     map[string]open{"econt.chip": openChip, "econt.baseline": openBaseline},
}

// choice is what a setting's name stands for; "" is the zero value.
func choice[T any](setting, name string, values map[string]T) (v T, err error) {
	v, ok := values[name]
	if !ok && name != "" {
		return v, unknown(setting, name, values)
	}
	return v, nil
}

// weightsParams name a file of an encoder's weights, and how it is read.
type weightsParams struct {
	Weights    string `json:"weights"`
	DenseOrder string `json:"dense_order"`
	Rounding   string `json:"rounding"`
}

// read gives no weights where no file is named. given are those of registers, or nil.
func (p weightsParams) read(given *econt.Weights) (w *econt.Weights, remarks []string, err error) {
	order, e1 := choice("dense_order", p.DenseOrder, map[string]*econt.DenseOrder{"auto": nil, "keras": new(econt.DenseKeras), "golden": new(econt.DenseGolden)})
	rounding, e2 := choice("rounding", p.Rounding, map[string]*econt.Rounding{"auto": nil, "nearest": new(econt.RoundNearest), "floor": new(econt.RoundFloor)})
	if err := errors.Join(e1, e2); err != nil {
		return nil, nil, err
	}
	if (order != nil || rounding != nil) && registers.KindOf(p.Weights) != registers.KerasWeights {
		return nil, nil, errors.New("worker: dense_order and rounding are for weights in Keras HDF5")
	}
	if p.Weights == "" {
		return nil, nil, nil
	}
	w, remarks, err = registers.ReadFile(p.Weights, registers.FileSettings{Order: order, Rounding: rounding, Given: given})
	return w, remarks, fileError(err)
}

// readRegisters reads register files on top of each other.
func readRegisters(names []string) (*econt.Registers, error) {
	var files []econt.RegisterFile
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		files = append(files, econt.RegisterFile{Name: name, Reader: f})
	}
	r, err := econt.JoinRegisters(files...)
	return r, fileError(err)
}

// baselineParams are the settings of "barrow econt encode", by the names of its flags.
type baselineParams struct {
	Algorithm string `json:"algorithm"`
	Links     int    `json:"links"`
	Density   string `json:"density"`
	DropLSB   *int   `json:"drop_lsb"`
	STCType   int    `json:"stc_type"`
	Threshold uint32 `json:"threshold"`
	UseSum    bool   `json:"use_sum"`
	Entry     string `json:"entry"`
	Point     string `json:"point"`
	Share     string `json:"share"`
	ZeroCode  bool   `json:"zero_code"`
	Pedestal  bool   `json:"pedestal"`
	Rest      bool   `json:"rest"`
	Overflow  string `json:"overflow"`
	Model     string `json:"model"` // for AE, or Weights
	weightsParams
	Keep string `json:"keep"`
}

// A baseline sends images through one algorithm.
type baseline struct {
	*econt.Baseline
	decoder *econt.Decoder
	links   int
	channel [hgcal.Cells]int   // of a cell
	model   *autoencoder.Model // of AE, nil of weights alone
	remarks []string
}

func openBaseline(_ context.Context, c *call) (object, error) {
	p := baselineParams{Density: "ld", Threshold: 47}
	if err := c.decode(&p); err != nil {
		return object{}, err
	}
	a, err := econt.ParseAlgorithm(p.Algorithm)
	if err != nil {
		return object{}, err
	}
	b := &baseline{links: p.Links}
	var weights *econt.Weights
	var keep *econt.Mask
	if a == econt.Autoencoder {
		if weights, keep, err = b.load(&p); err != nil {
			return object{}, err
		}
	} else if p.Weights != "" || p.Keep != "" {
		return object{}, fmt.Errorf("worker: weights and keep are for the algorithm AE, not %s", a)
	}
	config, err := p.config(a, weights)
	if err != nil {
		return object{}, err
	}
	if keep != nil {
		config.Keep = *keep
	}
	s, err := p.settings()
	if err != nil {
		return object{}, err
	}
	if b.Baseline, err = econt.NewBaseline(config, s); err != nil {
		return object{}, err
	}
	if b.decoder, err = econt.NewDecoder(config, s.Decoder); err != nil {
		return object{}, err
	}
	order := hgcal.PostMux
	if a == econt.Autoencoder {
		order = hgcal.Raster
	}
	b.channel = hgcal.Map(order, hgcal.V9)
	return object{methods: map[string]function{"encode": b.encode, "decode": b.decode, "remarks": b.told}}, nil
}

// load opens the model whose encoder the chip is, and says which bits of its outputs
// are sent; or the weights of an encoder alone, whose bits are those meant for the links.
func (b *baseline) load(p *baselineParams) (w *econt.Weights, keep *econt.Mask, err error) {
	switch name := p.Model; {
	case p.Weights != "" && name != "":
		return nil, nil, errors.New("worker: model and weights: give one")
	case p.Keep != "" && name != "":
		return nil, nil, errors.New("worker: keep is for weights; a model has its own bits")
	case p.Weights == "" && name == "":
		return nil, nil, errors.New("worker: the algorithm AE needs a model, one that was trained with the precision asic, or an encoder's weights")
	}
	if w, b.remarks, err = p.read(nil); w != nil || err != nil {
		return w, nil, err
	}
	return b.loadModel(p.Model, p.Links)
}

func (b *baseline) loadModel(name string, links int) (*econt.Weights, *econt.Mask, error) {
	var err error
	if b.model, err = modelfile.Autoencoder(name, modelfile.Settings{}); err != nil {
		return nil, nil, fileError(err)
	}
	weights, err := b.model.ChipWeights()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	keep := b.model.Architecture().Widths().Keep()
	if need := keep.Links(); need > links {
		return nil, nil, fmt.Errorf("worker: %s has outputs of %d bits in all, and not all fit on %d: %d links are needed", name, keep.Count(), links, need)
	}
	return weights, &keep, nil
}

func (p *baselineParams) config(a econt.Algorithm, w *econt.Weights) (econt.Config, error) {
	high, err := choice("density", p.Density, map[string]bool{"ld": false, "hd": true})
	if err != nil {
		return econt.Config{}, err
	}
	c, err := econt.BaselineConfig(a, p.Links, high, w)
	if err != nil {
		return c, err
	}
	all, err := choice("keep", p.Keep, map[string]bool{"top": false, "all": true})
	if err != nil {
		return c, err
	}
	if all {
		c.Keep = econt.KeepAll()
	}
	if p.DropLSB != nil {
		if *p.DropLSB < 0 || *p.DropLSB > 7 {
			return c, fmt.Errorf("worker: drop_lsb is %d: want 0 to 7", *p.DropLSB)
		}
		c.DropLSB = uint8(*p.DropLSB)
	}
	if p.STCType < 0 || p.STCType > 4 {
		return c, fmt.Errorf("worker: stc_type is %d: want 0 to 4", p.STCType)
	}
	c.STCType, c.UseSum = econt.STCType(p.STCType), p.UseSum
	for ch := range c.Threshold {
		c.Threshold[ch] = p.Threshold
	}
	c.Overflow, err = choice("overflow", p.Overflow, map[string]econt.Overflow{"saturate": econt.Saturate, "wrap": econt.Wrap})
	return c, err
}

func (p *baselineParams) settings() (s econt.BaselineSettings, err error) {
	s.Decoder = econt.DecoderSettings{ZeroCode: p.ZeroCode, Pedestal: p.Pedestal, Rest: p.Rest}
	var e1, e2, e3 error
	s.Entry, e1 = choice("entry", p.Entry, map[string]econt.Entry{"calq": econt.EntryCALQ, "erx": econt.EntryERx})
	s.Decoder.Point, e2 = choice("point", p.Point, map[string]econt.Point{"middle": econt.Middle, "lowest": econt.Lowest})
	s.Decoder.Share, e3 = choice("share", p.Share, map[string]econt.Share{"largest": econt.ShareLargest, "equal": econt.ShareEqual})
	return s, errors.Join(e1, e2, e3)
}

// told says how the weights were read.
func (b *baseline) told(_ context.Context, c *call) error {
	return c.answer(map[string]any{"remarks": b.remarks})
}

// frameWords is the most words of 16 bits that a frame has.
const frameWords = 2 * econt.MaxETx

// encode sends images through the chip and decodes them.
func (b *baseline) encode(ctx context.Context, c *call) error {
	images, err := imagesOf(c, nil)
	if err != nil {
		return err
	}
	n := images.Len()
	frames, err := out[uint16](c, "frames", n, frameWords)
	if err != nil {
		return err
	}
	bits, err := out[int64](c, "bits", n)
	if err != nil {
		return err
	}
	decoded, err := out[float64](c, "decoded", n, hgcal.Cells)
	if err != nil {
		return err
	}
	latent, err := out[uint16](c, "latent", n, autoencoder.Latent)
	if err != nil {
		return err
	}
	clear(frames)
	for i := range n {
		used, err := b.Encode(images.Image(i), decoded[i*hgcal.Cells:][:hgcal.Cells])
		if err != nil {
			row := c.row + i
			f := &failure{Kind: kindInput, Row: &row, Message: fmt.Sprintf("image %d: %v", row, err)}
			var charge *econt.ChargeError
			if errors.As(err, &charge) {
				f.Cell = &charge.Cell
			}
			return f
		}
		bits[i] = int64(used)
		copy(frames[i*frameWords:][:frameWords], b.Words())
		copy(latent[i*autoencoder.Latent:], b.Decoded().Latent[:])
	}
	if b.model == nil {
		return ctx.Err()
	}
	return b.decodeModel(ctx, images, decoded)
}

// decodeModel has the model's decoder make the images, of which there is none without
// charge.
func (b *baseline) decodeModel(ctx context.Context, images *wafer.Set, decoded []float64) error {
	var rows []int
	whole := &wafer.Set{}
	for i := range images.Len() {
		sum := 0.0
		for _, v := range images.Image(i) {
			sum += math.Floor(v)
			whole.Charge = append(whole.Charge, math.Floor(v)) // as the chip takes it
		}
		if sum == 0 {
			whole.Charge = whole.Charge[:len(rows)*hgcal.Cells]
			continue
		}
		rows = append(rows, i)
	}
	if len(rows) == 0 {
		return nil
	}
	made, err := b.model.Decode(ctx, whole)
	if err != nil {
		return err
	}
	for k, i := range rows {
		copy(decoded[i*hgcal.Cells:][:hgcal.Cells], made.Image(k))
	}
	return nil
}

// decode reads frames.
func (b *baseline) decode(ctx context.Context, c *call) error {
	frames, err := in[uint16](c, "frames", -1, frameWords)
	if err != nil {
		return err
	}
	n := len(frames) / frameWords
	bits, err := out[int64](c, "bits", n)
	if err != nil {
		return err
	}
	decoded, err := out[float64](c, "decoded", n, hgcal.Cells)
	if err != nil {
		return err
	}
	sums, err := out[float64](c, "sum", n)
	if err != nil {
		return err
	}
	latent, err := out[uint16](c, "latent", n, autoencoder.Latent)
	if err != nil {
		return err
	}
	length := frameWords // of TS, as much as it takes
	if b.Config().Algorithm != econt.ThresholdSum {
		length = 2 * b.links
	}
	var frame econt.Decoded
	for i := range n {
		if err := b.decoder.Frame(frames[i*frameWords:][:length], &frame); err != nil {
			row := c.row + i
			return &failure{Kind: kindInput, Row: &row, Message: fmt.Sprintf("frame %d: %v", row, err)}
		}
		bits[i], sums[i] = int64(frame.Bits), frame.Sum
		copy(latent[i*autoencoder.Latent:], frame.Latent[:])
		for cell, ch := range b.channel {
			decoded[i*hgcal.Cells+cell] = frame.Image[ch]
		}
	}
	if b.model == nil {
		return ctx.Err()
	}
	return b.decodeLatent(ctx, sums, latent, decoded)
}

// decodeLatent has the model's decoder make images of what frames hold.
func (b *baseline) decodeLatent(ctx context.Context, sums []float64, latent []uint16, decoded []float64) error {
	var rows []int
	known := &wafer.Set{}
	var outputs []float32
	for i, sum := range sums {
		if sum > 0 {
			rows = append(rows, i)
			known.Charge = append(known.Charge, make([]float64, hgcal.Cells)...)
			known.Charge[len(known.Charge)-1] = sum
			for _, v := range latent[i*autoencoder.Latent:][:autoencoder.Latent] {
				outputs = append(outputs, float32(v)/256)
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	made, err := b.model.DecodeOutputs(ctx, known, outputs)
	if err != nil {
		return err
	}
	for k, i := range rows {
		copy(decoded[i*hgcal.Cells:][:hgcal.Cells], made.Image(k))
	}
	return nil
}
