package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"barrow/autoencoder"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/model"
	modelfile "barrow/model/file"
	"barrow/nn"
	"barrow/surrogate"
	"barrow/wafer"
)

// networks are trained models: those that estimate the EMD, and encoders.
var networks = subject{kinds: map[string]open{"surrogate": openEstimator, "encoder": openEncoder}}

// charged checks images that a network takes: charges, and some of them above 0.
func charged(c *call, s *wafer.Set, name string) error {
	if err := checkImages(c, s); err != nil {
		return err
	}
	for i := range s.Len() {
		if !(wafer.Sum(s.Image(i)) > 0) {
			row := c.row + i
			return &failure{Kind: kindEMD, Row: &row, Message: fmt.Sprintf("worker: row %d of %s has no charge: leave such images out", row, name)}
		}
	}
	return nil
}

// An estimator is an EMD network.
type estimator struct{ loss.Distance }

func openEstimator(_ context.Context, c *call) (object, error) {
	var p struct {
		Weights string `json:"weights"` // "": the built-in network
		Threads int    `json:"threads"`
	}
	if err := c.decode(&p); err != nil {
		return object{}, err
	}
	var e estimator
	var err error
	if p.Weights == "" {
		e.Distance, err = surrogate.BuiltIn(nn.Settings{Threads: p.Threads})
	} else {
		e.Distance, err = modelfile.Estimator(p.Weights, modelfile.Settings{Threads: p.Threads})
	}
	if err != nil {
		return object{}, fileError(ofFile(err, p.Weights))
	}
	return object{methods: map[string]function{"estimate": e.estimate, "bound": e.bound}}, nil
}

// pairs are the rows of a call that an EMD network looks at.
func pairs(c *call) (p, q []float64, n int, err error) {
	if p, err = in[float64](c, "p", -1, hgcal.Cells); err != nil {
		return nil, nil, 0, err
	}
	n = len(p) / hgcal.Cells
	if q, err = in[float64](c, "q", n, hgcal.Cells); err != nil {
		return nil, nil, 0, err
	}
	for _, side := range []struct {
		name   string
		charge []float64
	}{{"p", p}, {"q", q}} {
		err := charged(c, &wafer.Set{Charge: side.charge}, side.name)
		if f := (*failure)(nil); errors.As(err, &f) && f.Kind == kindInput {
			f.Message = strings.Replace(f.Message, "worker: ", "worker: "+side.name+": ", 1)
		}
		if err != nil {
			return nil, nil, 0, err
		}
	}
	return p, q, n, nil
}

// estimate gives the estimated EMD and its gradients to either side.
func (e estimator) estimate(ctx context.Context, c *call) error {
	p, q, n, err := pairs(c)
	if err != nil {
		return err
	}
	value, err := out[float64](c, "value", n)
	if err != nil {
		return err
	}
	dp, err := out[float64](c, "dp", n, hgcal.Cells)
	if err != nil {
		return err
	}
	dq, err := out[float64](c, "dq", n, hgcal.Cells)
	if err != nil || n == 0 {
		return err
	}
	return e.Gradient(ctx, p, q, value, dp, dq)
}

// bound gives what is certainly not above the EMD, and the potentials that prove it.
func (e estimator) bound(ctx context.Context, c *call) error {
	network, ok := e.Distance.(*surrogate.Potential)
	if !ok {
		return errors.New("worker: a bound is certain only of networks of potentials, as the built-in one is and those of \"barrow surrogate train --architecture potential\"; this is another")
	}
	p, q, n, err := pairs(c)
	if err != nil {
		return err
	}
	bound, err := out[float64](c, "bound", n)
	if err != nil {
		return err
	}
	potentials, err := out[float64](c, "potentials", n, hgcal.Cells)
	if err != nil || n == 0 {
		return err
	}
	return network.Bound(ctx, p, q, bound, potentials)
}

// An encoder is one with its decoder, or alone.
type encoder struct {
	path  string
	whole *autoencoder.Model // nil of a part alone
	model *model.Model
}

func openEncoder(_ context.Context, c *call) (object, error) {
	var p struct {
		Model   string `json:"model"`
		Loss    string `json:"loss"`
		Threads int    `json:"threads"`
	}
	if err := c.decode(&p); err != nil {
		return object{}, err
	}
	path, err := modelfile.EncoderWeights(p.Model, p.Loss)
	if errors.Is(err, modelfile.ErrSeveral) || errors.Is(err, modelfile.ErrLoss) {
		return object{}, err
	}
	if err != nil {
		return object{}, fileError(ofFile(err, p.Model))
	}
	e := encoder{path: path}
	s := modelfile.Settings{Threads: p.Threads}
	if e.whole, err = modelfile.Autoencoder(path, s); err == nil {
		e.model, err = model.Of(e.whole)
	} else {
		e.whole = nil
		e.model, err = modelfile.Encoder(path, s)
	}
	if err != nil {
		return object{}, fileError(ofFile(err, p.Model))
	}
	return object{methods: map[string]function{
		"info": e.info, "encode": e.encode, "decode": e.decode, "autoencode": e.autoencode, "export": e.export,
	}}, nil
}

// info says what the model is.
func (e encoder) info(_ context.Context, c *call) error {
	found, err := modelfile.Inspect(e.path)
	if err != nil {
		return fileError(err)
	}
	answer := map[string]any{
		"file": e.path, "kind": found.Kind, "parts": found.Parts, "formats": found.Exports,
		"about": e.model.String(), "assumed": modelfile.Assumed(e.path), "decoder": e.model.Part("decoder") != nil,
	}
	if one := e.model.Encoder(); one != nil {
		answer["normalisation"], answer["latent_bits"], answer["conditions"] = one.Normalisation, one.LatentBits, one.Conditions
		answer["shape"], answer["cells"] = []int{one.Shape.H, one.Shape.W, one.Shape.C}, one.Cells
		if one.Chip != nil {
			answer["widths"] = one.Architecture.Widths()
		}
	}
	if e.whole != nil {
		answer["architecture"] = e.whole.Architecture()
	}
	return c.answer(answer)
}

// images of the call, with their columns.
func (e encoder) images(c *call) (*wafer.Set, error) {
	var p struct {
		Columns []columnHead `json:"columns"`
	}
	if err := c.decode(&p); err != nil {
		return nil, err
	}
	images, err := imagesOf(c, p.Columns)
	if err != nil {
		return nil, err
	}
	return images, charged(c, images, "the images")
}

func (e encoder) encode(ctx context.Context, c *call) error {
	images, err := e.images(c)
	if err != nil {
		return err
	}
	outputs, err := e.outputs(ctx, images)
	if err != nil {
		return err
	}
	latent, err := out[float32](c, "latent", images.Len(), autoencoder.Latent)
	copy(latent, outputs)
	return err
}

func (e encoder) outputs(ctx context.Context, images *wafer.Set) ([]float32, error) {
	if images.Len() == 0 {
		return nil, nil
	}
	if e.whole != nil {
		return e.whole.Encode(ctx, images)
	}
	part := e.model.Part("encoder")
	if part == nil {
		return nil, fmt.Errorf("worker: %s is a decoder alone", e.path)
	}
	contract := e.model.Encoder()
	norm, err := wafer.ParseNorm(contract.Normalisation)
	if err != nil {
		return nil, err
	}
	x, err := autoencoder.Images(images, norm, contract.Shape)
	if err != nil {
		return nil, err
	}
	input := part.Inputs[0]
	y, err := part.Run(ctx, model.Vectors{{Name: input.Name, Array: model.Floats(x, images.Len(), input.Shape.H, input.Shape.W, input.Shape.C)}})
	if err != nil {
		return nil, err
	}
	return y.Float32s(), nil
}

// needsWhole says why there are no decoded images.
func (e encoder) needsWhole() error {
	if e.whole != nil {
		return nil
	}
	return fmt.Errorf("worker: %s is a part alone: decoded images need an encoder with its decoder", e.path)
}

// decode takes outputs, with images that have the sums and, for the normalisation max, the
// largest charges.
func (e encoder) decode(ctx context.Context, c *call) error {
	if err := e.needsWhole(); err != nil {
		return err
	}
	images, err := e.images(c)
	if err != nil {
		return err
	}
	latent, err := in[float32](c, "latent", images.Len(), autoencoder.Latent)
	if err != nil {
		return err
	}
	for i, v := range latent {
		if v-v != 0 {
			row, cell := c.row+i/autoencoder.Latent, i%autoencoder.Latent
			return &failure{Kind: kindInput, Row: &row, Cell: &cell, Message: fmt.Sprintf("worker: row %d of the outputs, number %d: %v; want finite numbers", row, cell, v)}
		}
	}
	if images.Len() == 0 {
		return answerDecoded(c, images)
	}
	decoded, err := e.whole.DecodeOutputs(ctx, images, latent)
	if err != nil {
		return err
	}
	return answerDecoded(c, decoded)
}

func (e encoder) autoencode(ctx context.Context, c *call) error {
	if err := e.needsWhole(); err != nil {
		return err
	}
	images, err := e.images(c)
	if err != nil {
		return err
	}
	if images.Len() == 0 {
		return answerDecoded(c, images)
	}
	decoded, err := e.whole.Decode(ctx, images)
	if err != nil {
		return err
	}
	return answerDecoded(c, decoded)
}

func answerDecoded(c *call, s *wafer.Set) error {
	decoded, err := out[float64](c, "decoded", s.Len(), hgcal.Cells)
	copy(decoded, s.Charge)
	return err
}

// export writes the model for other programs.
func (e encoder) export(ctx context.Context, c *call) error {
	var p struct {
		Format string `json:"format"`
		Out    string `json:"out"`
		Force  bool   `json:"force"`
		Verify bool   `json:"verify"`
	}
	if err := c.decode(&p); err != nil {
		return err
	}
	files, err := modelfile.Export(ctx, e.model, p.Format, p.Out, p.Force)
	if err != nil {
		return ofFile(err, p.Out)
	}
	answer := map[string]any{"files": files}
	if p.Verify {
		if answer["verified"], err = modelfile.Verify(ctx, e.model, p.Format, p.Out); err != nil {
			return err
		}
	}
	return c.answer(answer)
}
