package parquet

import (
	"fmt"
	"io"
)

// Skip passes over so many rows, of each entries each, reading no page that has none behind them. Rows
// of another number of entries are found only where a row group ends.
func (c *Column) Skip(rows int64, each int) error {
	from, left := c.rows, rows*int64(each)
	var scrap Values
	for left > 0 {
		over, err := int64(0), error(nil)
		switch {
		case c.entries > 0:
			over = min(left, int64(c.entries), 1<<12)
			scrap.reset()
			err = c.some(&scrap, int(over))
			c.entries -= int(over)
		case c.left == 0:
			over, err = c.groups(left, each)
		default:
			over, err = c.pages(left)
		}
		left -= over
		c.rows = from + rows - (left+int64(each)-1)/int64(each)
		if err == io.EOF {
			err = fmt.Errorf("the column ends %d entries before", left)
		}
		if err != nil {
			return c.fail(err)
		}
	}
	return nil
}

// groups passes over the next row group, if it has so many entries at most, else begins it, and
// returns how many it has passed over.
func (c *Column) groups(most int64, each int) (over int64, err error) {
	if c.group < len(c.f.groups) {
		g := c.f.groups[c.group]
		if n := g.chunks[c.leaf.index].values; n <= most && (c.group == 0 || c.rows == c.wanted) {
			if n != g.rows*int64(each) {
				return 0, fmt.Errorf("row group %d has %d entries in %d rows, not %d each", c.group+1, n, g.rows, each)
			}
			c.group++
			c.wanted += g.rows
			return n, nil
		}
	}
	return 0, c.chunk()
}

// pages passes over the next page of a row group, if it has so many entries at most, else begins it.
func (c *Column) pages(most int64) (over int64, err error) {
	h, err := c.header()
	switch {
	case err != nil:
		return 0, err
	case h.kind == dictionaryPage:
		return 0, c.dictionary(h)
	case h.kind != dataPage && h.kind != dataPage2:
		return 0, c.discard(h.packed)
	case h.values <= min(most, c.left):
		c.left -= h.values
		return h.values, c.discard(h.packed)
	}
	return 0, c.data(h)
}

// discard passes over so many bytes of the chunk, which are there, and reads none of them that are not in
// memory already.
func (c *Column) discard(n int) error {
	if far := n - c.in.Buffered(); far > 0 {
		_, err := c.section.Seek(int64(far), io.SeekCurrent)
		c.in.Reset(c.section)
		return err
	}
	_, err := c.in.Discard(n)
	return err
}
