package plan

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"barrow/report"
	"barrow/run"
	"barrow/study/internal/page"
)

// Quantities are what [Layers] can colour modules by: the setting that was chosen, the mean EMD
// that it leaves, that over the best single algorithm's, the mean charge and occupancy of a module's
// images, and its links.
func Quantities() []string {
	return []string{"setting", "emd", "gain", "charge", "occupancy", "links"}
}

// Layers draws every layer of the finished plan in a folder, each module in the colour of a
// quantity of its class.
func Layers(folder, by string) ([]report.Figure, error) {
	var r Results
	if err := run.ReadJSON(folder, run.Results, &r); err != nil {
		return nil, err
	}
	for _, c := range r.Classes {
		if c.Choice < 0 || c.Choice >= len(c.Scores) {
			return nil, fmt.Errorf("plan: %s: %s: a choice that there is not", filepath.Join(folder, run.Results), c.Name)
		}
	}
	if by == "setting" {
		s := maps(&r)
		for i := range s.Figures {
			s.Figures[i].Palette = palette(&r)
		}
		return s.Figures, nil
	}
	of, label, err := r.quantity(by)
	if err != nil {
		return nil, err
	}
	steps := steps(&r, of)
	var list []report.Figure
	for _, l := range r.Layers {
		a := &report.Areas{X: report.Axis{Label: "x", Unit: "cm"}, Y: report.Axis{Label: "y", Unit: "cm"}, Ordered: true}
		for _, s := range steps {
			a.Kinds = append(a.Kinds, report.AreaKind{Name: s.name()})
		}
		for _, m := range l.Modules {
			k := int(m[2])
			if k < 0 || k >= len(r.Classes) {
				continue
			}
			v := of(&r.Classes[k])
			for i, s := range steps {
				if v <= s[1] || i == len(steps)-1 {
					a.Kinds[i].Areas = append(a.Kinds[i].Areas, outline(m[0], m[1]))
					break
				}
			}
		}
		list = append(list, report.Figure{ID: fmt.Sprintf("layer-%d", l.Layer), Title: fmt.Sprintf("Layer %d: %s", l.Layer, label), Areas: a})
	}
	return list, nil
}

// quantity is a number of every class, with its name.
func (r *Results) quantity(by string) (of func(*ClassResult) float64, label string, err error) {
	switch by {
	case "emd":
		return func(c *ClassResult) float64 { return c.EMD }, "mean EMD (" + page.UnitOf(r.Plan.Metric) + ")", nil
	case "gain":
		return func(c *ClassResult) float64 {
			if !(c.Single > 0) {
				return 1
			}
			return c.EMD / c.Single
		}, "mean EMD over " + r.BestSingle.Label() + "'s", nil
	case "charge":
		return func(c *ClassResult) float64 { return c.Charge[heldOut] }, "mean charge of a module (CALQ counts)", nil
	case "occupancy":
		if slices.ContainsFunc(r.Classes, func(c ClassResult) bool { return c.Occupancy == nil }) {
			return nil, "", errors.New("plan: this one keeps no occupancy, being of an older Barrow: plan again, or colour it by the charge")
		}
		return func(c *ClassResult) float64 { return c.Occupancy[heldOut] }, "mean occupancy of a module (cells above 1 MIP_T)", nil
	case "links":
		return func(c *ClassResult) float64 { return float64(c.Links) }, "links", nil
	}
	return nil, "", fmt.Errorf("plan: modules are not coloured by %q: want %s", by, strings.Join(Quantities(), ", "))
}

// A step is a range of a quantity that has one colour, from above its first number to its second.
type step [2]float64

func (s step) name() string {
	short := func(v float64) string { return fmt.Sprintf("%.3g", v) }
	if s[0] == s[1] {
		return short(s[0])
	}
	return short(s[0]) + " – " + short(s[1])
}

// mostSteps of a quantity are told apart.
const mostSteps = 7

// steps are the values of a quantity where there are few, else ranges that have about as many
// classes each.
func steps(r *Results, of func(*ClassResult) float64) []step {
	var values []float64
	for i := range r.Classes {
		if v := of(&r.Classes[i]); !math.IsNaN(v) && !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	single := slices.Compact(slices.Clone(values))
	var list []step
	if len(single) <= mostSteps {
		for _, v := range single {
			list = append(list, step{v, v})
		}
		return list
	}
	from := single[0]
	for i := 1; i <= mostSteps; i++ {
		to := values[i*(len(values)-1)/mostSteps]
		if to > from {
			list = append(list, step{from, to})
			from = to
		}
	}
	return list
}
