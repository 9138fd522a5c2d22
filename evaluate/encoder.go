// Package evaluate measures what an encoder keeps of the images: the exact EMD
// between image and decoded image, by occupancy and |η| as in arXiv:2306.04712,
// the energy response, the shifts of the centre of gravity and of the width,
// and what sets two encoders apart on the same images, with the intervals that
// go with them.
package evaluate

import (
	"context"
	"fmt"
	"math"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/wafer"
)

// Cells is the number of trigger cells in an image.
const Cells = hgcal.Cells

// Encoder holds the figures of one encoder on one set of images.
type Encoder struct {
	EMD Summary `json:"emd"` // exact EMD, both images scaled to sum 1

	// ByOccupancy is the EMD against the number of trigger cells above the
	// occupancy threshold in the image.
	ByOccupancy []Bin `json:"emd_by_occupancy"`

	// ByEta is the EMD against |η|, where Settings.Eta gives it.
	ByEta []Bin `json:"emd_by_eta,omitempty"`

	// Response is Σ decoded / Σ charges of an image.
	Response Summary `json:"response"`

	// Shapes are what becomes of an image's centre of gravity and width, where
	// Settings.Points gives the cells' places.
	Shapes *Shapes `json:"shapes,omitempty"`

	// Values are the EMDs image by image, in the images' order.
	Values []float64 `json:"-"`
	// Responses are the energy responses image by image.
	Responses []float64 `json:"-"`
}

// Settings of an evaluation; the zero value is the default.
type Settings struct {
	Threshold float64   // charge above which a cell counts as occupied; 35, one MIP_T, by default
	Edges     []float64 // occupancy bin edges; steps of 4 from 0 to 48 by default
	MinBin    int       // bins with fewer images are left out; 20 by default
	Threads   int       // goroutines of the exact EMD; 1 by default

	Eta      []float64     // pseudorapidity of each image, of either sign; none by default
	EtaEdges []float64     // |η| bin edges; the paper's, ten steps of 0.14 from 1.6, by default
	Points   []hgcal.Point // the cells' places, for Shapes; none by default
}

// MIP is the charge of one transverse minimum-ionising particle in CALQ units:
// 3.43 fC in 200 µm of silicon over 100 fC/1024 a count.
const MIP = 35

func (s Settings) withDefaults() Settings {
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
		s.EtaEdges = EtaEdges()
	}
	s.Threads = max(1, s.Threads)
	return s
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

// EtaEdges are the default edges of the |η| bins: 1.6, 1.74, … 3.
func EtaEdges() []float64 {
	edges := make([]float64, 11)
	for k := range edges {
		edges[k] = 1.6 + 0.14*float64(k)
	}
	return edges
}

// Images compares N images (N×48 charges) with their decoded images in the
// same units on a ground metric of 48 points. Every image must have a positive
// sum; a decoded image without charge is an error that names the row.
func Images(ctx context.Context, m *emd.Metric, images, decoded []float64, s Settings) (*Encoder, error) {
	s = s.withDefaults()
	if len(images) != len(decoded) || len(images) == 0 || len(images)%Cells != 0 {
		return nil, fmt.Errorf("evaluate: %d charges and %d decoded ones; the same whole number of %d-cell images is needed", len(images), len(decoded), Cells)
	}
	b, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: s.Threads})
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	n := len(images) / Cells
	r := &Encoder{Values: make([]float64, n), Responses: make([]float64, n)}
	if err := b.Gradient(ctx, images, decoded, r.Values, nil, nil); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	for i := range n {
		in, out := 0.0, 0.0
		for c := i * Cells; c < (i+1)*Cells; c++ {
			in += images[c]
			out += decoded[c]
		}
		r.Responses[i] = out / in
	}
	r.EMD, r.Response = Summarise(r.Values), Summarise(r.Responses)
	occupancy := make([]float64, n)
	for i := range occupancy {
		occupancy[i] = float64(wafer.Occupancy(images[i*Cells:(i+1)*Cells], s.Threshold))
	}
	r.ByOccupancy = Profile(occupancy, r.Values, s.Edges, s.MinBin)
	if err := r.byEta(s); err != nil {
		return nil, err
	}
	if s.Points != nil {
		if len(s.Points) != Cells {
			return nil, fmt.Errorf("evaluate: %d places for %d cells", len(s.Points), Cells)
		}
		r.Shapes = shapes(images, decoded, s.Points)
	}
	return r, nil
}

func (r *Encoder) byEta(s Settings) error {
	if s.Eta == nil {
		return nil
	}
	if len(s.Eta) != len(r.Values) {
		return fmt.Errorf("evaluate: %d values of η for %d images", len(s.Eta), len(r.Values))
	}
	eta := make([]float64, len(s.Eta))
	for i, v := range s.Eta {
		eta[i] = math.Abs(v)
	}
	r.ByEta = Profile(eta, r.Values, s.EtaEdges, s.MinBin)
	return nil
}
