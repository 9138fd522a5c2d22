package simulate

import (
	"fmt"
	"io"
	"math"
	"slices"
	"sort"

	"golang.org/x/sync/errgroup"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/internal/limit"
	"barrow/wafer"
)

// Generator draws images. It is safe for use by several goroutines at once.
type Generator struct {
	settings Settings
	preset   preset
	detector *detector
	energies *energies
}

// New prepares a generator: the wafers that the settings allow and the pile-up
// on each of them. Settings that cannot be met are errors naming what can.
func New(s Settings) (*Generator, error) {
	s, p, err := s.complete()
	if err != nil {
		return nil, err
	}
	d, err := newDetector(&s)
	if err != nil {
		return nil, err
	}
	return &Generator{settings: s, preset: p, detector: d, energies: newEnergies(&s.Parameters.PileUp)}, nil
}

// imageBytes is what an image with its columns takes in memory.
const imageBytes = 8 * (hgcal.Cells + 16)

// Generate draws images 0 … n-1 of the settings' seed, with the metadata
// columns that Columns lists.
func Generate(n int, s Settings) (*wafer.Set, error) {
	if n < 0 {
		return nil, fmt.Errorf("simulate: %d images", n)
	}
	if err := limit.Fits("simulate: images", n, imageBytes); err != nil {
		return nil, err
	}
	g, err := New(s)
	if err != nil {
		return nil, err
	}
	set := &wafer.Set{}
	g.Fill(set, 0, n)
	return set, nil
}

// Truth is what is known of a generated image.
type Truth struct {
	Class        Class
	Energy       float64 // of the particle, GeV; 0 for pile-up
	ParticleEta  float64 // 0 for pile-up
	Module       hgcal.Module
	Sector       int     // 0, 1, 2: turned by so many times 120°
	Links        int     // output links
	SignalEnergy float64 // the particle's deposit in the wafer, MIP_T
	SignalShare  float64 // of all charge, before the electronics
	Threshold    float64 // of zero suppression, MIP_T; 0 if there was none
}

// Streams of random numbers: one for every image, event, layer and wafer.
const (
	imageStream  = 0x696d616765
	eventStream  = 0x6576656e74
	moduleStream = 0x6d6f64756c65
)

// drawing is the memory of one goroutine.
type drawing struct {
	cells [hgcal.Cells + 1]float32
	spots []spot
}

// tries bounds how often an empty image is drawn anew.
const tries = 1000

// Image draws image k of the seed into dst, 48 charges in V9 order.
func (g *Generator) Image(k uint64, dst []float64) Truth {
	return g.image(&drawing{}, k, dst)
}

func (g *Generator) image(w *drawing, k uint64, dst []float64) Truth {
	s := counter.New(g.settings.Seed^imageStream, k)
	for n := 0; ; n++ {
		t := g.once(w, &s, dst)
		if g.settings.KeepEmpty || n == tries || slices.Max(dst) > 0 {
			return t
		}
	}
}

// once draws one image, empty or not.
func (g *Generator) once(w *drawing, s *counter.Stream, dst []float64) Truth {
	t := Truth{Class: g.class(s)}
	layer := g.layer(s)
	var eta, phi float64
	var at int
	if t.Class == PileUp || g.settings.Modules != nil {
		eta, phi, at = g.aimAtOne(s, layer) // every wafer as often as any other, as events have them
	} else {
		eta, phi, at = g.aim(s, layer)
	}
	p := &g.detector.places[at]
	clear(w.cells[:])
	if t.Class != PileUp {
		r := layer.z / math.Sinh(eta)
		x, y := r*math.Cos(phi), r*math.Sin(phi)
		q := g.particle(s, t.Class, eta, phi)
		t.Energy, t.ParticleEta = q.energy, eta
		w.spots = q.layerSpots(w.spots[:0], s, p.depth, &g.settings.Parameters.Shower)
		t.SignalEnergy = w.deposit(p, x, y)
	}
	activity := spreadActivity(g.settings.Parameters.PileUp.Activity, normal(s))
	g.finish(w, s, p, p.rate*activity, g.energies, &t, dst)
	return t
}

// layer draws one: each as often as any other or, where modules are named, as it has such.
func (g *Generator) layer(s *counter.Stream) *detectorLayer {
	list := g.detector.layers
	if g.settings.Modules == nil {
		return &list[s.IntN(len(list))]
	}
	at := s.IntN(len(g.detector.places))
	return &list[sort.Search(len(list), func(i int) bool { return at < list[i].end })]
}

// Modules returns the modules that images are drawn of, one sector's.
func (g *Generator) Modules() []hgcal.Module {
	var m []hgcal.Module
	for i := range g.detector.places {
		if p := &g.detector.places[i]; p.sector == 0 {
			m = append(m, p.module)
		}
	}
	return m
}

// ModuleImages calls yield with images first … first+n-1 of pile-up in module i
// of Modules, empty ones included. The slice is reused.
func (g *Generator) ModuleImages(i int, first uint64, n int, yield func(image []float64)) {
	var w drawing
	var dst [hgcal.Cells]float64
	p := &g.detector.places[hgcal.Sectors*i]
	for k := range uint64(n) {
		s := counter.New(g.settings.Seed^moduleStream^uint64(p.module.Layer)<<48^uint64(i)<<32, first+k)
		clear(w.cells[:])
		activity := spreadActivity(g.settings.Parameters.PileUp.Activity, normal(&s))
		g.finish(&w, &s, p, p.rate*activity, g.energies, &Truth{}, dst[:])
		yield(dst[:])
	}
}

// class draws what makes an image.
func (g *Generator) class(s *counter.Stream) Class {
	u := s.Float64()
	for c, share := range g.preset.share {
		if u < share {
			return Class(c)
		}
		u -= share
	}
	return PileUp
}

// particle draws energy and shower development.
func (g *Generator) particle(s *counter.Stream, c Class, eta, phi float64) particle {
	energy := fallingEnergy(s.Float64(), g.settings.EnergyMin, g.settings.EnergyMax, g.settings.EnergyIndex)
	return newParticle(s, c, energy, eta, phi, &g.settings.Parameters.Shower)
}

// fallingEnergy is the energy that a share u of a density E^−index lies below.
func fallingEnergy(u, lo, hi, index float64) float64 {
	log := math.Log(hi / lo)
	// The limit of index 1, where the power's integral is a logarithm.
	if math.Abs(index-1)*log < 1e-6 {
		return min(lo*math.Exp(u*log), hi)
	}
	k := 1 - index
	return min(lo*math.Exp(math.Log1p(u*math.Expm1(k*log))/k), hi)
}

// missSpread is the spread in cm between a particle's impact and the point that
// picks the wafer to look at, so that neighbours of the wafer that is hit occur
// too.
const missSpread = 2.5

// aim draws a direction, uniform in η and φ, and a wafer of the layer near it.
func (g *Generator) aim(s *counter.Stream, l *detectorLayer) (eta, phi float64, at int) {
	const few = 9 // three modules in three sectors
	if l.end-l.first <= few {
		return g.aimAtOne(s, l)
	}
	for range 200 {
		eta = g.settings.EtaMin + float64((g.settings.EtaMax-g.settings.EtaMin)*s.Float64())
		phi = 2 * math.Pi * s.Float64()
		r := l.z / math.Sinh(eta)
		sin, cos := math.Sincos(phi)
		x, y := float64(r*cos)+float64(missSpread*normal(s)), float64(r*sin)+float64(missSpread*normal(s))
		if k, ok := g.detector.find(l, x, y); ok {
			return eta, phi, k
		}
	}
	return g.aimAtOne(s, l)
}

// aimAtOne aims at one of a layer's wafers, each as often as any other.
func (g *Generator) aimAtOne(s *counter.Stream, l *detectorLayer) (eta, phi float64, at int) {
	at = l.first + s.IntN(l.end-l.first)
	p := &g.detector.places[at]
	x, y := p.x+float64(missSpread*normal(s)), p.y+float64(missSpread*normal(s))
	return math.Asinh(l.z / math.Hypot(x, y)), math.Atan2(y, x), at
}

// deposit adds the spots of a shower whose axis is at x, y to a wafer and
// returns their energy on it.
func (w *drawing) deposit(p *place, x, y float64) float64 {
	sum := 0.0
	for _, q := range w.spots {
		if i, ok := p.cell(x+q.x, y+q.y); ok {
			w.cells[i] += float32(q.energy)
			sum += q.energy
		}
	}
	return sum
}

// finish adds pile-up of such a rate of groups to the signal in w.cells and reads the wafer
// out.
func (g *Generator) finish(w *drawing, s *counter.Stream, p *place, rate float64, e *energies, t *Truth, dst []float64) {
	t.Module, t.Sector, t.Links = p.module, p.sector, p.links
	if rate > 0 {
		p.library.draw(s, e, &w.cells, rate, p.slope)
	}
	total := 0.0
	for _, e := range w.cells[:hgcal.Cells] {
		total += float64(e)
	}
	if total > 0 {
		t.SignalShare = t.SignalEnergy / total
	}
	p.front.read(s, &w.cells)
	if g.preset.suppressed > 0 && s.Float64() < g.preset.suppressed {
		t.Threshold = g.preset.threshold
	}
	for i, adc := range w.cells[:hgcal.Cells] {
		dst[i] = g.charge(float64(adc), p.front, i, t.Threshold)
	}
}

// charge turns the ADC counts of a cell into the unit of the settings, after
// zero suppression at a transverse threshold.
func (g *Generator) charge(adc float64, f *frontEnd, cell int, threshold float64) float64 {
	mipT := adc / f.perMIPT[cell]
	if mipT < threshold {
		return 0
	}
	v := mipT
	switch g.settings.Unit {
	case CALQ:
		v = math.Floor(mipT * hgcal.CountsPerMIPT)
	case ADC:
		v = adc
	}
	if g.settings.Compress {
		v = compress(v, f.highDensity)
	}
	return v
}

// Columns returns the names of the metadata columns, those of the field's
// training files where there is one of that meaning: entry (the image's
// number, or the event's), class, SimEnergyTotal (the particle's deposit in the
// wafer, MIP_T), EventSimEnergy (the particle's energy, GeV), SimEnergyFraction
// (share of the wafer's charge that is the particle's), eta (of the wafer's
// centre), gen_eta (of the particle), subdet (1 electromagnetic, 2 hadronic
// part), layer, waferu, waferv, sector, HD_LD, ModType, elinks, threshold.
func Columns() []string {
	return []string{string(wafer.Entry), "class", string(wafer.SimEnergyTotal), string(wafer.EventSimEnergy),
		string(wafer.SimEnergyFraction), string(wafer.Eta), string(wafer.GenEta), string(wafer.Subdet), string(wafer.Layer),
		string(wafer.WaferU), string(wafer.WaferV), "sector", string(wafer.Density), string(wafer.ModType), string(wafer.ELinks), "threshold"}
}

// reserve makes room for n images in a set, reusing its memory.
func reserve(set *wafer.Set, n int) {
	set.Charge = slices.Grow(set.Charge[:0], n*hgcal.Cells)[:n*hgcal.Cells]
	if len(set.Columns) != len(Columns()) {
		set.Columns = make([]wafer.Column, len(Columns()))
	}
	for i, name := range Columns() {
		c := &set.Columns[i]
		c.Name = name
		if name == "class" || wafer.Known(name).Kind() == wafer.Words {
			c.Text, c.Float = slices.Grow(c.Text[:0], n)[:n], nil
		} else {
			c.Float, c.Text = slices.Grow(c.Float[:0], n)[:n], nil
		}
	}
}

// store writes the truth of image i, number entry, into the columns.
func (g *Generator) store(set *wafer.Set, i int, entry uint64, t *Truth) {
	density, subdet := "LD", 2.0
	if t.Module.HighDensity() {
		density = "HD"
	}
	if g.settings.Geometry.Electromagnetic(t.Module.Layer) {
		subdet = 1
	}
	c := set.Columns
	c[1].Text[i], c[12].Text[i], c[13].Text[i] = t.Class.String(), density, t.Module.Kind
	for k, v := range [...]float64{0: float64(entry), 2: t.SignalEnergy, 3: t.Energy, 4: t.SignalShare,
		5: t.Module.Eta(), 6: t.ParticleEta, 7: subdet, 8: float64(t.Module.Layer), 9: float64(t.Module.U),
		10: float64(t.Module.V), 11: float64(t.Sector), 14: float64(t.Links), 15: t.Threshold} {
		if c[k].Float != nil {
			c[k].Float[i] = v
		}
	}
}

// Fill replaces the contents of set by images first … first+n-1, drawn on the
// settings' threads.
func (g *Generator) Fill(set *wafer.Set, first uint64, n int) {
	reserve(set, n)
	g.share(n, func(from, to int) {
		var d drawing
		for i := from; i < to; i++ {
			t := g.image(&d, first+uint64(i), set.Image(i))
			g.store(set, i, first+uint64(i), &t)
		}
	})
}

// share deals 0 … n-1 to the settings' threads.
func (g *Generator) share(n int, work func(from, to int)) {
	var group errgroup.Group
	threads := min(g.settings.Threads, max(n, 1))
	for w := range threads {
		group.Go(func() error {
			work(n*w/threads, n*(w+1)/threads)
			return nil
		})
	}
	group.Wait() // nothing can fail
}

// Reader returns images first … first+n-1 as a stream, or whole events of these
// numbers if the settings say so.
func (g *Generator) Reader(first uint64, n int) wafer.Reader {
	return &imageReader{g: g, first: first, n: n}
}

type imageReader struct {
	g     *Generator
	first uint64
	n     int
	done  int       // images or events
	event wafer.Set // of an event what is yet to be read
}

var _ wafer.Sharer = (*imageReader)(nil)

func (r *imageReader) Read(s *wafer.Set, n int) (int, error) {
	if r.g.settings.Whole {
		return r.readEvent(s, n)
	}
	n = min(n, r.n-r.done)
	if n == 0 {
		return 0, io.EOF
	}
	r.g.Fill(s, r.first+uint64(r.done), n)
	r.done += n
	return n, nil
}

func (r *imageReader) readEvent(s *wafer.Set, n int) (int, error) {
	for r.event.Len() == 0 { // an event may be empty
		if r.done == r.n {
			return 0, io.EOF
		}
		r.event = wafer.Set{}
		r.g.Event(r.first+uint64(r.done), &r.event)
		r.done++
	}
	n = min(n, r.event.Len())
	*s = *r.event.Slice(0, n)
	r.event = *r.event.Slice(n, r.event.Len())
	return n, nil
}

// Share is how much is drawn.
func (r *imageReader) Share() (share float64, ok bool) { return float64(r.done) / float64(r.n), true }
