package plan

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"barrow/econt"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/lines"
	"barrow/physics"
)

// A place is a module's in its geometry: layer, u and v in sector 0.
type place [3]int

// A module of the endcap that is planned for.
type module struct {
	hgcal.Module // as in sector 0
	links        int
	u, v         int     // as the file has them, in the whole endcap; else those of sector 0
	sector       int     // where a file says so; else −1
	x, y         float64 // centre in cm where it is
}

func (m *module) place() place { return place{m.Layer, m.U, m.V} }

// detector finds the modules of a geometry.
type detector struct {
	*physics.Geometry
	turned map[place]int // wafers by layer, u and v of the whole endcap
}

func newDetector(g hgcal.Geometry) *detector {
	d := &detector{Geometry: physics.NewGeometry(g), turned: map[place]int{}}
	for i := range d.Len() {
		w := d.Wafer(i)
		d.turned[place{w.Module.Layer, w.U, w.V}] = i
	}
	return d
}

// find returns the wafer at some coordinates, of the whole endcap where the sector is −1.
func (d *detector) find(layer, u, v, sector int) (*physics.Wafer, error) {
	if sector < 0 {
		if i, ok := d.turned[place{layer, u, v}]; ok {
			return d.Wafer(i), nil
		}
		if slices.Contains(d.Layers(), layer) {
			return nil, fmt.Errorf("layer %d has no module %d, %d: is the geometry another one?", layer, u, v)
		}
		sector = 0 // of which the layer is missing, too
	}
	i, err := d.Find(layer, u, v, sector)
	if err != nil {
		return nil, err
	}
	return d.Wafer(i), nil
}

// own are the modules of a geometry on their own links, those of sector 0 as the others
// are the same; without is how many have no links.
func own(g hgcal.Geometry) (list []module, without int) {
	for _, m := range g.Modules() {
		if m.Links == 0 {
			without++
			continue
		}
		list = append(list, module{Module: m, links: m.Links, u: m.U, v: m.V, sector: -1, x: m.X, y: m.Y})
	}
	return list, without
}

// maxTable bounds the size of a file of modules.
const maxTable = 64 << 20

// read reads a file of modules: text with a line of names and columns separated by commas,
// semicolons, tabs or spaces. layer, waferu, waferv and links are needed; with a column sector,
// 0 to 2, u and v are those of sector 0, else of the whole endcap as CMSSW numbers them. HD_LD and
// ModType, if there, are held against the geometry. Other columns are ignored. Errors name file,
// row and column.
func (d *detector) read(path string) ([]module, error) {
	b, err := limit.ReadFile(path, "a file of modules", maxTable)
	if err != nil {
		return nil, fmt.Errorf("plan: modules: %w", err)
	}
	r := moduleReader{detector: d, rows: map[[4]int]int{}}
	if err := r.read(b); err != nil {
		return nil, fmt.Errorf("plan: modules: %s:%w", path, err)
	}
	return r.list, nil
}

type moduleReader struct {
	detector                               *detector
	list                                   []module
	rows                                   map[[4]int]int // of the file by sector, layer, u, v
	layer, u, v, links, sector, high, kind int            // columns, -1 where there is none
	cols                                   int
}

// read reads the rows. Errors begin with row:column.
func (r *moduleReader) read(b []byte) error {
	last, err := lines.Table(bytes.NewReader(b), maxTable, r.header, r.add)
	if err != nil {
		return err
	}
	switch {
	case last == 0:
		return errors.New("1: the file is empty: want rows of layer, waferu, waferv and links")
	case len(r.list) == 0:
		return fmt.Errorf("%d: the file has no modules below its line of names", last)
	}
	return nil
}

// header finds the columns.
func (r *moduleReader) header(names [][]byte, row int) error {
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
	r.layer, r.links = find("layer"), find("links", "elinks", "econt_etx")
	r.u, r.v = find("waferu", "u", "modu"), find("waferv", "v", "modv")
	r.sector, r.high, r.kind = find("sector"), find("hd_ld", "density"), find("modtype", "kind")
	var missing []string
	for _, c := range []struct {
		name string
		at   int
	}{{"layer", r.layer}, {"waferu", r.u}, {"waferv", r.v}, {"links", r.links}} {
		if c.at < 0 {
			missing = append(missing, c.name)
		}
	}
	if missing != nil {
		return fmt.Errorf("%d: the first row does not name %s: want the columns layer, waferu, waferv and links", row, strings.Join(missing, ", "))
	}
	return nil
}

// whole reads a whole number.
func whole(fields [][]byte, k, row int, what string) (int, error) {
	n, err := strconv.ParseFloat(string(fields[k]), 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > 1000 {
		return 0, fmt.Errorf("%d:%d: %s %q: want a whole number", row, k+1, what, fields[k])
	}
	return int(n), nil
}

// add takes a row.
func (r *moduleReader) add(fields [][]byte, row int) error {
	if len(fields) != r.cols {
		return fmt.Errorf("%d: %d columns, want %d as in the first row", row, len(fields), r.cols)
	}
	m := module{sector: -1}
	layer := 0
	for _, c := range []struct {
		to   *int
		k    int
		what string
	}{{&layer, r.layer, "layer"}, {&m.u, r.u, "waferu"}, {&m.v, r.v, "waferv"}, {&m.sector, r.sector, "sector"}} {
		if c.k < 0 {
			continue
		}
		var err error
		if *c.to, err = whole(fields, c.k, row, c.what); err != nil {
			return err
		}
	}
	if r.sector >= 0 && (m.sector < 0 || m.sector >= hgcal.Sectors) {
		return fmt.Errorf("%d:%d: sector %d: want 0 to %d", row, r.sector+1, m.sector, hgcal.Sectors-1)
	}
	key := [4]int{m.sector, layer, m.u, m.v}
	if before := r.rows[key]; before != 0 {
		return fmt.Errorf("%d:%d: module %d, %d of layer %d once more, after row %d", row, r.layer+1, m.u, m.v, layer, before)
	}
	r.rows[key] = row
	w, err := r.detector.find(layer, m.u, m.v, m.sector)
	if err != nil {
		return fmt.Errorf("%d:%d: %w", row, r.layer+1, err)
	}
	m.Module = w.Module
	m.x, m.y = turned(w)
	if err := r.sent(fields, row, &m); err != nil {
		return err
	}
	if err := r.agrees(fields, row, &m); err != nil {
		return err
	}
	r.list = append(r.list, m)
	return nil
}

// sent reads the links.
func (r *moduleReader) sent(fields [][]byte, row int, m *module) (err error) {
	if len(bytes.TrimSpace(fields[r.links])) == 0 {
		return fmt.Errorf("%d:%d: the links of module %d, %d of layer %d are blank: want 1 to %d; of one without links leave the row out", row, r.links+1, m.u, m.v, m.Layer, econt.MaxETx)
	}
	if string(fields[r.links]) == "0" {
		return fmt.Errorf("%d:%d: module %d, %d of layer %d has no links: it sends nothing, so leave the row out, or give it 1 to %d",
			row, r.links+1, m.u, m.v, m.Layer, econt.MaxETx)
	}
	if m.links, err = whole(fields, r.links, row, "links"); err != nil {
		return err
	}
	if m.links < 1 || m.links > econt.MaxETx {
		return fmt.Errorf("%d:%d: %d links: the chip has 1 to %d", row, r.links+1, m.links, econt.MaxETx)
	}
	return nil
}

// agrees holds density and kind against the geometry.
func (r *moduleReader) agrees(fields [][]byte, row int, m *module) error {
	if k := r.high; k >= 0 {
		if has := density(m.HighDensity()); !strings.EqualFold(string(fields[k]), has) {
			return fmt.Errorf("%d:%d: density %q of module %d, %d of layer %d, which is %s in the geometry: is the geometry another one?", row, k+1, fields[k], m.u, m.v, m.Layer, has)
		}
	}
	if k := r.kind; k >= 0 && string(fields[k]) != m.Kind {
		return fmt.Errorf("%d:%d: type %q of module %d, %d of layer %d, which is %s in the geometry: is the geometry another one?", row, k+1, fields[k], m.u, m.v, m.Layer, m.Kind)
	}
	return nil
}

func density(high bool) string {
	if high {
		return "HD"
	}
	return "LD"
}

// turned is the centre of a wafer in its sector.
func turned(w *physics.Wafer) (x, y float64) {
	sin, cos := math.Sincos(2 * math.Pi / hgcal.Sectors * float64(w.Sector))
	return float64(cos*w.Module.X) - float64(sin*w.Module.Y), float64(sin*w.Module.X) + float64(cos*w.Module.Y)
}
