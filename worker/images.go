package worker

import (
	"fmt"

	"barrow/hgcal"
	"barrow/wafer"
)

// Images go over the wire as up to four arrays, whatever the number of their metadata
// columns: charges (N×48, V9 order), and whole (K×N, int64), numbers (K×N, float64) and
// words (K×N, int32: positions in the columns' lists) with a row a column. The params
// name the columns.

// A columnHead is what the params say of a metadata column. Columns of a kind are the
// rows of the kind's array, in the order in which the params have them.
type columnHead struct {
	Name  string   `json:"name"`
	Kind  string   `json:"kind"`            // whole, number or words
	Words []string `json:"words,omitempty"` // the different words of a column of words
}

const (
	kindWhole  = "whole"
	kindNumber = "number"
	kindWords  = "words"
)

// answerImages makes a set results of the call and returns what the params are to say
// of its columns.
func answerImages(c *call, s *wafer.Set) ([]columnHead, error) {
	n := s.Len()
	charges, err := out[float64](c, "charge", n, hgcal.Cells)
	if err != nil {
		return nil, err
	}
	copy(charges, s.Charge)
	heads := make([]columnHead, len(s.Columns))
	count := map[string]int{}
	for i := range s.Columns {
		kind := [...]string{wafer.Number: kindNumber, wafer.Whole: kindWhole, wafer.Words: kindWords}[s.Columns[i].Kind()]
		heads[i] = columnHead{Name: s.Columns[i].Name, Kind: kind}
		count[kind]++
	}
	whole, err := out[int64](c, kindWhole, count[kindWhole], n)
	if err != nil {
		return nil, err
	}
	numbers, err := out[float64](c, kindNumber, count[kindNumber], n)
	if err != nil {
		return nil, err
	}
	words, err := out[int32](c, kindWords, count[kindWords], n)
	if err != nil {
		return nil, err
	}
	for i := range s.Columns {
		switch column := &s.Columns[i]; heads[i].Kind {
		case kindWhole:
			whole = whole[copy(whole, column.Int):]
		case kindNumber:
			numbers = numbers[copy(numbers, column.Float):]
		case kindWords:
			heads[i].Words = encodeWords(column.Text, words[:n])
			words = words[n:]
		}
	}
	return heads, nil
}

// encodeWords lists the different words and writes each one's position.
func encodeWords(text []string, to []int32) []string {
	list, at := []string{}, map[string]int32{}
	for i, word := range text {
		k, known := at[word]
		if !known {
			k = int32(len(list))
			at[word], list = k, append(list, word)
		}
		to[i] = k
	}
	return list
}

// imagesOf makes the request's arrays a set again, which shares the mapped file's
// memory but for the words: it ends with the call.
func imagesOf(c *call, heads []columnHead) (*wafer.Set, error) {
	charges, err := in[float64](c, "charge", -1, hgcal.Cells)
	if err != nil {
		return nil, err
	}
	n := len(charges) / hgcal.Cells
	s := &wafer.Set{Charge: charges}
	count := map[string]int{}
	for _, h := range heads {
		count[h.Kind]++
	}
	whole, err := rows[int64](c, kindWhole, count[kindWhole], n)
	if err != nil {
		return nil, err
	}
	numbers, err := rows[float64](c, kindNumber, count[kindNumber], n)
	if err != nil {
		return nil, err
	}
	words, err := rows[int32](c, kindWords, count[kindWords], n)
	if err != nil {
		return nil, err
	}
	for _, h := range heads {
		column := wafer.Column{Name: h.Name}
		switch h.Kind {
		case kindWhole:
			column.Int, whole = whole[:n:n], whole[n:]
		case kindNumber:
			column.Float, numbers = numbers[:n:n], numbers[n:]
		case kindWords:
			if column.Text, err = decodeWords(words[:n], h); err != nil {
				return nil, err
			}
			words = words[n:]
		default:
			return nil, fmt.Errorf("worker: column %q is of the kind %q; there are %s, %s, %s", h.Name, h.Kind, kindWhole, kindNumber, kindWords)
		}
		s.Columns = append(s.Columns, column)
	}
	return s, checkImages(c, s)
}

// rows is an array of the request with so many rows, which there need not be if there
// are none.
func rows[T element](c *call, name string, count, n int) ([]T, error) {
	if count == 0 && !c.has(name) {
		return nil, nil
	}
	return in[T](c, name, count, n)
}

func decodeWords(at []int32, h columnHead) ([]string, error) {
	text := make([]string, len(at))
	for i, k := range at {
		if k < 0 || int(k) >= len(h.Words) {
			return nil, fmt.Errorf("worker: column %q: word %d of a list of %d", h.Name, k, len(h.Words))
		}
		text[i] = h.Words[k]
	}
	return text, nil
}

// checkImages holds a set to what all else relies on; errors have the user's row.
func checkImages(c *call, s *wafer.Set) error {
	for i, v := range s.Charge {
		if !(v >= 0 && v-v == 0) {
			row, cell := c.row+i/hgcal.Cells, i%hgcal.Cells
			return &failure{
				Kind: kindInput, Row: &row, Cell: &cell,
				Message: fmt.Sprintf("worker: image %d, cell %d: the charge is %v; charges are finite and not negative", row, cell, v),
			}
		}
	}
	return s.Check()
}

// A place counts the rows that went through an object whose calls build on each other:
// a file that is read, the chip with its buffer.
type place int

// follows checks that the call goes on where the last one ended. If not, the object was
// opened again after the end of the worker that had it.
func (p *place) follows(c *call) error {
	if c.row != int(*p) {
		return &failure{Kind: kindInternal, Message: fmt.Sprintf("worker: the worker ended after row %d of this work, which cannot be gone on with: begin it again", c.row)}
	}
	return nil
}
