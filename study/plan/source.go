package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
	wafers, err := d.wafers(set)
	if err != nil {
		return nil, fmt.Errorf("plan: %s: %w", source, err)
	}
	index := deal(wafers, of, len(classes), s.Remark)
	if err := enough(classes, index, source); err != nil {
		return nil, err
	}
	out := &measured{}
	for k := range classes {
		part := described(set, wafers, index[k])
		split, err := part.Split(p.Seed, 0.6, 0.2, 0.2)
		if err != nil {
			return nil, fmt.Errorf("plan: %s: %w", classes[k].name(), err)
		}
		out.train = append(out.train, split[0])
		out.parts = append(out.parts, &parts{validation: split[1], heldOut: split[2], charged: [2]float64{1, 1}})
	}
	return out, nil
}

// deal finds the images of each class.
func deal(wafers []*physics.Wafer, of map[place][]int, classes int, remark func(string)) [][]int {
	index, others := make([][]int, classes), 0
	for i, w := range wafers {
		in := of[place{w.Module.Layer, w.Module.U, w.Module.V}]
		for _, k := range in {
			index[k] = append(index[k], i)
		}
		if in == nil {
			others++
		}
	}
	if others > 0 && remark != nil {
		remark(fmt.Sprintf("%d of %d images are of modules that are not planned for", others, len(wafers)))
	}
	return index
}

// enough reports classes of which there are too few images.
func enough(classes []class, index [][]int, source string) error {
	const want = 5 * fewestImages // of which a fifth is measured by
	var few []string
	for k := range classes {
		if len(index[k]) < want {
			few = append(few, fmt.Sprintf("%s: %d", classes[k].name(), len(index[k])))
		}
	}
	if few == nil {
		return nil
	}
	n := len(few)
	if n > 5 {
		few = append(few[:5], fmt.Sprintf("and %d more", n-5))
	}
	return fmt.Errorf("plan: %s: too few images of %d of %d classes of modules, want %d of each (%s): plan for the modules that were measured alone, by a file of modules, or make classes larger by eta_band, layer_band and fewest",
		source, n, len(classes), want, strings.Join(few, "; "))
}

// wafers are those of the images, by their columns.
func (d *detector) wafers(set *wafer.Set) ([]*physics.Wafer, error) {
	var columns [3][]float64
	for k, known := range []wafer.Known{wafer.Layer, wafer.WaferU, wafer.WaferV} {
		var err error
		if columns[k], err = set.Numbers(known); err != nil {
			return nil, fmt.Errorf("%w: of which modules images are is told by the columns layer, waferu and waferv", err)
		}
	}
	sector := set.Column("sector")
	list := make([]*physics.Wafer, set.Len())
	for i := range list {
		at := -1
		if sector != nil && sector.Float != nil {
			at = int(sector.Float[i])
		}
		var err error
		if list[i], err = d.find(int(columns[0][i]), int(columns[1][i]), int(columns[2][i]), at); err != nil {
			return nil, fmt.Errorf("image %d: %w", i+1, err)
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
