package keras

import (
	"context"
	_ "embed" // hls.py
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/model"
	"barrow/nn"
)

// Format is Keras 2's way of keeping a model, in floating point. It reads the files of
// all three formats of this package.
func Format() model.Format {
	return model.Format{
		Name: "keras", About: "Keras and QKeras: .h5, .hdf5 or .keras, or .json and weights of the same name beside it",
		Recognise: Recognise, Apart: isJSON, Read: readNetwork, Open: run, Files: sourceFiles,
		Check: func(m *model.Model) error { return check(m, "keras", checkFloat) },
		Export: func(_ context.Context, m *model.Model) ([]model.File, error) {
			return eachPart(m, func(p model.Part) ([]model.File, error) {
				return twoWays(p, plainLayers(p.Network), "Keras 2 (TensorFlow before 2.16, or tf_keras with TF_USE_LEGACY_KERAS=1)",
					"tf.keras.models.model_from_json(open(%q).read()), then load_weights(%q)", "tf.keras.models.load_model(%q)")
			})
		},
	}
}

// ZipFormat is Keras 3's, which is written only: Format reads it.
func ZipFormat() model.Format {
	return model.Format{
		Name: "keras3", About: "Keras 3: .keras", Open: run,
		Check:  func(m *model.Model) error { return check(m, "keras3", checkFloat) },
		Export: func(_ context.Context, m *model.Model) ([]model.File, error) { return eachPart(m, exportKeras3) },
	}
}

// QKerasFormat is QKeras', of quantised models, which is written only: Format
// reads it.
func QKerasFormat() model.Format {
	return model.Format{
		Name: "qkeras", About: "QKeras 0.9: .json and _weights.h5 as hls4ml reads them, and .h5", Open: run,
		Check:  func(m *model.Model) error { return check(m, "qkeras", checkQuantised) },
		Export: exportQKeras,
	}
}

func openSource(f model.Source) (*Model, error) {
	if f.Weights != "" {
		return ReadModelJSON(f.Path, f.Weights)
	}
	return Open(f.Path)
}

// fileOf reads a source's files, the architecture among them.
func fileOf(f model.Source) (*File, error) {
	paths, err := sourceFiles(f)
	if err != nil {
		return nil, err
	}
	if len(paths) == 1 {
		return readWhole(paths[0])
	}
	return readTwo(paths[0], paths[1])
}

func sourceFiles(f model.Source) ([]string, error) {
	if f.Weights != "" {
		return []string{f.Path, f.Weights}, nil
	}
	return Files(f.Path)
}

func readNetwork(f model.Source, s nn.Settings) (*nn.Network, error) {
	m, err := openSource(f)
	if err != nil {
		return nil, err
	}
	if err := m.ordered(); err != nil {
		return nil, fmt.Errorf("keras: %s: %w", f.Path, err)
	}
	return m.Network(s)
}

// run runs a model with the inputs that it has in Keras, of which the network may
// see several as one. A model that is no chain of nn's layers is run layer by layer.
func run(f model.Source, s nn.Settings) (model.Runner, error) {
	file, err := fileOf(f)
	if err != nil {
		return nil, err
	}
	m, err := NewModel(file)
	if err != nil { // no chain of layers
		x, err := executionOf(file)
		if err != nil {
			paths := append([]string{f.Path}, f.Weights)
			if f.Weights == "" {
				paths, _ = Files(f.Path) // as they were just read
			}
			return nil, fmt.Errorf("keras: %s: %w", strings.Join(paths, " with "), trim(err))
		}
		return x, nil
	}
	net, err := m.Network(s)
	if err != nil {
		return nil, err
	}
	var inputs []model.Input
	for _, in := range m.Inputs {
		inputs = append(inputs, model.Input{Name: in.Name, Shape: in.Shape, Side: in.Side})
	}
	r, err := model.RunNetwork(net, inputs, m.Latent)
	if err != nil || slices.Equal(m.places, slices.Sorted(slices.Values(m.places))) {
		return r, err
	}
	return reordered{r, m.places}, nil
}

// ordered refuses inputs that could be taken for one another: the network, which has
// them as one, does not say which is Keras' first. Of a pair the order is without bearing.
func (m *Model) ordered() error {
	for _, l := range m.Spec.Layers {
		if l.Kind == nn.KindSwapPair {
			return nil
		}
	}
	for i, in := range m.Inputs {
		for k, other := range m.Inputs[:i] {
			if in.Side == "" && other.Side == "" && in.Shape == other.Shape && m.places[i] < m.places[k] {
				return fmt.Errorf("its inputs %q, %q join in another order than the one in which the model takes them, so that as one network it would take them for one another: name them in the other order in the model", in.Name, other.Name)
			}
		}
	}
	return nil
}

// reordered runs a network whose inputs join in another order than the one in which the
// model takes them: places says of each of the network's which of the model's it is.
type reordered struct {
	network model.Runner
	places  []int
}

// Inputs implements model.Runner.
func (r reordered) Inputs() []model.Port {
	out := make([]model.Port, len(r.places))
	for i, p := range r.network.Inputs() {
		out[r.places[i]] = p
	}
	return out
}

// Run implements model.Runner.
func (r reordered) Run(ctx context.Context, in []*model.Array) (model.Vectors, error) {
	if len(in) != len(r.places) {
		return r.network.Run(ctx, in) // which says so
	}
	given := make([]*model.Array, len(in))
	for i, place := range r.places {
		given[i] = in[place]
	}
	return r.network.Run(ctx, given)
}

// check asks of every part whether the format can hold it.
func check(m *model.Model, format string, allowed func(l nn.LayerShape) error) error {
	if format == "qkeras" {
		if !slices.ContainsFunc(m.Parts(), func(p model.Part) bool { return anyQuantised(p.Network) }) {
			return errors.New("qkeras: the model is in floating point, which QKeras has nothing to add to: export it as keras")
		}
	}
	for _, p := range m.Parts() {
		for _, l := range p.Network.Layers() {
			if err := allowed(l); err != nil {
				return fmt.Errorf("%s: %s: layer %q (%s): %w", format, p.Name, l.Name, l.Kind, err)
			}
		}
		if _, err := graphOf(p.Network, quantisedLayers(p.Network), partInputs(p)); err != nil {
			return fmt.Errorf("%s: %s: %w", format, p.Name, err)
		}
	}
	return nil
}

func anyQuantised(n *nn.Network) bool {
	for _, l := range n.Layers() {
		if checkFloat(l) != nil {
			return true
		}
	}
	return false
}

func checkFloat(l nn.LayerShape) error {
	if l.Kind == nn.KindQuantizedBits || l.Kind == nn.KindQuantizedReLU || l.Bits > 0 {
		return errors.New("it is quantised, and Keras computes in floating point: export the model as qkeras")
	}
	return nil
}

func checkQuantised(l nn.LayerShape) error {
	weights := l.Kind == nn.KindConv2D || l.Kind == nn.KindConv2DTranspose || l.Kind == nn.KindDense
	if weights && l.Bits > 0 && l.Rounding == nn.RoundFloor {
		return errors.New("QKeras rounds weights to the nearest, these are rounded down")
	}
	return nil
}

// partInputs are a part's inputs by the names of the test vectors' arrays.
func partInputs(p model.Part) []Input {
	var out []Input
	for _, in := range p.Inputs {
		name := in.Name
		for p.Network.Param(name+"/kernel") != nil || hasLayer(p.Network, name) {
			name += "_input"
		}
		out = append(out, Input{Name: name, Shape: in.Shape, Side: in.Side})
	}
	return out
}

func hasLayer(n *nn.Network, name string) bool {
	for _, l := range n.Layers() {
		if l.Name == name {
			return true
		}
	}
	return false
}

func eachPart(m *model.Model, export func(p model.Part) ([]model.File, error)) ([]model.File, error) {
	var out []model.File
	for _, p := range m.Parts() {
		files, err := export(p)
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
	}
	return out, nil
}

// twoWays writes a part as Keras 2 does, in two files and in one.
func twoWays(p model.Part, layers []layerOut, program, loadTwo, loadOne string) ([]model.File, error) {
	g, err := graphOf(p.Network, layers, partInputs(p))
	if err != nil {
		return nil, err
	}
	g.name = p.Name
	f, err := g.file()
	if err != nil {
		return nil, err
	}
	architecture, err := f.JSON()
	if err != nil {
		return nil, err
	}
	whole, err := f.Encode()
	if err != nil {
		return nil, err
	}
	f.Config = ""
	weights, err := f.Encode()
	if err != nil {
		return nil, err
	}
	one, two, three := p.Name+".h5", p.Name+".json", p.Name+"_weights.h5"
	return []model.File{
		{Name: two, Data: architecture, Part: &p, About: fmt.Sprintf("%s, for %s:\n%s", about(p), program, fmt.Sprintf(loadTwo, two, three))},
		{Name: three, Data: weights, About: "its weights, in the layout of Keras before 2.12, which every version of Keras 2 reads"},
		{Name: one, Data: whole, Part: &p, About: "both in one file: " + fmt.Sprintf(loadOne, one)},
	}, nil
}

// about says what a part makes of what.
func about(p model.Part) string {
	var inputs []string
	for i, in := range partInputs(p) {
		inputs = append(inputs, fmt.Sprintf("%s (%v, the test vectors' %s)", in.Name, in.Shape, p.Inputs[i].Name))
	}
	return fmt.Sprintf("%s: of %s it makes the test vectors' %s", p.About, strings.Join(inputs, " and "), p.Output)
}

// script makes firmware of an exported encoder.
//
//go:embed hls.py
var script []byte

// exportQKeras writes the parts with their number formats. What QKeras computes
// otherwise than the model is measured, and said.
func exportQKeras(ctx context.Context, m *model.Model) ([]model.File, error) {
	files, err := eachPart(m, func(p model.Part) ([]model.File, error) {
		return twoWays(p, quantisedLayers(p.Network), "QKeras 0.9 (with TF_USE_LEGACY_KERAS=1) and hls4ml",
			"qkeras.utils.quantized_model_from_json(open(%q).read()), then load_weights(%q)", "qkeras.utils.load_qmodel(%q)")
	})
	if err != nil {
		return nil, err
	}
	note := notes(m.Parts()[0].Network)
	if e := m.Encoder(); e != nil && e.Chip != nil {
		off, err := m.Untruncated(ctx)
		if err != nil {
			return nil, err
		}
		note += "\nThe chip rounds every product down before it adds it up, which no layer of QKeras does: the file adds up exactly.\n" + off
		for i, f := range files {
			if f.Part != nil && f.Part.Name != "decoder" {
				files[i].About += fmt.Sprintf("\nNot to the bit: the test vectors' %s is the chip's or made of its outputs (see above).", f.Part.Output)
			}
		}
	}
	if note != "" {
		files[0].About += "\n" + note
	}
	if e := m.Encoder(); e != nil && e.Exact() {
		about := "firmware of the encoder by hls4ml, and its C simulation held to the test vectors, to the bit: python hls.py"
		if e.Chip != nil {
			about += ".\nOf this model it finds numbers that differ: latent is the chip's"
		}
		files = append(files, model.File{Name: "hls.py", Data: script, About: about})
	}
	return files, nil
}

// notes say which layers stand for a rounding down.
func notes(n *nn.Network) string {
	for _, l := range n.Layers() {
		if l.Rounding == nn.RoundFloor {
			return "QKeras rounds to the nearest. Where the model rounds down, the layer before takes half a step off in its bias, less than the smallest\n" +
				"part of a step that can come, so that the nearest is what is below: exactly, of images of whole charges that sum to less than 2^20."
		}
	}
	return ""
}
