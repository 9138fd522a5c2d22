package simulate

import (
	"encoding/binary"
	"flag"
	"math"
	"os"
	"runtime"
	"testing"
)

var update = flag.Bool("update", false, "write prepared.bin anew")

// appendLibrary adds a library as preparedLibrary reads it.
func appendLibrary(b []byte, l *library) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0) // its length
	for _, v := range append([]float64{l.area}, l.curve.value[:]...) {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	p := DefaultParameters().PileUp
	scale := surroundings(0, &p)
	at := newPositions()
	for i := range l.pattern {
		q := &l.pattern[i]
		between := 0
		for {
			if x, y := at.next(); float32(scale*x) == q.x && float32(scale*y) == q.y {
				break
			}
			between++
		}
		shared := 0
		for shared < patternLen && q.points[shared] > 0 {
			shared++
		}
		b = append(b, byte(between), byte(shared))
		for k := range shared {
			b = append(b, q.cell[k], q.points[k])
		}
	}
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

// TestPrepared: the libraries that come with the program are those that it makes.
func TestPrepared(t *testing.T) {
	p := DefaultParameters().PileUp
	if *update {
		var b []byte
		for _, layer := range signalLayers {
			b = appendLibrary(b, newLibrary(p.spread(float64(layer)), &p))
		}
		if err := os.WriteFile("prepared.bin", b, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if n := len(preparedLibraries()); n != len(signalLayers) {
		t.Fatalf("%d libraries, want %d", n, len(signalLayers))
	}
	for _, layer := range signalLayers {
		radius := p.spread(float64(layer))
		want, got := newLibrary(radius, &p), preparedLibrary(libraryKey(radius, &p), surroundings(radius, &p))
		if got == nil {
			t.Fatalf("layer %d: no library", layer)
		}
		if runtime.GOARCH != "amd64" { // logarithms and exponentials are rounded otherwise on other processors
			for i, v := range want.curve.value {
				if math.Abs(got.curve.value[i]-v) > 1e-12 {
					t.Errorf("layer %d: curve %g, want %g", layer, got.curve.value[i], v)
				}
			}
			want.curve = got.curve
		}
		if *got != *want {
			t.Errorf("layer %d: another library than is made; if that is meant: go test ./simulate -run TestPrepared -update", layer)
		}
	}
	p.Scale *= 1.01
	if l := preparedLibrary(libraryKey(p.spread(9), &p), 1); l != nil {
		t.Error("a library of other parameters")
	}
}
