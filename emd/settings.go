package emd

import (
	"fmt"

	"barrow/internal/limit"
)

// Unequal says what a Solver does with masses whose totals P = Σp and Q = Σq
// differ.
type Unequal int

const (
	// UnequalError is the default: totals that differ by more than 10⁻⁹ of the
	// larger one are an error. The distance is in units of mass times distance.
	UnequalError Unequal = iota
	// UnequalNormalise compares p/P with q/Q, both of total 1. The distance is
	// in units of distance.
	UnequalNormalise
	// UnequalPenalty moves all of the lighter side and pays Settings.Penalty, R,
	// for every unit of the heavier side that stays unmatched:
	//
	//	E(p, q) = min Σ F_ij·D_ij + R·|P − Q|
	//	over F ≥ 0, Σ_j F_ij ≤ p_i, Σ_i F_ij ≤ q_j, ΣF = min(P, Q).
	//
	// With R at least half the largest distance E is a metric between images:
	// the energy mover's distance, P. T. Komiske, E. M. Metodiev, J. Thaler,
	// Phys. Rev. Lett. 123 (2019) 041801 (whose distances are in units of R);
	// before them O. Pele and M. Werman, ECCV 2008. An empty image is allowed.
	UnequalPenalty
)

// NonMetric says what a Solver does with a cost matrix that breaks the
// triangle inequality. Then mass may gain by passing through an occupied cell,
// the common mass may not be left where it is, and one potential f does not
// serve both sides.
type NonMetric int

const (
	// NonMetricRefuse is the default: NewSolver returns the [*TriangleError] of
	// [Metric.Check].
	NonMetricRefuse NonMetric = iota
	// NonMetricSolve solves the full problem as for a [Cost], slower.
	NonMetricSolve
	// NonMetricAssume skips the check, which may take n³/2 steps, on the caller's
	// word that the matrix is a metric. If it is not, the result is the distance
	// for the costs' shortest paths only where no shorter path exists, and
	// otherwise too large.
	NonMetricAssume
)

// Empty says what a Batch and an Index do with an image that has no mass, where that
// has no distance (with UnequalError and UnequalNormalise). A Solver always returns
// [ErrEmpty].
type Empty int

const (
	// EmptyError is the default: an error names the row.
	EmptyError Empty = iota
	// EmptySkip gives such a pair the value NaN and the gradients 0; in an Index such an
	// image has no neighbours and is nobody's.
	EmptySkip
)

// Settings of a Solver, a Batch or an Index. The zero value is ready to use: unequal totals
// are an error, costs that are not a metric are refused, all processors, the
// fastest kernel.
type Settings struct {
	// Unequal says what to do with totals that differ.
	Unequal Unequal
	// Penalty is R of UnequalPenalty, in units of distance: positive, at most
	// [MaxDistance]. Must be 0 otherwise.
	Penalty float64
	// NonMetric says what to do with costs that break the triangle inequality.
	NonMetric NonMetric
	// Empty says what a Batch and an Index do with images without mass.
	Empty Empty
	// Threads is how many pairs a Batch solves at the same time, or for how many images an
	// Index searches; 0 means all processors. It never changes a result. A Solver is one thread.
	Threads int
	// Kernel is the implementation of the inner loops, those for up to 64 nodes and those that
	// look at all pairs of [Points], the cells of a [Grid] with L2 included: one of [Kernels], for tests and benchmarks; "" means the fastest. All
	// return the same bits.
	Kernel string
	// MaxPivots bounds the simplex steps of one solve, 0 meaning 50·(n+20)
	// for metrics of up to 64 points and 500·(n+20) for n nodes otherwise. No pair
	// is known to come near; if one did, the result would be a [*PivotError], never
	// a wrong number.
	MaxPivots int
	// Progress, if not nil, is called by a Batch and by an Index's searches from time to time
	// with the share of the pairs or images that is done, in [0,1], and how many these are in
	// words; by one of them never from two goroutines at once.
	Progress func(share float64, note string)
}

func (s Settings) check() error {
	switch s.Unequal {
	case UnequalError, UnequalNormalise:
		if s.Penalty != 0 {
			return fmt.Errorf("emd: Settings.Penalty %v needs Unequal = UnequalPenalty", s.Penalty)
		}
	case UnequalPenalty:
		if !(s.Penalty > 0 && s.Penalty <= MaxDistance) {
			return fmt.Errorf("emd: Settings.Penalty %v: must be positive, at most %g", s.Penalty, MaxDistance)
		}
	default:
		return fmt.Errorf("emd: Settings.Unequal %d is unknown", s.Unequal)
	}
	if s.NonMetric < NonMetricRefuse || s.NonMetric > NonMetricAssume {
		return fmt.Errorf("emd: Settings.NonMetric %d is unknown", s.NonMetric)
	}
	if s.Empty < EmptyError || s.Empty > EmptySkip {
		return fmt.Errorf("emd: Settings.Empty %d is unknown", s.Empty)
	}
	if _, err := limit.Threads(s.Threads); err != nil {
		return fmt.Errorf("emd: Settings.Threads: %w", err)
	}
	if _, err := chooseKernel(s.Kernel); err != nil {
		return err
	}
	if s.MaxPivots < 0 {
		return fmt.Errorf("emd: Settings.MaxPivots %d: must not be negative", s.MaxPivots)
	}
	return nil
}
