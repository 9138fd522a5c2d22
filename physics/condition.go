package physics

import (
	"errors"
	"fmt"

	"barrow/wafer"
)

// conditional are the columns that a conditional model needs.
var conditional = [...]wafer.Known{wafer.Eta, wafer.WaferU, wafer.WaferV, wafer.Layer, wafer.WaferType}

// conditionColumns are the columns of wafers under way, empty.
func conditionColumns() []wafer.Column {
	var list []wafer.Column
	for _, k := range conditional {
		list = append(list, wafer.Column{Name: string(k)})
	}
	return list
}

// A conditioner knows the conditions of an event's wafers: of the source's columns, and of the
// geometry what they lack.
type conditioner struct {
	geometry *Geometry
	columns  [len(conditional)][]float64
}

// at reads those of an event.
func (c *conditioner) at(e *Event) (err error) {
	for k, known := range conditional {
		if known == wafer.WaferType {
			c.columns[k], err = e.Images.WaferTypes()
		} else {
			c.columns[k], err = e.Images.Numbers(known)
		}
		if missing := (*wafer.NoColumnError)(nil); errors.As(err, &missing) {
			c.columns[k] = make([]float64, len(e.Wafers))
			for i, w := range e.Wafers {
				c.columns[k][i] = c.geometry.wafers[w].condition(known)
			}
		} else if err != nil {
			return fmt.Errorf("physics: event %d: %w", e.Number, err)
		}
		for i, v := range c.columns[k] {
			if v-v != 0 || known == wafer.WaferType && v != 0 && v != 1 && v != 2 {
				return at(e, i, fmt.Errorf("%s is %v, which a conditional model cannot take", known, v))
			}
		}
	}
	return nil
}

// add adds those of the event's wafer i to wafers under way.
func (c *conditioner) add(to *wafer.Set, i int) {
	for k := range conditional {
		column := &to.Columns[k].Float
		*column = append(*column, c.columns[k][i])
	}
}

// empty leaves no wafer in a set, and its memory for the next ones.
func empty(set *wafer.Set) {
	set.Charge = set.Charge[:0]
	for k := range set.Columns {
		set.Columns[k].Float = set.Columns[k].Float[:0]
	}
}

// condition is what the geometry knows of a wafer.
func (w *Wafer) condition(k wafer.Known) float64 {
	switch k {
	case wafer.Eta:
		return w.Module.Eta()
	case wafer.WaferU:
		return float64(w.U)
	case wafer.WaferV:
		return float64(w.V)
	case wafer.Layer:
		return float64(w.Module.Layer)
	}
	switch w.Module.Thickness() {
	case 120:
		return 0
	case 200:
		return 1
	}
	return 2
}
