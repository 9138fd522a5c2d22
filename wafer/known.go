package wafer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Known is a well-known metadata column: its name is the one that Barrow writes,
// in every file format. All that is known about it is in the table of this file
// alone.
type Known string

// The well-known columns, in the order that Barrow lists them.
const (
	Event             Known = "event"
	Entry             Known = "entry"
	Zside             Known = "zside"
	Subdet            Known = "subdet"
	Layer             Known = "layer"
	WaferU            Known = "waferu"
	WaferV            Known = "waferv"
	WaferType         Known = "wafertype"
	Density           Known = "HD_LD"
	ModType           Known = "ModType"
	ELinks            Known = "elinks"
	Eta               Known = "eta"
	Phi               Known = "phi"
	GenEta            Known = "gen_eta"
	GenPt             Known = "gen_pt"
	GenPhi            Known = "gen_phi"
	SimEnergyTotal    Known = "SimEnergyTotal"
	EventSimEnergy    Known = "EventSimEnergy"
	SimEnergyFraction Known = "SimEnergyFraction"
)

// Kind is what the values of a well-known column are.
type Kind int

const (
	// Number is any number.
	Number Kind = iota
	// Whole is a whole number.
	Whole
	// Words is text.
	Words
)

// String is what is printed of a kind.
func (k Kind) String() string {
	switch k {
	case Number:
		return "number"
	case Whole:
		return "whole number"
	}
	return "text"
}

type known struct {
	kind    Kind
	aliases []string // names in other files, best first
	meaning string
}

var knownColumns = map[Known]known{
	Event:             {Whole, nil, "number of the event"},
	Entry:             {Whole, nil, "number of the row, or of the event, in the file that the image is from"},
	Zside:             {Whole, nil, "endcap: 1 or -1"},
	Subdet:            {Whole, nil, "part of the detector: 1 electromagnetic, 2 hadronic"},
	Layer:             {Whole, nil, "layer, from 1"},
	WaferU:            {Whole, nil, "wafer's first hexagonal coordinate"},
	WaferV:            {Whole, nil, "wafer's second hexagonal coordinate"},
	WaferType:         {Whole, []string{"type"}, "silicon: 0 for 120 µm (high density), 1 for 200 µm, 2 for 300 µm"},
	Density:           {Words, nil, "HD or LD: density of the wafer's cells"},
	ModType:           {Words, nil, "kind of module: FI, FM, FO are full ones"},
	ELinks:            {Whole, nil, "output links of the module"},
	Eta:               {Number, []string{"tc_eta"}, "pseudorapidity of the wafer"},
	Phi:               {Number, []string{"tc_phi"}, "azimuth of the wafer, radians"},
	GenEta:            {Number, nil, "pseudorapidity of the generated particle"},
	GenPt:             {Number, nil, "transverse momentum of the generated particle, GeV"},
	GenPhi:            {Number, nil, "azimuth of the generated particle, radians"},
	SimEnergyTotal:    {Number, []string{"simenergy"}, "energy that the particle left in the wafer"},
	EventSimEnergy:    {Number, nil, "energy of the particle in the event"},
	SimEnergyFraction: {Number, nil, "share of the wafer's energy that is the particle's"},
}

// KnownColumns lists the well-known columns.
func KnownColumns() []Known {
	return []Known{Event, Entry, Zside, Subdet, Layer, WaferU, WaferV, WaferType, Density, ModType, ELinks,
		Eta, Phi, GenEta, GenPt, GenPhi, SimEnergyTotal, EventSimEnergy, SimEnergyFraction}
}

// Kind is what the column's values are.
func (k Known) Kind() Kind { return knownColumns[k].kind }

// Meaning says in a few words, with the unit, what the column holds.
func (k Known) Meaning() string { return knownColumns[k].meaning }

// Names returns the column's name and then those that other files have for it,
// best first.
func (k Known) Names() []string { return append([]string{string(k)}, knownColumns[k].aliases...) }

// NoColumnError is that images lack a column that is needed.
type NoColumnError struct {
	Names string // that it may have: eta or tc_eta
}

func (e *NoColumnError) Error() string { return "wafer: the images have no column " + e.Names }

func noColumn(names ...string) error { return &NoColumnError{strings.Join(names, " or ")} }

func isNoColumn(err error) bool {
	var e *NoColumnError
	return errors.As(err, &e)
}

// ValueError is what is wrong with one image of a set.
type ValueError struct {
	Image int // counted from 1
	Err   error
}

func (e *ValueError) Error() string { return fmt.Sprintf("wafer: image %d: %v", e.Image, e.Err) }

// Unwrap is what is wrong.
func (e *ValueError) Unwrap() error { return e.Err }

// Find returns the set's column of that meaning, under any of its names, or nil.
func (s *Set) Find(k Known) *Column {
	for _, name := range k.Names() {
		if c := s.Column(name); c != nil {
			return c
		}
	}
	return nil
}

// Numbers returns the values of a well-known column of numbers, one an image. A
// set without it is a NoColumnError; a value that is no number
// is a ValueError.
func (s *Set) Numbers(k Known) ([]float64, error) {
	c := s.Find(k)
	if c == nil {
		return nil, noColumn(k.Names()...)
	}
	return c.Floats()
}

// HighDensity reports of each image whether its wafer is of high density, by the
// column HD_LD. A set without it is a NoColumnError; a value
// that is neither HD nor LD is a ValueError.
func (s *Set) HighDensity() ([]bool, error) {
	c := s.Find(Density)
	if c == nil {
		return nil, noColumn(Density.Names()...)
	}
	high := make([]bool, c.Len())
	for i := range high {
		switch v := c.Value(i); v {
		case "HD":
			high[i] = true
		case "LD":
		default:
			return nil, &ValueError{i + 1, fmt.Errorf("%s is %q; want HD or LD", Density, v)}
		}
	}
	return high, nil
}

// WaferTypes returns the wafer's type of each image, 0, 1 or 2. Where there is no
// such column HD_LD gives it: HD is type 0, LD type 1. A set with neither is a
// NoColumnError.
func (s *Set) WaferTypes() ([]float64, error) {
	types, err := s.Numbers(WaferType)
	if !isNoColumn(err) {
		return types, err
	}
	high, err := s.HighDensity()
	if isNoColumn(err) {
		return nil, noColumn(slices.Concat(WaferType.Names(), Density.Names())...)
	}
	if err != nil {
		return nil, err
	}
	types = make([]float64, len(high))
	for i, h := range high {
		if !h {
			types[i] = 1
		}
	}
	return types, nil
}
