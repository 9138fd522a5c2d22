package root

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/klauspost/compress/zlib"
	"github.com/ulikunitz/xz"
)

// TestXXH64 holds the checksum to values of its reference implementation.
func TestXXH64(t *testing.T) {
	for text, want := range map[string]uint64{
		"":    0xef46db3751d8e999,
		"a":   0xd24ec4f1a98c6e5b,
		"abc": 0x44bc2cf5ad770999,
		"Call me Ishmael. Some years ago--never mind how long precisely-": 0x02a2e85470d6fd96,
	} {
		if got := xxh64([]byte(text)); got != want {
			t.Errorf("%q has %016x, not %016x", text, got, want)
		}
	}
}

// frame puts the head of a packed frame in front.
func frame(tag string, packed []byte, size int) []byte {
	n := len(packed)
	head := []byte{tag[0], tag[1], 8, byte(n), byte(n >> 8), byte(n >> 16), byte(size), byte(size >> 8), byte(size >> 16)}
	return append(head, packed...)
}

func packed(t *testing.T, codec string, data []byte) []byte {
	var b bytes.Buffer
	if codec == "ZL" {
		w := zlib.NewWriter(&b)
		w.Write(data)
		w.Close()
		return b.Bytes()
	}
	w, err := xz.WriterConfig{CheckSum: xz.CRC32, DictCap: 64 << 20}.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// TestUnpack unpacks several frames of different codecs.
func TestUnpack(t *testing.T) {
	want := bytes.Repeat([]byte("trigger cells "), 1000)
	var src []byte
	for i, codec := range []string{"ZL", "XZ", "ZL"} {
		part := want[i*5000 : min((i+1)*5000, len(want))]
		src = append(src, frame(codec, packed(t, codec, part), len(part))...)
	}
	buf := make([]byte, 0, len(want))
	got, err := Unpack(buf, src, int64(len(want)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("it is not what was packed")
	}
	if &got[0] != &buf[:1][0] {
		t.Error("memory that is enough is not used")
	}
}

// TestUnpackRefuses has frames that are damaged, or claim what cannot be.
func TestUnpackRefuses(t *testing.T) {
	data := bytes.Repeat([]byte{1, 2, 3, 4}, 100)
	zl, lzma := packed(t, "ZL", data), packed(t, "XZ", data)
	flipped := bytes.Clone(lzma)
	flipped[len(flipped)-20]++
	damaged := bytes.Clone(lzma)
	damaged[40]++
	for name, c := range map[string]struct {
		src  []byte
		want string
	}{
		"codec":     {frame("QQ", zl, 400), "unknown codec"},
		"cut":       {frame("ZL", zl, 400)[:20], "where 11 are left"},
		"head":      {[]byte("ZL"), "ends at byte 0"},
		"ratio":     {frame("ZL", zl[:10], 16<<20-1), "claims to hold"},
		"too many":  {frame("ZL", zl, 500), "500 bytes where 400"},
		"too few":   {frame("ZL", zl, 399), "more bytes"},
		"not LZMA":  {frame("XZ", zl, 400), ".xz"},
		"LZMA":      {frame("XZ", damaged, 400), "LZMA"},
		"index":     {frame("XZ", lzma[:30], 400), "LZMA"},
		"checksum":  {frame("L4", append([]byte("12345678"), zl...), 400), "checksum"},
		"ZSTD":      {frame("ZS", zl, 400), "ZSTD"},
		"dictation": {frame("XZ", hugeDictionary(lzma, t), 400), ""},
	} {
		length := int64(400)
		if name == "ratio" {
			length = 16<<20 - 1
		}
		_, err := Unpack(nil, c.src, length)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, which does not say %q", name, err, c.want)
		}
	}
}

// hugeDictionary makes a stream claim that it was packed with a dictionary of four
// gigabytes, which must not be asked for.
func hugeDictionary(stream []byte, t *testing.T) []byte {
	p := bytes.Clone(stream)
	block := p[12:]
	n := (int(block[0]) + 1) * 4
	i := bytes.Index(block[:n], []byte{0x21, 1})
	if i < 0 {
		t.Fatal("no LZMA2 in the block")
	}
	block[i+2] = 40
	binary.LittleEndian.PutUint32(block[n-4:], crc32.ChecksumIEEE(block[:n-4]))
	return p
}
