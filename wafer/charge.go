package wafer

import (
	"regexp"
	"strconv"
	"strings"

	"barrow/hgcal"
)

// A ChargeName is what the name of a column says of the charges in it.
type ChargeName struct {
	// Cell is the position of the charge, -1 for all of them in one column.
	Cell int
	// Order is the numbering, where OrderSaid: otherwise the name does not say it.
	Order     hgcal.Order
	OrderSaid bool
}

// chargeName is CALQ_0 to most programs, CALQ0 in ntuples, CALQ for all in one; Barrow
// says the numbering too where it is not V9.
var chargeName = regexp.MustCompile(`(?i)^(?:wafer_)?calq(?:[ _-]?(v9|postmux|raster)(?:[ _-]([0-9]+))?|[ _-]?([0-9]+))?$`)

// ParseChargeName reads a column's name; false for one that is no charge's. The
// position may be beyond the 48 cells.
func ParseChargeName(name string) (ChargeName, bool) {
	m := chargeName.FindStringSubmatch(name)
	if m == nil {
		return ChargeName{}, false
	}
	c := ChargeName{Cell: -1}
	if digits := m[2] + m[3]; digits != "" {
		var err error
		if c.Cell, err = strconv.Atoi(digits); err != nil {
			return ChargeName{}, false
		}
	}
	if m[1] != "" {
		order, err := hgcal.ParseOrder(strings.ToLower(m[1]))
		c.Order, c.OrderSaid = order, err == nil
	}
	return c, true
}

// String is the name that Barrow writes: CALQ_3, CALQ_postmux_3, CALQ_raster. V9 is
// what it means without more.
func (c ChargeName) String() string {
	name := "CALQ"
	if c.Order != hgcal.V9 {
		name += "_" + c.Order.String()
	}
	if c.Cell >= 0 {
		name += "_" + strconv.Itoa(c.Cell)
	}
	return name
}
