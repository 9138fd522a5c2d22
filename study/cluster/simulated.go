package cluster

import (
	"context"
	"math"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/simulate"
)

// The kinds of wafers that are simulated. The last five are defects, of modules in pile-up.
const (
	kindElectron = iota
	kindPhoton
	kindPion
	kindPileUp
	kindNoise
	kindDead
	kindNoisy
	kindHot
	kindSwapped
	kindMapping
	kinds
)

var kindNames = []string{"electron", "photon", "pion", "pile-up", "noise", "dead", "noisy", "hot", "swapped", "mapping"}

// inputCells is how many cells share one input of the trigger chip.
const inputCells = 4

// beams is how many modules stand in a beam of each particle, each at an energy of its own.
const beams = 20

// A simulation draws rows: means over events of one module.
type simulation struct {
	seed    uint64
	events  int
	pileUp  *simulate.Generator
	noise   *simulate.Generator
	beam    [3][]*simulate.Generator
	energy  [3][]float64
	modules []hgcal.Module
}

func newSimulation(seed uint64, events int, particles bool) (*simulation, error) {
	s := &simulation{seed: seed, events: events}
	base := simulate.Settings{Preset: "pileup200", KeepEmpty: true, Unit: simulate.MIPT, Threshold: -1, Threads: 1, Seed: seed}
	var err error
	if s.pileUp, err = simulate.New(base); err != nil {
		return nil, err
	}
	s.modules = s.pileUp.Modules()
	base.PileUp = -1
	if s.noise, err = simulate.New(base); err != nil || !particles {
		return s, err
	}
	r := counter.New(seed^streamSample, 0)
	for k, preset := range []string{"electrons", "photons", "pions"} {
		for range beams {
			m := s.modules[r.IntN(len(s.modules))]
			energy := 20 * math.Exp(float64(r.Float64()*math.Log(10)))
			own := base
			own.Preset, own.PileUp, own.Modules = preset, 0, [][3]int{{m.Layer, m.U, m.V}}
			own.EnergyMin, own.EnergyMax, own.Seed = energy, energy, r.Uint64()
			g, err := simulate.New(own)
			if err != nil {
				return nil, err
			}
			s.beam[k], s.energy[k] = append(s.beam[k], g), append(s.energy[k], energy)
		}
	}
	return s, nil
}

// draw makes rows of these kinds, row k a function of the seed and k.
func (s *simulation) draw(ctx context.Context, list []int, threads int) (*rows, error) {
	parts := make([]*rows, len(list))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(threads)
	for k, kind := range list {
		g.Go(func() error {
			parts[k] = &rows{grid: waferGrid(), columns: make([]column, 4)}
			s.row(kind, uint64(k), parts[k])
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	r := &rows{grid: waferGrid(), truth: list, classes: slices.Clone(kindNames), columns: []column{{name: "layer"}, {name: "waferu"}, {name: "waferv"}, {name: "energy"}}, naming: 3}
	for _, p := range parts {
		r.value, r.agreement = append(r.value, p.value...), append(r.agreement, p.agreement...)
		r.quantum, r.events = append(r.quantum, p.quantum...), append(r.events, p.events...)
		for c := range r.columns {
			r.columns[c].text = append(r.columns[c].text, p.columns[c].text...)
		}
	}
	return r, nil
}

// row draws one.
func (s *simulation) row(kind int, k uint64, into *rows) {
	r := counter.New(s.seed^streamTruth, k)
	add, first := newSum(into.grid), k*uint64(s.events)
	var m hgcal.Module
	energy := ""
	if kind <= kindPion {
		at := r.IntN(beams)
		g := s.beam[kind][at]
		m, energy = g.Modules()[0], strconv.FormatFloat(s.energy[kind][at], 'f', 1, 64)
		var image [hgcal.Cells]float64
		for e := range uint64(s.events) {
			g.Image(first+e, image[:])
			add.add(image[:])
		}
	} else {
		g := s.pileUp
		if kind == kindNoise {
			g = s.noise
		}
		at := r.IntN(len(s.modules))
		m = s.modules[at]
		d := newDefect(kind, &r)
		turn := r.IntN(hgcal.Sectors) // the sector's
		var image [hgcal.Cells]float64
		g.ModuleImages(at, first, s.events, func(charges []float64) {
			d.spoil(charges, &r)
			for i := range image {
				image[(i+turn*hgcal.Cells/hgcal.Rhombi)%hgcal.Cells] = charges[d.from[i]]
			}
			add.add(image[:])
		})
	}
	add.into(into)
	for c, text := range []string{strconv.Itoa(m.Layer), strconv.Itoa(m.U), strconv.Itoa(m.V), energy} {
		into.columns[c].text = append(into.columns[c].text, text)
	}
}

// A defect is what is wrong with a module, in every event.
type defect struct {
	kind  int
	cells []int   // that are dead, noisy or hot
	rate  float64 // share of events in which a noisy cell fires
	size  float64 // mean charge then, MIP_T
	from  [hgcal.Cells]int
}

// hotCharge is what a hot cell says in every event, MIP_T.
const hotCharge = 30

func newDefect(kind int, r *counter.Stream) *defect {
	d := &defect{kind: kind, rate: 0.1 + float64(0.4*r.Float64()), size: 1 + float64(4*r.Float64())}
	for i := range d.from {
		d.from[i] = i
	}
	d.cells = r.Perm(hgcal.Cells)[:1+r.IntN(4)]
	const inputs = hgcal.Cells / inputCells
	a := r.IntN(inputs)
	b := (a + 1 + r.IntN(inputs-1)) % inputs
	order := hgcal.Orders()[1+r.IntN(len(hgcal.Orders())-1)]
	switch kind {
	case kindHot:
		d.cells = d.cells[:1+(len(d.cells)-1)/3]
	case kindSwapped:
		for k := range inputCells {
			d.from[inputCells*a+k], d.from[inputCells*b+k] = inputCells*b+k, inputCells*a+k
		}
	case kindMapping:
		d.from = order.ToV9()
	}
	return d
}

// spoil changes the charges of an event.
func (d *defect) spoil(charges []float64, r *counter.Stream) {
	for _, c := range d.cells {
		switch d.kind {
		case kindDead:
			charges[c] = 0
		case kindNoisy:
			if r.Float64() < d.rate {
				charges[c] += float64(d.size * r.Exp())
			}
		case kindHot:
			charges[c] = hotCharge
		}
	}
}

// sample is the truth that is clustered: as many rows of each kind.
func sample(n int) []int {
	list := make([]int, 0, n*kinds)
	for range n {
		for k := range kinds {
			list = append(list, k)
		}
	}
	return list
}

// monitored are modules in pile-up, of which a share has defects, one kind after the other.
func monitored(n int, share float64) []int {
	list := make([]int, n)
	bad := int(math.Round(share * float64(n)))
	for i := range list {
		list[i] = kindPileUp
	}
	for k := range bad {
		list[k*n/bad] = kindDead + k%(kinds-kindDead)
	}
	return list
}
