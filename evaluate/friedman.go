package evaluate

import (
	"errors"
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// Ranking says how contenders rank over blocks, after M. Friedman (J. Amer. Stat. Assoc. 32 (1937)
// 675), with the correction of R. L. Iman and J. M. Davenport and the critical difference of P. B.
// Nemenyi, as J. Demšar has them (J. Mach. Learn. Res. 7 (2006) 1).
type Ranking struct {
	Blocks int       `json:"blocks"`
	Ranks  []float64 `json:"mean_ranks"` // of each contender, 1 where it is best in every block
	// ChiSquare is Friedman's statistic, F Iman's and Davenport's; P is the probability of one as
	// large if all contenders were the same, found as By says: where there are few blocks, of the
	// arrangements of the ranks within the blocks.
	ChiSquare float64 `json:"chi_square"`
	F         float64 `json:"f"` // infinite where all blocks rank alike; null in JSON
	P         float64 `json:"p"`
	By        string  `json:"p_by"` // ByArrangements, ByDraws or ByF
	// Critical is by how much two mean ranks must differ for the two contenders to do, at 5 % for
	// all pairs together; 0 where there are so few blocks that no difference would do. It is
	// Nemenyi's or, where arrangements exceed that more often, theirs.
	Critical float64 `json:"critical_difference,omitempty"`
}

// rankLevel is the share of rankings without any difference in which Nemenyi's test finds one.
const rankLevel = 0.05

// Friedman ranks contenders, of which values[i][b] is the i-th's in block b, in every block: the
// smallest value is first, equal ones share their ranks. Blocks must be independent of each other for
// the probabilities to mean anything.
func Friedman(values [][]float64) (*Ranking, error) {
	k := len(values)
	if k < 2 {
		return nil, fmt.Errorf("evaluate: %d contenders have no ranks: want two at least", k)
	}
	n := len(values[0])
	if n < 2 {
		return nil, fmt.Errorf("evaluate: ranks in %d blocks say nothing: want two at least", n)
	}
	r := &Ranking{Blocks: n, Ranks: make([]float64, k)}
	block, doubled, ties := make([]float64, k), make([][]int, n), 0.0
	for b := range n {
		for i, v := range values {
			if len(v) != n {
				return nil, fmt.Errorf("evaluate: contender %d has %d blocks, the first %d", i+1, len(v), n)
			}
			if block[i] = v[b]; math.IsNaN(v[b]) {
				return nil, errors.New("evaluate: ranks of values that are no numbers")
			}
		}
		own := make([]float64, k)
		ties += addRanks(block, own)
		for i, rank := range own {
			r.Ranks[i] += rank
			doubled[b] = append(doubled[b], int(2*rank))
		}
	}
	// χ² is 12·Σ(R − n(k+1)/2)²/(nk(k+1)) of the rank sums R, over one less the share of ties.
	kf, nf := float64(k), float64(n)
	for i := range r.Ranks {
		d := r.Ranks[i] - nf*(kf+1)/2
		r.ChiSquare += d * d
		r.Ranks[i] /= nf
	}
	if untied := 1 - ties/(nf*kf*(kf*kf-1)); untied > 0 {
		r.ChiSquare *= 12 / (nf * kf * (kf + 1) * untied)
	} // all equal: χ² is 0
	most := nf * (kf - 1)
	r.F, r.P = math.Inf(1), 0
	if r.ChiSquare < most*(1-1e-12) {
		r.F = (nf - 1) * r.ChiSquare / (most - r.ChiSquare)
		r.P = distuv.F{D1: kf - 1, D2: (kf - 1) * (nf - 1)}.Survival(r.F)
	}
	r.Critical = nemenyi(k, rankLevel) * math.Sqrt(kf*(kf+1)/(6*nf))
	r.arrange(doubled)
	return r, nil
}

// addRanks adds the ranks of a block's values to sums, and tells Σ(t³ − t) over t equal ones.
func addRanks(block, sums []float64) (ties float64) {
	order := make([]int, len(block))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return block[order[a]] < block[order[b]] })
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && block[order[to]] == block[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			sums[i] += float64(from+1+to) / 2
		}
		t := float64(to - from)
		ties += t*t*t - t
		from = to
	}
	return ties
}

// nemenyi is the value over √2 that the range of k independent normal numbers exceeds with a
// probability: the studentised range with infinitely many degrees of freedom.
func nemenyi(k int, level float64) float64 {
	exceeds := func(q float64) float64 {
		inside := quad.Fixed(func(z float64) float64 {
			n := distuv.UnitNormal
			return n.Prob(z) * math.Pow(n.CDF(z)-n.CDF(z-q), float64(k-1))
		}, -8, 8+q, 100, quad.Legendre{}, 1)
		return 1 - float64(k)*inside
	}
	lo, hi := 0.0, 20.0
	for range 32 { // to 1e-8
		if mid := (lo + hi) / 2; exceeds(mid) > level {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2 / math.Sqrt2
}

// rounding is less than any two differences of mean ranks are apart.
const rounding = 1e-9

// Cliques are the largest groups of contenders of which no two differ by the critical difference:
// indices into Ranks, best first. One that differs from all others is in none; where no difference
// would do, all are one group.
func (r *Ranking) Cliques() [][]int {
	order := r.Order()
	if r.Critical == 0 {
		return [][]int{order}
	}
	var list [][]int
	end := 0
	for from := range order {
		to := from + 1
		for to < len(order) && r.Ranks[order[to]]-r.Ranks[order[from]] < r.Critical-rounding {
			to++
		}
		if to > end && to-from > 1 { // else within the one before
			list = append(list, order[from:to])
		}
		end = max(end, to)
	}
	return list
}

// Order lists the contenders, best first.
func (r *Ranking) Order() []int {
	order := make([]int, len(r.Ranks))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return r.Ranks[order[a]] < r.Ranks[order[b]] })
	return order
}
