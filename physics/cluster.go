package physics

import (
	"fmt"
	"math"
	"slices"

	"barrow/hgcal"
)

// FinderSettings say how clusters are found. The zero value is what the field's studies
// take, roughly.
type FinderSettings struct {
	// BinsR is the number of bins in r/z between 0.08 and 0.58, BinsPhi that in φ, a
	// multiple of 3; 0 is 42 and 216.
	BinsR, BinsPhi int
	// Smooth is the width in x/z that energies are smoothed to along φ, where bins are
	// narrower; 0 is 0.012. Along r they are smoothed over neighbours.
	Smooth float64
	// Seed is the least smoothed transverse energy of a seed, in MIP_T; 0 is 20,
	// some 0.4 GeV; in pile-up 200 every peak has more.
	Seed float64
	// Radius is the cluster's around its seed in x/z and y/z; 0 is 0.03.
	Radius float64
}

// The range of the histogram in r/z: η from 3.2 to 1.3.
const minRZ, maxRZ = 0.08, 0.58

// edge is the share of a bin by which its lower edge in φ takes in cells.
const edge = 1e-9

func (s *FinderSettings) complete() error {
	if s.BinsR == 0 {
		s.BinsR = 42
	}
	if s.BinsPhi == 0 {
		s.BinsPhi = 216
	}
	fill := func(v *float64, value float64) {
		if *v == 0 {
			*v = value
		}
	}
	fill(&s.Smooth, 0.012)
	fill(&s.Seed, 20)
	fill(&s.Radius, 0.03)
	switch {
	case s.BinsR < 3 || s.BinsR > 1000:
		return fmt.Errorf("physics: %d bins in r/z: want 3 to 1000", s.BinsR)
	case s.BinsPhi < 6 || s.BinsPhi > 3000 || s.BinsPhi%hgcal.Sectors != 0:
		return fmt.Errorf("physics: %d bins in φ: want a multiple of 3, 6 to 3000", s.BinsPhi)
	case !(s.Smooth >= 0 && s.Smooth <= 0.1):
		return fmt.Errorf("physics: smoothing over %g in x/z: want at most 0.1", s.Smooth)
	case !(s.Seed > 0 && !math.IsInf(s.Seed, 1)):
		return fmt.Errorf("physics: seed threshold %g MIP_T: want above 0", s.Seed)
	case !(s.Radius > 0 && s.Radius <= 0.3):
		return fmt.Errorf("physics: cluster radius %g in x/z: want above 0, at most 0.3", s.Radius)
	}
	return nil
}

// Finder finds clusters, in three steps.
//
// Histogram: the transverse energies e of all trigger cells, of all layers, are summed
// in bins of r/z and φ. All layers count the same: weights are the calibration's.
//
// Seeds: the sums are smoothed. Along φ, with the weight 1 − |d|/(w+1) for the bin d
// away, w being the number of bins of that r/z that make Smooth; then along r/z with ½,
// 1, ½. A seed is a bin whose smoothed sum is at least Seed and the largest within one
// bin in r/z and w bins (at least one) in φ; of equal ones it is the last in r/z, then
// turning with φ. Its direction is the mean of the cells' x/z and y/z under the same
// smoothing. Of seeds less than Radius apart the one with the larger sum is left.
//
// Clusters: a cell belongs to the largest seed within Radius of it in x/z, y/z, so that
// what else is around takes nothing away from an energetic particle. A cluster's direction
// is the mean of its cells' under the weights e.
//
// The bins turn into each other with the sectors of the detector, so clusters do, too.
// A Finder is for one goroutine at a time.
type Finder struct {
	settings FinderSettings
	geometry *Geometry
	// Of every cell in Geometry.shared: its bin in sector 0, -1 out of range.
	bins  [][hgcal.Cells]int32
	width []int // w by row

	sum, smooth []float64    // rows of r/z, columns of φ
	rows        []bool       // that hold anything
	moment      [][2]float64 // Σe·x/z and Σe·y/z of a bin
	seeds       []seed
	deposits    [][]deposit
}

// seed is where a cluster begins.
type seed struct {
	value float64
	x, y  float64
	bin   int
}

// Cluster is what a particle left, all layers together.
type Cluster struct {
	X, Y     float64 // direction: means of x/z and y/z
	Eta, Phi float64
	Seed     float64 // the seed's smoothed sum, MIP_T
	Sum      float64 // transverse energy in MIP_T
	Cells    int     // how many have a charge
	// Layers are the transverse energies in MIP_T by layer, as Geometry.Layers has
	// them.
	Layers []float64
	Shape  Shape

	seed int // its number, until it has a shape
}

// NewFinder prepares the finding of clusters in events of a source with this geometry.
func NewFinder(g *Geometry, s FinderSettings) (*Finder, error) {
	if err := s.complete(); err != nil {
		return nil, err
	}
	f := &Finder{settings: s, geometry: g, bins: make([][hgcal.Cells]int32, len(g.shared)),
		sum: make([]float64, s.BinsR*s.BinsPhi), smooth: make([]float64, s.BinsR*s.BinsPhi),
		moment: make([][2]float64, s.BinsR*s.BinsPhi), rows: make([]bool, s.BinsR)}
	for i := range g.shared {
		for k, c := range g.shared[i] {
			f.bins[i][k] = -1
			if r := f.row(c.rz); r >= 0 && r < s.BinsR {
				// Some cells lie on an edge between bins, but for rounding.
				phi := int(math.Floor(c.phi/(2*math.Pi)*float64(s.BinsPhi) + edge))
				f.bins[i][k] = int32(r*s.BinsPhi + (phi%s.BinsPhi+s.BinsPhi)%s.BinsPhi)
			}
		}
	}
	for r := range s.BinsR {
		rz := minRZ + (float64(r)+0.5)*(maxRZ-minRZ)/float64(s.BinsR)
		w := int(math.Round(s.Smooth / (rz * 2 * math.Pi / float64(s.BinsPhi))))
		f.width = append(f.width, min(w, (s.BinsPhi-1)/2))
	}
	return f, nil
}

func (f *Finder) row(rz float64) int {
	return int(math.Floor((rz - minRZ) / (maxRZ - minRZ) * float64(f.settings.BinsR)))
}

// bin is the histogram's bin of cell k of a wafer, -1 if it has none.
func (f *Finder) bin(w *Wafer, k int) int {
	b := int(f.bins[w.cells][k])
	if b < 0 || w.Sector == 0 {
		return b
	}
	n := f.settings.BinsPhi
	phi := b%n + w.Sector*(n/hgcal.Sectors)
	if phi >= n {
		phi -= n
	}
	return b - b%n + phi
}

// waferSize is within what a wafer's cells lie of its centre, in x/z and y/z.
const waferSize = 0.04

// mipT is a count of CALQ in MIP_T.
const mipT = 1. / hgcal.CountsPerMIPT

// find is Find without shapes: those of clusters that are recorded are enough.
func (f *Finder) find(e *Event, charges []float64) ([]Cluster, error) {
	if len(charges) != len(e.Wafers)*hgcal.Cells {
		return nil, fmt.Errorf("physics: %d charges for the %d wafers of event %d: want %d each",
			len(charges), len(e.Wafers), e.Number, hgcal.Cells)
	}
	if err := f.fill(e, charges); err != nil {
		return nil, err
	}
	f.findSeeds()
	return f.collect(e, charges), nil
}

// Find returns the clusters of an event, those with the largest seeds first. Charges are
// those of its images or what a contender makes of them: 48 for each of the event's
// wafers, in CALQ.
func (f *Finder) Find(e *Event, charges []float64) ([]Cluster, error) {
	clusters, err := f.find(e, charges)
	if err != nil {
		return nil, err
	}
	for i := range clusters {
		f.shape(&clusters[i])
	}
	return clusters, nil
}

// fill makes the histogram.
func (f *Finder) fill(e *Event, charges []float64) error {
	clear(f.sum)
	clear(f.moment)
	clear(f.rows)
	for i, at := range e.Wafers {
		if at < 0 || int(at) >= f.geometry.Len() {
			return fmt.Errorf("physics: event %d: image %d is of wafer %d: the geometry has %d", e.Number, i+1, at, f.geometry.Len())
		}
		w := f.geometry.Wafer(int(at))
		for k, q := range charges[i*hgcal.Cells : (i+1)*hgcal.Cells] {
			if q == 0 {
				continue
			}
			if !(q > 0) || math.IsInf(q, 1) {
				return fmt.Errorf("physics: event %d: charge %g in cell %d of image %d: want a number, at least 0", e.Number, q, k, i+1)
			}
			if b := f.bin(w, k); b >= 0 {
				x, y := f.geometry.Cell(int(at), k)
				v := float64(q * mipT)
				f.sum[b] += v
				f.moment[b][0] += float64(v * x)
				f.moment[b][1] += float64(v * y)
				f.rows[b/f.settings.BinsPhi] = true
			}
		}
	}
	return nil
}

// findSeeds smooths the histogram and finds its peaks.
func (f *Finder) findSeeds() {
	nr, np := f.settings.BinsR, f.settings.BinsPhi
	clear(f.smooth)
	along := make([]float64, np)
	for r := range nr {
		if !f.rows[r] {
			continue
		}
		row := f.sum[r*np : (r+1)*np]
		f.smoothRow(along, row, f.width[r])
		for d, share := range [...]float64{0.5, 1, 0.5} {
			if to := r + d - 1; to >= 0 && to < nr {
				for p, v := range along {
					f.smooth[to*np+p] += float64(share * v)
				}
			}
		}
	}
	f.seeds = f.seeds[:0]
	for r := range nr {
		for p := range np {
			if v := f.smooth[r*np+p]; v >= f.settings.Seed && f.peak(r, p, v) {
				f.seeds = append(f.seeds, seed{value: v, bin: r*np + p})
			}
		}
	}
	for j := range f.seeds {
		f.direct(&f.seeds[j])
	}
	f.separate()
}

// smoothRow smooths a row along φ over w bins on either side.
func (f *Finder) smoothRow(to, row []float64, w int) {
	n := len(row)
	clear(to)
	for p, v := range row {
		if v == 0 {
			continue
		}
		for d := -w; d <= w; d++ {
			q := p + d
			if q < 0 {
				q += n
			} else if q >= n {
				q -= n
			}
			to[q] += float64(v * (1 - math.Abs(float64(d))/float64(w+1)))
		}
	}
}

// peak reports whether a bin is the largest around, the last of equal ones.
func (f *Finder) peak(r, p int, v float64) bool {
	nr, np := f.settings.BinsR, f.settings.BinsPhi
	w := max(f.width[r], 1)
	for dr := -1; dr <= 1; dr++ {
		if r+dr < 0 || r+dr >= nr {
			continue
		}
		row := f.smooth[(r+dr)*np : (r+dr+1)*np]
		for d := -w; d <= w; d++ {
			if dr == 0 && d == 0 {
				continue
			}
			other := row[((p+d)%np+np)%np]
			if other > v || other == v && (dr > 0 || dr == 0 && d > 0) {
				return false
			}
		}
	}
	return true
}

// direct gives a seed its direction.
func (f *Finder) direct(s *seed) {
	np := f.settings.BinsPhi
	r, p := s.bin/np, s.bin%np
	var x, y, total float64
	for dr := -1; dr <= 1; dr++ {
		row := r + dr
		if row < 0 || row >= f.settings.BinsR || !f.rows[row] {
			continue
		}
		w := f.width[row]
		for d := -w; d <= w; d++ {
			b := row*np + (p+d+np)%np
			share := (1 - 0.5*math.Abs(float64(dr))) * (1 - math.Abs(float64(d))/float64(w+1))
			x += float64(share * f.moment[b][0])
			y += float64(share * f.moment[b][1])
			total += float64(share * f.sum[b])
		}
	}
	s.x, s.y = x/total, y/total
}

// separate sorts the seeds, the largest first, and drops those near a larger one.
func (f *Finder) separate() {
	slices.SortFunc(f.seeds, func(a, b seed) int {
		switch {
		case a.value > b.value:
			return -1
		case a.value < b.value:
			return 1
		}
		return a.bin - b.bin
	})
	kept := f.seeds[:0]
	for _, s := range f.seeds {
		if !slices.ContainsFunc(kept, func(k seed) bool { return within(s.x-k.x, s.y-k.y, f.settings.Radius) }) {
			kept = append(kept, s)
		}
	}
	f.seeds = kept
}

// collect gives the seeds their cells.
func (f *Finder) collect(e *Event, charges []float64) []Cluster {
	if len(f.seeds) == 0 {
		return nil
	}
	for len(f.deposits) < len(f.seeds) {
		f.deposits = append(f.deposits, nil)
	}
	for j := range f.seeds {
		f.deposits[j] = f.deposits[j][:0]
	}
	for i, at := range e.Wafers {
		if x, y := f.geometry.centre(int(at)); !f.reaches(x, y, f.settings.Radius+waferSize) {
			continue
		}
		w := f.geometry.Wafer(int(at))
		for k, q := range charges[i*hgcal.Cells : (i+1)*hgcal.Cells] {
			if q == 0 {
				continue
			}
			x, y := f.geometry.Cell(int(at), k)
			if j := f.owner(x, y); j >= 0 {
				f.deposits[j] = append(f.deposits[j], deposit{w.Depth, x, y, q * mipT})
			}
		}
	}
	clusters := make([]Cluster, 0, len(f.seeds))
	for j := range f.seeds {
		if len(f.deposits[j]) > 0 {
			c := f.cluster(&f.seeds[j], f.deposits[j])
			c.seed = j
			clusters = append(clusters, c)
		}
	}
	return clusters
}

// reaches reports whether a seed is within a radius of x, y.
func (f *Finder) reaches(x, y, radius float64) bool {
	return slices.ContainsFunc(f.seeds, func(s seed) bool { return within(x-s.x, y-s.y, radius) })
}

// owner is the seed of a cell, the largest within the radius; -1 if there is none.
func (f *Finder) owner(x, y float64) int {
	return slices.IndexFunc(f.seeds, func(s seed) bool { return within(x-s.x, y-s.y, f.settings.Radius) })
}

// cluster sums a cluster's cells.
func (f *Finder) cluster(s *seed, deposits []deposit) Cluster {
	c := Cluster{Seed: s.value, Cells: len(deposits), Layers: make([]float64, len(f.geometry.layers))}
	for _, d := range deposits {
		c.Sum += d.energy
		c.X += float64(d.energy * d.x)
		c.Y += float64(d.energy * d.y)
		c.Layers[d.depth] += d.energy
	}
	c.X, c.Y = c.X/c.Sum, c.Y/c.Sum
	c.Eta, c.Phi = EtaPhi(c.X, c.Y)
	return c
}

// shape measures the shape of a cluster of the event that was searched last, once.
func (f *Finder) shape(c *Cluster) {
	c.Shape = shapeOf(f.deposits[c.seed], c, f.settings.Radius)
	c.seed = 0
}
