package tensorflow

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"barrow/autoencoder"
	"barrow/hgcal"
	"barrow/model"
	"barrow/model/tensorflow/internal/graphpb"
	"barrow/nn"
)

// The names of a graph's input and output. CMSSW wants those of all graphs of a
// kind to be the same; they are TensorFlow's own for a function of one argument.
const (
	inputName  = "x"
	outputName = "Identity"
)

// Format is frozen graphs as a format of models.
func Format() model.Format {
	return model.Format{
		Name: "cmssw", About: "frozen graphs of TensorFlow, as CMSSW runs them (.pb, and as text .pb.ascii)",
		Recognise: recognise, Read: read, Open: open,
		Check: check, Export: export, Vectors: secondVectors,
	}
}

func check(m *model.Model) error {
	if m.Part("encoder") == nil && m.Part("decoder") == nil {
		return errors.New("tensorflow: CMSSW runs autoencoders, and this network is none: name one, or take another format")
	}
	_, err := graphs(m)
	return err
}

// An arrangement is one of the two in which CMSSW can be told to lay images out.
type arrangement struct {
	name   string // as in the files' names
	suffix string // of the vectors of a second one
	shape  nn.Shape
}

var arrangements = []arrangement{
	{"8x8", "88", nn.Shape{H: 2 * hgcal.Side, W: 2 * hgcal.Side, C: 1}},
	{"4x4x3", "443", nn.Shape{H: hgcal.Side, W: hgcal.Side, C: hgcal.Rhombi}},
}

// A graph is one of an export.
type graph struct {
	name, about string
	def         *graphpb.GraphDef
	part        *model.Part // of the vectors that it makes
}

// graphs are encoder and decoder for images of either arrangement.
func graphs(m *model.Model) ([]graph, error) {
	var out []graph
	own := imagesOf(m)
	for _, a := range arrangements {
		lays := "images laid out as below"
		if a.shape != own {
			lays = fmt.Sprintf("images of %v, which the graph itself lays out anew (%s; vectors x%s, latent%s, y%s)", a.shape, cellsOf(a.shape), a.suffix, a.suffix, a.suffix)
		}
		if e := m.Encoder(); e != nil {
			def, err := encoderGraph(e, a.shape)
			if err != nil {
				return nil, err
			}
			out = append(out, graph{"encoder_" + a.name, fmt.Sprintf("the encoder: node %s, N×%v, to node %s, N×%d; %s", inputName, a.shape, outputName, autoencoder.Latent, lays), def, second(m.Part("encoder"), a, own)})
		}
		if p := m.Part("decoder"); p != nil {
			def, size, err := decoderGraph(p, own, a.shape)
			if err != nil {
				return nil, err
			}
			out = append(out, graph{"decoder_" + a.name, fmt.Sprintf("the decoder: node %s, N×%d, to node %s, N×%v, cells in the order of the encoder's input", inputName, size, outputName, a.shape), def, second(p, a, own)})
		}
	}
	return out, nil
}

// imagesOf is the shape of the model's images.
func imagesOf(m *model.Model) nn.Shape {
	if e := m.Encoder(); e != nil {
		return e.Shape
	}
	return m.Part("decoder").Network.OutputShape()
}

// second is a part by the vectors of an arrangement.
func second(p *model.Part, a arrangement, own nn.Shape) *model.Part {
	if a.shape == own {
		return p
	}
	q := *p
	q.Inputs = slices.Clone(p.Inputs)
	for i := range q.Inputs {
		if in := &q.Inputs[i]; in.Name != "cond" {
			in.Name += a.suffix
			if in.Shape == own {
				in.Shape = a.shape
			}
		}
	}
	q.Output += a.suffix
	return &q
}

// cellsOf says where cells are in an arrangement.
func cellsOf(s nn.Shape) string {
	if s.C == hgcal.Rhombi {
		return "V9 cell c is pixel c mod 16, row by row, of channel c div 16"
	}
	return "as in hgcal's arrangement of 8×8 pixels, the last quarter 0"
}

func encoderGraph(e *model.Encoder, shape nn.Shape) (*graphpb.GraphDef, error) {
	b := newBuilder()
	at := b.arrange(inputName, "arrange", shape, e.Shape)
	at, err := b.network(e.Network, "encoder", at, e.Chip != nil)
	if err != nil {
		return nil, err
	}
	return b.graph(placeholder(inputName, []int{shape.H, shape.W, shape.C}), at), nil
}

// decoderGraph is the graph of a decoder whose own images have one shape, for those of
// another, and the count of its inputs.
func decoderGraph(p *model.Part, own, shape nn.Shape) (*graphpb.GraphDef, int, error) {
	b := newBuilder()
	at, err := b.network(p.Network, "decoder", inputName, false)
	if err != nil {
		return nil, 0, err
	}
	at = b.arrange(at, "arrange", own, shape)
	size := p.Network.InputShape().Size()
	return b.graph(placeholder(inputName, []int{size}), at), size, nil
}

// arrange lays images of one arrangement out as the other. Pixels without a cell
// are 0.
func (b *builder) arrange(x, scope string, from, to nn.Shape) string {
	if from == to {
		return x
	}
	b.scope = scope + "/"
	x = b.reshape("Reshape", x, from.Size())
	x = b.opWith("Pad", "Pad", attrs{"Tpaddings": int32s["T"]}, x, b.ints("Pad/paddings", []int{2, 2}, 0, 0, 0, 1))
	x = b.opWith("GatherV2", "GatherV2", attrs{
		"T": nil, "Tparams": kind(graphpb.DataType_DT_FLOAT), "Tindices": int32s["T"], "Taxis": int32s["T"], "batch_dims": whole(0),
	}, x, b.vector("GatherV2/indices", places(from, to)...), b.ints("GatherV2/axis", nil, 1))
	return b.reshape("Reshape_1", x, to.H, to.W, to.C)
}

// places says for every place of an image to where it is in an image from; one
// without a cell is behind the last.
func places(from, to nn.Shape) []int {
	out := make([]int, to.Size())
	for i := range out {
		out[i] = from.Size()
	}
	was := autoencoder.Arrangement(from)
	for c, at := range autoencoder.Arrangement(to) {
		out[at] = was[c]
	}
	return out
}

func export(_ context.Context, m *model.Model) ([]model.File, error) {
	all, err := graphs(m)
	if err != nil {
		return nil, err
	}
	var files []model.File
	for _, g := range all {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(g.def)
		if err != nil {
			return nil, fmt.Errorf("tensorflow: %w", err)
		}
		files = append(files,
			model.File{Name: g.name + ".pb", Data: raw, About: g.about, Part: g.part},
			model.File{Name: g.name + ".pb.ascii", Data: ascii(g.def), About: "the same as text", Part: g.part})
	}
	return files, nil
}

// uneven is what prototext varies from build to build, and message the colon that
// TensorFlow's own text does without.
var (
	uneven  = regexp.MustCompile(`(?m)^( *[a-z_0-9]+:)  `)
	message = regexp.MustCompile(`(?m)^( *[a-z_0-9]+): {$`)
)

// ascii is a graph in protobuf's text format, the same in every build.
func ascii(g *graphpb.GraphDef) []byte {
	raw := prototext.MarshalOptions{Multiline: true, Indent: "  "}.Format(g)
	return []byte(message.ReplaceAllString(uneven.ReplaceAllString(raw, "$1 "), "$1 {"))
}

// secondVectors are the test vectors of the arrangement that the model itself does
// not have.
func secondVectors(_ context.Context, m *model.Model, v model.Vectors) (model.Vectors, error) {
	var out model.Vectors
	for _, a := range arrangements {
		from := imagesOf(m)
		if a.shape == from {
			continue
		}
		move := func(x *model.Array) *model.Array {
			n, size := x.Rows()
			moved := &model.Array{Type: x.Type, Shape: []int{n, a.shape.H, a.shape.W, a.shape.C}, Data: make([]float64, n*a.shape.Size())}
			for k, at := range places(from, a.shape) {
				for i := 0; at < size && i < n; i++ {
					moved.Data[i*a.shape.Size()+k] = x.Data[i*size+at]
				}
			}
			return moved
		}
		if x := v.Get("x"); x != nil {
			out = append(out, model.Vector{Name: "x" + a.suffix, About: "the images in the arrangement " + a.name, Array: move(x)})
		}
		out = append(out, model.Vector{Name: "latent" + a.suffix, About: "the 16 outputs of these, the same", Array: v.Get("latent")})
		if y := v.Get("y"); y != nil {
			out = append(out, model.Vector{Name: "y" + a.suffix, About: "the decoded images in the arrangement " + a.name, Array: move(y)})
		}
	}
	return out, nil
}
