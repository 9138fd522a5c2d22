package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func param512(name string) VecVirtual {
	z := ZMM()
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSD(p.Addr, z)
	return z
}

func prepare512(w int) {
	begin("prepare512x", w, "func(t, p, q *float64, a, b, extra float64, unmatched uint64, below float64) bool", "prepare")
	t, p, q := gp("t"), gp("p"), gp("q")
	a, b, extra := param512("a"), param512("b"), param512("extra")
	unmatched := roll512(gp("unmatched"))
	diff := zmms(w)
	pos, neg, zero := ZMM(), ZMM(), ZMM()
	VXORPD(pos, pos, pos)
	VXORPD(neg, neg, neg)
	VXORPD(zero, zero, zero)
	for i := range w {
		x, y, z, rest := diff[i], ZMM(), ZMM(), ZMM()
		VMOVUPD(at(p, 64*i), x)
		VMOVUPD(at(q, 64*i), y)
		VMULPD(b, y, z)
		VMOVAPD(z, rest)
		VFNMADD231PD(b, y, rest) // z − q·b
		VFMSUB213PD(z, a, x)     // p·a − z
		VADDPD(rest, x, x)
		VMOVAPD(extra, unmatched.OpmaskVirtual, x)
		if i < w-1 {
			unmatched.next()
		}
		part := ZMM()
		VMAXPD(zero, x, part)
		VADDPD(part, pos, pos)
		VMINPD(zero, x, part)
		VSUBPD(part, neg, neg)
	}
	up, down := foldAdd512(pos), foldAdd512(neg)
	below := XMM()
	lim, _ := Param("below").Resolve()
	VMOVSD(lim.Addr, below)
	VUCOMISD(below, up)
	JLS(LabelRef("equal"))
	VUCOMISD(below, down)
	JLS(LabelRef("equal"))
	unit := XMM()
	VADDSD(down, up, unit)
	VMULSD(unitConst, unit, unit)
	VMOVSD(unit, at(t, offUnit))
	whole := XMM()
	VMOVSD(scaleConst, whole)
	VDIVSD(up, whole, up)
	VDIVSD(down, whole, down)
	upAll, downAll := ZMM(), ZMM()
	VBROADCASTSD(up, upAll)
	VBROADCASTSD(down, downAll)
	heavy, sign := broadcast512(heavyConst), broadcast512(signBit)
	sums := []VecVirtual{ZMM(), ZMM()}
	VPXORQ(sums[0], sums[0], sums[0])
	VPXORQ(sums[1], sums[1], sums[1])
	sets, big := []GPVirtual{GP64(), GP64()}, []GPVirtual{GP64(), GP64()}
	for s := range sets {
		XORQ(sets[s], sets[s])
		XORQ(big[s], big[s])
	}
	for i := range w {
		x := diff[i]
		kp, kn, kh := K(), K(), K()
		VCMPPD(Imm(cmpGT), zero, x, kp)
		factor := ZMM()
		VMOVAPD(downAll, factor)
		VMOVAPD(upAll, kp, factor)
		VANDNPD(x, sign, x)
		VMULPD(factor, x, x)
		VCVTPD2QQ(x, x) // to the nearest, and of two to the even one
		VMOVDQU64(x, at(t, offMass+64*i))
		VPADDQ(x, sums[0], kp, sums[0])
		KNOTB(kp, kn)
		VPADDQ(x, sums[1], kn, sums[1])
		VPTESTMQ(x, x, kp, kp)
		VPTESTMQ(x, x, kn, kn)
		VPCMPQ(Imm(cmpGEint), heavy, x, kh)
		for s, k := range []OpmaskVirtual{kp, kn} {
			r := GP64()
			KMOVB(k, r.As32())
			kb := K()
			KANDB(k, kh, kb)
			h := GP64()
			KMOVB(kb, h.As32())
			if i > 0 {
				SHLQ(Imm(uint64(8*i)), r)
				SHLQ(Imm(uint64(8*i)), h)
			}
			ORQ(r, sets[s])
			ORQ(h, big[s])
		}
	}
	for s := range sets {
		first, left := GP64(), GP64()
		TZCNTQ(big[s], first)
		MOVQ(I64(1<<52), left)
		SUBQ(foldWhole512(sums[s]), left)
		ADDQ(left, cellOf(t, offMass, first))
	}
	orient(t, sets)
	answer(true)
	Label("equal")
	answer(false)
}

// foldWhole512 adds eight integers.
func foldWhole512(z VecVirtual) GPVirtual {
	y, x, s := YMM(), XMM(), XMM()
	VEXTRACTI64X4(Imm(1), z, y)
	VPADDQ(y, z.AsY(), y)
	VEXTRACTI128(Imm(1), y, x)
	VPADDQ(x, y.AsX(), x)
	VPSHUFD(Imm(0x4e), x, s)
	VPADDQ(s, x, x)
	r := GP64()
	VMOVQ(x, r)
	return r
}
