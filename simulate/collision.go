package simulate

import (
	"fmt"
	"math"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/internal/limit"
	"barrow/wafer"
)

// Particle is one of an event's generated particles, or a jet of several. All are
// massless, come from the origin and fly straight.
type Particle struct {
	Class  Class
	Pt     float64 // GeV
	Eta    float64
	Phi    float64 // within −π … π
	Energy float64 // GeV: Pt·cosh Eta, but for jets
	// Parts are the particles of a jet, whose sum it is; nil of others.
	Parts []Particle
}

// Cone is a part of the endcap: what is within Radius of the direction X, Y in the
// plane of x/z and y/z, where a path from the origin is a point.
type Cone struct{ X, Y, Radius float64 }

// Around returns the cone of a radius around the particle's path.
func (p *Particle) Around(radius float64) Cone {
	sin, cos := math.Sincos(p.Phi)
	t := 1 / math.Sinh(p.Eta)
	return Cone{t * cos, t * sin, radius}
}

// EventSettings say what collisions to draw.
type EventSettings struct {
	Seed    uint64
	Threads int // 0: all processors; never changes an event

	Geometry   hgcal.Geometry
	Allocation Allocation
	Layers     []int // trigger layers; nil is all

	// Class is what is on top of pile-up: PileUp is nothing, minimum bias alone,
	// and Jet a jet of photons and charged pions.
	Class  Class
	Number int     // of particles or jets an event, each in a direction of its own; 0 is 1
	EtaMin float64 // of particles and jets, uniform; 0 is 1.6
	EtaMax float64 // 0 is 2.9
	PtMin  float64 // transverse momentum of a particle or jet, GeV; 0 is 5
	PtMax  float64 // 0 is 100
	// EnergyMin and EnergyMax, if set, both, are a range of energies in GeV in place
	// of one of transverse momenta.
	EnergyMin, EnergyMax float64
	// Index is n in the density p_T^−n or E^−n; 0 is 1, uniform in the logarithm.
	Index float64

	PileUp float64 // mean number of collisions besides

	// Compress passes every charge through the front end's 7-bit floating-point
	// format of 4 exponent and 3 mantissa bits, as the chip's input has it.
	Compress bool
	// KeepEmpty keeps wafers without any charge, which are otherwise left out.
	KeepEmpty bool

	// Parameters are those of the model; nil is DefaultParameters.
	Parameters *Parameters
}

// minPt and maxPt bound the transverse momenta that can be asked for, maxNumber the
// particles of an event.
const (
	minPt, maxPt = 0.2, 500
	maxNumber    = 100
)

func (s *EventSettings) complete() error {
	fill := func(v *float64, value float64) {
		if *v == 0 {
			*v = value
		}
	}
	energies := s.EnergyMin != 0 || s.EnergyMax != 0
	if energies && (s.PtMin != 0 || s.PtMax != 0) {
		return fmt.Errorf("simulate: ranges both of energies and of transverse momenta: want one of them")
	}
	fill(&s.EtaMin, 1.6)
	fill(&s.EtaMax, 2.9)
	fill(&s.Index, 1)
	if !energies {
		fill(&s.PtMin, 5)
		fill(&s.PtMax, 100)
	}
	if s.Number == 0 {
		s.Number = 1
	}
	switch {
	case s.Class < PileUp || s.Class >= classes:
		return fmt.Errorf("simulate: no such class of particles: %d", int(s.Class))
	case s.Number < 0 || s.Number > maxNumber:
		return fmt.Errorf("simulate: %d particles an event: want 1 to %d", s.Number, maxNumber)
	case !energies && !(s.PtMin >= minPt && s.PtMin <= s.PtMax && s.PtMax <= maxPt):
		return fmt.Errorf("simulate: range %g:%g of transverse momentum in GeV: want a rising range within %g:%d",
			s.PtMin, s.PtMax, minPt, maxPt)
	case energies && !(s.EnergyMin >= minEnergy && s.EnergyMin <= s.EnergyMax && s.EnergyMax <= maxEnergy):
		return fmt.Errorf("simulate: range %g:%g of energy in GeV: want a rising range within %g:%d",
			s.EnergyMin, s.EnergyMax, minEnergy, maxEnergy)
	case !(s.EtaMin >= minEta && s.EtaMin <= s.EtaMax && s.EtaMax <= maxEta):
		return fmt.Errorf("simulate: range %g:%g of η: want a rising range within %g:%g", s.EtaMin, s.EtaMax, minEta, maxEta)
	case !(s.PileUp >= 0):
		return fmt.Errorf("simulate: pile-up %g: want at least 0", s.PileUp)
	case s.Class == PileUp && s.PileUp == 0:
		return fmt.Errorf("simulate: neither particles nor pile-up: nothing to draw")
	}
	return nil
}

// Events draws collisions in an endcap, all of it or what is around given
// directions. It is safe for use by several goroutines at once. Event k is a function
// of the seed, k and the settings alone: a wafer has the same charges whichever others
// are drawn with it.
type Events struct {
	settings EventSettings
	g        *Generator
	hard     *hardPart // nil: pile-up is groups alone
}

// NewEvents prepares the drawing of events. Settings that cannot be met are errors
// naming what can.
func NewEvents(s EventSettings) (*Events, error) {
	if err := s.complete(); err != nil {
		return nil, err
	}
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	// Wafers beyond the particles' η take part: a shower is not a point.
	inner := Settings{Preset: "pileup200", Seed: s.Seed, Threads: threads, Geometry: s.Geometry, Allocation: s.Allocation,
		EtaMin: minEta, EtaMax: maxEta, Layers: s.Layers, Whole: true, EnergyIndex: s.Index, PileUp: s.PileUp,
		Compress: s.Compress, KeepEmpty: s.KeepEmpty, Parameters: s.Parameters}
	if s.PileUp == 0 {
		inner.PileUp = -1
	}
	g, err := New(inner)
	if err != nil {
		return nil, err
	}
	e := &Events{settings: s, g: g}
	if p := g.settings.Parameters.PileUp.HardPt; p > 0 && s.PileUp > 0 {
		if p < minHardPt {
			return nil, fmt.Errorf("simulate: parameter pileup.hard_pt is %g, want 0, or %g to 50 GeV", p, minHardPt)
		}
		e.hard = newHardPart(g, s.PileUp)
	}
	return e, nil
}

// Streams of random numbers: one for every event's truth and activity, every shower
// and every wafer.
const (
	truthStream  = 0x7472757468
	showerStream = 0x73686f776572
	waferStream  = 0x7761666572
)

// Particles returns what is generated in event k on top of pile-up: particles, or
// jets with their parts.
func (e *Events) Particles(k uint64) []Particle {
	_, list := e.begin(k)
	return list
}

// begin draws the pile-up's activity and the particles of event k.
func (e *Events) begin(k uint64) (activity float64, list []Particle) {
	s := counter.New(e.settings.Seed^truthStream, k)
	activity = spreadActivity(e.g.settings.Parameters.PileUp.Activity, normal(&s))
	if e.settings.Class == PileUp {
		return activity, nil
	}
	for range e.settings.Number {
		p := e.aim(&s)
		if p.Class == Jet {
			p = hadronise(&s, &p)
		}
		list = append(list, p)
	}
	return activity, list
}

// aim draws a particle's momentum.
func (e *Events) aim(s *counter.Stream) Particle {
	c := &e.settings
	p := Particle{Class: c.Class}
	u := s.Float64()
	p.Eta = c.EtaMin + float64((c.EtaMax-c.EtaMin)*s.Float64())
	p.Phi = math.Pi * float64(2*s.Float64()-1)
	if c.EnergyMin > 0 {
		p.Energy = fallingEnergy(u, c.EnergyMin, c.EnergyMax, c.Index)
		p.Pt = p.Energy / math.Cosh(p.Eta)
		return p
	}
	p.Pt = fallingEnergy(u, c.PtMin, c.PtMax, c.Index)
	p.Energy = p.Pt * math.Cosh(p.Eta)
	return p
}

// reached lists the places that cones touch, all if cones is nil.
func (d *detector) reached(cones []Cone) []int32 {
	var list []int32
	const radius = hgcal.DrawingRadius * cmPerUnit // from a wafer's centre to a corner
	for l := range d.layers {
		layer := &d.layers[l]
		for i := layer.first; i < layer.end; i++ {
			p := &d.places[i]
			in := cones == nil
			for _, c := range cones {
				dx, dy := p.x-float64(c.X*layer.z), p.y-float64(c.Y*layer.z)
				if r := float64(c.Radius*layer.z) + radius; float64(dx*dx)+float64(dy*dy) <= float64(r*r) {
					in = true
					break
				}
			}
			if in {
				list = append(list, int32(i))
			}
		}
	}
	return list
}

// Draw replaces the contents of set by wafers of event k: all that the cones touch,
// layer by layer, or the whole endcap if cones is nil; those without any charge are
// left out unless the settings keep them. It returns what is generated. Columns are
// those of Generator.Event; EventSimEnergy is that of all particles together, gen_eta
// that of the one with the highest transverse momentum.
func (e *Events) Draw(k uint64, cones []Cone, set *wafer.Set) []Particle {
	activity, particles := e.begin(k)
	signal := map[int]*signalCells{}
	t := Truth{Class: e.settings.Class}
	shower := 0
	top := 0.0
	for i := range particles {
		p := &particles[i]
		t.Energy += p.Energy
		if p.Pt > top {
			top, t.ParticleEta = p.Pt, p.Eta
		}
		parts := p.Parts
		if parts == nil {
			parts = particles[i : i+1]
		}
		for j := range parts {
			s := counter.New(e.settings.Seed^showerStream^uint64(shower)<<48, k)
			q := newParticle(&s, parts[j].Class, parts[j].Energy, parts[j].Eta, parts[j].Phi, &e.g.settings.Parameters.Shower)
			e.g.cross(&s, &q, signal)
			shower++
		}
	}
	reached := e.g.detector.reached(cones)
	reserve(set, len(reached))
	var hard [][hgcal.Cells]float32
	if e.hard != nil {
		hard = make([][hgcal.Cells]float32, len(reached))
		e.drawHard(k, activity, reached, hard)
	}
	e.g.share(len(reached), func(from, to int) {
		var w drawing
		for i := from; i < to; i++ {
			at := int(reached[i])
			own := t
			clear(w.cells[:])
			if c := signal[at]; c != nil {
				copy(w.cells[:], c.cells[:])
				own.SignalEnergy = c.sum
			}
			rate, energies := e.g.detector.places[at].rate, e.g.energies
			if e.hard != nil {
				rate, energies = e.hard.rate[at], e.hard.energies
				for c, v := range hard[i] {
					w.cells[c] += v
				}
			}
			s := counter.New(e.settings.Seed^waferStream^uint64(at+1)<<40, k)
			e.g.finish(&w, &s, &e.g.detector.places[at], rate*activity, energies, &own, set.Image(i))
			e.g.store(set, i, k, &own)
		}
	})
	if !e.settings.KeepEmpty {
		dropEmpty(set)
	}
	return particles
}
