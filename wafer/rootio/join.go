package rootio

import (
	"fmt"
	"math"

	"barrow/internal/root"
	"barrow/wafer"
)

// generated joins what was generated to an event's wafers: in each endcap the
// particle of the highest transverse momentum.
type generated struct {
	v       *vectors
	pt, eta *field
	phi     *field        // nil where the table has none
	column  [3]int        // of eta, pt and phi
	best    [2][3]float64 // by endcap, + and -: eta, pt and phi
}

// newGenerated finds the particles; nil where the table has none.
func newGenerated(b *batch, n *names, out *sink) (*generated, error) {
	for _, prefix := range []string{"gen", "genpart", "GenPart"} {
		pt, eta := n.numbers(prefix+"_pt"), n.numbers(prefix+"_eta")
		if pt < 0 || eta < 0 {
			continue
		}
		g := &generated{}
		var err error
		if g.v, err = newVectors(b, n, prefix); err != nil {
			return nil, err
		}
		if g.pt, err = g.v.need(pt, root.Float); err != nil {
			return nil, err
		}
		if g.eta, err = g.v.need(eta, root.Float); err != nil {
			return nil, err
		}
		g.column = [3]int{out.column(string(wafer.GenEta)), out.column(string(wafer.GenPt))}
		if phi := n.numbers(prefix + "_phi"); phi >= 0 {
			if g.phi, err = g.v.need(phi, root.Float); err != nil {
				return nil, err
			}
			g.column[2] = out.column(string(wafer.GenPhi))
		}
		return g, nil
	}
	return nil, nil
}

// event finds the particles of entry e.
func (g *generated) event(e int) error {
	if g == nil {
		return nil
	}
	n, err := g.v.len(e)
	if err != nil {
		return err
	}
	pt, err := g.v.floats(g.pt, e, n)
	if err != nil {
		return err
	}
	eta, err := g.v.floats(g.eta, e, n)
	if err != nil {
		return err
	}
	var phi []float64
	if g.phi != nil {
		if phi, err = g.v.floats(g.phi, e, n); err != nil {
			return err
		}
	}
	nan := math.NaN()
	g.best = [2][3]float64{{nan, nan, nan}, {nan, nan, nan}}
	for i := range pt {
		side := &g.best[0]
		if eta[i] < 0 {
			side = &g.best[1]
		}
		if pt[i] > side[1] || math.IsNaN(side[1]) {
			*side = [3]float64{eta[i], pt[i], nan}
			if g.phi != nil {
				side[2] = phi[i]
			}
		}
	}
	return nil
}

// add gives the columns of a wafer; not a number where nothing was generated in its
// endcap.
func (g *generated) add(zside int64, out *sink) {
	if g == nil {
		return
	}
	side := g.best[0]
	if zside < 0 {
		side = g.best[1]
	}
	out.float(g.column[0], side[0])
	out.float(g.column[1], side[1])
	if g.phi != nil {
		out.float(g.column[2], side[2])
	}
}

func (g *generated) remarks() []string {
	if g == nil {
		return nil
	}
	return g.v.remarks()
}

// latents are how many numbers of the chip's autoencoder a wafer has.
const latents = 16

// A latent joins the numbers of the chip's autoencoder to the wafers that they are
// of.
type latent struct {
	v           *vectors
	key         keyFields
	index, data *field
	column      [latents]int
	wafers      grouper
	values      [][latents]int64
	seen        []uint16 // by bits: the values that were there
	used        []bool
	lacking     int // wafers without them
	alone       int // of wafers without image
}

// newLatent finds econ_*; nil where the table has none that can be joined. Keys have
// a subdet where the wafers' have.
func newLatent(b *batch, n *names, subdet bool, out *sink) (*latent, error) {
	const prefix = "econ"
	index, data := n.numbers(prefix+"_index"), n.numbers(prefix+"_data")
	if index < 0 || data < 0 || n.columns[data].Kind == root.Float || missingKey(n, prefix, subdet) != "" {
		return nil, nil
	}
	l := &latent{}
	var err error
	if l.v, err = newVectors(b, n, prefix); err != nil {
		return nil, err
	}
	if l.key, err = newKeyFields(l.v, n, prefix, subdet); err != nil {
		return nil, err
	}
	if l.index, err = l.v.need(index, root.Int); err != nil {
		return nil, err
	}
	if l.data, err = l.v.need(data, root.Int); err != nil {
		return nil, err
	}
	for i := range l.column {
		l.column[i] = out.column(fmt.Sprintf("AE%d", i))
	}
	return l, nil
}

// event collects the numbers of entry e.
func (l *latent) event(e int) error {
	if l == nil {
		return nil
	}
	l.finish()
	n, err := l.v.len(e)
	if err != nil {
		return err
	}
	if err := l.key.event(e, n); err != nil {
		return err
	}
	index, err := l.v.ints(l.index, e, n)
	if err != nil {
		return err
	}
	data, err := l.v.ints(l.data, e, n)
	if err != nil {
		return err
	}
	for i := range n {
		k, err := l.key.key(e, i)
		if err != nil {
			return err
		}
		at := l.wafers.add(k)
		if at == len(l.values) {
			l.values = append(l.values, [latents]int64{})
			l.seen, l.used = append(l.seen, 0), append(l.used, false)
		}
		x := index[i]
		if x < 0 || x >= latents {
			return l.v.b.fail(e, l.index.name, "%d; a wafer has %d of them, from 0", x, latents)
		}
		if l.seen[at]&(1<<x) != 0 {
			return l.v.b.fail(e, l.index.name, "%d once more for %v", x, k)
		}
		l.seen[at] |= 1 << x
		l.values[at][x] = data[i]
	}
	return nil
}

// finish counts what no image has asked for.
func (l *latent) finish() {
	for _, used := range l.used {
		if !used {
			l.alone++
		}
	}
	l.wafers.reset()
	l.values, l.seen, l.used = l.values[:0], l.seen[:0], l.used[:0]
}

// add gives the columns of a wafer: 0 where there are none.
func (l *latent) add(k key, out *sink) {
	if l == nil {
		return
	}
	var values [latents]int64
	if at := l.wafers.find(k); at >= 0 {
		values, l.used[at] = l.values[at], true
	} else {
		l.lacking++
	}
	for i, v := range values {
		out.int(l.column[i], v)
	}
}

func (l *latent) remarks() []string {
	if l == nil {
		return nil
	}
	lines := l.v.remarks()
	if l.lacking > 0 {
		lines = append(lines, fmt.Sprintf("%d wafers are not in econ_*: AE0 to AE%d are 0", l.lacking, latents-1))
	}
	alone := l.alone
	for _, used := range l.used {
		if !used {
			alone++
		}
	}
	if alone > 0 {
		lines = append(lines, fmt.Sprintf("%d wafers of econ_* have no image: left out", alone))
	}
	return lines
}
