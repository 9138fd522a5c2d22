//go:build !purego

package kernel

import (
	"golang.org/x/sys/cpu"

	"barrow/internal/simd"
)

//go:generate go run ./gen -out kernel_amd64.s -stubs stubs_amd64.go -pkg kernel

// available lists what this processor runs, fastest first.
var available = detect()

func detect() (list []named) {
	x := &cpu.X86
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512CD && x.HasAVX512DQ && x.HasAVX512VL {
		list = append(list, named{simd.AVX512, encodeAVX512})
	}
	if x.HasAVX2 {
		list = append(list, named{simd.AVX2, encodeAVX2})
	}
	return append(list, named{simd.Portable, encodePortable})
}

func encodeAVX512(out []uint16, sums, calq []uint32, w *Weights, s *Scratch) {
	_, _, _ = out[Block*16-1], sums[Block-1], calq[Block*cells-1]
	encode512(&out[0], &sums[0], &calq[0], w, s)
}

func encodeAVX2(out []uint16, sums, calq []uint32, w *Weights, s *Scratch) {
	_, _, _ = out[Block*16-1], sums[Block-1], calq[Block*cells-1]
	const half = Block / 2
	encode256(&out[0], &sums[0], &calq[0], w, s)
	copy(s.Any[half:], s.Any[:half])
	encode256(&out[half*16], &sums[half], &calq[half*cells], w, s)
}
