package physics

import (
	"math"

	"barrow/internal/counter"
	"barrow/internal/stats"
)

// Correlation says how far one figure predicts another over contenders.
type Correlation struct {
	// Pearson's and Spearman's coefficients, −1 to 1; their errors are those of the events,
	// the same draws for both figures, and not of which contenders there are. N counts
	// contenders.
	Pearson  Value `json:"pearson"`
	Spearman Value `json:"spearman"`
	// P is the share of orders of the contenders in which Spearman's coefficient is at
	// least as far from 0: of all orders if Exact, else of a sample with this one
	// added to both counts. NaN without coefficients.
	P     Value `json:"p"`
	Exact bool  `json:"exact"`
}

// With this many contenders all orders are tried, with more so many are drawn.
const (
	mostExact = 9
	orders    = 100000
)

// Correlate correlates two figures over contenders, which x and y list in the same order.
// Contenders without one of the two are left out. With fewer than three, or where all have the
// same figure, there is none. With few contenders even a perfect order means little: of n
// contenders it has P 2/n!. P takes contenders for exchangeable: it is too small where they
// are of families.
func Correlate(x, y []Value, seed uint64) Correlation {
	var keep []int
	for i := range min(len(x), len(y)) {
		if !math.IsNaN(x[i].Value) && !math.IsNaN(y[i].Value) {
			keep = append(keep, i)
		}
	}
	n := len(keep)
	if n < 3 {
		v := none(n, "%d contenders with both figures: want at least 3", n)
		return Correlation{v, v, v, false}
	}
	a, b := make([]float64, n), make([]float64, n)
	for k, i := range keep {
		a[k], b[k] = x[i].Value, y[i].Value
	}
	r := pearson(a, b)
	if math.IsNaN(r) {
		v := none(n, "all %d contenders have the same figure", n)
		return Correlation{v, v, v, false}
	}
	draws := math.MaxInt
	for _, i := range keep {
		draws = min(draws, len(x[i].Draws), len(y[i].Draws))
	}
	linear, ranked := make([]float64, draws), make([]float64, draws)
	p, q := make([]float64, n), make([]float64, n)
	for d := range draws {
		for k, i := range keep {
			p[k], q[k] = x[i].Draws[d], y[i].Draws[d]
		}
		linear[d], ranked[d] = pearson(p, q), spearman(p, q)
	}
	out := Correlation{Pearson: drawn(r, n, linear), Spearman: drawn(spearman(a, b), n, ranked), Exact: n <= mostExact}
	out.P = Value{Value: permutation(stats.Ranks(a), stats.Ranks(b), seed), Error: math.NaN(), N: n}
	return out
}

// pearson is the coefficient of two lists, NaN if one is constant or has a NaN.
func pearson(a, b []float64) float64 {
	var ma, mb, aa, bb, ab float64
	for i := range a {
		ma += a[i]
		mb += b[i]
	}
	ma, mb = ma/float64(len(a)), mb/float64(len(b))
	for i := range a {
		x, y := a[i]-ma, b[i]-mb
		aa += float64(x * x)
		bb += float64(y * y)
		ab += float64(x * y)
	}
	if !(aa > 0 && bb > 0) {
		return math.NaN()
	}
	return math.Max(-1, math.Min(1, ab/math.Sqrt(aa*bb)))
}

// spearman is the coefficient of the ranks.
func spearman(a, b []float64) float64 {
	for i := range a {
		if math.IsNaN(a[i]) || math.IsNaN(b[i]) {
			return math.NaN()
		}
	}
	return pearson(stats.Ranks(a), stats.Ranks(b))
}

// permutation is the two-sided p-value of two lists of ranks.
func permutation(a, b []float64, seed uint64) float64 {
	// The sum of products alone depends on the order, twice the ranks are whole: sums
	// are exact, so that equal ones are.
	n := len(a)
	u, w := make([]int, n), make([]int, n)
	su, sw := 0, 0
	for i := range a {
		u[i], w[i] = int(2*a[i]), int(2*b[i])
		su, sw = su+u[i], sw+w[i]
	}
	far := func() int {
		sum := 0
		for i := range u {
			sum += u[i] * w[i]
		}
		if sum = n*sum - su*sw; sum < 0 {
			return -sum
		}
		return sum
	}
	have := far()
	hits, all := 0, 0
	count := func() {
		all++
		if far() >= have {
			hits++
		}
	}
	if n <= mostExact {
		permute(w, n, count)
		return float64(hits) / float64(all)
	}
	count() // the one there is
	r := counter.New(seed, 0x70657264)
	for range orders {
		for i := n - 1; i > 0; i-- {
			j := r.IntN(i + 1)
			w[i], w[j] = w[j], w[i]
		}
		count()
	}
	return float64(hits) / float64(all)
}

// permute calls each with every order of the first n of w.
func permute(w []int, n int, each func()) {
	if n <= 1 {
		each()
		return
	}
	for i := range n {
		w[i], w[n-1] = w[n-1], w[i]
		permute(w, n-1, each)
		w[i], w[n-1] = w[n-1], w[i]
	}
}
