package parquet

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"barrow/internal/counter"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	other "github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/pierrec/lz4/v4"
)

// packed is text in every codec, some in more than one form.
func packed(t *testing.T, text []byte) map[string][]byte {
	t.Helper()
	stream := func(make func(io.Writer) io.WriteCloser) []byte {
		var b bytes.Buffer
		w := make(&b)
		for at := 0; at < len(text); at += 1000 { // in parts, so that no size can be said
			if _, err := w.Write(text[at:min(at+1000, len(text))]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	block := make([]byte, lz4.CompressBlockBound(len(text)))
	n, err := lz4.CompressBlock(text, block, nil)
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	hadoop := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	hadoop = append(binary.BigEndian.AppendUint32(hadoop, uint32(n)), block[:n]...)
	return map[string][]byte{
		"UNCOMPRESSED": text,
		"SNAPPY":       snappy.Encode(nil, text),
		"GZIP":         stream(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		"BROTLI":       stream(func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }),
		"ZSTD":         z.EncodeAll(text, nil),
		"ZSTD stream": stream(func(w io.Writer) io.WriteCloser {
			e, err := zstd.NewWriter(w)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}),
		"LZ4_RAW":    block[:n],
		"LZ4":        hadoop,
		"LZ4 as raw": block[:n],
	}
}

func codecOf(name string) codec {
	name, _, _ = strings.Cut(name, " ")
	for c := uncompressed; c <= codecLZ4Raw; c++ {
		if c.String() == name {
			return c
		}
	}
	return -1
}

func TestCodecs(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789 trigger cells"), 500)
	var u unpacker
	defer u.close()
	for name, b := range packed(t, text) {
		for range 2 { // the second time with what the first has left
			if got, err := u.unpack(codecOf(name), make([]byte, 0, 7), b, len(text)); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
		for _, size := range []int{0, 1, len(text) - 1, len(text) + 1, 1 << 30} {
			if _, err := u.unpack(codecOf(name), nil, b, size); err == nil {
				t.Errorf("%s: unpacked to %d bytes", name, size)
			}
		}
	}
	if _, err := u.unpack(codecLZO, nil, text, 5); err == nil || !strings.Contains(err.Error(), "LZO: not read here") {
		t.Error(err)
	}
}

// TestBomb holds memory down where a page says to be huge, and is.
func TestBomb(t *testing.T) {
	var u unpacker
	defer u.close()
	for name, b := range packed(t, make([]byte, 160<<20)) {
		if name == "UNCOMPRESSED" {
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := u.unpack(codecOf(name), nil, b, 160<<20)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; err == nil || used > 1<<20 {
			t.Errorf("%s: %d MB, %v", name, used>>20, err)
		}
	}
}

func TestDelta(t *testing.T) {
	random := counter.New(1, 2)
	for _, n := range []int{0, 1, 2, 31, 32, 33, 128, 129, 1000} {
		for bits := range 64 {
			wide, narrow := make([]int64, n), make([]int32, n)
			for i := range n {
				wide[i] = int64(random.Uint64()) >> bits
				narrow[i] = int32(wide[i])
			}
			var p other.BinaryPackedEncoding
			b, err := p.EncodeInt64(nil, wide)
			if err != nil {
				t.Fatal(err)
			}
			if got := deltas(t, b, n, false); !slices.Equal(got, wide) {
				t.Fatalf("%d of %d bits: %v, want %v", n, 64-bits, got, wide)
			}
			if b, err = p.EncodeInt32(nil, narrow); err != nil {
				t.Fatal(err)
			}
			for i, v := range deltas(t, b, n, true) {
				if v != int64(narrow[i]) {
					t.Fatalf("%d of %d bits: number %d is %d, want %d", n, 64-bits, i, v, narrow[i])
				}
			}
		}
	}
}

// deltas reads numbers in two parts.
func deltas(t *testing.T, b []byte, n int, narrow bool) []int64 {
	t.Helper()
	d, err := newDelta(b, narrow)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int64, n)
	if err := errors.Join(d.fill(got[:n/3]), d.fill(got[n/3:])); err != nil {
		t.Fatal(err)
	}
	if err := d.fill(make([]int64, 1)); err == nil {
		t.Error("one more")
	}
	return got
}

func TestHybrid(t *testing.T) {
	random := counter.New(1, 3)
	for width := uint(0); width <= 32; width++ {
		c := &writing{size: 1}
		for range 1001 {
			v := uint32(random.Uint64()) & uint32(uint64(1)<<width-1)
			c.indices = append(c.indices, v)
			c.size = max(c.size, int(v)+1)
		}
		b := c.appendIndices(nil)
		h, err := newHybrid(b[1:], uint(b[0]))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]uint32, len(c.indices))
		if err := errors.Join(fill(&h, got[:333]), fill(&h, got[333:])); err != nil || !slices.Equal(got, c.indices) {
			t.Fatalf("%d bits: %v", width, err)
		}
	}
	// A run of 10 times 3, one of none, 8 packed numbers.
	h, err := newHybrid([]byte{20, 3, 0, 0, 3, 0b10001000, 0b11000110, 0b11111010}, 3)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]uint8, 18)
	if err := fill(&h, got); err != nil || !slices.Equal(got, []uint8{3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 1, 2, 3, 4, 5, 6, 7}) {
		t.Error(got, err)
	}
	if err := fill(&h, got[:1]); err == nil {
		t.Error("one more")
	}
}

func TestThrift(t *testing.T) {
	deep := thrift{b: bytes.Repeat([]byte{0x1c}, 1<<20)} // structures in structures
	deep.skip(typeStruct, true)
	if deep.err == nil || !strings.Contains(deep.err.Error(), "too deep") {
		t.Error(deep.err)
	}
	for name, b := range map[string][]byte{
		"lists in lists": append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 1<<20)...), "a list of more than there is": {0x19, 0xf5, 0xff, 0xff, 0xff, 0x07, 1},
		"a map": {0x1b, 0xff, 0xff, 0xff, 0x07, 0x55}, "text": {0x18, 0xff, 0xff, 0x03, 'x'}, "a long number": append([]byte{0x16}, bytes.Repeat([]byte{0xff}, 20)...),
		"nothing": {}, "an unknown type": {0x1e},
	} {
		r := thrift{b: b}
		if r.skip(typeStruct, true); r.err == nil {
			t.Errorf("%s was passed over", name)
		}
	}
	m := newMade()
	m.int32(1, -5)
	m.list(40, typeI64, 20)
	for i := range 20 {
		m.b = binary.AppendVarint(m.b, int64(i)-math.MaxInt64)
	}
	m.open(41)
	m.text(1, "ü")
	m.end()
	m.end0()
	r := thrift{b: m.b}
	var said []string
	r.fields(typeStruct, func(id int, typ byte) bool {
		switch id {
		case 1:
			if v := r.int(typ); v != -5 {
				t.Error(v)
			}
			return true
		case 41:
			r.fields(typ, func(id int, typ byte) bool { said = append(said, string(r.bytes(typ))); return true })
			return true
		}
		return false
	})
	if r.err != nil || r.at != len(m.b) || !slices.Equal(said, []string{"ü"}) {
		t.Error(r.err, said)
	}
}
