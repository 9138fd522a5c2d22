package physics

import "math"

// candidate is a cluster within range.
type candidate struct {
	row  []float64
	bin  int     // of p_T and |η|
	u, v float64 // where in its bin: −½ to ½ in ln p_T and in |η|
	// seen are ln p_T and |η| of the cluster, true those of the particle.
	seen, true [2]float64
	event      int32 // its place among the events of its half
	score      float64
}

// kind are the clusters of one kind, particles' or minimum bias's, of half the events.
type kind struct {
	list []candidate
	bins [][]int32 // numbers in list, by bin
	// records is by event, of both halves, how many there are in this half, those that are no
	// candidates included.
	records []int32
}

// count is how often a cluster counts; without times each does once.
func count(times []uint8, event int32) float64 {
	if times == nil {
		return 1
	}
	return float64(times[event])
}

// sums are how many clusters a bin has, and sums of where they are in it.
func (c *kind) sums(bin int, times []uint8) (n, u, v float64) {
	for _, i := range c.bins[bin] {
		d := &c.list[i]
		k := count(times, d.event)
		n += k
		u += float64(k * d.u)
		v += float64(k * d.v)
	}
	return n, u, v
}

// tiltRidge keeps tilts finite where no tilt does what is asked. It leaves a mean off by this
// share of the bin and of the tilt, which is about 1 where spectra differ by p_T³.
const tiltRidge = 0.003

// tilt is the exponent of a weight that varies within a bin, and what comes of it.
type tilt struct {
	u, v float64
	// value is what is minimised, du and dv its derivatives, and the others the second ones.
	value, du, dv, uu, uv, vv float64
}

// tilted sums a bin's clusters with the weights times exp(tu·(u − u₀) + tv·(v − v₀)).
func (c *kind) tilted(bin int, times []uint8, weights []float64, u0, v0, tu, tv float64) tilt {
	var z, su, sv, uu, uv, vv float64
	for _, i := range c.bins[bin] {
		d := &c.list[i]
		u, v := d.u-u0, d.v-v0
		w := count(times, d.event) * weights[i] * math.Exp(float64(tu*u)+float64(tv*v))
		z += w
		su += float64(w * u)
		sv += float64(w * v)
		uu += float64(w * u * u)
		uv += float64(w * u * v)
		vv += float64(w * v * v)
	}
	su, sv = su/z, sv/z
	return tilt{u: tu, v: tv,
		value: math.Log(z) + tiltRidge/2*(float64(tu*tu)+float64(tv*tv)),
		du:    su + float64(tiltRidge*tu), dv: sv + float64(tiltRidge*tv),
		uu: uu/z - float64(su*su) + tiltRidge, uv: uv/z - float64(su*sv), vv: vv/z - float64(sv*sv) + tiltRidge}
}

// tiltTo finds the tilt with which a bin's mean is at u0, v0: the weights nearest to the
// ones it has that do it, in entropy (Hainmueller, Political Analysis 20, 2012). That is a
// minimum of a convex function, by Newton's method.
func (c *kind) tiltTo(bin int, times []uint8, weights []float64, u0, v0 float64) tilt {
	t := c.tilted(bin, times, weights, u0, v0, 0, 0)
	for range 40 {
		if math.Abs(t.du)+math.Abs(t.dv) < 1e-9 {
			break
		}
		det := float64(t.uu*t.vv) - float64(t.uv*t.uv)
		su := (float64(t.vv*t.du) - float64(t.uv*t.dv)) / det
		sv := (float64(t.uu*t.dv) - float64(t.uv*t.du)) / det
		next := t
		for step := 1.0; step > 1e-6; step /= 2 {
			if next = c.tilted(bin, times, weights, u0, v0, t.u-step*su, t.v-step*sv); next.value < t.value {
				break
			}
		}
		if !(next.value < t.value) {
			break
		}
		t = next
	}
	return t
}

// weighed are signal's clusters weighted to the spectrum of the background.
type weighed struct {
	weights            []float64 // of signal's clusters in bins that are used
	used               []bool    // by bin
	signal, background float64   // sums of weights
}

// weigh weighs signal's clusters in two steps, so that spectra tell nothing.
//
// First particles, by a power of their p_T and an exponential of |η|, with which the clusters have
// the background's mean ln p_T and |η|: clusters of one p_T are of different particles
// where spectra differ, in a steep one of such as pile-up has raised.
//
// What is left of differences is taken from the clusters of each bin: they get weights
// with which they have the background's number and mean ln p_T and |η|.
//
// Bins are taken that allowed has and both kinds; nil allows those with at least ten clusters
// of each, of signal as many as its weights are worth: (Σw)²/Σw².
func weigh(signal, background *kind, t *times, allowed []bool) *weighed {
	w := &weighed{weights: make([]float64, len(signal.list)), used: make([]bool, len(signal.bins))}
	signal.respectrum(background, t, allowed, w.weights)
	for k := range signal.bins {
		if allowed != nil && !allowed[k] {
			continue
		}
		ns, _, _ := signal.sums(k, t.particles)
		nb, u, v := background.sums(k, t.crossings)
		if ns == 0 || nb == 0 || allowed == nil && (ns < least || nb < least) {
			continue
		}
		u, v = u/nb, v/nb
		e := signal.tiltTo(k, t.particles, w.weights, u, v)
		sum, squares := 0.0, 0.0
		for _, i := range signal.bins[k] {
			d := &signal.list[i]
			x := w.weights[i] * math.Exp(float64(e.u*(d.u-u))+float64(e.v*(d.v-v)))
			w.weights[i] = x
			n := count(t.particles, d.event)
			sum += float64(n * x)
			squares += float64(n * x * x)
		}
		if !(sum > 0) || allowed == nil && sum*sum < least*squares {
			continue
		}
		for _, i := range signal.bins[k] {
			w.weights[i] *= nb / sum
		}
		w.used[k] = true
		w.signal += nb
		w.background += nb
	}
	return w
}

// most is the largest power by which particles are weighted, and exponent of |η|.
const most = 12

// respectrum finds the weights of particles that weigh speaks of, by Newton's method.
func (c *kind) respectrum(background *kind, t *times, allowed []bool, to []float64) {
	in := func(d *candidate) bool { return allowed == nil || allowed[d.bin] }
	var want [2]float64
	sum := 0.0
	for i := range background.list {
		if d := &background.list[i]; in(d) {
			n := count(t.crossings, d.event)
			sum += n
			want[0] += float64(n * d.seen[0])
			want[1] += float64(n * d.seen[1])
		}
	}
	if sum == 0 {
		return
	}
	want[0], want[1] = want[0]/sum, want[1]/sum
	var power [2]float64
	for range 30 {
		// Mean difference of the clusters to the background, and its derivatives: covariances
		// of what is seen and what is true.
		var z float64
		var off, mean [2]float64
		var both [2][2]float64
		for i := range c.list {
			d := &c.list[i]
			if !in(d) {
				continue
			}
			x := [2]float64{d.true[0] - want[0], d.true[1] - want[1]}
			to[i] = math.Exp(float64(power[0]*x[0]) + float64(power[1]*x[1]))
			w := count(t.particles, d.event) * to[i]
			z += w
			for a := range 2 {
				y := d.seen[a] - want[a]
				off[a] += float64(w * y)
				mean[a] += float64(w * x[a])
				for b := range 2 {
					both[a][b] += float64(w * y * x[b])
				}
			}
		}
		if z == 0 {
			return
		}
		for a := range 2 {
			off[a] /= z
			mean[a] /= z
		}
		for a := range 2 {
			for b := range 2 {
				both[a][b] = both[a][b]/z - float64(off[a]*mean[b])
			}
			both[a][a] = math.Max(both[a][a], 0) + 1e-4
		}
		det := float64(both[0][0]*both[1][1]) - float64(both[0][1]*both[1][0])
		if math.Abs(off[0])+math.Abs(off[1]) < 1e-6 || !(det > 0) {
			return
		}
		step := [2]float64{(float64(both[1][1]*off[0]) - float64(both[0][1]*off[1])) / det, (float64(both[0][0]*off[1]) - float64(both[1][0]*off[0])) / det}
		for a := range 2 {
			power[a] = math.Max(-most, math.Min(most, power[a]-math.Max(-2, math.Min(2, step[a]))))
		}
	}
}
