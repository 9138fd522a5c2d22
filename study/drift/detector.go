package drift

import (
	"fmt"
	"math"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/simulate"
	"barrow/study/internal/ageing"
	"barrow/wafer"
)

// events are images of one place of the detector, in its three sectors, before and after the
// electronics.
type events struct {
	truth, measured *wafer.Set
	sector          []int
}

// part is some of the events.
func (e *events) part(index []int) *events {
	p := &events{truth: e.truth.Select(index), measured: e.measured.Select(index)}
	for _, i := range index {
		p.sector = append(p.sector, e.sector[i])
	}
	return p
}

// beam is what makes the images.
type beam struct {
	pileUp float64
	spot   [2]float64
}

// site is the place of the detector that is studied.
type site struct {
	module     hgcal.Module
	preset     string
	sensors    ageing.Sensors
	conditions []float32 // of the autoencoder, the same for all images but for the sum
}

func newSite(m hgcal.Module, preset string) (*site, error) {
	d := &site{module: m, preset: preset, sensors: ageing.SensorsOf(m)}
	one, err := d.draw(100, 0, beam{}, func(int, int) *age { return fresh() })
	if err == nil && one.truth.Len() == 0 {
		return nil, fmt.Errorf("drift: module %d/%d/%d has no image with charge among the first", m.Layer, m.U, m.V)
	}
	if err != nil {
		return nil, err
	}
	d.conditions, err = autoencoder.Conditions(one.truth.Slice(0, 1))
	return d, err
}

// draw draws n images of the seed; aged gives the age of image i, in a sector. Those of which nothing
// is left before or after the electronics are left out.
func (d *site) draw(n int, seed uint64, b beam, aged func(i, sector int) *age) (*events, error) {
	e, _, err := d.drawKept(n, seed, b, aged)
	return e, err
}

// drawKept is draw and tells which images were kept.
func (d *site) drawKept(n int, seed uint64, b beam, aged func(i, sector int) *age) (*events, []int, error) {
	m := d.module
	set, err := simulate.Generate(n, simulate.Settings{
		Preset: d.preset, Seed: seed, Modules: [][3]int{{m.Layer, m.U, m.V}}, PileUp: b.pileUp, Spot: b.spot, Threads: 1, KeepEmpty: true,
	})
	if err != nil {
		return nil, nil, err
	}
	sectors := set.Column("sector").Float
	e := &events{truth: set, measured: &wafer.Set{Charge: make([]float64, len(set.Charge)), Columns: set.Columns}}
	var keep []int
	for i := range n {
		e.sector = append(e.sector, int(sectors[i]))
		s := counter.New(seed^noiseStream, uint64(i))
		a := aged(i, e.sector[i])
		a.Measure(&s, d.sensors.Fakes(a.noise), 0, e.truth.Image(i), e.measured.Image(i))
		if wafer.Sum(e.truth.Image(i)) > 0 && wafer.Sum(e.measured.Image(i)) > 0 {
			keep = append(keep, i)
		}
	}
	return e.part(keep), keep, nil
}

const noiseStream = 0x6e6f697365

// frames are all that arrives off the detector of some events: of each the encoder's 16 outputs and
// the module's sum, and of as many as were asked for the charges themselves as they were measured.
// What was there to measure is not among it: whoever has frames alone cannot know it.
type frames struct {
	outputs []float32  // N×16
	sums    []float64  // CALQ counts, as nine bits have them
	readout *wafer.Set // as measured; nil for none
}

func (f *frames) len() int { return len(f.sums) }

// sentSum is what a module's sum comes to off the detector: the middle of the interval that its nine
// bits, 5E4M, stand for.
func sentSum(sum float64) float64 {
	lo, hi := econt.F5E4M.Interval(econt.F5E4M.Encode(uint64(sum)))
	return float64(lo+hi) / 2
}

// logSum is a sum as decoders and statistics take it: about 1 for a wafer full of pile-up.
func logSum(sum float64) float64 { return math.Log(sum/hgcal.CountsPerMIPT+1) / 4 }
