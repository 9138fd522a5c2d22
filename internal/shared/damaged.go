package shared

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// What reading a damaged file may take: time that is generous, for a machine may have
// much else to do, and memory that is a small multiple of the file beside what buffers
// and tables of decoders need.
const (
	slow    = 10 * time.Second
	hanging = 2 * time.Minute
	room    = 32 << 20
	perByte = 100
)

// Damaged reads a file that is cut off at every twentieth, which must be an error, and
// then flips times with one byte that is another (a tenth of the times with -short), each
// as Bounded does; it returns how many of those were errors. Half of the bytes are spread
// evenly over the file, each byte once or more often where flips allow; the others lie
// near one of its ends, where most formats have what says how to read the rest. The same
// file is always damaged in the same ways.
func Damaged(t testing.TB, data []byte, flips int, read func([]byte) error) (noticed int) {
	t.Helper()
	for k := range 20 {
		n := len(data) * k / 20
		what := fmt.Sprintf("cut off after %d of %d bytes", n, len(data))
		if Bounded(t, what, bytes.Clone(data[:n]), read) == nil {
			t.Errorf("%s: read without an error", what)
		}
	}
	if testing.Short() {
		flips /= 10
	}
	random := rand.New(rand.NewPCG(17, 5))
	ends := min(len(data), 900)
	for k := range flips {
		at := k / 2 % len(data)
		switch half := (flips + 1) / 2; {
		case k%4 == 1:
			at = random.IntN(ends)
		case k%4 == 3:
			at = len(data) - 1 - random.IntN(ends)
		case len(data) > half:
			at = k / 2 * len(data) / half
		}
		bad := bytes.Clone(data)
		bad[at] = other(random, bad[at])
		if Bounded(t, fmt.Sprintf("byte %d of %d is %d, not %d", at, len(data), bad[at], data[at]), bad, read) != nil {
			noticed++
		}
	}
	return noticed
}

// other is another value for a byte: a bit of it flipped, one where numbers end, or any.
func other(random *rand.Rand, was byte) byte {
	var b byte
	switch random.IntN(3) {
	case 0:
		b = was ^ 1<<random.IntN(8)
	case 1:
		b = []byte{0, 1, 127, 255}[random.IntN(4)]
	default:
		b = byte(random.IntN(256))
	}
	if b == was {
		b ^= 255
	}
	return b
}

// Bounded reads a file that may be damaged, with the error that read returns. It fails the
// test if read panics, takes more than ten seconds, or allocates more than 32 MB and 100
// times the file; what is wrong with the file is in the message, also where read fails
// the test itself. A read that does not end within minutes ends the program, which
// otherwise would wait for the tests' own limit and not say which file it was.
func Bounded(t testing.TB, what string, data []byte, read func([]byte) error) (err error) {
	t.Helper()
	failed := t.Failed()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	watch := time.AfterFunc(hanging, func() {
		panic(fmt.Sprintf("%s: %s: no end after %v", t.Name(), what, hanging))
	})
	defer func() {
		watch.Stop()
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			t.Errorf("%s: %v\n%s", what, err, debug.Stack())
		}
	}()
	err = read(data)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if took > slow {
		t.Errorf("%s: %v (%v)", what, took, err)
	}
	if used, most := after.TotalAlloc-before.TotalAlloc, uint64(room+perByte*len(data)); used > most {
		t.Errorf("%s: %d bytes of memory, more than %d (%v)", what, used, most, err)
	}
	if t.Failed() && !failed {
		t.Logf("the first failure was with: %s", what)
	}
	return err
}
