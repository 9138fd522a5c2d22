// Package evaluate measures what an encoder keeps of the images: the exact EMD
// between image and decoded image, by occupancy and |η| as in arXiv:2306.04712,
// the energy response, the shifts of the centre of gravity and of the width,
// and what sets two encoders apart on the same images, with the intervals that
// go with them.
package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/wafer"
)

// Cells is the number of trigger cells in an image.
const Cells = hgcal.Cells

// Settings of an evaluation; the zero value is the default.
type Settings struct {
	Threshold float64       // charge above which a cell counts as occupied; 35, one MIP_T, by default
	Edges     []float64     // occupancy bin edges; steps of 4 from 0 to 52 by default
	MinBin    int           // bins with fewer images are left out; 20 by default
	EtaEdges  []float64     // |η| bin edges; the paper's, ten steps of 0.14 from 1.6, by default
	Points    []hgcal.Point // the cells' places, for the figures that need them; none by default
	Threads   int           // 0 for all processors; never changes a bit

	// Progress gets the share of long work that is done and what is being done; none
	// by default.
	Progress func(share float64, note string)

	// Lost says that decoded images may be without charge; see Figure.Shape.
	Lost bool
}

// MIP is the charge of one transverse minimum-ionising particle in CALQ units.
const MIP = hgcal.CountsPerMIPT

func (s Settings) withDefaults() (Settings, error) {
	if !(s.Threshold >= 0 && s.Threshold <= math.MaxFloat64) {
		return s, fmt.Errorf("evaluate: a cell counts as occupied above a charge of %v: want a positive number", s.Threshold)
	}
	if s.Points != nil && len(s.Points) != Cells {
		return s, fmt.Errorf("evaluate: %d places for %d cells", len(s.Points), Cells)
	}
	if s.Threshold == 0 {
		s.Threshold = MIP
	}
	if s.Edges == nil {
		s.Edges = OccupancyEdges()
	}
	if s.MinBin == 0 {
		s.MinBin = 20
	}
	if s.EtaEdges == nil {
		s.EtaEdges = etaEdges()
	}
	var err error
	if s.Threads, err = limit.Threads(s.Threads); err != nil {
		return s, fmt.Errorf("evaluate: %w", err)
	}
	return s, nil
}

// OccupancyEdges are the default edges of the occupancy bins: 0, 4, 8, … 52, so
// that a full wafer is inside the last bin.
func OccupancyEdges() []float64 {
	var edges []float64
	for e := 0.0; e <= Cells+4; e += 4 {
		edges = append(edges, e)
	}
	return edges
}

// etaEdges are the default edges of the |η| bins: 1.6, 1.74, … 3.
func etaEdges() []float64 {
	edges := make([]float64, 11)
	for k := range edges {
		edges[k] = 1.6 + 0.14*float64(k)
	}
	return edges
}

// A Meter measures images batch by batch: it keeps the figures of each, not the
// images.
type Meter struct {
	settings Settings
	figures  []Measured
	compute  []perImage

	occupancy []uint8
	eta       []float64 // nil where a batch had none
	n         int
	filled    []float64
}

// NewMeter measures on a ground metric of 48 points.
func NewMeter(m *emd.Metric, s Settings) (*Meter, error) {
	s, err := s.withDefaults()
	if err != nil {
		return nil, err
	}
	t := &Meter{settings: s}
	for _, f := range figures {
		if f.Points && s.Points == nil {
			continue
		}
		compute, err := f.build(needs{m, s.Points, s.Threads})
		if err != nil {
			return nil, err
		}
		t.figures, t.compute = append(t.figures, Measured{Figure: f}), append(t.compute, compute)
	}
	return t, nil
}

// Add measures images, each with a positive sum, with their decoded images in the
// same units. |η| is that of the column eta, where all batches have one. A decoded
// image without charge is an error that names its number, from 1 over all batches.
func (t *Meter) Add(ctx context.Context, images, decoded *wafer.Set) error {
	n := images.Len()
	if len(images.Charge) != len(decoded.Charge) || n == 0 || len(images.Charge)%Cells != 0 {
		return fmt.Errorf("evaluate: %d charges and %d decoded ones; the same whole number of %d-cell images is needed", len(images.Charge), len(decoded.Charge), Cells)
	}
	shape := decoded.Charge
	if t.settings.Lost {
		t.filled = append(t.filled[:0], decoded.Charge...)
		for i := range n {
			fillEmpty(t.filled[i*Cells : (i+1)*Cells])
		}
		shape = t.filled
	}
	for k := range t.figures {
		f := &t.figures[k]
		of := decoded.Charge
		if f.Shape {
			of = shape
		}
		f.Values = append(f.Values, make([]float64, n)...)
		if err := t.compute[k](ctx, images.Charge, of, f.Values[t.n:]); err != nil {
			var row *emd.RowError
			if errors.As(err, &row) {
				return fmt.Errorf("evaluate: image %d: %w", t.n+row.Row+1, row.Err)
			}
			return fmt.Errorf("evaluate: %w", err)
		}
	}
	for i := range n {
		t.occupancy = append(t.occupancy, uint8(wafer.Occupancy(images.Image(i), t.settings.Threshold)))
	}
	// Without the column there is no division by |η|.
	if eta, err := images.Numbers(wafer.Eta); err == nil && len(t.eta) == t.n {
		t.eta = append(t.eta, eta...)
	}
	t.n += n
	return nil
}

// Fidelity is what has been measured so far.
func (t *Meter) Fidelity() *Fidelity {
	eta := t.eta
	if len(eta) != t.n {
		eta = nil
	}
	r := &Fidelity{}
	for _, m := range t.figures {
		m.Summary = Summarise(m.Values)
		if m.Profiled {
			m.profile(t.occupancy, eta, t.settings)
		}
		r.Figures = append(r.Figures, m)
	}
	return r
}

// Images measures images, each with a positive sum, with their decoded images in
// the same units, on a ground metric of 48 points: a [Meter] of one batch.
func Images(ctx context.Context, m *emd.Metric, images, decoded *wafer.Set, s Settings) (*Fidelity, error) {
	t, err := NewMeter(m, s)
	if err != nil {
		return nil, err
	}
	if err := t.Add(ctx, images, decoded); err != nil {
		return nil, err
	}
	return t.Fidelity(), nil
}
