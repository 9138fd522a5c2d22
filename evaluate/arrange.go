package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
)

// How the probability of a ranking is found, as [Ranking] says it.
const (
	ByArrangements = "all arrangements" // every order of the ranks within the blocks
	ByDraws        = "drawn arrangements"
	ByF            = "F distribution" // Iman's and Davenport's
)

// Within these bounds ranks are arranged instead of leaving it to the limit of many blocks.
const (
	mostArrangements = 100_000 // that are all gone through
	arrangementDraws = 50_000
	mostArranged     = 6_000_000 // ranks of all draws
)

// arrangements are what ranks of contenders that are all the same may add up to: whatever stands in a
// block might as well stand there in any other order. Ranks are doubled, since ties have halves.
type arrangements struct {
	blocks [][]int
	mean   int // of a contender's sum, doubled once more
	seen   int
	atSum  int         // the squared deviations of the sums that there are
	above  int         // arrangements with as large ones
	ranges map[int]int // by the range of the sums
}

func newArrangements(blocks [][]int) *arrangements {
	a := &arrangements{blocks: blocks, mean: len(blocks) * (len(blocks[0]) + 1), ranges: map[int]int{}}
	sums := make([]int, len(blocks[0]))
	for _, b := range blocks {
		for i, r := range b {
			sums[i] += r
		}
	}
	a.atSum = a.squares(sums)
	return a
}

func (a *arrangements) squares(sums []int) int {
	all := 0
	for _, s := range sums {
		all += (s - a.mean) * (s - a.mean)
	}
	return all
}

func (a *arrangements) visit(sums []int) {
	a.seen++
	if a.squares(sums) >= a.atSum {
		a.above++
	}
	a.ranges[slices.Max(sums)-slices.Min(sums)]++
}

// all goes through all arrangements of the blocks but the first: turning round the contenders in all
// blocks alike changes nothing. It tells false, and does nothing, where there are too many.
func (a *arrangements) all() bool {
	k, count, orders := len(a.blocks[0]), 1.0, 1.0
	for i := 2; i <= k; i++ {
		orders *= float64(i)
	}
	for range a.blocks[1:] {
		if count *= orders; count > mostArrangements {
			return false
		}
	}
	a.rest(slices.Clone(a.blocks[0]), a.blocks[1:], 0)
	return true
}

// rest adds the blocks that are left to sums in every order; the first of them is ordered up to from.
func (a *arrangements) rest(sums []int, blocks [][]int, from int) {
	if len(blocks) == 0 {
		a.visit(sums)
		return
	}
	b := blocks[0]
	if from == len(b) {
		a.rest(sums, blocks[1:], 0)
		return
	}
	for i := from; i < len(b); i++ {
		b[from], b[i] = b[i], b[from]
		sums[from] += b[from]
		a.rest(sums, blocks, from+1)
		sums[from] -= b[from]
		b[from], b[i] = b[i], b[from]
	}
}

// draw arranges at random, always the same, and counts what there is as one more.
func (a *arrangements) draw() bool {
	k := len(a.blocks[0])
	if arrangementDraws*k*len(a.blocks) > mostArranged {
		return false
	}
	rng := rand.New(rand.NewPCG(uint64(k), uint64(len(a.blocks))))
	sums := make([]int, k)
	for range arrangementDraws {
		clear(sums)
		for _, b := range a.blocks {
			rng.Shuffle(k, func(i, j int) { b[i], b[j] = b[j], b[i] })
			for i, r := range b {
				sums[i] += r
			}
		}
		a.visit(sums)
	}
	a.seen++
	a.above++
	return true
}

// critical is the least range of the sums that no more than a share of arrangements reach, at least
// from; false where even the largest has more.
func (a *arrangements) critical(level float64, from int) (int, bool) {
	var ranges []int
	for r := range a.ranges {
		ranges = append(ranges, r)
	}
	slices.Sort(ranges)
	slices.Reverse(ranges)
	count, least, ok := 0, 0, false
	for _, r := range ranges {
		if count += a.ranges[r]; float64(count) > level*float64(a.seen) {
			break
		}
		least, ok = r, true
		if r < from {
			break
		}
	}
	return max(least, from), ok
}

// arrange finds the probability, and whether the critical difference holds its level, by
// arrangements, where there are few enough.
func (r *Ranking) arrange(blocks [][]int) {
	a := newArrangements(blocks)
	switch {
	case a.all():
		r.By = ByArrangements
	case a.draw():
		r.By = ByDraws
	default:
		// The F distribution has no end; the ranks have: of all arrangements the one at hand is one.
		orders, _ := math.Lgamma(float64(len(r.Ranks) + 1))
		r.By, r.P = ByF, max(r.P, math.Exp(-orders*float64(r.Blocks-1)))
		return
	}
	r.P = float64(a.above) / float64(a.seen)
	scale := 2 * float64(r.Blocks)
	limit := int(math.Ceil(r.Critical*scale - 1e-9))
	at, ok := a.critical(rankLevel, limit)
	switch {
	case !ok:
		r.Critical = 0
	case at > limit:
		r.Critical = float64(at) / scale
	}
}
