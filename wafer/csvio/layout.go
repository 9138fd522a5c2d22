package csvio

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"barrow/hgcal"
)

// Dialect is a layout of columns to write.
type Dialect int

const (
	// Header is a header, CALQ_0 … CALQ_47, then all metadata columns.
	Header Dialect = iota
	// Charges is a header and the 48 charges alone.
	Charges
	// Ecoder is the Ecoder training file: entry, the charges, and the metadata
	// columns of EcoderColumns, all of which the images must have, then others.
	Ecoder
	// NoHeader is the older training file of 57 columns without a header, which
	// needs the metadata columns of NoHeaderColumns; other metadata is left out.
	NoHeader
	// Plain is the 48 charges without a header.
	Plain
)

var dialectNames = [...]string{"header", "charges", "ecoder", "noheader", "plain"}

// String returns the name that ParseDialect accepts.
func (d Dialect) String() string {
	if d < 0 || int(d) >= len(dialectNames) {
		return fmt.Sprintf("Dialect(%d)", int(d))
	}
	return dialectNames[d]
}

// Dialects returns the names that ParseDialect accepts.
func Dialects() []string { return dialectNames[:] }

// ParseDialect returns the dialect called header, charges, ecoder, noheader or
// plain.
func ParseDialect(name string) (Dialect, error) {
	for d, n := range dialectNames {
		if n == name {
			return Dialect(d), nil
		}
	}
	return 0, fmt.Errorf("csvio: unknown CSV dialect %q: want %s", name, strings.Join(dialectNames[:], ", "))
}

// EcoderColumns are the metadata columns of an Ecoder training file, the first
// before the charges, the others behind.
func EcoderColumns() []string {
	return []string{"entry", "SimEnergyTotal", "EventSimEnergy", "SimEnergyFraction",
		"subdet", "layer", "waferu", "waferv", "HD_LD", "ModType"}
}

// NoHeaderColumns are the metadata columns of the older training file, all
// behind the charges.
func NoHeaderColumns() []string {
	return []string{"entry", "zside", "layer", "waferu", "waferv", "simenergy", "subdet", "tc_eta", "tc_phi"}
}

// layout says what each column of a file is.
type layout struct {
	header bool
	field  []int    // per column the V9 cell, or -1-m for metadata column m
	meta   []string // names of the metadata columns
}

const chargePrefix = "CALQ_"

// newLayout derives the layout from the fields of the first row.
func newLayout(first []string, order hgcal.Order) (*layout, error) {
	if len(first) == 1 && first[0] == "" {
		return nil, errors.New("empty row")
	}
	toV9 := order.ToV9()
	for _, name := range first {
		if strings.HasPrefix(name, chargePrefix) {
			return headerLayout(first, toV9)
		}
	}
	n := len(first)
	if n < hgcal.Cells {
		return nil, fmt.Errorf("%d columns and no header with %s0: want at least the %d charges",
			n, chargePrefix, hgcal.Cells)
	}
	if looksLikeHeader(first) {
		return nil, fmt.Errorf("a header without %s0 … %s%d", chargePrefix, chargePrefix, hgcal.Cells-1)
	}
	l := &layout{field: make([]int, n)}
	start := 0
	switch n - hgcal.Cells {
	case len(NoHeaderColumns()):
		l.meta = NoHeaderColumns()
	case len(EcoderColumns()):
		l.meta = EcoderColumns()
		start = 1
	default:
		for j := hgcal.Cells; j < n; j++ {
			l.meta = append(l.meta, fmt.Sprintf("column_%d", j))
		}
	}
	m := 0
	for j := range l.field {
		if j >= start && j < start+hgcal.Cells {
			l.field[j] = toV9[j-start]
			continue
		}
		l.field[j] = -1 - m
		m++
	}
	return l, nil
}

func headerLayout(names []string, toV9 [hgcal.Cells]int) (*layout, error) {
	l := &layout{header: true, field: make([]int, len(names))}
	var at [hgcal.Cells]int
	seen := map[string]int{}
	for j, name := range names {
		if k, twice := seen[name]; twice {
			return nil, fmt.Errorf("column %q occurs twice, at %d and %d", name, k, j+1)
		}
		seen[name] = j + 1
		if digits, ok := strings.CutPrefix(name, chargePrefix); ok {
			k, err := strconv.Atoi(digits)
			if err != nil || k < 0 || k >= hgcal.Cells || strconv.Itoa(k) != digits {
				return nil, fmt.Errorf("column %d is %q: charges are %s0 … %s%d",
					j+1, name, chargePrefix, chargePrefix, hgcal.Cells-1)
			}
			at[k] = j + 1
			l.field[j] = toV9[k]
			continue
		}
		l.field[j] = -1 - len(l.meta)
		l.meta = append(l.meta, name)
	}
	for k, j := range at {
		if j == 0 {
			return nil, fmt.Errorf("the header has no column %s%d", chargePrefix, k)
		}
	}
	return l, nil
}

// looksLikeHeader reports whether no field of the row is a number.
func looksLikeHeader(fields []string) bool {
	for _, s := range fields {
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			return false
		}
	}
	return true
}
