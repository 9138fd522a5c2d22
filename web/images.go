package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/file"
)

// imageKey says which images are meant: a file at one time of its own, read in one way.
type imageKey struct {
	name, stamp, order, tree string
}

// images are those of a file, as far as they are kept.
type images struct {
	set       *wafer.Set
	more      bool // the file has more than are kept
	info      wafer.Info
	remarks   []string
	occupancy []int
	lengths   evaluate.FrameLengths

	mu        sync.Mutex
	distances map[string]*job // by contender and metric
}

// mostImages of a file are kept.
const mostImages = 20_000

// mostBytes of their columns are kept.
const mostBytes = 64 << 20

// openImages reads a file's images.
func openImages(ctx context.Context, key imageKey, in file.Input) (*images, error) {
	set := wafer.ReadSettings{Tree: key.tree}
	var err error
	if set.Order, err = hgcal.ParseOrder(key.order); err != nil {
		return nil, wrong(err.Error())
	}
	r, err := file.New(ctx, set, in)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	m := &images{set: &wafer.Set{}, info: r.Info(), distances: map[string]*job{}}
	var part wafer.Set
	bytes := 0
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, err := r.Read(&part, 1024)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, c := range part.Columns {
			bytes += 8 * c.Len()
			for _, t := range c.Text {
				bytes += 16 + len(t)
			}
		}
		if room := mostImages - m.set.Len(); part.Len() > room || bytes > mostBytes {
			part, m.more = *part.Slice(0, min(room, part.Len())), true
		}
		if err := m.set.Append(&part); err != nil {
			return nil, err
		}
		if m.more {
			break
		}
	}
	if m.set.Len() == 0 {
		return nil, wrong("the file has no image")
	}
	if err := m.set.Check(); err != nil {
		return nil, err
	}
	m.remarks = r.Remarks()
	for i := range m.set.Len() {
		image := m.set.Image(i)
		m.occupancy = append(m.occupancy, wafer.Occupancy(image, hgcal.CountsPerMIPT))
		if slices.Max(image) < 1<<22 {
			m.lengths.Add(image)
		}
	}
	return m, nil
}

// by is the order of the images in which a quantity rises: file, emd, occupancy, sum, or
// one of the columns. Images of which there is none come last. What is still worked out is an
// underWay error.
func (m *images) by(ctx context.Context, jobs *jobs, sort string, of *contender, metric *ground) ([]int, error) {
	index := make([]int, m.set.Len())
	for i := range index {
		index[i] = i
	}
	var less func(a, b int) int
	switch sort {
	case "", "file":
		return index, nil
	case "emd":
		if of == nil {
			return nil, wrong("the images have an EMD once something is chosen that decodes them")
		}
		d, err := m.emd(ctx, jobs, of, metric)
		if err != nil {
			return nil, err
		}
		less = func(a, b int) int { return last(d[a], d[b]) }
	case "occupancy":
		less = func(a, b int) int { return cmp.Compare(m.occupancy[a], m.occupancy[b]) }
	case "sum":
		less = func(a, b int) int { return cmp.Compare(wafer.Sum(m.set.Image(a)), wafer.Sum(m.set.Image(b))) }
	default:
		c := m.set.Column(strings.TrimPrefix(sort, columnPrefix))
		if c == nil || !strings.HasPrefix(sort, columnPrefix) {
			return nil, wrong(fmt.Sprintf("the images cannot be sorted by %q", sort))
		}
		if v, err := c.Floats(); err == nil {
			less = func(a, b int) int { return last(v[a], v[b]) }
		} else {
			less = func(a, b int) int { return strings.Compare(c.Value(a), c.Value(b)) }
		}
	}
	slices.SortStableFunc(index, less)
	return index, nil
}

// columnPrefix is before a column's name among what is sorted by.
const columnPrefix = "column:"

// last compares numbers, those that are none being the largest.
func last(a, b float64) int {
	if an, bn := a != a, b != b; an || bn {
		return cmp.Compare(boolInt(an), boolInt(bn))
	}
	return cmp.Compare(a, b)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A ground is a ground metric with its name.
type ground struct {
	name   string
	unit   string
	metric *emd.Metric
}

// metricOf is one of the metrics that have a name.
func metricOf(name string) (*ground, error) {
	if name == "" {
		name = hgcal.Metrics()[0]
	}
	if !slices.Contains(hgcal.Metrics(), name) {
		return nil, wrong(fmt.Sprintf("there is no metric %q: want %s", name, strings.Join(hgcal.Metrics(), " or ")))
	}
	points, err := hgcal.Positions(name)
	if err != nil {
		return nil, err
	}
	m, err := emd.Euclidean(points)
	unit := "½ TC pitch"
	if name == "cmssw" {
		unit = "cm"
	}
	return &ground{name, unit, m}, err
}

// A move is how the mass of one image becomes another's.
type move struct {
	value     float64
	arcs      []emd.Arc
	potential []float64
	dp, dq    []float64 // gradient with respect to the charges, as they are
}

// solve compares two images of any totals; nil where one has no charge.
func (g *ground) solve(p, q []float64) (*move, error) {
	if wafer.Sum(p) == 0 || wafer.Sum(q) == 0 {
		return nil, nil
	}
	s, err := emd.NewSolver(g.metric, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		return nil, err
	}
	v := &move{potential: make([]float64, hgcal.Cells), dp: make([]float64, hgcal.Cells), dq: make([]float64, hgcal.Cells)}
	if v.arcs, v.value, err = s.Solve(p, q, nil, v.potential, nil); err != nil {
		return nil, err
	}
	if _, err := s.Gradient(p, q, v.dp, v.dq); err != nil {
		return nil, err
	}
	return v, nil
}
