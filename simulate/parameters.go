package simulate

import (
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"barrow/internal/limit"
)

// Parameters are the numbers of the model. They can be read from a TOML file;
// each field's tag is its name there.
type Parameters struct {
	PileUp      PileUpParameters      `toml:"pileup"`
	Shower      ShowerParameters      `toml:"shower"`
	Electronics ElectronicsParameters `toml:"electronics"`
}

// PileUpParameters describe pile-up as groups of showers' fragments that fall
// independently on a wafer. How many follows from the published mean number of
// trigger cells.
type PileUpParameters struct {
	// The energy in MIP_T of a group's main fragment exceeds E with the
	// probability (1 + (E/Scale)^Shape)^−Tail (Burr's distribution).
	Scale float64 `toml:"scale" min:"0.01" max:"100"`
	Shape float64 `toml:"shape" min:"0.2" max:"5"`
	Tail  float64 `toml:"tail" min:"1.05" max:"20"`
	// Spread is the mean radius of a fragment in units of half the trigger-cell
	// pitch: at the first layer, at the shower maximum of layer 9, at the end of
	// the electromagnetic part and in the last layer; linear in between.
	Spread []float64 `toml:"spread" min:"0" max:"5" len:"4"`
	// Companions is the mean of the geometrically distributed number of further
	// fragments in a group, each with 0 to CompanionShare of the main one's energy
	// at a mean distance of Reach, in the same unit.
	Companions     float64 `toml:"companions" min:"0" max:"10"`
	CompanionShare float64 `toml:"companion_share" min:"0" max:"4"`
	Reach          float64 `toml:"reach" min:"0" max:"10"`
	// Jets is the share of groups that are jets. Their fragments are described by
	// the other three, as those of other groups are.
	Jets     float64 `toml:"jets" min:"0" max:"1"`
	JetSize  float64 `toml:"jet_size" min:"0" max:"20"`
	JetShare float64 `toml:"jet_share" min:"0" max:"4"`
	JetReach float64 `toml:"jet_reach" min:"0" max:"10"`
	// Activity is the relative spread from event to event of the number of
	// groups, common to the whole wafer.
	Activity float64 `toml:"activity" min:"0" max:"2"`
	// HardPt is the transverse momentum in GeV from which pile-up's particles are showers
	// in all layers, in events of EventSettings; what groups stand for is then less. 0 is
	// none: groups are all there is.
	HardPt float64 `toml:"hard_pt" min:"0" max:"50"`
}

// ShowerParameters describe the particle of an image.
type ShowerParameters struct {
	// MaxSpots bounds the number of energy spots a layer is drawn with.
	MaxSpots int `toml:"max_spots" min:"1" max:"100000"`
	// Sampling is the relative energy fluctuation at 1 GeV of one layer's
	// response to electromagnetic showers, HadronSampling to hadronic ones.
	Sampling       float64 `toml:"sampling" min:"0" max:"5"`
	HadronSampling float64 `toml:"hadron_sampling" min:"0" max:"5"`
	// MeVPerMIP is the energy that a layer's absorber and sensor take while the
	// sensor sees one minimum-ionising particle.
	MeVPerMIP       float64 `toml:"mev_per_mip" min:"0.1" max:"1000"`
	HadronMeVPerMIP float64 `toml:"hadron_mev_per_mip" min:"0.1" max:"1000"`
	// DepthSpread is the relative fluctuation of a shower's depth scale.
	DepthSpread float64 `toml:"depth_spread" min:"0" max:"1"`
	// EMFraction is the mean electromagnetic share of a hadronic shower.
	EMFraction float64 `toml:"em_fraction" min:"0" max:"1"`
}

// ElectronicsParameters describe front end and trigger sums. Lists are for
// 120, 200 and 300 µm silicon.
type ElectronicsParameters struct {
	// ChargePerMIP is in fC.
	ChargePerMIP []float64 `toml:"charge_per_mip" min:"0.1" max:"100" len:"3"`
	// Noise of a sensor cell in fC.
	Noise []float64 `toml:"noise" min:"0" max:"100" len:"3"`
	// Cut drops sensor cells below so many times the noise from the sums.
	Cut float64 `toml:"cut" min:"0" max:"100"`
	// Lost says how much of a trigger cell's charge is in sensor cells below the
	// cut: of a charge q the share exp(−q/L), L being Lost times the cut times
	// the number of sensor cells.
	Lost float64 `toml:"lost" min:"0" max:"10"`
	// LSB is the charge of an ADC count in fC.
	LSB float64 `toml:"lsb" min:"0.0001" max:"100"`
}

// DefaultParameters returns the calibrated model.
func DefaultParameters() Parameters {
	return Parameters{
		PileUp: PileUpParameters{Scale: 0.44, Shape: 1.4, Tail: 1.62, Spread: []float64{0.14, 0.285, 0.3, 0.2},
			Companions: 0.965, CompanionShare: 0.6, Reach: 2.5, Jets: 0.028, JetSize: 4, JetShare: 2, JetReach: 2.3, Activity: 0.105, HardPt: 2},
		Shower: ShowerParameters{
			MaxSpots: 64, Sampling: 0.21, HadronSampling: 0.75, MeVPerMIP: 10, HadronMeVPerMIP: 25,
			DepthSpread: 0.08, EMFraction: 0.45,
		},
		Electronics: ElectronicsParameters{
			ChargePerMIP: []float64{2.06, 3.43, 5.15}, Noise: []float64{0.320, 0.384, 0.320}, Cut: 3, Lost: 0.2,
			LSB: 100.0 / 1024,
		},
	}
}

// ReadParameters reads a TOML file on top of the defaults. Unknown names and
// values out of range are errors.
func ReadParameters(path string) (*Parameters, error) {
	b, err := limit.ReadFile(path, "parameters of the model", 1<<20)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	p, err := parseParameters(string(b))
	if err != nil {
		return nil, fmt.Errorf("simulate: %s: %w", path, err)
	}
	return p, nil
}

func parseParameters(text string) (*Parameters, error) {
	p := DefaultParameters()
	meta, err := toml.Decode(text, &p)
	if err != nil {
		return nil, err
	}
	if extra := meta.Undecoded(); len(extra) > 0 {
		names := make([]string, len(extra))
		for i, k := range extra {
			names[i] = k.String()
		}
		return nil, fmt.Errorf("unknown parameter %s", strings.Join(names, ", "))
	}
	return &p, p.check()
}

// Write writes the parameters as a TOML file that ReadParameters takes.
func (p *Parameters) Write(w io.Writer) error { return toml.NewEncoder(w).Encode(p) }

// check holds every number against the range in its tag.
func (p *Parameters) check() error {
	groups := reflect.ValueOf(p).Elem()
	for g := range groups.NumField() {
		group := groups.Field(g)
		for f := range group.NumField() {
			tag := group.Type().Field(f).Tag
			name := groups.Type().Field(g).Tag.Get("toml") + "." + tag.Get("toml")
			var least, most float64
			var length int
			fmt.Sscan(tag.Get("min"), &least)
			fmt.Sscan(tag.Get("max"), &most)
			fmt.Sscan(tag.Get("len"), &length)
			var values []float64
			switch v := group.Field(f).Interface().(type) {
			case float64:
				values = []float64{v}
			case int:
				values = []float64{float64(v)}
			case []float64:
				if len(v) != length {
					return fmt.Errorf("simulate: parameter %s has %d values, want %d", name, len(v), length)
				}
				values = v
			}
			if i := slices.IndexFunc(values, func(v float64) bool {
				return math.IsNaN(v) || v < least || v > most
			}); i >= 0 {
				return fmt.Errorf("simulate: parameter %s is %g, want %g to %g", name, values[i], least, most)
			}
		}
	}
	return nil
}
