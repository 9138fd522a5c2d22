package npzio

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"barrow/wafer"
)

// BenchmarkRead is an archive against reading its bytes and decoding them once.
func BenchmarkRead(b *testing.B) {
	set := images(100_000)
	path := filepath.Join(b.TempDir(), "a.npz")
	file, _ := write(b, path, wafer.WriteSettings{}, set)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		b.Fatal(err)
	}
	b.Run("images", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			in, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			r, err := Archive{}.Open(&wafer.Source{Name: path, At: in, Size: int64(len(file))}, wafer.ReadSettings{})
			if err != nil {
				b.Fatal(err)
			}
			var s wafer.Set
			for {
				if _, err := r.Read(&s, 1024); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
			r.Close()
			in.Close()
		}
	})
	b.Run("bytes", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		raw, out := make([]byte, 1<<19), make([]float64, 1<<16)
		for b.Loop() {
			in, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			for {
				n, err := io.ReadFull(in, raw)
				for k := range out[:n/8] {
					out[k] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*k:]))
				}
				if err != nil {
					break
				}
			}
			in.Close()
		}
	})
}
