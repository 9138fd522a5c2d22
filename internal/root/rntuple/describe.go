package rntuple

import (
	"fmt"
)

// describe is the header: the fields and their columns.
func (w *Writer) describe(e *encoder) {
	e.u64(0) // features
	e.text(w.name)
	e.text("")
	e.text("barrow")
	n := 0
	for _, f := range w.fields {
		if n++; f.Len > 0 {
			n++
		}
	}
	holders := make([]int, 0, len(w.fields)) // the fields that have the columns
	e.list(n, func() {
		id := 0
		for _, f := range w.fields {
			typ := types[f.Type].name
			if f.Len == 0 {
				e.field(id, 0, f.Name, typ, f.About)
			} else {
				e.field(id, f.Len, f.Name, fmt.Sprintf("std::array<%s,%d>", typ, f.Len), f.About)
				id++
				e.field(id-1, 0, "_0", typ, "")
			}
			holders = append(holders, id)
			id++
		}
	})
	e.list(len(w.columns), func() {
		i := 0
		for k, f := range w.fields {
			e.column(w.columns[i], holders[k])
			if i++; f.Type == Text {
				e.column(w.columns[i], holders[k])
				i++
			}
		}
	})
	e.list(0, func() {})
	e.list(0, func() {})
}

// field adds a field's record. A repeated one has repeat values.
func (e *encoder) field(parent, repeat int, name, typ, about string) {
	e.record(func() {
		e.u32(0)
		e.u32(0)
		e.u32(uint32(parent))
		e.u16(leafRole)
		if repeat > 0 {
			e.u16(repetitive)
		} else {
			e.u16(0)
		}
		e.text(name)
		e.text(typ)
		e.text("")
		e.text(about)
		if repeat > 0 {
			e.u64(uint64(repeat))
		}
	})
}

func (e *encoder) column(c *written, field int) {
	e.record(func() {
		e.u16(uint16(c.kind))
		e.u16(uint16(c.encoding.bits))
		e.u32(uint32(field))
		e.u16(0)
		e.u16(0)
	})
}

// list is the pages of a group of clusters.
func (w *Writer) list(e *encoder) {
	e.u64(w.headSum)
	e.list(len(w.clusters), func() {
		for _, c := range w.clusters {
			e.record(func() {
				e.u64(uint64(c.first))
				e.u64(uint64(c.entries))
			})
		}
	})
	e.list(len(w.clusters), func() {
		for i, c := range w.clusters {
			e.list(len(c.columns), func() {
				for j, chunk := range c.columns {
					e.list(len(chunk.pages), func() {
						for _, p := range chunk.pages {
							e.u32(uint32(-p.n)) // negative: a checksum follows
							e.locator(p.locator)
						}
						e.u64(uint64(w.offsets[i][j]))
						e.u32(packing)
					})
				}
			})
		}
	})
}

// foot is the footer: where the groups' lists of pages are.
func (w *Writer) foot(e *encoder) {
	e.u64(0) // features
	e.u64(w.headSum)
	e.record(func() {
		for range 4 {
			e.list(0, func() {})
		}
	})
	e.list(len(w.groups), func() {
		for _, g := range w.groups {
			e.record(func() {
				e.u64(uint64(g.first))
				e.u64(uint64(g.entries))
				e.u32(uint32(g.clusters))
				e.u64(uint64(g.list.length))
				e.locator(g.list.locator)
			})
		}
	})
}
