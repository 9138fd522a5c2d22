package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/limit"
	"barrow/internal/table"
	"barrow/study/images"
	"barrow/study/internal/page"
	"barrow/wafer"
)

// read gets the rows of files.
func (p *Plan) read(ctx context.Context, s images.Settings) (*rows, error) {
	var r *rows
	var err error
	if p.Grid != "" {
		r, err = p.tables(ctx, s)
	} else {
		r, err = p.wafers(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	r.source, r.digest = strings.Join(p.Data, ", "), r.sum()
	if err := p.fits(r); err != nil {
		return nil, err
	}
	if p.Method == methodSpectral && r.len() > mostSpectral {
		return nil, fmt.Errorf("cluster: %s: %d images are too many to join each with its nearest: choose method %s, or give at most %d", r.source, r.len(), methodMeans, mostSpectral)
	}
	if r.agreement == nil {
		r.quanta(p.Quantum)
	}
	return r, nil
}

// fits sets how many clusters are sought where nobody said, and refuses rows that cannot have so many.
func (p *Plan) fits(r *rows) error {
	why := ""
	if p.Classes == 0 {
		p.Classes = usual
		if r.truth != nil {
			p.Classes, why = len(r.classes), fmt.Sprintf(" (as many as %s has values)", p.Truth)
		}
	}
	rows := page.Of(r.len(), "image")
	if len(p.By) > 0 {
		rows = page.Of(r.len(), "module") + " by " + strings.Join(p.By, ", ")
	}
	switch {
	case p.Classes < 2:
		return fmt.Errorf("cluster: %s: all of %s have the %s %q: leave truth out, or say how many classes there are", r.source, rows, p.Truth, r.classes[0])
	case r.len() < 2*p.Classes:
		return fmt.Errorf("cluster: %s: %s for %d clusters%s: want at least two a cluster: ask for fewer classes, or give more", r.source, rows, p.Classes, why)
	}
	for _, v := range r.value {
		if !slices.Equal(v, r.value[0]) {
			return nil
		}
	}
	return fmt.Errorf("cluster: %s: all of %s are the same", r.source, rows)
}

// mostSpectral is up to how many rows all pairs are looked at.
const mostSpectral = 50_000

// tables reads images of pixels.
func (p *Plan) tables(ctx context.Context, s images.Settings) (*rows, error) {
	h, w, err := parseGrid(p.Grid)
	if err != nil {
		return nil, err
	}
	r := &rows{grid: rectangle(h, w, max(p.Turns, 1))}
	var truth []string
	for _, path := range p.Data {
		if err := p.table(ctx, path, s, r, &truth); err != nil {
			return nil, err
		}
	}
	if r.len() == 0 {
		return nil, fmt.Errorf("cluster: %s: no images", strings.Join(p.Data, ", "))
	}
	if p.Truth != "" {
		r.classify(truth, s.Remark)
	}
	return r, nil
}

// table appends the rows of one.
func (p *Plan) table(ctx context.Context, path string, s images.Settings, r *rows, truth *[]string) error {
	t, err := open(path, s)
	if err != nil {
		return err
	}
	defer t.Close()
	if t.Counts() {
		return t.ErrCounts()
	}
	if p.Truth != "" {
		ok, err := t.Label(p.Truth)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("cluster: %s: no column %q for truth", path, p.Truth)
		}
	}
	if t.Columns() != r.grid.cells {
		return fmt.Errorf("cluster: %s has %d columns, and a grid of %s has %d pixels: a row is a whole image; a column of classes beside it is named by truth", path, t.Columns(), p.Grid, r.grid.cells)
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		v, err := t.Read(nil, 256)
		if err != nil || len(v) == 0 {
			return err
		}
		for k, q := range v {
			if q < 0 {
				return fmt.Errorf("cluster: %s: pixel %d is %g: want no negative ones", t.Place(k/r.grid.cells), k%r.grid.cells, q)
			}
		}
		for k := 0; k < len(v); k += r.grid.cells {
			r.value = append(r.value, v[k:k+r.grid.cells])
		}
		*truth = append(*truth, t.Labels()...)
		if err := limit.Fits("cluster: rows of "+path, r.len(), 16*float64(r.grid.cells)+4000); err != nil {
			return err
		}
	}
}

func open(path string, s images.Settings) (*table.Reader, error) {
	if s.Stream != nil {
		if in := s.Stream(path); in != nil {
			return table.New(in, path)
		}
	}
	return table.Open(path)
}

// wafers reads wafer files, their images as rows or put together.
func (p *Plan) wafers(ctx context.Context, s images.Settings) (*rows, error) {
	s.Empty = true // of modules an event without charge is one, too; single ones are left out below, by their number
	in := images.Input{Data: p.Data, Order: p.Order, Header: p.Header, Layout: p.Layout, Tree: p.Tree, Charge: p.Charge}
	set, err := in.Files(ctx, p.Data, s)
	if err != nil {
		return nil, err
	}
	of := func(key, name string) (*wafer.Column, error) {
		c := set.Column(name)
		if c == nil {
			var have []string
			for _, c := range set.Columns {
				have = append(have, c.Name)
			}
			return nil, fmt.Errorf("cluster: %s: no column %q for %s; there are %s", strings.Join(p.Data, ", "), name, key, strings.Join(have, ", "))
		}
		return c, nil
	}
	r := &rows{grid: waferGrid()}
	if p.Turns == 1 {
		r.grid.turns = r.grid.turns[:1]
	}
	var truth *wafer.Column
	if p.Truth != "" {
		if truth, err = of("truth", p.Truth); err != nil {
			return nil, err
		}
	}
	if len(p.By) == 0 {
		r.single(set, truth, s.Remark)
		return r, nil
	}
	var by []*wafer.Column
	for _, name := range p.By {
		c, err := of("by", name)
		if err != nil {
			return nil, err
		}
		by = append(by, c)
	}
	return r, p.modules(set, by, truth, r, s)
}

// single makes every image with charge a row, with all columns.
func (r *rows) single(set *wafer.Set, truth *wafer.Column, remark func(string)) {
	var classes []string
	for _, c := range set.Columns {
		r.columns = append(r.columns, column{name: c.Name})
	}
	for i := range set.Len() {
		if wafer.Sum(set.Image(i)) == 0 {
			continue
		}
		r.value, r.number = append(r.value, set.Image(i)), append(r.number, i)
		for k := range r.columns {
			r.columns[k].text = append(r.columns[k].text, set.Columns[k].Value(i))
		}
		if truth != nil {
			classes = append(classes, truth.Value(i))
		}
	}
	if none := set.Len() - r.len(); none > 0 && remark != nil {
		remark(fmt.Sprintf("%d images without charge left out, %d kept", none, r.len()))
	}
	if truth != nil {
		r.classify(classes, remark)
	}
}

// modules puts images with the same values of columns together, in the order in which they come.
func (p *Plan) modules(set *wafer.Set, by []*wafer.Column, truth *wafer.Column, r *rows, s images.Settings) error {
	type module struct {
		sum   *sum
		names []string
		truth string
		first int
	}
	at := map[string]*module{}
	var list []*module
	for i := range set.Len() {
		var names []string
		for _, c := range by {
			names = append(names, c.Value(i))
		}
		key := strings.Join(names, "\x00")
		m := at[key]
		if m == nil {
			m = &module{sum: newSum(r.grid), names: names, first: i}
			if truth != nil {
				m.truth = truth.Value(i)
			}
			at[key], list = m, append(list, m)
		}
		if truth != nil && truth.Value(i) != m.truth {
			return fmt.Errorf("cluster: image %d is of the same module as image %d by %s, and their %s are %q and %q: want one of all events", i, m.first, strings.Join(p.By, ", "), p.Truth, truth.Value(i), m.truth)
		}
		m.sum.add(set.Image(i))
	}
	few := 0
	var classes []string
	for _, name := range p.By {
		r.columns = append(r.columns, column{name: name})
	}
	r.naming = len(p.By)
	for _, m := range list {
		if m.sum.n < leastEvents {
			few++
			continue
		}
		m.sum.into(r)
		r.number = append(r.number, m.first)
		for k, name := range m.names {
			r.columns[k].text = append(r.columns[k].text, name)
		}
		classes = append(classes, m.truth)
	}
	if few > 0 && s.Remark != nil {
		s.Remark(fmt.Sprintf("%d of %d modules by %s have fewer than %d events and are left out", few, len(list), strings.Join(p.By, ", "), leastEvents))
	}
	if r.len() == 0 {
		return fmt.Errorf("cluster: no module by %s has %d events: leave by out to cluster single images", strings.Join(p.By, ", "), leastEvents)
	}
	if truth != nil {
		r.classify(classes, s.Remark)
	}
	return nil
}

// classify numbers the true classes by their names; rows without one are a class of their own.
func (r *rows) classify(names []string, remark func(string)) {
	if none := len(names) - len(slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "" })); none > 0 && remark != nil {
		remark(fmt.Sprintf("%d of %d rows have no class: they count as one of their own", none, len(names)))
	}
	r.classes = slices.Compact(slices.Sorted(slices.Values(names)))
	for _, n := range names {
		at, _ := slices.BinarySearch(r.classes, n)
		r.truth = append(r.truth, at)
	}
}

// quanta sets what comes as one in single images: what is given, or a twentieth of a bright cell, of
// which one in twenty cells with charge has more.
func (r *rows) quanta(given float64) {
	if given == 0 {
		var all []float64
		step := max(1, r.len()/2000)
		for i := 0; i < r.len(); i += step {
			for _, q := range r.value[i] {
				if q > 0 {
					all = append(all, q)
				}
			}
		}
		slices.Sort(all)
		if len(all) > 0 {
			given = all[len(all)*19/20] / 20
		}
	}
	r.quantum = slices.Repeat([]float64{given}, r.len())
}

// sum is the SHA-256 of the rows, with the columns and classes.
func (r *rows) sum() string {
	h := sha256.New()
	var b []byte
	for i, v := range r.value {
		b = b[:0]
		for _, q := range v {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(q))
		}
		for _, q := range r.agreementOf(i) {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(q))
		}
		if r.truth != nil {
			b = append(strconv.AppendQuote(b, r.classes[r.truth[i]]), '\n')
		}
		for _, c := range r.columns {
			b = append(strconv.AppendQuote(b, c.text[i]), '\n')
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}
