package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"barrow/internal/jsonout"
)

// Fidelity is what is kept of a set of images: the figures of merit.
//
// In JSON it is an object with a key for each figure (in the object of its group,
// if it has one) that holds its Summary, and for profiled ones the keys
// <name>_by_occupancy and <name>_by_eta beside it.
type Fidelity struct {
	Figures []Measured // in the order of Figures; those that were not measured are left out
}

// Measured is one figure of merit of a set of images.
type Measured struct {
	*Figure
	Summary
	ByOccupancy []Bin // against the number of cells above the threshold, of profiled figures
	ByEta       []Bin // against |η|, of profiled figures where η is known

	Values []float64 // image by image, in their order; nil in what was read from JSON
}

// Of is the figure of that name; one that was not measured has N 0.
func (f Fidelity) Of(name string) *Measured {
	for k := range f.Figures {
		if f.Figures[k].Name == name {
			return &f.Figures[k]
		}
	}
	m := &Measured{Figure: figure(name)}
	if m.Figure == nil {
		m.Figure = &Figure{Name: name, Label: name, Format: "%.3f"}
	}
	return m
}

// Others are the figures of merit but the EMD.
func (f Fidelity) Others() []Measured {
	return slices.DeleteFunc(slices.Clone(f.Figures), func(m Measured) bool { return m.Name == EMD })
}

// Print is a value of the figure over images in words: its mean, with the spread
// over images where that is a figure of its own.
func (m Measured) Print() string {
	if m.Wide {
		return m.Figure.Print(m.Mean) + " ± " + fmt.Sprintf("%.3f", m.Std)
	}
	return m.Figure.Print(m.Mean)
}

// Without is the fidelity without its profiles.
func (f Fidelity) Without() Fidelity {
	out := Fidelity{Figures: slices.Clone(f.Figures)}
	for k := range out.Figures {
		out.Figures[k].ByOccupancy, out.Figures[k].ByEta = nil, nil
	}
	return out
}

// Keys of a profiled figure, behind its name.
const (
	byOccupancy = "_by_occupancy"
	byEta       = "_by_eta"
)

// MarshalJSON writes the object that Fidelity describes.
func (f Fidelity) MarshalJSON() ([]byte, error) {
	var parts []any
	groups := map[string]map[string]any{}
	for _, m := range f.Figures {
		if m.Group != "" {
			if groups[m.Group] == nil {
				groups[m.Group] = map[string]any{}
				parts = append(parts, map[string]any{m.Group: groups[m.Group]})
			}
			groups[m.Group][m.Name] = m.Summary
		} else {
			parts = append(parts, map[string]any{m.Name: m.Summary})
		}
		if m.ByOccupancy != nil {
			parts = append(parts, map[string]any{m.Name + byOccupancy: m.ByOccupancy})
		}
		if m.ByEta != nil {
			parts = append(parts, map[string]any{m.Name + byEta: m.ByEta})
		}
	}
	return jsonout.Join(parts...)
}

// UnmarshalJSON reads it again, without the values image by image, from an object
// that may hold other keys. Keys of figures that this program does not know are
// passed over.
func (f *Fidelity) UnmarshalJSON(b []byte) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(b, &keys); err != nil {
		return err
	}
	f.Figures = nil
	for _, known := range figures {
		from := keys
		if known.Group != "" {
			from = nil
			if group, ok := keys[known.Group]; ok {
				if err := json.Unmarshal(group, &from); err != nil {
					return err
				}
			}
		}
		summary, ok := from[known.Name]
		if !ok {
			continue
		}
		m := Measured{Figure: known}
		for key, into := range map[string]any{known.Name + byOccupancy: &m.ByOccupancy, known.Name + byEta: &m.ByEta} {
			if bins, ok := keys[key]; ok {
				if err := json.Unmarshal(bins, into); err != nil {
					return err
				}
			}
		}
		if err := json.Unmarshal(summary, &m.Summary); err != nil {
			return err
		}
		f.Figures = append(f.Figures, m)
	}
	return nil
}

// profile bins a figure's values.
func (m *Measured) profile(occupancy []uint8, eta []float64, s Settings) {
	x := make([]float64, len(occupancy))
	for i, n := range occupancy {
		x[i] = float64(n)
	}
	m.ByOccupancy = Profile(x, m.Values, s.Edges, s.MinBin)
	if eta == nil {
		return
	}
	for i, v := range eta {
		x[i] = math.Abs(v)
	}
	m.ByEta = Profile(x, m.Values, s.EtaEdges, s.MinBin)
}
