//go:build !purego

package columns

import "golang.org/x/sys/cpu"

var best = func() Kernel {
	x := &cpu.X86
	switch {
	case x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ:
		return AVX512
	case x.HasAVX2:
		return AVX2
	}
	return Portable
}()

// scans and leasts are the routines by kernel, norm and whether axes repeat.
var scans = [2][4][2]func(mask *uint64, x, at, w, periods *float64, u float64, dim, stride, blocks uint64){
	{{scanL1x256, scanL1Periodicx256}, {scanLInfx256, scanLInfPeriodicx256}, {scanL2x256, scanL2Periodicx256}, {scanSquarex256, scanSquarePeriodicx256}},
	{{scanL1x512, scanL1Periodicx512}, {scanLInfx512, scanLInfPeriodicx512}, {scanL2x512, scanL2Periodicx512}, {scanSquarex512, scanSquarePeriodicx512}},
}

var leasts = [2][4][2]func(x, at, w, periods *float64, dim, stride, blocks uint64) float64{
	{{leastL1x256, leastL1Periodicx256}, {leastLInfx256, leastLInfPeriodicx256}, {leastL2x256, leastL2Periodicx256}, {leastSquarex256, leastSquarePeriodicx256}},
	{{leastL1x512, leastL1Periodicx512}, {leastLInfx512, leastLInfPeriodicx512}, {leastL2x512, leastL2Periodicx512}, {leastSquarex512, leastSquarePeriodicx512}},
}

func (s *Space) periods() (first *float64, repeats int) {
	if s.Periods == nil {
		return nil, 0
	}
	return &s.Periods[:s.Dim][0], 1
}

func (s *Space) scan(mask []uint64, x []float64, b *Side, u float64) {
	p, repeats := s.periods()
	_, _, _ = x[s.Dim-1], b.at[s.Dim*b.stride-1], b.w[b.stride-1]
	scans[s.Kernel-AVX2][s.Norm][repeats](&mask[0], &x[0], &b.at[0], &b.w[0], p, u, uint64(s.Dim), uint64(b.stride), uint64(len(mask)))
}

func (s *Space) least(x []float64, b *Side) float64 {
	p, repeats := s.periods()
	_, _, _ = x[s.Dim-1], b.at[s.Dim*b.stride-1], b.w[b.stride-1]
	return leasts[s.Kernel-AVX2][s.Norm][repeats](&x[0], &b.at[0], &b.w[0], p, uint64(s.Dim), uint64(b.stride), uint64(b.stride/block))
}
