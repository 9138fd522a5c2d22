package decoder

import (
	"math"

	"barrow/autoencoder"
	"barrow/econt"
)

// sent is all charge that arrived, in CALQ counts: of channels and of groups.
func sent(f *econt.Decoded) (total float64) {
	each(f.Known(), func(ch int) { total += f.Image[ch] })
	for _, g := range f.Groups() {
		total += g.Sum
	}
	return total
}

// conditionSum is the place of ln(Σ+1) among the conditions.
const conditionSum = 6

// root is how a share of all charge is told: the network's own outputs are roots of shares,
// too, and small ones matter. STC4 on four links so ends 2 % closer to the images.
func root(share float64) float32 { return float32(math.Sqrt(share)) }

// describe writes what the network is told of a frame; conditions may be nil.
func describe(f *econt.Decoded, algorithm econt.Algorithm, conditions, to []float32) {
	clear(to)
	total := sent(f)
	rest := to[len(to)-autoencoder.ConditionCount:]
	copy(rest, conditions)
	rest[conditionSum] = float32(math.Log(total + 1))
	if algorithm == econt.Autoencoder {
		for j, v := range f.Latent {
			to[j] = float32(v) / latentUnit
		}
		return
	}
	if !(total > 0) {
		return
	}
	each(f.Known(), func(ch int) {
		to[perChannel*ch] = root(f.Image[ch] / total)
		to[perChannel*ch+1] = 1
	})
	limit := 0.0
	of := f.Groups()
	for k := range of {
		g := &of[k]
		share := root(g.Sum / total)
		each(g.Cells, func(ch int) { to[perChannel*ch+2] = share })
		if g.Carrier >= 0 {
			to[perChannel*g.Carrier+3] = 1
		}
		limit = max(limit, g.Limit)
	}
	to[perChannel*econt.Channels] = float32(min(limit/total, 1))
}
