package simulate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/internal/limit"
)

// Unit is the unit of the charges.
type Unit int

const (
	// CALQ is calibrated transverse charge in ADC counts, whole numbers, 35 to a
	// MIP_T.
	CALQ Unit = iota
	// ADC is the charge in ADC counts of the front end, whole numbers, as the
	// chip gets it: not transverse and not equalised between sensor thicknesses.
	ADC
	// MIPT is multiples of the transverse energy of a minimum-ionising particle.
	MIPT
)

// ParseUnit returns the unit called calq, adc or mipt.
func ParseUnit(name string) (Unit, error) {
	switch name {
	case "calq":
		return CALQ, nil
	case "adc":
		return ADC, nil
	case "mipt":
		return MIPT, nil
	}
	return 0, fmt.Errorf("simulate: unknown unit %q: want calq, adc or mipt", name)
}

// Allocation says how many output links a module has.
type Allocation int

const (
	// Signal is the allocation of the published trainings, by layer: 5 links in
	// layer 9, 4 in 7 and 11, 3 in 13, else 2.
	Signal Allocation = iota
	// PerModule is each module's own number of links in the geometry.
	PerModule
)

// ParseAllocation returns the allocation called signal or module.
func ParseAllocation(name string) (Allocation, error) {
	switch name {
	case "signal":
		return Signal, nil
	case "module":
		return PerModule, nil
	}
	return 0, fmt.Errorf("simulate: unknown link allocation %q: want signal or module", name)
}

func (a Allocation) links(m hgcal.Module) int {
	if a == PerModule {
		return m.Links
	}
	switch m.Layer {
	case 9:
		return 5
	case 7, 11:
		return 4
	case 13:
		return 3
	}
	return 2
}

// Settings says what to draw. The zero value draws the preset "mixed" with its
// defaults.
type Settings struct {
	Preset  string // "" is "mixed"; see Presets
	Seed    uint64
	Threads int // 0: all processors; never changes an image

	Geometry   hgcal.Geometry
	Allocation Allocation
	EtaMin     float64  // pseudorapidity of particles and modules; 0 is 1.6
	EtaMax     float64  // 0 is 2.9
	Layers     []int    // trigger layers; nil is the preset's
	Links      []int    // only modules with one of these numbers of links; nil is all
	Wafers     [][2]int // only modules with one of these u, v; nil is all
	// Modules are those to draw, as layer, u, v of the geometry's sector 0, each as often as
	// any other and wherever it is; nil is all whole ones within EtaMin and EtaMax. Cut ones
	// that are named are drawn as if they were whole.
	Modules [][3]int
	// Whole says that whole endcap events are wanted: Layers is then all trigger
	// layers if nil.
	Whole bool

	EnergyMin float64 // of the particle, GeV; 0 is 5
	EnergyMax float64 // 0 is 500
	// EnergyIndex is n in the density E^−n of energies; 1 is uniform in the
	// logarithm. 0 is the preset's: 3 for mixed, as spectra of collisions fall,
	// else 1.
	EnergyIndex float64
	PileUp      float64 // mean number of collisions; 0 is the preset's, negative none
	// Spot is where the beam is in x and y, cm: pile-up falls with the distance from it. Particles
	// are aimed at wafers wherever it is.
	Spot [2]float64

	Unit Unit
	// Threshold sets cells below it to zero, in MIP_T: a zero-suppressed image.
	// 0 is the preset's choice, negative never.
	Threshold float64
	// Compress passes every charge through the front end's 7-bit floating-point
	// format of 4 exponent and 3 mantissa bits, as the chip's input has it.
	Compress bool
	// KeepEmpty keeps images without any charge, which are otherwise drawn anew.
	KeepEmpty bool

	// Parameters are those of the model; nil is DefaultParameters.
	Parameters *Parameters
}

// preset is a mixture of classes with defaults for the rest.
type preset struct {
	share  [classes]float64
	layers []int // V11
	pileUp float64
	index  float64 // of the particles' energies
	// suppressed is the share of images that are zero-suppressed, at threshold.
	suppressed, threshold float64
}

// signalLayers are the layers that have more than two links in the published
// trainings, and the one before them.
var signalLayers = []int{5, 7, 9, 11, 13}

var presets = map[string]preset{
	"mixed": {
		share:  [classes]float64{PileUp: 0.5, Electron: 0.2, Photon: 0.12, Pion: 0.18},
		layers: signalLayers, pileUp: 200, index: 3, suppressed: 0.3, threshold: 0.5,
	},
	"pileup200": {share: [classes]float64{PileUp: 1}, layers: signalLayers, pileUp: 200, index: 1},
	"electrons": {share: [classes]float64{Electron: 1}, layers: signalLayers, index: 1},
	"photons":   {share: [classes]float64{Photon: 1}, layers: signalLayers, index: 1},
	"pions": {share: [classes]float64{Pion: 1}, index: 1,
		layers: []int{5, 7, 9, 11, 13, 17, 21, 25, 29, 30, 31, 32, 33, 34, 35, 36}},
}

// Presets returns the names of the presets: mixed (images with and without a
// particle on top of pile-up, with and without zero suppression), pileup200
// (pile-up alone), and electrons, photons, pions (one particle, no pile-up).
func Presets() []string { return []string{"mixed", "pileup200", "electrons", "photons", "pions"} }

// Limits of what can be asked for.
const (
	minEta, maxEta       = 1.4, 3.1
	minEnergy, maxEnergy = 0.5, 5000
	maxPileUp            = 400
	maxIndex             = 10
	maxSpot              = 10 // cm; the innermost wafers begin at 25
)

// complete checks the settings and fills in the defaults.
func (s Settings) complete() (Settings, preset, error) {
	if s.Preset == "" {
		s.Preset = "mixed"
	}
	p, ok := presets[s.Preset]
	if !ok {
		return s, p, fmt.Errorf("simulate: unknown preset %q: want %s", s.Preset, strings.Join(Presets(), ", "))
	}
	fill := func(v *float64, value float64) {
		if *v == 0 {
			*v = value
		}
	}
	fill(&s.EtaMin, 1.6)
	fill(&s.EtaMax, 2.9)
	fill(&s.EnergyMin, 5)
	fill(&s.EnergyMax, 500)
	fill(&s.EnergyIndex, p.index)
	fill(&s.PileUp, p.pileUp)
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return s, p, fmt.Errorf("simulate: %w", err)
	}
	s.Threads = threads
	if err := s.checkRanges(); err != nil {
		return s, p, err
	}
	switch {
	case !(s.EnergyIndex > 0 && s.EnergyIndex <= maxIndex):
		return s, p, fmt.Errorf("simulate: index %g of the energies: want above 0, at most %d", s.EnergyIndex, maxIndex)
	case !(math.Hypot(s.Spot[0], s.Spot[1]) <= maxSpot):
		return s, p, fmt.Errorf("simulate: a beam at x = %g, y = %g cm: want at most %d cm from the middle", s.Spot[0], s.Spot[1], maxSpot)
	case !(s.PileUp <= maxPileUp):
		return s, p, fmt.Errorf("simulate: pile-up %g: want at most %d", s.PileUp, maxPileUp)
	case math.IsNaN(s.Threshold) || s.Threshold > 1000:
		return s, p, fmt.Errorf("simulate: threshold %g MIP_T: want at most 1000", s.Threshold)
	case s.Unit < CALQ || s.Unit > MIPT:
		return s, p, fmt.Errorf("simulate: no such unit: %d", int(s.Unit))
	case s.Compress && s.Unit == MIPT:
		return s, p, fmt.Errorf("simulate: the 7-bit format is one of counts, not of MIP_T")
	}
	s.PileUp = max(s.PileUp, 0)
	switch {
	case s.Threshold > 0:
		p.threshold, p.suppressed = s.Threshold, 1
	case s.Threshold < 0:
		p.threshold, p.suppressed = 0, 0
	}
	if s.Parameters == nil {
		d := DefaultParameters()
		s.Parameters = &d
	}
	if err := s.Parameters.check(); err != nil {
		return s, p, err
	}
	return s, p, s.checkPlaces(&p)
}

// checkRanges checks the ranges of η and energy.
func (s *Settings) checkRanges() error {
	for _, c := range []struct {
		what       string
		a, b       float64
		least, top float64
	}{
		{"η", s.EtaMin, s.EtaMax, minEta, maxEta},
		{"energy in GeV", s.EnergyMin, s.EnergyMax, minEnergy, maxEnergy},
	} {
		if !(c.a >= c.least && c.b <= c.top && c.a <= c.b) {
			return fmt.Errorf("simulate: range %g:%g of %s: want a rising range within %g:%g", c.a, c.b, c.what, c.least, c.top)
		}
	}
	return nil
}

// checkPlaces checks layers and links and fills in the preset's layers.
func (s *Settings) checkPlaces(p *preset) error {
	known := s.Geometry.TriggerLayers()
	switch {
	case s.Layers == nil && s.Modules != nil:
		for _, m := range s.Modules {
			s.Layers = append(s.Layers, m[0])
		}
	case s.Layers == nil && s.Whole:
		s.Layers = known
	case s.Layers == nil:
		for _, l := range p.layers {
			if s.Geometry == hgcal.GeometryV16 && l > 28 {
				l -= 2 // the hadronic part begins two planes earlier
			}
			s.Layers = append(s.Layers, l)
		}
	}
	for _, l := range s.Layers {
		if !slices.Contains(known, l) {
			return fmt.Errorf("simulate: layer %d makes no trigger data in geometry %v: want one of %v", l, s.Geometry, known)
		}
	}
	for _, n := range s.Links {
		if n < 1 || n > 13 {
			return fmt.Errorf("simulate: %d output links: want 1 to 13", n)
		}
	}
	return nil
}

// Class is what made an image.
type Class int

const (
	PileUp   Class = iota // pile-up alone
	Electron              // an electron or positron
	Photon
	Pion // a charged pion
	Jet  // several particles, in events of EventSettings only

	classes = iota
)

// ParseClass returns the class called pileup, electron, photon, pion or jet.
func ParseClass(name string) (Class, error) {
	for c := PileUp; c < classes; c++ {
		if c.String() == name {
			return c, nil
		}
	}
	return 0, fmt.Errorf("simulate: unknown class of particles %q: want pileup, electron, photon, pion or jet", name)
}

// String returns the name that the metadata column "class" has.
func (c Class) String() string {
	switch c {
	case PileUp:
		return "pileup"
	case Electron:
		return "electron"
	case Photon:
		return "photon"
	case Pion:
		return "pion"
	case Jet:
		return "jet"
	}
	return fmt.Sprintf("Class(%d)", int(c))
}
