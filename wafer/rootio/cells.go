package rootio

import (
	"fmt"
	"math"

	"barrow/hgcal"
	"barrow/internal/root"
	"barrow/wafer"
)

// nowhere is what a producer writes for the wafer of a scintillator tile.
const nowhere = -999

// Of the trigger's numbers for parts of the detector those of scintillators: in today's
// geometries, and up to V8.
const scintillator, oldScintillator = 10, 5

// cells makes images of trigger cells (tc_*): one for every wafer of an event that has
// any.
type cells struct {
	v             *vectors
	prefix        string
	where         keyFields
	cellu, cellv  *field
	charge        *field // tc_data, or tc_mipPt
	eta, phi      *field
	sim, kind     *field // nil where the table has none
	scale         func(data, eta float64) float64
	event         *perEvent
	gen           *generated
	latent        *latent
	column        cellColumns
	wafers        grouper
	made          []madeWafer
	order         []int
	cellAt        [uvSide * uvSide]int8
	scintillators int64
	readings      int64
}

// cellColumns are the numbers of an image's columns, -1 for those it lacks.
type cellColumns struct {
	zside, subdet, layer, u, v, kind, density, eta, phi, sim int
}

// madeWafer is a wafer of an event under way.
type madeWafer struct {
	charge           [hgcal.Cells]float64
	seen             uint64 // by bits: the cells that were there
	eta              float64
	firstPhi, phiSum float64
	n                int
	sim              float64
	kind             int64
}

// uvSide bounds the coordinates of a trigger cell in its wafer, from 0.
const uvSide = 8

// needCells are the columns that a prefix needs to be trigger cells, for a reading of
// the charges.
func needCells(charge string) []string {
	need := []string{"zside", "layer", "waferu", "waferv", "cellu", "cellv"}
	switch charge {
	case "mippt":
		return append(need, "mipPt")
	case "data":
		return append(need, "data")
	}
	return append(need, "data", "eta")
}

// scaling is how a reading of charges makes them of the data and the cell's η.
func scaling(charge string) func(data, eta float64) float64 {
	switch charge {
	case "calq12":
		return func(data, eta float64) float64 {
			return math.Floor(data * math.Floor((1<<12)/math.Cosh(eta)) / (1 << 12))
		}
	case "data", "mippt":
		return nil
	}
	return func(data, eta float64) float64 {
		return math.Floor(data * math.RoundToEven((1<<11)/math.Cosh(eta)) / (1 << 11))
	}
}

// newCells starts reading trigger cells whose columns are there.
func newCells(b *batch, n *names, prefix, charge string, out *sink) (maker, error) {
	c := &cells{prefix: prefix, scale: scaling(charge)}
	for i := range c.cellAt {
		c.cellAt[i] = -1
	}
	for i := range hgcal.Cells {
		u, v := hgcal.UV(i)
		c.cellAt[u*uvSide+v] = int8(i)
	}
	subdet := n.numbers(prefix+"_subdet") >= 0
	var err error
	if c.event, err = newPerEvent(b, n, out); err != nil {
		return nil, err
	}
	if c.v, err = newVectors(b, n, prefix); err != nil {
		return nil, err
	}
	if c.where, err = newKeyFields(c.v, n, prefix, subdet); err != nil {
		return nil, err
	}
	value := "data"
	if charge == "mippt" {
		value = "mipPt"
	}
	for _, f := range []struct {
		to   **field
		name string
		kind root.Kind
		ask  bool // whether the table may lack it
	}{
		{&c.cellu, "cellu", root.Int, false}, {&c.cellv, "cellv", root.Int, false}, {&c.charge, value, root.Float, false},
		{&c.eta, "eta", root.Float, true}, {&c.phi, "phi", root.Float, true},
		{&c.sim, "simenergy", root.Float, true}, {&c.kind, "wafertype", root.Int, true},
	} {
		i := n.numbers(prefix + "_" + f.name)
		if i < 0 && f.ask {
			continue
		}
		if *f.to, err = c.v.need(i, f.kind); err != nil {
			return nil, err
		}
	}
	c.columns(subdet, out)
	if c.gen, err = newGenerated(b, n, out); err != nil {
		return nil, err
	}
	if c.sim != nil {
		c.column.sim = energyColumns(out)
	}
	if c.latent, err = newLatent(b, n, subdet, out); err != nil {
		return nil, err
	}
	return c, nil
}

// columns adds those that say where a wafer is.
func (c *cells) columns(subdet bool, out *sink) {
	c.column = cellColumns{subdet: -1, kind: -1, density: -1, eta: -1, phi: -1, sim: -1}
	c.column.zside = out.column(string(wafer.Zside))
	if subdet {
		c.column.subdet = out.column(string(wafer.Subdet))
	}
	c.column.layer = out.column(string(wafer.Layer))
	c.column.u, c.column.v = out.column(string(wafer.WaferU)), out.column(string(wafer.WaferV))
	if c.kind != nil {
		c.column.kind, c.column.density = out.column(string(wafer.WaferType)), out.column(string(wafer.Density))
	}
	if c.eta != nil {
		c.column.eta = out.column(string(wafer.Eta))
	}
	if c.phi != nil {
		c.column.phi = out.column(string(wafer.Phi))
	}
}

// density is HD or LD by a wafer's type: 120 µm silicon has small cells, and so has
// type 3 of the newest geometries.
func density(kind int64) string {
	if kind == 0 || kind == 3 {
		return "HD"
	}
	return "LD"
}

// items are the values of an event's trigger cells.
type items struct {
	n                     int
	u, v, kind            []int64
	charge, eta, phi, sim []float64
	total                 float64 // of the simulated energy
}

// values finds those of entry e.
func (c *cells) values(e int) (it items, err error) {
	if it.n, err = c.v.len(e); err != nil {
		return it, err
	}
	if err = c.where.event(e, it.n); err != nil {
		return it, err
	}
	for _, f := range []struct {
		from *field
		to   *[]int64
	}{{c.cellu, &it.u}, {c.cellv, &it.v}, {c.kind, &it.kind}} {
		if f.from != nil {
			if *f.to, err = c.v.ints(f.from, e, it.n); err != nil {
				return it, err
			}
		}
	}
	for _, f := range []struct {
		from *field
		to   *[]float64
	}{{c.charge, &it.charge}, {c.eta, &it.eta}, {c.phi, &it.phi}, {c.sim, &it.sim}} {
		if f.from != nil {
			if *f.to, err = c.v.floats(f.from, e, it.n); err != nil {
				return it, err
			}
		}
	}
	return it, nil
}

// fill makes the images of entries from to to-1 of the batch.
func (c *cells) fill(out *sink, from, to int) error {
	for e := from; e < to; e++ {
		it, err := c.values(e)
		if err != nil {
			return err
		}
		if err := c.gen.event(e); err != nil {
			return err
		}
		if err := c.latent.event(e); err != nil {
			return err
		}
		if err := c.collect(&it, e); err != nil {
			return err
		}
		if err := c.give(&it, e, out); err != nil {
			return err
		}
	}
	return nil
}

// collect puts the cells of entry e onto their wafers.
func (c *cells) collect(it *items, e int) error {
	c.wafers.reset()
	c.made = c.made[:0]
	c.readings += int64(it.n)
	last, at := key(0), -1
	for i := range it.n {
		if c.sim != nil {
			it.total += it.sim[i]
		}
		if c.isScintillator(i) {
			c.scintillators++
			continue
		}
		k, err := c.where.key(e, i)
		if err != nil {
			return err
		}
		if k != last || at < 0 { // cells of a wafer often follow each other
			last, at = k, c.wafers.add(k)
		}
		if at == len(c.made) {
			c.made = append(c.made, madeWafer{})
			if c.phi != nil {
				c.made[at].firstPhi = it.phi[i]
			}
			if c.kind != nil {
				c.made[at].kind = it.kind[i]
			}
		}
		if err := c.put(&c.made[at], it, i, e, k); err != nil {
			return err
		}
	}
	return nil
}

// isScintillator reports whether item i is no cell of silicon.
func (c *cells) isScintillator(i int) bool {
	if c.where.value[3][i] == nowhere || c.where.value[4][i] == nowhere {
		return true
	}
	if c.where.value[1] == nil {
		return false
	}
	part := c.where.value[1][i]
	return part == scintillator || part == oldScintillator
}

// put adds item i of entry e to its wafer.
func (c *cells) put(w *madeWafer, it *items, i, e int, k key) error {
	u, v := it.u[i], it.v[i]
	cell := -1
	if uint64(u) < uvSide && uint64(v) < uvSide {
		cell = int(c.cellAt[u*uvSide+v])
	}
	if cell < 0 {
		return c.v.b.fail(e, c.cellu.name, "item %d, %v: no trigger cell is at u=%d, v=%d", i, k, u, v)
	}
	if w.seen&(1<<cell) != 0 {
		return c.v.b.fail(e, c.cellu.name, "item %d, %v: the cell at u=%d, v=%d is there twice", i, k, u, v)
	}
	w.seen |= 1 << cell
	charge := it.charge[i]
	if c.scale != nil {
		charge = c.scale(charge, it.eta[i])
	}
	if !(charge >= 0 && charge < mostCharge) {
		if c.scale != nil {
			return c.v.b.fail(e, c.charge.name, "item %d, %v: %g at η %g is no charge", i, k, it.charge[i], it.eta[i])
		}
		return c.v.b.fail(e, c.charge.name, "item %d, %v: %g is no charge", i, k, charge)
	}
	w.charge[cell] = charge
	w.n++
	if c.eta != nil {
		w.eta += it.eta[i]
	}
	if c.phi != nil {
		w.phiSum += math.Remainder(it.phi[i]-w.firstPhi, 2*math.Pi)
	}
	if c.sim != nil {
		w.sim += it.sim[i]
	}
	return nil
}

// give hands out the wafers of entry e in their order.
func (c *cells) give(it *items, e int, out *sink) error {
	c.order = c.wafers.sorted(c.order)
	for _, i := range c.order {
		k, w := c.wafers.keys[i], &c.made[i]
		copy(out.image(c.v.b.entry(e), k), w.charge[:])
		if err := c.event.add(c.v.b, e, out); err != nil {
			return err
		}
		out.int(c.column.zside, k.zside())
		if c.column.subdet >= 0 {
			out.int(c.column.subdet, k.subdet())
		}
		out.int(c.column.layer, k.layer())
		out.int(c.column.u, k.u())
		out.int(c.column.v, k.v())
		if c.kind != nil {
			out.int(c.column.kind, w.kind)
			out.text(c.column.density, density(w.kind))
		}
		if c.eta != nil {
			out.float(c.column.eta, w.eta/float64(w.n))
		}
		if c.phi != nil {
			out.float(c.column.phi, math.Remainder(w.firstPhi+w.phiSum/float64(w.n), 2*math.Pi))
		}
		c.gen.add(k.zside(), out)
		if c.sim != nil {
			giveEnergies(out, c.column.sim, w.sim, it.total)
		}
		c.latent.add(k, out)
	}
	return nil
}

// energyColumns adds the columns of giveEnergies and is the number of the first.
func energyColumns(out *sink) int {
	first := out.column(string(wafer.SimEnergyTotal))
	out.column(string(wafer.EventSimEnergy))
	out.column(string(wafer.SimEnergyFraction))
	return first
}

// giveEnergies gives three columns, from first on: a wafer's energy, the event's, and
// the share of it.
func giveEnergies(out *sink, first int, of, all float64) {
	out.float(first, of)
	out.float(first+1, all)
	share := 0.0
	if all != 0 {
		share = of / all
	}
	out.float(first+2, share)
}

func (c *cells) remarks() []string {
	lines := c.v.remarks()
	if c.scintillators > 0 {
		lines = append(lines, fmt.Sprintf("%d of %d items of %s_* are tiles of scintillator, not cells of a wafer: skipped", c.scintillators, c.readings, c.prefix))
	}
	return append(append(lines, c.gen.remarks()...), c.latent.remarks()...)
}
