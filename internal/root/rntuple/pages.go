package rntuple

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"barrow/internal/root"
)

// A group is clusters whose pages one envelope lists.
type group struct {
	first, entries int64
	clusters       int
	list           link
}

// A cluster is consecutive entries and the pages that hold them.
type cluster struct {
	first, entries int64
	// columns has the pages by column; those that came later may be missing.
	columns []chunk
}

// chunk is a column's pages in one cluster.
type chunk struct {
	pages      []page
	suppressed bool
}

// page is a number of elements, packed.
type page struct {
	locator
	n       int32
	checked bool // a checksum follows
}

// footer reads the payload of the footer's envelope: what it adds to the schema, and
// the groups of clusters, which must follow each other.
func (t *Table) footer(d *decoder) error {
	d.features()
	d.u64() // the header's checksum
	extension := d.record()
	// A frame without anything in it is no extension.
	if len(extension.b) > 0 {
		t.schema.extend(extension)
	}
	d.keep("schema extension", 0, extension)
	list, n := d.list(8)
	for i := 0; i < n && list.err == nil; i++ {
		r := list.record()
		g := group{first: r.size(), entries: r.size(), clusters: int(r.u32())}
		g.list = r.link()
		list.keep("cluster group", i, r)
		t.groups = append(t.groups, g)
	}
	d.keep("cluster groups", n, list)
	if d.err != nil {
		return d.err
	}
	slices.SortStableFunc(t.groups, func(a, b group) int { return int(min(max(a.first-b.first, -1), 1)) })
	for i, g := range t.groups {
		if g.first != t.entries || g.entries > math.MaxInt64-t.entries {
			return fmt.Errorf("cluster group %d: %d entries from %d on, after entry %d", i, g.entries, g.first, t.entries)
		}
		t.entries += g.entries
	}
	return nil
}

// clusters reads group i's list of pages, or takes it from what was read last.
func (t *Table) clusters(i int) ([]cluster, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.lists {
		if l.group == i && l.clusters != nil {
			return l.clusters, nil
		}
	}
	c, err := t.readClusters(t.groups[i])
	if err != nil {
		return nil, fmt.Errorf("cluster group %d: %w", i, err)
	}
	t.lists[1] = t.lists[0]
	t.lists[0] = loaded{i, c}
	return c, nil
}

func (t *Table) readClusters(g group) ([]cluster, error) {
	d, err := g.list.open(t.file, pageListEnvelope)
	if err != nil {
		return nil, fmt.Errorf("the list of pages: %w", err)
	}
	d.u64() // the header's checksum
	list, n := d.list(24)
	out := make([]cluster, 0, n)
	for i := 0; i < n && list.err == nil; i++ {
		r := list.record()
		c := cluster{first: r.size()}
		entries := r.u64()
		c.entries = int64(entries & (1<<56 - 1))
		if entries>>56&1 != 0 && r.err == nil {
			r.err = fmt.Errorf("it is one of several of the same entries, which this program does not read")
		}
		list.keep("cluster", i, r)
		out = append(out, c)
	}
	d.keep("clusters", n, list)
	list, m := d.list(12)
	if d.err == nil && (m != n || n != g.clusters) {
		d.err = fmt.Errorf("%d clusters, pages of %d, where there are %d", n, m, g.clusters)
	}
	for i := 0; i < n && list.err == nil && d.err == nil; i++ {
		columns, k := list.list(20)
		if k > len(t.schema.columns) {
			columns.err = fmt.Errorf("pages of %d columns where there are %d", k, len(t.schema.columns))
			k = 0
		}
		out[i].columns = make([]chunk, k)
		for j := 0; j < k && columns.err == nil; j++ {
			out[i].columns[j] = columns.chunk(t.file)
			columns.keep("column", j, columns)
		}
		list.keep("pages of cluster", i, columns)
	}
	d.keep("pages", n, list)
	if d.err != nil {
		return nil, fmt.Errorf("the list of pages: %w", d.err)
	}
	slices.SortStableFunc(out, func(a, b cluster) int { return int(min(max(a.first-b.first, -1), 1)) })
	next := g.first
	for _, c := range out {
		if c.first != next || c.entries > g.first+g.entries-next {
			return nil, fmt.Errorf("a cluster of %d entries from %d on, after entry %d", c.entries, c.first, next)
		}
		next += c.entries
	}
	if next != g.first+g.entries {
		return nil, fmt.Errorf("clusters of %d entries where there are %d", next-g.first, g.entries)
	}
	return out, nil
}

// chunk reads the pages of one column in one cluster.
func (d *decoder) chunk(f *root.File) chunk {
	pages, n := d.list(16)
	c := chunk{pages: make([]page, 0, n)}
	for i := 0; i < n && pages.err == nil; i++ {
		elements := int32(pages.u32())
		p := page{n: elements, checked: elements < 0}
		if p.checked {
			p.n = -elements
		}
		p.locator = pages.locator()
		if pages.err == nil && (p.n < 0 || p.offset > f.Size()-p.size) {
			pages.err = fmt.Errorf("page %d: %d elements in %d bytes from %d on of a file of %d", i, elements, p.size, p.offset, f.Size())
		}
		c.pages = append(c.pages, p)
	}
	// What follows the pages is within their frame.
	c.suppressed = int64(pages.u64()) < 0
	if pages.err != nil && d.err == nil {
		d.err = pages.err
	}
	return c
}

// at finds the cluster of an entry, which exists.
func (t *Table) at(entry int64) (cluster, error) {
	i := sort.Search(len(t.groups), func(i int) bool { return t.groups[i].first+t.groups[i].entries > entry })
	clusters, err := t.clusters(i)
	if err != nil {
		return cluster{}, err
	}
	j := sort.Search(len(clusters), func(j int) bool { return clusters[j].first+clusters[j].entries > entry })
	return clusters[j], nil
}
