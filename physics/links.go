package physics

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"barrow/econt"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/lines"
)

// LinkTable says on how many 32-bit output links each wafer of a Geometry sends. A wafer
// of 0 links sends nothing.
type LinkTable struct {
	geometry *Geometry
	name     string
	links    []uint8 // by wafer
}

// ModuleLinks are the modules' own numbers of links, as hgcal has them.
func ModuleLinks(g *Geometry) *LinkTable {
	t := newLinkTable(g, "modules' links")
	for i := range t.links {
		t.links[i] = uint8(g.wafers[i].Module.Links)
	}
	return t
}

// SameLinks is one number of links, 1 to 13, for all wafers.
func SameLinks(g *Geometry, n int) (*LinkTable, error) {
	if n < 1 || n > econt.MaxETx {
		return nil, fmt.Errorf("physics: %d links: want 1 to %d", n, econt.MaxETx)
	}
	name := fmt.Sprintf("%d links", n)
	if n == 1 {
		name = "1 link"
	}
	t := newLinkTable(g, name)
	for i := range t.links {
		t.links[i] = uint8(n)
	}
	return t, nil
}

func newLinkTable(g *Geometry, name string) *LinkTable {
	return &LinkTable{geometry: g, name: name, links: make([]uint8, g.Len())}
}

// Name says which table it is: "modules' links", "3 links" or the file's name.
func (t *LinkTable) Name() string { return t.name }

// Links is the number of links, 0 to 13, of a wafer of the Geometry.
func (t *LinkTable) Links(wafer int) int { return int(t.links[wafer]) }

// Counts are the numbers of links that there are, rising.
func (t *LinkTable) Counts() []int {
	var used [econt.MaxETx + 1]bool
	for _, n := range t.links {
		used[n] = true
	}
	var counts []int
	for n, yes := range used {
		if yes {
			counts = append(counts, n)
		}
	}
	return counts
}

// Mean is the mean number of links of a wafer.
func (t *LinkTable) Mean() float64 {
	sum := 0
	for _, n := range t.links {
		sum += int(n)
	}
	return float64(sum) / float64(len(t.links))
}

// maxLinkTable bounds the size of a table of links.
const maxLinkTable = 16 << 20

// ReadLinks reads a table of links: text with a line of names and columns separated by
// commas, semicolons, tabs or spaces. Columns layer and links (or elinks) are needed.
// Without others a row holds for all modules of its layer; with waferu and waferv (or u
// and v) it is that wafer's, numbered as CMSSW does over the whole endcap or, with a column
// sector, in that sector, 0 to 2. A table that has wafers of sector 0 alone, as
// hgcal.Geometry.Modules does, holds for the other sectors, too. Other columns are
// ignored.
//
// Links are 0 to 13. Every trigger layer and wafer must be there once. Errors name file,
// row and column.
func ReadLinks(g *Geometry, path string) (*LinkTable, error) {
	b, err := limit.ReadFile(path, "a table of links", maxLinkTable)
	if err != nil {
		return nil, fmt.Errorf("physics: links: %w", err)
	}
	r := linkReader{t: newLinkTable(g, filepath.Base(path)), row: make([]int, g.Len())}
	if err := r.read(b); err != nil {
		return nil, fmt.Errorf("physics: links: %s:%w", path, err)
	}
	return r.t, nil
}

// linkReader fills a table.
type linkReader struct {
	t                            *LinkTable
	row                          []int // of the file by wafer, 0 where there is none yet
	layer, u, v, sector, n, cols int   // columns, -1 where there is none
}

// read fills the table. Errors begin with row:column.
func (r *linkReader) read(b []byte) error {
	last, err := lines.Table(bytes.NewReader(b), maxLinkTable, r.header, r.add)
	if err != nil {
		return err
	}
	if last == 0 {
		return errors.New("1: the file is empty: want rows of layer and links, or layer, waferu, waferv and links")
	}
	return r.finish(last)
}

// header finds the columns.
func (r *linkReader) header(names [][]byte, row int) error {
	r.cols = len(names)
	at := map[string]int{}
	for k, b := range names {
		n := strings.ToLower(string(b))
		if _, twice := at[n]; twice && n != "" {
			return fmt.Errorf("%d:%d: two columns are called %q", row, k+1, n)
		}
		at[n] = k
	}
	find := func(names ...string) int {
		for _, n := range names {
			if k, ok := at[n]; ok {
				return k
			}
		}
		return -1
	}
	r.layer, r.n, r.sector = find("layer"), find("links", "elinks"), find("sector")
	r.u, r.v = find("waferu", "u"), find("waferv", "v")
	switch {
	case r.layer < 0 || r.n < 0:
		return fmt.Errorf("%d: the first row names no column layer, or none of links: want layer,links or layer,waferu,waferv,links", row)
	case (r.u < 0) != (r.v < 0):
		return fmt.Errorf("%d: one of the columns waferu and waferv, not both", row)
	case r.sector >= 0 && r.u < 0:
		return fmt.Errorf("%d: a column sector without waferu and waferv", row)
	}
	return nil
}

// add takes a row.
func (r *linkReader) add(fields [][]byte, row int) error {
	if len(fields) != r.cols {
		return fmt.Errorf("%d: %d columns, want %d as in the first row", row, len(fields), r.cols)
	}
	whole := func(k int, what string) (int, error) {
		n, err := strconv.ParseFloat(string(fields[k]), 64)
		if err != nil || n != math.Trunc(n) || math.Abs(n) > 1000 {
			return 0, fmt.Errorf("%d:%d: %s %q: want a whole number", row, k+1, what, fields[k])
		}
		return int(n), nil
	}
	layer, err := whole(r.layer, "layer")
	if err != nil {
		return err
	}
	n, err := whole(r.n, "links")
	if err != nil {
		return err
	}
	if n < 0 || n > econt.MaxETx {
		return fmt.Errorf("%d:%d: %d links: the chip has 0 to %d", row, r.n+1, n, econt.MaxETx)
	}
	g := r.t.geometry
	if r.u < 0 {
		found := false
		for i := range g.wafers {
			if g.wafers[i].Module.Layer == layer {
				if err := r.set(i, n, row); err != nil {
					return err
				}
				found = true
			}
		}
		if !found {
			return fmt.Errorf("%d:%d: %w", row, r.layer+1, g.missing(layer, "wafer"))
		}
		return nil
	}
	u, err := whole(r.u, "waferu")
	if err != nil {
		return err
	}
	v, err := whole(r.v, "waferv")
	if err != nil {
		return err
	}
	var i int
	if r.sector < 0 {
		i, err = g.findTurned(layer, u, v)
	} else {
		var sector int
		if sector, err = whole(r.sector, "sector"); err != nil {
			return err
		}
		i, err = g.Find(layer, u, v, sector)
	}
	if err != nil {
		return fmt.Errorf("%d:%d: %w", row, r.layer+1, err)
	}
	return r.set(i, n, row)
}

// set gives a wafer its links.
func (r *linkReader) set(wafer, n, row int) error {
	if r.row[wafer] != 0 {
		return fmt.Errorf("%d:%d: %s once more, after row %d", row, r.layer+1, r.place(wafer), r.row[wafer])
	}
	r.row[wafer], r.t.links[wafer] = row, uint8(n)
	return nil
}

// place says where a wafer is in the table's own terms.
func (r *linkReader) place(i int) string {
	w := &r.t.geometry.wafers[i]
	switch {
	case r.u < 0:
		return fmt.Sprintf("layer %d", w.Module.Layer)
	case r.sector >= 0:
		return fmt.Sprintf("layer %d, wafer %d, %d in sector %d", w.Module.Layer, w.Module.U, w.Module.V, w.Sector)
	}
	return fmt.Sprintf("layer %d, wafer %d, %d", w.Module.Layer, w.U, w.V)
}

// finish gives the other sectors what a table of sector 0 says, and reports what is missing.
func (r *linkReader) finish(last int) error {
	g := r.t.geometry
	turned := false
	for i, row := range r.row {
		turned = turned || row != 0 && g.wafers[i].Sector != 0
	}
	missing, first := 0, ""
	for i := range g.wafers {
		from := i
		if m := &g.wafers[i].Module; !turned {
			from = int(g.index[[4]int{m.Layer, m.U, m.V, 0}])
		}
		if r.row[from] == 0 {
			if missing++; first == "" {
				first = r.place(from)
			}
			continue
		}
		r.t.links[i] = r.t.links[from]
	}
	if missing == 0 {
		return nil
	}
	if !turned {
		missing /= hgcal.Sectors
	}
	return fmt.Errorf("%d: the table ends without %s; wafers without a row: %d", last, first, missing)
}
