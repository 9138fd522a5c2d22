package plan

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

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
// without charge come with one that has some.
type parts struct {
	validation, heldOut *wafer.Set
	charged             [2]float64 // share of the images that have charge, where that is known
}

// sides are the two by number.
func (p *parts) sides() [2]*wafer.Set {
	return [2]*wafer.Set{validation: p.validation, heldOut: p.heldOut}
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
		some, _ := set.NonZero()
		if *to = some; some.Len() < fewestImages {
			return nil, fmt.Errorf("plan: %s: %d of %d simulated images have charge, want %d: ask for more class_images", c.name(), some.Len(), set.Len(), fewestImages)
		}
		out.charged[k] = float64(some.Len()) / float64(set.Len())
	}
	return out, nil
}

// measured are the images of files, by class: trained on, chosen by, measured by.
type measured struct {
	parts []*parts
	train []*wafer.Set
}

// readMeasured reads the plan's files and deals their images to the classes by the columns
// layer, waferu and waferv, and sector where there is one.
func (p *Plan) readMeasured(ctx context.Context, d *detector, list []module, classes []class, s images.Settings) (*measured, error) {
	set, source, err := p.Input.Read(ctx, s)
	if err != nil {
		return nil, err
	}
	p.Source, p.Digest = source, set.Digest()
	of := map[place][]int{} // several where a file gives one place other links in another sector
	for k := range classes {
		for _, at := range classes[k].places {
			of[at] = append(of[at], k)
		}
	}
	if _, err := d.wafers(set); err != nil { // counts the images of all parts
		return nil, fmt.Errorf("plan: %s: %w", source, err)
	}
	// The images are split before they are dealt: one that is of several classes is in the same
	// part of all, so that what trains for one is not measured by it in another.
	split, err := set.Split(p.Seed, 0.6, 0.2, 0.2)
	if err != nil {
		return nil, fmt.Errorf("plan: %s: %w", source, err)
	}
	var dealt [3][]*wafer.Set
	others := 0
	for k, part := range split {
		wafers, err := d.wafers(part)
		if err != nil {
			return nil, fmt.Errorf("plan: %s: %w", source, err)
		}
		index, left := deal(wafers, of, len(classes))
		others += left
		for _, in := range index {
			dealt[k] = append(dealt[k], described(part, wafers, in))
		}
	}
	if others > 0 && s.Remark != nil {
		s.Remark(fmt.Sprintf("%d of %d images are of modules that are not planned for", others, set.Len()))
	}
	if err := enough(classes, dealt, source); err != nil {
		return nil, err
	}
	out := &measured{train: dealt[0]}
	for k := range classes {
		out.parts = append(out.parts, &parts{validation: dealt[1][k], heldOut: dealt[2][k], charged: [2]float64{1, 1}})
	}
	return out, nil
}

// deal finds the images of each class, and how many are of none.
func deal(wafers []*physics.Wafer, of map[place][]int, classes int) (index [][]int, others int) {
	index = make([][]int, classes)
	for i, w := range wafers {
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

// enough reports classes of which there are too few images to train on, to choose by or to
// measure by.
func enough(classes []class, dealt [3][]*wafer.Set, source string) error {
	const want = 5 * fewestImages // of which about a fifth is measured by
	var few []string
	for k := range classes {
		t, v, h := dealt[0][k].Len(), dealt[1][k].Len(), dealt[2][k].Len()
		if min(t, v, h) < fewestImages {
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
	return fmt.Errorf("plan: %s: too few images of %d of %d classes of modules to train on, to choose by and to measure by, want %d for each, which are %d or some more in all (%s): plan for the modules that were measured alone, by a file of modules, or make classes larger by eta_band, layer_band and fewest",
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
				return nil, fmt.Errorf("image %d: %s is %v: want a whole number", i+1, known, v)
			}
		}
		if list[i], err = d.find(int(columns[0][i]), int(columns[1][i]), int(columns[2][i]), at); err != nil {
			return nil, fmt.Errorf("image %d: %w", i+1, err)
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
			return nil, fmt.Errorf("image %d: sector %v: want 0 to %d, in which waferu and waferv are those of sector 0", i+1, v, hgcal.Sectors-1)
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

// together joins sets with the same columns.
func together(sets []*wafer.Set) (*wafer.Set, error) {
	all := &wafer.Set{}
	for _, s := range sets {
		if err := all.Append(s); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// distinct are the places of several classes.
func distinct(classes []class, links int) []place {
	var all []place
	for _, c := range classes {
		if c.links == links {
			all = append(all, c.places...)
		}
	}
	slices.SortFunc(all, func(a, b place) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(all)
}
