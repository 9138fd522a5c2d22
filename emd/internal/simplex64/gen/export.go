package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/reg"
)

// The small functions that write results, for both vector lengths, in blocks of
// sixteen lanes.

func dot512() {
	begin256("dot512", "func(t, p *float64, words uint64) float64", "dot")
	t, p, words := gp("t"), gp("p"), gp("words")
	sum := ZMM()
	VXORPD(sum, sum, sum)
	blocks("block", words, func(block GPVirtual) {
		for i := range 2 {
			x := ZMM()
			VMOVUPD(lane(p, 0, block, 2*i), x)
			VFMADD231PD(lane(t, offF, block, 2*i), x, sum)
		}
	})
	Store(foldAdd512(sum), ReturnIndex(0))
	VZEROUPPER()
	RET()
}

func dot256() {
	begin256("dot256", "func(t, p *float64, words uint64) float64", "dot")
	t, p, words := gp("t"), gp("p"), gp("words")
	sum := ymms(2)
	VXORPD(sum[0], sum[0], sum[0])
	VXORPD(sum[1], sum[1], sum[1])
	blocks("block", words, func(block GPVirtual) {
		for i := range 4 {
			x := YMM()
			VMOVUPD(lane(p, 0, block, i), x)
			VFMADD231PD(lane(t, offF, block, i), x, sum[i&1])
		}
	})
	Store(foldAdd256(sum[0], sum[1]), ReturnIndex(0))
	VZEROUPPER()
	RET()
}

func export512() {
	begin256("export512", "func(t, out *float64, shift, factor float64, words uint64)", "export")
	t, out, words := gp("t"), gp("out"), gp("words")
	shift, factor := param512("shift"), param512("factor")
	blocks("block", words, func(block GPVirtual) {
		for i := range 2 {
			x := ZMM()
			VMOVUPD(lane(t, offF, block, 2*i), x)
			VSUBPD(shift, x, x)
			VMULPD(factor, x, x)
			VMOVUPD(x, lane(out, 0, block, 2*i))
		}
	})
	VZEROUPPER()
	RET()
}

func export256() {
	begin256("export256", "func(t, out *float64, shift, factor float64, words uint64)", "export")
	t, out, words := gp("t"), gp("out"), gp("words")
	shift, factor := param256("shift"), param256("factor")
	blocks("block", words, func(block GPVirtual) {
		for i := range 4 {
			x := YMM()
			VMOVUPD(lane(t, offF, block, i), x)
			VSUBPD(shift, x, x)
			VMULPD(factor, x, x)
			VMOVUPD(x, lane(out, 0, block, i))
		}
	})
	VZEROUPPER()
	RET()
}
