package surrogate

import (
	"fmt"
	"io"

	"barrow/emd"
	"barrow/internal/npz"
	"barrow/internal/outfile"
	"barrow/internal/sniff"
	"barrow/internal/weights"
	"barrow/loss"
	"barrow/nn"
)

// A potential network's file is a zip archive of NumPy arrays: the metric's
// distances, float64, and the arrays of both networks, float32 or float16, under
// metricArray and the names of nn behind potentialArrays and gapArrays.
const (
	metricArray     = "metric"
	potentialArrays = "potential/"
	gapArrays       = "gap/"
)

// potentialAbout is the description in a file.
type potentialAbout struct {
	Shape PotentialShape `json:"shape"`
	Cells int            `json:"cells"`
}

// networks are the two networks of a Potential with what begins their arrays'
// names in a file.
func (m *Potential) networks() map[string]*nn.Network {
	return map[string]*nn.Network{potentialArrays: m.net, gapArrays: m.gap}
}

// Save writes the network and its metric to a file, in one step.
func (m *Potential) Save(path string) error {
	return outfile.Write(path, true, func(w io.Writer) error { return m.Encode(w, 32) })
}

// Encode writes the network and its metric with 32 or 16 bits a weight.
func (m *Potential) Encode(w io.Writer, bits int) error {
	kind := npz.Float32
	switch bits {
	case 32:
	case 16:
		kind = npz.Float16
	default:
		return fmt.Errorf("surrogate: weights of %d bits; 32 and 16 are known", bits)
	}
	distances := make([]float64, 0, Cells*Cells)
	for i := range Cells {
		for j := range Cells {
			distances = append(distances, m.g.metric.At(i, j))
		}
	}
	f := weights.File{Kind: weights.Potential, About: potentialAbout{m.shape, Cells}}
	f.Arrays = append(f.Arrays, weights.Array{Name: metricArray, Shape: []int{Cells, Cells}, Wide: distances})
	for _, prefix := range []string{potentialArrays, gapArrays} {
		for _, p := range m.networks()[prefix].Params() {
			f.Arrays = append(f.Arrays, weights.Array{Name: prefix + p.Name, Type: kind, Shape: p.Shape, Data: p.Value})
		}
	}
	if err := f.Write(w); err != nil {
		return fmt.Errorf("surrogate: %w", err)
	}
	return nil
}

// loadPotential reads a file that Save or Encode wrote. Errors about its content
// wrap [nn.ErrCheckpoint].
func loadPotential(path string, s nn.Settings) (*Potential, error) {
	f, err := weights.Open(path, weights.Potential)
	if err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	m, err := decodePotential(f, s)
	if err != nil {
		return nil, fmt.Errorf("surrogate: %s: %w", path, err)
	}
	return m, nil
}

// Open reads the weights of an EMD network of either sort: a [*CNN] or a
// [*Potential].
func Open(path string, s nn.Settings) (loss.Distance, error) {
	head, err := sniff.Head(path)
	if err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	if weights.KindOf(head) == weights.Potential {
		return loadPotential(path, s)
	}
	return LoadCNN(path, s)
}

// largestNetwork bounds the width of a potential network.
const largestNetwork = 1 << 14

func decodePotential(f *weights.File, s nn.Settings) (*Potential, error) {
	fail := func(err error) (*Potential, error) { return nil, fmt.Errorf("%w: %w", weights.ErrUnusable, err) }
	var about potentialAbout
	if err := f.Describe(&about); err != nil {
		return nil, err
	}
	if err := about.Shape.Check(); err != nil {
		return fail(err)
	}
	arrays := map[string]weights.Array{}
	held := 0
	for _, a := range f.Arrays {
		arrays[a.Name] = a
		held += len(a.Data)
	}
	// Before the network is made: a small file could ask for a large one.
	if want := about.Shape.weights() + gapWeights; held != want {
		return fail(fmt.Errorf("it holds %d weights, %d are expected for %v", held, want, about.Shape))
	}
	distances := arrays[metricArray].Wide
	if about.Cells != Cells || len(distances) != Cells*Cells {
		return fail(fmt.Errorf("it has no metric of %d×%d distances", Cells, Cells))
	}
	metric, err := emd.NewMetric(Cells, distances)
	if err != nil {
		return fail(fmt.Errorf("its metric: %w", err))
	}
	m, err := NewPotential(metric, about.Shape, s)
	if err != nil {
		return nil, err
	}
	for prefix, net := range m.networks() {
		for _, p := range net.Params() {
			if err := net.SetParam(p.Name, arrays[prefix+p.Name].Data); err != nil {
				return fail(err)
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
