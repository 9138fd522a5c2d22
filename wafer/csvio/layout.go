package csvio

import (
	"fmt"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/wafer"
)

// dialect is a layout of columns to write.
type dialect int

const (
	// withHeader is a header, CALQ_0 … CALQ_47, then all metadata columns.
	withHeader dialect = iota
	// chargesOnly is a header and the 48 charges alone.
	chargesOnly
	// ecoder is the Ecoder training file: entry, the charges, and the metadata
	// columns of EcoderColumns, all of which the images must have, then others.
	ecoder
	// noHeader is the older training file of 57 columns without a header, which
	// needs the metadata columns of NoHeaderColumns; other metadata is left out.
	noHeader
	// plain is the 48 charges without a header.
	plain
)

var dialectNames = [...]string{"header", "charges", "ecoder", "noheader", "plain"}

// parseDialect returns the dialect of that name, withHeader for "".
func parseDialect(name string) (dialect, error) {
	if name == "" {
		return withHeader, nil
	}
	for d, n := range dialectNames {
		if n == name {
			return dialect(d), nil
		}
	}
	return 0, fmt.Errorf("csvio: unknown CSV dialect %q: want %s", name, strings.Join(dialectNames[:], ", "))
}

// EcoderColumns are the metadata columns of an Ecoder training file, the first
// before the charges, the others behind.
func EcoderColumns() []string {
	return names(wafer.Entry, wafer.SimEnergyTotal, wafer.EventSimEnergy, wafer.SimEnergyFraction,
		wafer.Subdet, wafer.Layer, wafer.WaferU, wafer.WaferV, wafer.Density, wafer.ModType)
}

// NoHeaderColumns are the metadata columns of the older training file, all
// behind the charges, called as the programs that read it call them.
func NoHeaderColumns() []string {
	return append(names(wafer.Entry, wafer.Zside, wafer.Layer, wafer.WaferU, wafer.WaferV),
		"simenergy", string(wafer.Subdet), "tc_eta", "tc_phi")
}

func names(known ...wafer.Known) []string {
	var text []string
	for _, k := range known {
		text = append(text, string(k))
	}
	return text
}

// Widths of the tables that are known without names.
var (
	noHeaderWidth = hgcal.Cells + len(NoHeaderColumns())
	ecoderWidth   = hgcal.Cells + len(EcoderColumns())
)

// Columns of a table: which cell, which metadata column, or neither.
const (
	leftOut = -1 // not read
	blank   = -2 // behind the last separator: must be empty
	meta    = -3 // metadata column m is meta-m
)

// layout says what the columns of a table are.
type layout struct {
	header bool           // the first row is names
	field  []int          // per column the position of a charge in the file's order, or one of the above
	names  []string       // of the metadata columns
	order  hgcal.Order    // numbering that the header names
	said   bool           // whether it names one
	origin map[string]int // column, from 1, that a metadata name is from
}

// add adds a metadata column.
func (l *layout) add(name string) {
	l.field = append(l.field, meta-len(l.names))
	l.names = append(l.names, name)
}

func (l *layout) addCharges() {
	for k := range hgcal.Cells {
		l.field = append(l.field, k)
	}
}

// known is the layout of a table whose columns have no names, by its width; nil
// where there is none.
func known(width int) *layout {
	switch width {
	case hgcal.Cells:
		return parts("charges")
	case noHeaderWidth:
		return parts("noheader")
	case ecoderWidth:
		return parts("ecoder")
	}
	return nil
}

// parts makes a layout of its description without a check.
func parts(description ...string) *layout {
	l := &layout{}
	for _, p := range description {
		switch p {
		case "charges":
			l.addCharges()
		case "noheader":
			l.addCharges()
			for _, n := range NoHeaderColumns() {
				l.add(n)
			}
		case "ecoder":
			list := EcoderColumns()
			l.add(list[0])
			l.addCharges()
			for _, n := range list[1:] {
				l.add(n)
			}
		case "-":
			l.field = append(l.field, leftOut)
		default:
			l.add(p)
		}
	}
	return l
}

// described is the layout that wafer.ReadSettings.Layout describes, for a table
// of so many columns.
func described(text string, width int) (*layout, error) {
	words := strings.Split(text, ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	rest := words[len(words)-1] == "..."
	if rest {
		words = words[:len(words)-1]
	}
	charges := 0
	for i, w := range words {
		switch w {
		case "charges", "noheader", "ecoder":
			charges++
		case "", "...":
			return nil, fmt.Errorf("layout %q: word %d is %q; want names of columns, charges once, and ... only at the end", text, i+1, w)
		}
	}
	if charges != 1 {
		return nil, fmt.Errorf("layout %q: want charges, noheader or ecoder in it once", text)
	}
	l := parts(words...)
	for rest && len(l.field) < width {
		l.add(fmt.Sprintf("column_%d", len(l.field)))
	}
	for i, n := range l.names {
		if slices.Index(l.names, n) != i {
			return nil, fmt.Errorf("layout %q: two columns are called %q", text, n)
		}
	}
	if len(l.field) != width {
		return nil, fmt.Errorf("layout %q is %d columns, the table has %d", text, len(l.field), width)
	}
	return l, nil
}
