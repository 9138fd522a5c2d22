package plan

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/physics"
	"barrow/simulate"
	"barrow/study/images"
	"barrow/wafer"
)

// The images that are trained on, that are chosen by and that are measured by are of seeds of
// their own.
const (
	trainSeed    = 1 << 33
	validateSeed = 1 << 34
	heldOutSeed  = 1 << 35
	partSeed     = 0x70617274
	stopSeed     = 1 << 36 // of those that an epoch is chosen by: a candidate is chosen by others
)

// simulation draws images of some modules.
func (p Plan) simulation(places []place, seed uint64, threads int) simulate.Settings {
	s := simulate.Settings{Preset: p.Preset, Seed: p.Seed + seed, Threads: threads, Geometry: p.geometry(), Allocation: simulate.PerModule}
	for _, at := range places {
		s.Modules = append(s.Modules, at)
	}
	return s
}

// parts are a class's images: chosen by and measured by, with charge each, and how many images
// without charge come with them.
type parts struct {
	validation, heldOut *wafer.Set
	empty               [2]int
}

// sides are the two by number.
func (p *parts) sides() [2]*wafer.Set {
	return [2]*wafer.Set{validation: p.validation, heldOut: p.heldOut}
}

// charged is the share of a side's images that have charge.
func (p *parts) charged(side int) float64 {
	some := p.sides()[side].Len()
	return float64(some) / float64(some+p.empty[side])
}

// simulated draws a class's images.
func (p Plan) simulated(ctx context.Context, c *class) (*parts, error) {
	out := &parts{}
	for k, to := range []**wafer.Set{&out.validation, &out.heldOut} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := p.simulation(c.places, []uint64{validateSeed, heldOutSeed}[k], 1)
		s.KeepEmpty = true
		set, err := simulate.Generate(p.PerClass, s)
		if err != nil {
			return nil, fmt.Errorf("plan: %w", err)
		}
		if *to, out.empty[k] = set.NonZero(); (*to).Len() < fewestImages {
			return nil, fmt.Errorf("plan: %s: %d of %d simulated images have charge, want %d: ask for more class_images", c.name(), (*to).Len(), set.Len(), fewestImages)
		}
	}
	return out, nil
}

// measured are the images of files: all of them, where they are from, and by class those that
// are trained on and that a training stops by, and those of parts.
type measured struct {
	set         *wafer.Set
	wafers      []*physics.Wafer
	source      string
	parts       []*parts
	train, stop []*wafer.Set
}

// shares of the images of files: trained on, stopped by, chosen by, measured by.
var shares = []float64{0.6, 0.1, 0.15, 0.15}

// readMeasured reads the plan's files, those without charge among them, and tells their modules by
// the columns layer, waferu and waferv, and sector where there is one.
func (p *Plan) readMeasured(ctx context.Context, d *detector, s images.Settings) (*measured, error) {
	s.Empty, s.Counts, s.Densities = true, true, true
	s.Check = func(set *wafer.Set) error { _, err := d.wafers(set); return err }
	m := &measured{}
	var err error
	if m.set, m.source, err = p.Input.Read(ctx, s); err != nil {
		return nil, err
	}
	p.Source, p.Digest = m.source, m.set.Digest()
	if m.wafers, err = d.wafers(m.set); err != nil {
		return nil, fmt.Errorf("plan: %s: %w", m.source, err)
	}
	some, _ := m.set.NonZero()
	if err := evaluate.CheckCounts(some); err != nil { // images in another unit
		return nil, fmt.Errorf("plan: %s: %w", m.source, err)
	}
	return m, nil
}

// deal deals the images to the classes.
func (m *measured) deal(seed uint64, classes []class, remark func(string)) error {
	of := placesOf(classes)
	// The images are split before they are dealt: one that is of several classes is in the same
	// part of all, so that what trains for one is not measured by it in another.
	split := parted(m.set.Len(), seed)
	var dealt [4][]*wafer.Set
	others := 0
	m.parts = make([]*parts, len(classes))
	for k := range m.parts {
		m.parts[k] = &parts{}
	}
	for part, rows := range split {
		index, left := deal(m.wafers, rows, of, len(classes))
		others += left
		for k, in := range index {
			some, empty := described(m.set, m.wafers, in).NonZero()
			dealt[part] = append(dealt[part], some)
			switch part {
			case 2:
				m.parts[k].validation, m.parts[k].empty[validation] = some, empty
			case 3:
				m.parts[k].heldOut, m.parts[k].empty[heldOut] = some, empty
			}
		}
	}
	m.train, m.stop = dealt[0], dealt[1]
	if others > 0 && remark != nil {
		remark(fmt.Sprintf("%d of %d images are of modules that are not planned for", others, m.set.Len()))
	}
	return enough(classes, dealt, m.source)
}

// parted deals numbers below n out by the shares.
func parted(n int, seed uint64) (list [][]int) {
	order := rand.New(rand.NewPCG(seed, partSeed)).Perm(n)
	done, until := 0, 0.0
	for k, share := range shares {
		until += share
		to := int(math.Round(until * float64(n)))
		if k == len(shares)-1 {
			to = n
		}
		part := slices.Clone(order[done:to])
		slices.Sort(part)
		list, done = append(list, part), to
	}
	return list
}

// placesOf are the classes of every place: several where a file gives one place other links in
// another sector.
func placesOf(classes []class) map[place][]int {
	of := map[place][]int{}
	for k := range classes {
		for _, at := range classes[k].places {
			of[at] = append(of[at], k)
		}
	}
	return of
}

// deal finds which of some images are of each class, and how many are of none.
func deal(wafers []*physics.Wafer, rows []int, of map[place][]int, classes int) (index [][]int, others int) {
	index = make([][]int, classes)
	for _, i := range rows {
		w := wafers[i]
		in := of[place{w.Module.Layer, w.Module.U, w.Module.V}]
		for _, k := range in {
			index[k] = append(index[k], i)
		}
		if in == nil {
			others++
		}
	}
	return index, others
}

// enough reports classes of which there are too few images with charge to train on, to choose by
// or to measure by, or too few of all of so many links to stop a training by.
func enough(classes []class, dealt [4][]*wafer.Set, source string) error {
	stop := map[int]int{}
	for k, c := range classes {
		stop[c.links] += dealt[1][k].Len()
	}
	const want = 7 * fewestImages // of which about a seventh is measured by
	var few []string
	for k, c := range classes {
		t, v, h := dealt[0][k].Len(), dealt[2][k].Len(), dealt[3][k].Len()
		if min(t, v, h, stop[c.links]) < fewestImages {
			few = append(few, fmt.Sprintf("%s: %d, %d and %d", classes[k].name(), t, v, h))
		}
	}
	if few == nil {
		return nil
	}
	n := len(few)
	if n > 5 {
		few = append(few[:5], fmt.Sprintf("and %d more", n-5))
	}
	return fmt.Errorf("plan: %s: too few images with charge of %d of %d classes of modules to train on, to choose by and to measure by, want %d for each, which are %d or some more in all (%s): plan for the modules that were measured alone, by a file of modules, or make classes larger by eta_band, layer_band and fewest",
		source, n, len(classes), fewestImages, want, strings.Join(few, "; "))
}

// wafers are those of the images, by their columns.
func (d *detector) wafers(set *wafer.Set) ([]*physics.Wafer, error) {
	var columns [3][]float64
	places := []wafer.Known{wafer.Layer, wafer.WaferU, wafer.WaferV}
	for k, known := range places {
		var err error
		if columns[k], err = set.Numbers(known); err != nil {
			return nil, fmt.Errorf("%w: of which modules images are is told by the columns layer, waferu and waferv", err)
		}
	}
	sector, err := sectors(set)
	if err != nil {
		return nil, err
	}
	list := make([]*physics.Wafer, set.Len())
	for i := range list {
		at := -1
		if sector != nil {
			at = int(sector[i])
		}
		for k, known := range places {
			if v := columns[k][i]; v != math.Trunc(v) || math.Abs(v) > 1000 {
				return nil, &wafer.ValueError{Image: i + 1, Err: fmt.Errorf("%s is %v; want a whole number", known, v)}
			}
		}
		if list[i], err = d.find(int(columns[0][i]), int(columns[1][i]), int(columns[2][i]), at); err != nil {
			return nil, &wafer.ValueError{Image: i + 1, Err: err}
		}
	}
	return list, nil
}

// sectors are those of a set's images, nil where no column says so.
func sectors(set *wafer.Set) ([]float64, error) {
	c := set.Column("sector")
	if c == nil {
		return nil, nil
	}
	list, err := c.Floats()
	if err != nil {
		return nil, err
	}
	for i, v := range list {
		if v != math.Trunc(v) || v < 0 || v >= hgcal.Sectors {
			return nil, &wafer.ValueError{Image: i + 1, Err: fmt.Errorf("sector %v: want 0 to %d, in which waferu and waferv are those of sector 0", v, hgcal.Sectors-1)}
		}
	}
	return list, nil
}

// described are some images with the columns that simulated ones have, of the module in sector
// 0, so that conditions mean the same everywhere.
func described(set *wafer.Set, wafers []*physics.Wafer, index []int) *wafer.Set {
	out := set.WithoutColumns().Select(index)
	eta, layer, u, v, high := make([]float64, len(index)), make([]float64, len(index)), make([]float64, len(index)), make([]float64, len(index)), make([]string, len(index))
	for k, i := range index {
		m := &wafers[i].Module
		eta[k], layer[k], u[k], v[k], high[k] = m.Eta(), float64(m.Layer), float64(m.U), float64(m.V), density(m.HighDensity())
	}
	out.Columns = []wafer.Column{
		{Name: string(wafer.Eta), Float: eta}, {Name: string(wafer.Layer), Float: layer}, {Name: string(wafer.WaferU), Float: u},
		{Name: string(wafer.WaferV), Float: v}, {Name: string(wafer.Density), Text: high},
	}
	return out
}

// distinct are the places of some classes.
func (w *work) distinct(classes []int) []place {
	var all []place
	for _, k := range classes {
		all = append(all, w.classes[k].places...)
	}
	slices.SortFunc(all, func(a, b place) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(all)
}
