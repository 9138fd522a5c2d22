package drift

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/study/internal/ageing"
)

// A Drift says what has become of a detector at the last step of a run. On the way there everything
// grows in proportion to the steps. What is zero does not change.
type Drift struct {
	Name  string `json:"name" toml:"-"`
	About string `json:"about" toml:"about"`
	Gain  Gain   `json:"gain" toml:"gain"`
	Dead  Dead   `json:"dead" toml:"dead"`
	Noise Noise  `json:"noise" toml:"noise"`
	Spot  Spot   `json:"beam_spot" toml:"beam_spot"`
	// PileUp replaces the plan's mean number of collisions.
	PileUp PileUp `json:"pile_up" toml:"pile_up"`
}

// Gain is charge lost with radiation: a cell keeps the share exp(−Loss·F·s) of its charge, where
// F = exp(Eta·(η−2.2) + Layer·(layer−9)) is the fluence in units of that at η 2.2 in layer 9, and s the cell's
// own sensitivity, log-normal with the spread Spread, half of its variance the sensor's.
type Gain struct {
	Loss   float64 `json:"loss" toml:"loss"`
	Eta    float64 `json:"eta" toml:"eta"`
	Layer  float64 `json:"layer" toml:"layer"`
	Spread float64 `json:"spread" toml:"spread"`
}

// Dead is the share of the cells that have died, which ones follows from the seed.
type Dead struct {
	Share float64 `json:"share" toml:"share"`
}

// Noise is by which factor the noise of the sensor cells has grown. The front end's thresholds are
// those for the noise when it was new, so that more and more of what is above them is noise.
type Noise struct {
	Factor float64 `json:"factor" toml:"factor"`
}

// Spot is where the beam has gone, in cm.
type Spot struct {
	X float64 `json:"x" toml:"x"`
	Y float64 `json:"y" toml:"y"`
}

// PileUp is the mean number of collisions in the end.
type PileUp struct {
	Mean float64 `json:"mean" toml:"mean"`
}

//go:embed presets/*.toml
var presets embed.FS

const ending = ".toml"

// Presets names the drifts that come with the program.
func Presets() []string {
	var names []string
	entries, _ := fs.ReadDir(presets, "presets") // embedded: it is there
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ending))
	}
	return names
}

// mostFile is more than any drift's file needs.
const mostFile = 1 << 20

// Read is a drift by its name, or that of a TOML file. Errors name file and line.
func Read(name string) (*Drift, error) {
	var text []byte
	var err error
	if slices.Contains(Presets(), name) {
		text, err = presets.ReadFile("presets/" + name + ending)
	} else if text, err = limit.ReadFile(name, "a drift", mostFile); errors.Is(err, fs.ErrNotExist) && !strings.HasSuffix(name, ending) && !strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("drift: drifts = %q: it may be %s, or a TOML file%s", name, strings.Join(Presets(), ", "), setting.Hint(name, Presets()))
	}
	if err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	d, err := parse(name, string(text))
	if err != nil {
		return nil, err
	}
	d.Name = strings.TrimSuffix(name[strings.LastIndexAny(name, `/\`)+1:], ending)
	return d, nil
}

func parse(name, text string) (*Drift, error) {
	var d Drift
	meta, err := toml.Decode(text, &d)
	if p := (toml.ParseError{}); errors.As(err, &p) {
		return nil, fmt.Errorf("drift: %s:%d:%d: %s", name, p.Position.Line, p.Position.Col, p.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("drift: %w", setting.Mistyped(name, err))
	}
	if extra := meta.Undecoded(); len(extra) > 0 {
		return nil, fmt.Errorf("drift: %s:%d: %s", name, lineOf(text, extra[0]), unknown(extra[0]))
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("drift: %s: %w", name, err)
	}
	return &d, nil
}

// tables are a drift's, with their keys.
var tables = map[string][]string{"gain": {"loss", "eta", "layer", "spread"}, "dead": {"share"}, "noise": {"factor"}, "beam_spot": {"x", "y"}, "pile_up": {"mean"}}

// unknown says what there is in place of a key that a drift does not have.
func unknown(key toml.Key) string {
	if names, ok := tables[key[0]]; ok && len(key) > 1 {
		return fmt.Sprintf("%s is no key of a drift: in [%s] there may be %s%s", key, key[0], strings.Join(names, ", "), setting.Hint(key[1], names))
	}
	names := append(slices.Sorted(maps.Keys(tables)), "about")
	return fmt.Sprintf("%s is no key of a drift: there may be about, and the tables %s%s", key, strings.Join(names[:len(tables)], ", "), setting.Hint(key[0], names))
}

// lineOf is the line where a key is given, or else its table begins; 1 where neither is found.
func lineOf(text string, key toml.Key) int {
	in, row, best := len(key) == 1, 0, 1
	for line := range strings.Lines(text) {
		row++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			if in = line == "["+key[0]+"]"; in {
				best = row
			}
		} else if word, _, is := strings.Cut(line, "="); is && in && strings.TrimSpace(word) == key[len(key)-1] {
			return row
		}
	}
	return best
}

// check holds every number to what makes sense.
func (d *Drift) check() error {
	for _, c := range []struct {
		key            string
		v, least, most float64
	}{
		{"gain.loss", d.Gain.Loss, 0, 20}, {"gain.eta", d.Gain.Eta, -10, 10}, {"gain.layer", d.Gain.Layer, -1, 1}, {"gain.spread", d.Gain.Spread, 0, 2},
		{"dead.share", d.Dead.Share, 0, 0.9},
		{"beam_spot.x", d.Spot.X, -7, 7}, {"beam_spot.y", d.Spot.Y, -7, 7}, {"pile_up.mean", d.PileUp.Mean, 0, 400},
	} {
		if !(c.v >= c.least && c.v <= c.most) {
			return fmt.Errorf("%s = %v: want %v to %v", c.key, c.v, c.least, c.most)
		}
	}
	if f := d.Noise.Factor; f != 0 && !(f >= 1 && f <= 10) {
		return fmt.Errorf("noise.factor = %v: want 1 to 10, or 0 for no change", f)
	}
	if *d == (Drift{About: d.About}) {
		return errors.New("nothing changes: give one of the tables gain, dead, noise, beam_spot and pile_up")
	}
	return nil
}

// An age is what has become of one module.
type age struct {
	ageing.Cells
	noise float64 // of a sensor cell, times that when it was new
}

// fresh is the age of a new module.
func fresh() *age { return &age{ageing.New(), 1} }

// The streams of random numbers of a module's cells, one for each sector.
const (
	cellStream   = 0x63656c6c
	sensorStream = 0x73656e73
)

// at is the age of a module in a sector when the share t of the steps is done.
func (d *Drift) at(m hgcal.Module, sector int, seed uint64, t float64) *age {
	a := fresh()
	if d.Noise.Factor > 0 {
		a.noise = 1 + (d.Noise.Factor-1)*t
	}
	own := counter.New(seed^sensorStream, uint64(sector))
	cells := counter.New(seed^cellStream, uint64(sector))
	half := d.Gain.Spread / math.Sqrt2
	sensor := math.Exp(half * own.Normal())
	for c, eta := range cellEtas(m) {
		s := sensor * math.Exp(half*cells.Normal())
		a.Gain[c] = math.Exp(-t * d.Gain.Loss * fluence(eta, m.Layer, d.Gain) * s)
		if cells.Float64() < t*d.Dead.Share {
			a.Gain[c] = 0
		}
	}
	return a
}

// fluence is that of a cell, in units of the one at η 2.2 in layer 9.
func fluence(eta float64, layer int, g Gain) float64 {
	return math.Exp(g.Eta*(eta-2.2) + g.Layer*float64(layer-9))
}

// cellEtas are the pseudorapidities of a module's cells.
func cellEtas(m hgcal.Module) (eta [hgcal.Cells]float64) {
	for c, p := range hgcal.CellCentres() {
		// The drawing mirrors x; a unit of it is half a trigger-cell pitch.
		r := math.Hypot(m.X-p[0]*cmPerUnit, m.Y+p[1]*cmPerUnit)
		eta[c] = math.Asinh(math.Abs(m.Z) / r)
	}
	return eta
}

// cmPerUnit is half a trigger cell's pitch.
const cmPerUnit = 2.4024 / 2
