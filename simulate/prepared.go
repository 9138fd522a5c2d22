package simulate

import (
	_ "embed"
	"encoding/binary"
	"math"
	"sync"
)

// Making the libraries of a run would be most of what a start takes, which a thousand jobs of
// seconds feel. Those that the presets with pile-up draw of, by the parameters that are the
// default, are therefore read. TestPrepared holds what is read to what is made, and writes it.
//
//go:generate go test . -run ^TestPrepared$ -update

//go:embed prepared.bin
var preparedText string

// preparedLibraries are where the libraries of prepared.bin are, by their keys. There is one for each of
// signalLayers, behind its length in four bytes: area and curve as numbers of eight bytes; then each
// group in four or more: how many positions before it are none of the library's, how many cells it is shared by, and
// for each of these the cell and its points. The lowest byte of a number is the first.
var preparedLibraries = sync.OnceValue(func() map[string]string {
	p := DefaultParameters().PileUp
	of := map[string]string{}
	rest := preparedText
	for _, layer := range signalLayers {
		n := binary.LittleEndian.Uint32([]byte(rest[:4]))
		of[libraryKey(p.spread(float64(layer)), &p)], rest = rest[4:4+n], rest[4+n:]
	}
	return of
})

// preparedLibrary reads the library of a key, whose groups are in surroundings of a scale; nil is one
// that is to be made. The file is written and checked by the tests, so one that ends early cannot occur.
func preparedLibrary(key string, scale float64) *library {
	text, ok := preparedLibraries()[key]
	if !ok {
		return nil
	}
	number := func() float64 {
		v := math.Float64frombits(binary.LittleEndian.Uint64([]byte(text[:8])))
		text = text[8:]
		return v
	}
	l := &library{area: number()}
	for i := range l.curve.value {
		l.curve.value[i] = number()
	}
	at, k := newPositions(), 0
	for n := range l.pattern {
		for range text[k] {
			at.next()
		}
		q := &l.pattern[n]
		x, y := at.next()
		q.x, q.y = float32(scale*x), float32(scale*y)
		shared := int(text[k+1])
		k += 2
		for i := range q.cell {
			q.cell[i] = offWafer
			if i < shared {
				q.cell[i], q.points[i] = text[k], text[k+1]
				k += 2
			}
		}
	}
	return l
}
