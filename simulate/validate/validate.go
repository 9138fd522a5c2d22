package validate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/simulate"
	"barrow/wafer"
	"barrow/wafer/file"
)

// Settings says what to validate.
type Settings struct {
	Seed       uint64
	Seeds      int                  // so many in a row, from Seed on; 0 is 1
	Threads    int                  // 0: all processors
	Parameters *simulate.Parameters // nil is the defaults
	// Data is the folder with occupancy/nTCs_hists.csv, wafers/ldm.csv and
	// wafers/hdm.csv. What is not there is replaced by numbers kept in the code.
	Data string
	// Quick draws a tenth of the images or fewer; their statistical errors add to
	// the tolerances.
	Quick bool
	// Progress is called with the share done, from one goroutine at a time.
	Progress func(share float64, what string)
}

// Check is one comparison.
type Check struct {
	Group, Name string
	Got, Want   float64
	// Tolerance is how far Got may be from Want: as a share of Want if Relative.
	Tolerance float64
	Relative  bool
}

// OK reports whether the check holds.
func (c *Check) OK() bool {
	limit := c.Tolerance
	if c.Relative {
		limit *= math.Abs(c.Want)
	}
	return math.Abs(c.Got-c.Want) <= limit
}

// Result is a validation. Of several seeds, each check is the one farthest from
// its reference, and the plots are the first seed's.
type Result struct {
	Seeds   int
	Checks  []Check
	Origins []string // where the references come from
	layers  []layerResult
	ld, hd  comparison
}

// Failed returns the checks that do not hold.
func (r *Result) Failed() []Check {
	return slices.DeleteFunc(slices.Clone(r.Checks), func(c Check) bool { return c.OK() })
}

// comparison is the numbers of generated images beside those of real ones.
type comparison struct {
	got, want values
	example   []float64
}

// Run validates. It takes about half a minute of one core for each seed.
func Run(ctx context.Context, s Settings) (*Result, error) {
	var err error
	if s.Threads, err = limit.Threads(s.Threads); err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	if s.Seeds == 0 {
		s.Seeds = 1
	}
	if err := limit.Count("validate: seeds", s.Seeds, 10_000); err != nil {
		return nil, err
	}
	progress := s.Progress
	var all *Result
	for n := range s.Seeds {
		s.Progress = func(share float64, what string) {
			if progress != nil {
				progress((float64(n)+share)/float64(s.Seeds), what)
			}
		}
		r, err := run(ctx, s)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = r
		}
		all.keepWorst(r)
		s.Seed++
	}
	all.Seeds = s.Seeds
	return all, nil
}

// keepWorst replaces every check by the other result's if that is farther from
// the reference.
func (r *Result) keepWorst(other *Result) {
	for i := range r.Checks {
		if c := other.Checks[i]; !(c.worst() <= r.Checks[i].worst()) {
			r.Checks[i] = c
		}
	}
}

// run validates one seed.
func run(ctx context.Context, s Settings) (*Result, error) {
	r := &Result{}
	if err := r.occupancy(ctx, s); err != nil {
		return nil, err
	}
	for n, w := range []wafers{lowDensity, highDensity} {
		s.Progress(0.9+0.05*float64(n), w.name)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.wafers(ctx, s, w); err != nil {
			return nil, err
		}
	}
	s.Progress(1, "done")
	return r, nil
}

// wafers is a set of real images and the settings that stand for it.
type wafers struct {
	name, file    string
	settings      simulate.Settings
	chargePerMIP  []float64 // fC, as the sample's simulation has it
	drop          uint
	suppressed    bool
	reference     values
	images, quick int
}

// The files do not say which wafer they are of. These are the modules whose
// occupancy, slope across the wafer and, for the first, zero suppression agree:
// its threshold, 0.5 MIP_T, shows in ADC counts from cell to cell as cosh η. The
// density of pile-up is the one number fitted to each.
var (
	lowDensity = wafers{
		name: "low-density wafer, zero-suppressed", file: "wafers/ldm.csv",
		settings: simulate.Settings{Preset: "pileup200", Layers: []int{9}, Wafers: [][2]int{{0, 5}}, PileUp: 208,
			Threshold: 0.5, Unit: simulate.ADC, Compress: true, KeepEmpty: true, EtaMin: 1.5, EtaMax: 3},
		// Most probable values, which simulations of that time used.
		chargePerMIP: []float64{1.89, 3.14, 4.71},
		drop:         1, suppressed: true, reference: ldmReference, images: 36000, quick: 3000,
	}
	highDensity = wafers{
		name: "high-density wafer, un-suppressed", file: "wafers/hdm.csv",
		settings: simulate.Settings{Preset: "pileup200", Layers: []int{5}, Wafers: [][2]int{{0, 3}}, PileUp: 200,
			Threshold: -1, Unit: simulate.ADC, Compress: true, KeepEmpty: true, EtaMin: 1.5, EtaMax: 3},
		chargePerMIP: []float64{3.3, 3.43, 5.15},
		drop:         3, reference: hdmReference, images: 6000, quick: 3000,
	}
)

// draw makes the generated counterpart of the real images.
func (w *wafers) draw(s Settings) (*wafer.Set, error) {
	set := w.settings
	set.Seed = s.Seed
	p := simulate.DefaultParameters()
	if s.Parameters != nil {
		p = *s.Parameters
	}
	p.Electronics.ChargePerMIP = w.chargePerMIP
	set.Parameters = &p
	g, err := simulate.New(set)
	if err != nil {
		return nil, err
	}
	n := w.images
	if s.Quick {
		n = w.quick
	}
	out := &wafer.Set{}
	g.ModuleImages(0, 0, n, func(image []float64) { out.Charge = append(out.Charge, image...) })
	return out, nil
}

// wafers compares one set of images.
func (r *Result) wafers(ctx context.Context, s Settings, w wafers) error {
	images, err := w.draw(s)
	if err != nil {
		return err
	}
	generated := sample{images: images, drop: w.drop, suppressed: w.suppressed}
	c := comparison{want: w.reference, example: images.Image(0)}
	if c.got, err = generated.measure(); err != nil {
		return err
	}
	origin := "numbers kept in the code, computed from " + filepath.Base(w.file)
	if s.Data != "" {
		real, err := file.ReadAll(ctx, filepath.Join(s.Data, filepath.FromSlash(w.file)), wafer.ReadSettings{})
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		default:
			reference := sample{images: real, drop: w.drop, suppressed: w.suppressed}
			if c.want, err = reference.measure(); err != nil {
				return err
			}
			origin = w.file
		}
	}
	r.Origins = append(r.Origins, w.name+": "+origin)
	var errs values
	if s.Quick {
		if errs, err = generated.errors(); err != nil {
			return err
		}
	}
	r.compare(s, w, c, errs)
	if w.suppressed {
		r.ld = c
	} else {
		r.hd = c
	}
	return nil
}

// check widens a check's tolerance, which is made for the full number of images,
// by what the statistical error of a quick validation adds: four standard
// deviations, since there are hundreds of checks.
func (s *Settings) check(c Check, err float64) Check {
	if !s.Quick {
		return c
	}
	if c.Relative {
		err /= math.Abs(c.Want)
	}
	c.Tolerance += 4 * err
	return c
}

// compare makes the checks of a set of images.
func (r *Result) compare(s Settings, w wafers, c comparison, errs values) {
	add := func(name string, tolerance float64, relative bool) {
		r.Checks = append(r.Checks, s.check(Check{w.name, name, c.got[name], c.want[name], tolerance, relative}, errs[name]))
	}
	add("cells hit", 0.10, true)
	spectra := []float64{25, 50, 75, 90, 95, 99, 99.9}
	if !w.suppressed {
		spectra = []float64{10, 50, 90, 99, 99.9}
	}
	for _, p := range spectra {
		tolerance := 0.10
		if p == 99.9 {
			tolerance = 0.25
		}
		add(fmt.Sprintf("cell %g %%", p), tolerance, true)
	}
	for _, what := range []string{"sum", "max/sum"} {
		for _, p := range []float64{5, 25, 50, 75, 95} {
			add(fmt.Sprintf("%s %g %%", what, p), 0.10, true)
		}
	}
	if !w.suppressed {
		return
	}
	for k := range bands {
		add(bandName(k), []float64{0.02, 0.01, 0.01, 0.01, 0.01}[k], false)
	}
	for _, name := range []string{"EMD of pairs", "EMD of pairs, 5 %", "EMD of pairs, 95 %", "EMD to uniform"} {
		add(name, 0.10, true)
	}
	for _, k := range keeps {
		add(fmt.Sprintf("EMD of BC%d", k), 0.15, true)
	}
	for _, k := range keeps {
		add(fmt.Sprintf("EMD of BC%d, rest spread", k), 0.15, true)
	}
	add("EMD of STC4", 0.15, true)
	add("EMD of STC16", 0.15, true)
}

// parallel runs n jobs on some threads; the first error ends it.
func parallel(ctx context.Context, threads, n int, job func(int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(threads)
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return job(i)
		})
	}
	return group.Wait()
}

// cells48 is a distribution of the number of cells hit.
type cells48 = [hgcal.Cells + 1]float64
