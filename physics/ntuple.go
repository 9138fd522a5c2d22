package physics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/simulate"
	"barrow/wafer"
	"barrow/wafer/file"
)

// NtupleSettings say what files of events hold.
type NtupleSettings struct {
	Geometry hgcal.Geometry
	// Class is what the generated particles are, where files do not say it in a column
	// class. With PileUp the events are minimum bias, which needs no gen_* columns; a
	// generated particle is then an error.
	Class simulate.Class
	Read  wafer.ReadSettings
}

// Ntuple reads events from files of wafer images.
//
// Columns event (else entry), layer, waferu and waferv are needed, and gen_eta and gen_pt
// of the generated particle, one an endcap (of images that package simulate drew,
// EventSimEnergy stands for the latter); zside is 1 where it is missing, gen_phi unknown.
// Wafers are numbered as CMSSW does over the whole endcap, or in their sector if there is
// a column sector. Layers count on through the hadronic part. The rows of an event follow
// one another; events come in the file's order, first the endcap of zside 1. Charges in
// MIP_T become CALQ. Memory is that of one event.
//
// An endcap whose gen_* are missing, no numbers, of p_T 0 or of the other endcap has no
// generated particle: it is left out, and counted by Skipped; with PileUp nothing is.
type Ntuple struct {
	settings NtupleSettings
	geometry *Geometry
	paths    []string // yet to be opened
	name     string   // of the open file
	in       *file.Reader
	scale    float64 // to CALQ
	columns  ntupleColumns
	batch    wafer.Set
	values   map[string][]float64 // of batch
	at       int                  // the next row of batch
	row      int                  // of the file, of the batch's first
	pending  [2]*Event            // of the event being read: zside 1 and −1
	seen     map[int32]bool       // wafers of it, those of zside −1 shifted
	ready    []*Event
	skipped  int
	given    int
	placed   int // wafers whose η and φ the files say, and of them how many
	astray   int // are elsewhere
	remarks  []string
}

// ntupleColumns are the names of columns in a file, "" for those it lacks.
type ntupleColumns struct {
	event, layer, u, v, zside, sector, eta, pt, phi string
	waferEta, waferPhi                              string
	class, energy                                   string // of simulated images
}

// names lists those that there are.
func (c *ntupleColumns) names() []string {
	var list []string
	for _, n := range []string{c.event, c.layer, c.u, c.v, c.zside, c.sector, c.eta, c.pt, c.phi, c.waferEta, c.waferPhi, c.energy} {
		if n != "" {
			list = append(list, n)
		}
	}
	return list
}

// OpenNtuple opens the files at these paths or patterns (see file.Expand). The first
// with images is opened at once; that the others are there is checked. An error of a
// context ends reads.
func OpenNtuple(ctx context.Context, s NtupleSettings, paths ...string) (*Ntuple, error) {
	expanded, err := file.Expand(paths...)
	if err != nil {
		return nil, err
	}
	if len(expanded) == 0 {
		return nil, fmt.Errorf("physics: no files to read events from")
	}
	n := &Ntuple{settings: s, geometry: NewGeometry(s.Geometry), paths: expanded, seen: map[int32]bool{}}
	if err := n.open(ctx); err != nil {
		if err == io.EOF {
			return nil, fmt.Errorf("physics: %s: %w", strings.Join(expanded, ", "), wafer.ErrNoImages)
		}
		return nil, err
	}
	return n, nil
}

// open opens the next file that has images; io.EOF if there is none.
func (n *Ntuple) open(ctx context.Context) error {
	for len(n.paths) > 0 {
		n.name, n.paths = n.paths[0], n.paths[1:]
		in, err := file.Open(ctx, n.settings.Read, n.name)
		if errors.Is(err, wafer.ErrNoImages) {
			continue
		}
		if err != nil {
			return err
		}
		n.in, n.at, n.row = in, 0, 0
		n.batch = wafer.Set{}
		return n.header()
	}
	return io.EOF
}

// header finds the columns and the unit of the file that is open.
func (n *Ntuple) header() error {
	info := n.in.Info()
	have := map[string]bool{}
	for _, c := range info.Columns {
		have[c] = true
	}
	var lacking []string
	need := func(names ...string) string {
		for _, name := range names {
			if have[name] {
				return name
			}
		}
		lacking = append(lacking, strings.Join(names, " or "))
		return ""
	}
	may := func(name string) string {
		if have[name] {
			return name
		}
		return ""
	}
	c := ntupleColumns{event: need("event", "entry"), layer: need("layer"), u: need("waferu"), v: need("waferv"),
		zside: may("zside"), sector: may("sector")}
	if have["eta"] && have["phi"] {
		c.waferEta, c.waferPhi = "eta", "phi"
	}
	if len(lacking) > 0 {
		return fmt.Errorf("physics: %s: no column %s: a wafer of an event needs them; there are %s",
			n.name, strings.Join(lacking, ", "), orNone(info.Columns))
	}
	if n.settings.Class != simulate.PileUp {
		c.eta, c.phi, c.class = need("gen_eta"), may("gen_phi"), may("class")
		if c.class != "" && !have["gen_pt"] {
			c.energy = may("EventSimEnergy")
		}
		if c.energy == "" {
			c.pt = need("gen_pt")
		}
		if len(lacking) > 0 {
			return fmt.Errorf("physics: %s: no column %s: events without generator truth say nothing of responses and efficiencies; "+
				"read them as minimum bias", n.name, strings.Join(lacking, ", "))
		}
	}
	if n.settings.Class == simulate.PileUp && have["gen_eta"] {
		// To find files of particles, a slip.
		c.eta, c.class = "gen_eta", may("class")
		if c.pt = may("gen_pt"); c.pt == "" {
			c.energy = may("EventSimEnergy")
		}
		if c.pt == "" && c.energy == "" {
			c.eta, c.class = "", ""
		}
	}
	n.columns = c
	switch info.Unit {
	case "data":
		return fmt.Errorf("physics: %s: charges are raw data, not transverse: read them as calq", n.name)
	case "mippt":
		n.scale = hgcal.CountsPerMIPT
	default:
		n.scale = 1
	}
	return nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Geometry is where the events' wafers are.
func (n *Ntuple) Geometry() *Geometry { return n.geometry }

// Skipped is how many endcaps without a generated particle were left out so far.
func (n *Ntuple) Skipped() int { return n.skipped }

// Remarks say what is odd about what was read so far.
func (n *Ntuple) Remarks() []string {
	remarks := slices.Clone(n.remarks)
	if n.in != nil {
		remarks = append(remarks, n.in.Remarks()...)
	}
	if n.skipped > 0 && n.given > 0 {
		remarks = append(remarks, fmt.Sprintf("%d endcaps without a generated particle were left out", n.skipped))
	}
	if n.astray > 0 {
		remarks = append(remarks, fmt.Sprintf("%d of %d wafers are elsewhere in geometry %v than the files' eta and phi say: is the geometry another one?",
			n.astray, n.placed, n.geometry.version))
	}
	return remarks
}

// Close closes what is open.
func (n *Ntuple) Close() error {
	if n.in == nil {
		return nil
	}
	n.remarks = append(n.remarks, n.in.Remarks()...)
	err := n.in.Close()
	n.in = nil
	return err
}

// Next reads the following events: see Source.
func (n *Ntuple) Next(ctx context.Context, events []*Event) (int, error) {
	for i := range events {
		err := n.fill(ctx)
		if err == io.EOF && i > 0 {
			return i, nil
		}
		if err != nil {
			return 0, err
		}
		*events[i], n.ready = *n.ready[0], n.ready[1:]
		n.given++
	}
	return len(events), nil
}

// fill reads until there is an event in ready.
func (n *Ntuple) fill(ctx context.Context) error {
	for len(n.ready) == 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n.in == nil {
			if err := n.open(ctx); err == io.EOF {
				return n.end()
			} else if err != nil {
				return err
			}
		}
		if n.at == n.batch.Len() {
			n.row += n.batch.Len()
			err := n.read()
			if err == io.EOF {
				n.complete()
				err = n.Close()
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := n.take(n.at); err != nil {
			return err
		}
	}
	return nil
}

// end is what there is to say after the last file.
func (n *Ntuple) end() error {
	if n.given == 0 && n.skipped > 0 {
		n.given = -1 // said once
		return fmt.Errorf("physics: none of %d endcaps in the files has a generated particle: "+
			"read them as minimum bias", n.skipped)
	}
	return io.EOF
}

// read gets the next rows of the file.
func (n *Ntuple) read() error {
	const rows = 512
	n.at = 0
	if _, err := n.in.Read(&n.batch, rows); err != nil {
		n.batch = wafer.Set{}
		return err
	}
	n.values = map[string][]float64{}
	for _, name := range n.columns.names() {
		c := n.batch.Column(name)
		if c == nil {
			return fmt.Errorf("physics: %s: column %q is gone after row %d", n.name, name, n.row)
		}
		if c.Text != nil && (strings.HasPrefix(name, "gen_") || name == n.columns.waferEta || name == n.columns.waferPhi) { // a missing value is none
			c = &wafer.Column{Name: name, Text: slices.Clone(c.Text)}
			for i, s := range c.Text {
				if s == "" {
					c.Text[i] = "NaN"
				}
			}
		}
		v, err := c.Floats()
		if err != nil {
			return fmt.Errorf("physics: %s: %w", n.in.Place(0), err)
		}
		n.values[name] = v
	}
	return nil
}

// whole returns a value that must be a whole number, or otherwise where there is no
// such column.
func (n *Ntuple) whole(name string, i int, otherwise int64) (int64, error) {
	if name == "" {
		return otherwise, nil
	}
	v := n.values[name][i]
	if v != math.Trunc(v) || !(math.Abs(v) < 1<<53) {
		return 0, fmt.Errorf("physics: %s: column %s is %g: want a whole number", n.in.Place(i), name, v)
	}
	return int64(v), nil
}

// take adds row i of the batch to the event being read, or completes that.
func (n *Ntuple) take(i int) error {
	c := &n.columns
	var value [6]int64
	for k, name := range [...]string{c.event, c.zside, c.layer, c.u, c.v, c.sector} {
		v, err := n.whole(name, i, 1)
		if err != nil {
			return err
		}
		value[k] = v
	}
	side := 0
	switch value[1] {
	case 1:
	case -1:
		side = 1
	default:
		return fmt.Errorf("physics: %s: column zside is %d: want 1 or -1", n.in.Place(i), value[1])
	}
	for _, e := range n.pending {
		if e != nil && e.Number != value[0] {
			n.complete()
			return nil // the row's turn comes again, where no event is waiting to be taken
		}
	}
	at, err := n.place(value[2], value[3], value[4], value[5])
	if err != nil {
		return fmt.Errorf("physics: %s: %w", n.in.Place(i), err)
	}
	key := int32(at + side*n.geometry.Len())
	if n.seen[key] {
		return fmt.Errorf("physics: %s: wafer %d, %d of layer %d occurs twice in event %d: an event is the rows of one number that follow one another",
			n.in.Place(i), value[3], value[4], value[2], value[0])
	}
	n.seen[key] = true
	n.compare(i, at, value[1] < 0)
	e := n.pending[side]
	if e == nil {
		e = &Event{Number: value[0], Zside: int(value[1])}
		n.pending[side] = e
	}
	if err := n.truth(e, i); err != nil {
		return err
	}
	if err := e.Images.Append(n.batch.Slice(i, i+1)); err != nil {
		return fmt.Errorf("physics: %s: %w", n.in.Place(i), err)
	}
	if n.scale != 1 {
		image := e.Images.Image(e.Images.Len() - 1)
		for k, v := range image {
			image[k] = math.Floor(v * n.scale)
		}
	}
	e.Wafers = append(e.Wafers, int32(at))
	n.at++
	return nil
}

// place finds a wafer, which the numbers of a sector or of the endcap name.
func (n *Ntuple) place(layer, u, v, sector int64) (int, error) {
	const most = 1 << 20 // whatever is beyond is no wafer
	for _, x := range [...]*int64{&layer, &u, &v, &sector} {
		*x = min(max(*x, -most), most)
	}
	if n.columns.sector != "" {
		return n.geometry.Find(int(layer), int(u), int(v), int(sector))
	}
	return n.geometry.findTurned(int(layer), int(u), int(v))
}

// compare counts wafers that are elsewhere than the file says.
func (n *Ntuple) compare(i, at int, far bool) {
	if n.columns.waferEta == "" {
		return
	}
	eta, phi := math.Abs(n.values[n.columns.waferEta][i]), n.values[n.columns.waferPhi][i]
	if far {
		phi = math.Pi - phi
	}
	x, y := Direction(eta, phi)
	if math.IsNaN(x + y) {
		return
	}
	n.placed++
	const much = 0.06 // in x/z, twice a wafer's size: the file's may be a mean of a few cells
	if cx, cy := n.geometry.Cell(at, 3); !within(cx-x, cy-y, much) {
		n.astray++
	}
}

// truth takes the generated particle of row i.
func (n *Ntuple) truth(e *Event, i int) error {
	c := &n.columns
	if c.eta == "" {
		return nil
	}
	p := simulate.Particle{Class: n.settings.Class, Eta: math.Abs(n.values[c.eta][i]), Phi: math.NaN()}
	if c.class != "" {
		var err error
		if p.Class, err = simulate.ParseClass(n.batch.Column(c.class).Value(i)); err != nil {
			return fmt.Errorf("physics: %s: column class: %w", n.in.Place(i), err)
		}
	}
	if c.energy != "" {
		p.Pt = n.values[c.energy][i] / math.Cosh(p.Eta)
	} else {
		p.Pt = n.values[c.pt][i]
	}
	if c.phi != "" {
		p.Phi = n.values[c.phi][i]
		if e.Zside < 0 {
			p.Phi = math.Pi - p.Phi
		}
		p.Phi = math.Remainder(p.Phi, 2*math.Pi)
	}
	other := c.zside != "" && n.values[c.eta][i]*float64(e.Zside) < 0
	bias := n.settings.Class == simulate.PileUp
	if math.IsNaN(p.Eta) || math.IsNaN(p.Pt) || p.Pt == 0 || p.Class == simulate.PileUp && (!bias || c.class != "") || other {
		return nil // nothing was generated in this endcap
	}
	if bias {
		return fmt.Errorf("physics: %s: a generated particle of η %g and p_T %g GeV: minimum bias has none (was the file of particles named in its place?)",
			n.in.Place(i), n.values[c.eta][i], p.Pt)
	}
	if !(p.Eta > 0 && p.Eta < 10 && p.Pt > 0 && p.Pt < 1e6) {
		return fmt.Errorf("physics: %s: generated particle of η %g and p_T %g GeV: want |η| in 0:10 and p_T in 0:1e6",
			n.in.Place(i), n.values[c.eta][i], p.Pt)
	}
	p.Energy = p.Pt * math.Cosh(p.Eta)
	if len(e.Truth) == 0 {
		e.Truth = append(e.Truth, p)
	} else if q := e.Truth[0]; q.Pt != p.Pt || q.Eta != p.Eta {
		return fmt.Errorf("physics: %s: event %d has another generated particle (η %g, p_T %g GeV) than in its rows before (η %g, p_T %g GeV)",
			n.in.Place(i), e.Number, p.Eta, p.Pt, q.Eta, q.Pt)
	}
	return nil
}

// complete makes the event that was read ready.
func (n *Ntuple) complete() {
	for side, e := range n.pending {
		n.pending[side] = nil
		if e == nil {
			continue
		}
		if n.settings.Class != simulate.PileUp && n.columns.eta != "" && len(e.Truth) == 0 {
			n.skipped++
			continue
		}
		n.ready = append(n.ready, e)
	}
	clear(n.seen)
}
