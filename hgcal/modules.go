package hgcal

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./internal/gen

//go:embed modules_v11.txt
var modulesV11 string

//go:embed modules_v16.txt
var modulesV16 string

// Geometry is a version of the detector's description.
type Geometry int

const (
	// GeometryV11 is CMSSW's V11: 28 electromagnetic layers, of which the odd
	// ones make trigger data, and hadronic layers 29 to 50. The published
	// occupancies and training sets are of this version.
	GeometryV11 Geometry = iota
	// GeometryV16 is the detector being built: 26 electromagnetic planes, of
	// which the odd ones make trigger data, and hadronic planes 27 to 47.
	GeometryV16
)

// ParseGeometry returns the geometry called v11 or v16.
func ParseGeometry(name string) (Geometry, error) {
	switch name {
	case "v11":
		return GeometryV11, nil
	case "v16":
		return GeometryV16, nil
	}
	return 0, fmt.Errorf("hgcal: unknown geometry %q: want v11 or v16", name)
}

// String returns the name that ParseGeometry accepts.
func (g Geometry) String() string {
	if g == GeometryV16 {
		return "v16"
	}
	return "v11"
}

// Module is a silicon module: one wafer, whole or cut, in one trigger layer.
type Module struct {
	Layer, U, V int
	Kind        string  // shape F (full), a, b, c, d, g …, then thickness I, M or O
	X, Y, Z     float64 // centre, cm
	Links       int     // 32-bit output links of its ECON-T
}

// Full reports whether the module is a whole wafer of 48 trigger cells.
func (m Module) Full() bool { return m.Kind[0] == 'F' }

// Thickness returns the active depth of the silicon in µm: 120, 200 or 300.
func (m Module) Thickness() int {
	switch m.Kind[1] {
	case 'I':
		return 120
	case 'M':
		return 200
	}
	return 300
}

// HighDensity reports whether a trigger cell is 9 small cells (on 120 µm
// silicon) and not 4 large ones.
func (m Module) HighDensity() bool { return m.Thickness() == 120 }

// Eta returns the pseudorapidity of the module's centre.
func (m Module) Eta() float64 { return math.Asinh(m.Z / math.Hypot(m.X, m.Y)) }

// Electromagnetic reports whether the layer belongs to the front part.
func (g Geometry) Electromagnetic(layer int) bool {
	if g == GeometryV16 {
		return layer <= 26
	}
	return layer <= 28
}

// Sectors is the number of identical sectors of an endcap, each 120° wide.
const Sectors = 3

// Modules returns the silicon modules of one sector's trigger layers, ordered
// by layer: 3,464 for V11, 3,052 for V16. The other sectors are the same,
// turned by 120° and 240° about the beam. Origin: public geometry files, named
// in the tables. The slice is shared: do not change it.
func (g Geometry) Modules() []Module {
	if g == GeometryV16 {
		return tableV16()
	}
	return tableV11()
}

// TriggerLayers returns the layers that make trigger data, rising.
func (g Geometry) TriggerLayers() []int {
	var layers []int
	for _, m := range g.Modules() {
		if len(layers) == 0 || layers[len(layers)-1] != m.Layer {
			layers = append(layers, m.Layer)
		}
	}
	return layers
}

var (
	tableV11 = sync.OnceValue(func() []Module { return parseModules(modulesV11) })
	tableV16 = sync.OnceValue(func() []Module { return parseModules(modulesV16) })
)

// parseModules reads an embedded table; it is written by internal/gen and
// checked by the tests, so a line that does not parse cannot occur.
func parseModules(text string) []Module {
	all := make([]Module, 0, strings.Count(text, "\n"))
	var m Module
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		word := func() (w string) { w, line, _ = strings.Cut(line, " "); return w }
		whole := func() int { n, _ := strconv.Atoi(word()); return n }
		cm := func() float64 { mm, _ := strconv.ParseFloat(word(), 64); return mm / 10 }
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "layer "):
			word()
			m.Layer, m.Z = whole(), cm()
		default:
			m.U, m.V, m.Kind, m.X, m.Y, m.Links = whole(), whole(), word(), cm(), cm(), whole()
			all = append(all, m)
		}
	}
	return all
}
