package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func prepare256() {
	begin256("prepare256", "func(t, p, q *float64, a, b, extra float64, unmatched uint64, below float64, words uint64) bool", "prepare")
	t, words := gp("t"), gp("words")
	pos, neg := ymms(2), ymms(2)
	zero, bits := YMM(), tableAt(bitTable)
	VXORPD(zero, zero, zero)
	for i := range 2 {
		VXORPD(pos[i], pos[i], pos[i])
		VXORPD(neg[i], neg[i], neg[i])
	}
	{
		p, q := gp("p"), gp("q")
		a, b, extra := param256("a"), param256("b"), param256("extra")
		unmatched := spread256(gp("unmatched"))
		blocks("difference", words, func(block GPVirtual) {
			for i := range 4 {
				x, y, z, rest, part := YMM(), YMM(), YMM(), YMM(), YMM()
				VMOVUPD(lane(p, 0, block, i), x)
				VMOVUPD(lane(q, 0, block, i), y)
				VMULPD(b, y, z)
				VMOVAPD(z, rest)
				VFNMADD231PD(b, y, rest)
				VFMSUB213PD(z, a, x)
				VADDPD(rest, x, x)
				VBLENDVPD(members256(unmatched, lane(bits, 0, block, i)), extra, x, x)
				VMOVUPD(x, lane(t, offMass, block, i))
				VMAXPD(zero, x, part)
				VADDPD(part, pos[i&1], pos[i&1])
				VMINPD(zero, x, part)
				VSUBPD(part, neg[i&1], neg[i&1])
			}
		})
	}
	up, down := foldAdd256(pos[0], pos[1]), foldAdd256(neg[0], neg[1])
	below := XMM()
	lim, _ := Param("below").Resolve()
	VMOVSD(lim.Addr, below)
	VUCOMISD(below, up)
	JLS(LabelRef("equal"))
	VUCOMISD(below, down)
	JLS(LabelRef("equal"))
	unit, whole := XMM(), XMM()
	VADDSD(down, up, unit)
	VMULSD(unitConst, unit, unit)
	VMOVSD(unit, at(t, offUnit))
	VMOVSD(scaleConst, whole)
	VDIVSD(up, whole, up)
	VDIVSD(down, whole, down)
	factors := ymms(2)
	VBROADCASTSD(up, factors[0])
	VBROADCASTSD(down, factors[1])
	sets, big, sums := []GPVirtual{GP64(), GP64()}, []GPVirtual{GP64(), GP64()}, ymms(2)
	whole256 := broadcast256(scaleConst)
	for s := range 2 {
		XORQ(sets[s], sets[s])
		XORQ(big[s], big[s])
		VXORPD(sums[s], sums[s], sums[s])
	}
	blocks("scale", words, func(block GPVirtual) {
		shift := GP64()
		MOVQ(block, shift)
		SHRQ(Imm(3), shift)
		for i := range 4 {
			x, k, factor, part, positive, v := YMM(), YMM(), YMM(), YMM(), YMM(), YMM()
			VMOVUPD(lane(t, offMass, block, i), x)
			VCMPPD(Imm(cmpGT), zero, x, k)
			VBLENDVPD(k, factors[0], factors[1], factor)
			VANDNPD(x, broadcast256(signBit), x)
			VMULPD(factor, x, x)
			VROUNDPD(Imm(0), x, x)
			VADDPD(whole256, x, v)
			VPSUBQ(whole256, v, v)
			VMOVDQU(v, lane(t, offMass, block, i))
			VCMPPD(Imm(cmpGT), zero, x, positive)
			heavy := YMM()
			VCMPPD(Imm(cmpGE), broadcast256(heavyFloat), x, heavy)
			for s := range 2 {
				side := YMM()
				if s == 0 {
					VANDPD(positive, k, side)
				} else {
					VANDNPD(positive, k, side)
				}
				VANDPD(x, side, part)
				VADDPD(part, sums[s], sums[s])
				r := GP64()
				VMOVMSKPD(side, r.As32())
				SHLXQ(shift, r, r)
				ORQ(r, sets[s])
				VANDPD(heavy, side, side)
				VMOVMSKPD(side, r.As32())
				SHLXQ(shift, r, r)
				ORQ(r, big[s])
			}
			ADDQ(Imm(4), shift)
		}
	})
	for s := range sets {
		VXORPD(pos[1], pos[1], pos[1])
		have := foldAdd256(sums[s], pos[1])
		first, left, whole := GP64(), XMM(), GP64()
		TZCNTQ(big[s], first)
		VMOVSD(scaleConst, left)
		VSUBSD(have, left, left)
		VCVTTSD2SIQ(left, whole)
		ADDQ(whole, cellOf(t, offMass, first))
	}
	orient(t, sets)
	answer(true)
	Label("equal")
	answer(false)
}
