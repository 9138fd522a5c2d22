package kernel

// encodePortable is the kernel in Go. It reads the packed weights, so that the
// vector kernels differ from it in nothing but the lanes.
func encodePortable(out []uint16, sums, calq []uint32, w *Weights, s *Scratch) {
	s.Any = [16]uint32{}
	for r := range Block {
		for _, q := range calq[r*cells : (r+1)*cells] {
			s.Any[0] |= q
		}
		var image [cells]uint8
		sums[r] = Normalise(&image, (*[cells]uint32)(calq[r*cells:]))
		encodeImage((*[16]uint16)(out[r*16:]), &image, w)
	}
}

// encodeImage runs one wafer through the packed weights.
func encodeImage(out *[16]uint16, image *[cells]uint8, w *Weights) {
	var even, odd [16]int32
	for i, win := range active {
		var rows [3][3]int32
		n := 0
		for dy := range 3 {
			y := 2*win[0] + dy
			if y > 7 {
				break
			}
			n++
			for dx := range 3 {
				if p := pixel(y, 2*win[1]+dx); p >= 0 {
					rows[dy][dx] = int32(image[p])
				}
			}
		}
		for f := 0; f < 8; f += 2 {
			a := window(rows[:n], &w.Conv[f], w.ConvBias[f])
			b := window(rows[:n], &w.Conv[f+1], w.ConvBias[f+1])
			if a|b == 0 {
				continue
			}
			for j, d := range &w.Dense[4*i+f/2] {
				even[j] += a * (int32(int16(d)) >> 6) >> 4
				odd[j] += b * (d >> 16 >> 6) >> 4
			}
		}
	}
	for j := range out {
		v := max(even[j]+odd[j]+w.DenseBias[j], 0)
		out[j] = uint16(min(v, w.Limit) & w.Keep)
	}
}

// window is one filter on one window, after the ReLU.
func window(rows [][3]int32, w *[6]int32, bias int32) int32 {
	acc := bias << 16 >> 16
	for dy := range rows {
		r := &rows[dy]
		p, q := w[2*dy], w[2*dy+1]
		acc += r[0]*(int32(int16(p))>>5)>>5 + r[1]*(p>>16>>5)>>5 + r[2]*(int32(int16(q))>>5)>>5
	}
	return max(acc, 0)
}
