package cluster

import "math"

// contrast is the normalised, temperature-scaled cross-entropy of T. Chen, S. Kornblith, M. Norouzi
// and G. Hinton (ICML 2020), NT-Xent: z has n rows of d numbers, of which row i and row i+n/2 are
// two views of one image. With u = z/|z| and s_ij = u_i·u_j/t it is the mean over the rows of
//
//	−s_ij + ln Σ_{k≠i} exp s_ik,  j the other view of i.
//
// The gradient with respect to z is stored in grad.
func contrast(z []float32, n, d int, t float64, grad []float32) float64 {
	u, norm := make([]float64, n*d), make([]float64, n)
	for i := range n {
		sum := 0.0
		for _, v := range z[i*d : i*d+d] {
			sum += float64(float64(v) * float64(v))
		}
		norm[i] = math.Sqrt(sum) + tiny
		for k := range d {
			u[i*d+k] = float64(z[i*d+k]) / norm[i]
		}
	}
	g, p := make([]float64, n*d), make([]float64, n)
	loss := 0.0
	for i := range n {
		j, own := (i+n/2)%n, u[i*d:i*d+d]
		most := math.Inf(-1)
		for k := range n {
			p[k] = dot(own, u[k*d:k*d+d]) / t
			if k != i {
				most = max(most, p[k])
			}
		}
		target, sum := p[j], 0.0
		for k := range n {
			if p[k] = math.Exp(p[k] - most); k == i {
				p[k] = 0
			}
			sum += p[k]
		}
		loss += math.Log(sum) + most - target
		for k := range n {
			w := p[k] / sum
			if k == j {
				w--
			}
			w /= t * float64(n)
			other := u[k*d : k*d+d]
			for c, v := range other {
				g[i*d+c] += float64(w * v)
				g[k*d+c] += float64(w * own[c])
			}
		}
	}
	// Through the norm: only what is across u is left.
	for i := range n {
		own := g[i*d : i*d+d]
		along := dot(own, u[i*d:i*d+d])
		for k := range d {
			grad[i*d+k] = float32((own[k] - float64(along*u[i*d+k])) / norm[i])
		}
	}
	return loss / float64(n)
}

// tiny keeps directions of vectors without length finite.
const tiny = 1e-9

// dot is the inner product. Products are rounded before they are added, so that every machine has
// the same bits.
func dot(a, b []float64) float64 {
	s := 0.0
	for k, v := range a {
		s += float64(v * b[k])
	}
	return s
}
