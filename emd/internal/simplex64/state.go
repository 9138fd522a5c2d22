package simplex64

import (
	"math"
	"math/bits"
	"unsafe"
)

// Max is the largest number of nodes.
const Max = 64

// scale is the integer total of each side.
const scale = 1 << 52

// heavy is a mass that at least one of up to 64 entries of total 2⁵² reaches,
// so that it can take the rounding of all others without changing sign.
const heavy = 1 << 45

// A Problem is what all pairs on one metric have in common. It is immutable.
type Problem struct {
	// D holds the symmetric distances in rows of Max; unused lanes are 0.
	D [Max][Max]float64
	// Coarse holds the distances in multiples of 2⁻¹⁹ of the largest, times 64, with the index of
	// the row in the six lowest bits: the least of several in a column tells which it is.
	Coarse [Max][Max]int32
	// Weight is 1/cells in the lanes of the cells and 0 in the others.
	Weight [Max]float64
	// Tags holds 63 − i in lane i, here because constants of the assembly cannot be
	// aligned to cache lines.
	Tags [Max]uint64
	// Marks are Tags of half the width.
	Marks [Max]uint32
	// N is the number of nodes, Words that of 8-lane vectors that cover them:
	// 2, 4, 6 or 8.
	N, Words int
	// Tolerance is the reduced cost below which an arc counts as optimal.
	Tolerance float64
	kernel    Kernel
}

// NewProblem takes the distances between n ≤ Max nodes, of which the first cells
// are cells of the image and a further one may stand for unmatched mass.
func NewProblem(n, cells int, dist func(i, j int) float64, k Kernel) *Problem {
	m := aligned[Problem]()
	m.N, m.Words, m.kernel = n, 2*((n+15)/16), k
	largest := 0.0
	for i := range n {
		for j := range n {
			m.D[i][j] = dist(i, j)
			largest = max(largest, m.D[i][j])
		}
	}
	// Potentials are sums of up to n distances of either sign, each rounded to
	// 2⁻⁵³ of its size; a tolerance well above that noise, and well below
	// any difference that matters, keeps rounding from starting a pivot.
	m.Tolerance = 2e-14 * largest
	m.coarsen(largest)
	for i := range uint64(Max) {
		m.Tags[i], m.Marks[i] = Max-1-i, uint32(Max-1-i)
	}
	for i := range cells {
		m.Weight[i] = 1 / float64(cells)
	}
	return m
}

// fineness is the number of steps in which Coarse counts the largest distance. Along a path every
// second distance counts against the others, so that no potential differs from the root's, nor is an
// arc violated, by more than 32 of them. The root's own rises to less than drift, or the true
// distances take over: all fits in the 25 bits above the index and one for the sign.
const (
	fineness = 1 << 19
	drift    = 30 * fineness << 6
)

// coarsen fills Coarse.
func (m *Problem) coarsen(largest float64) {
	for i := range m.Coarse {
		for j, d := range m.D[i] {
			m.Coarse[i][j] = int32(i)
			if d > 0 {
				m.Coarse[i][j] |= int32(math.RoundToEven(d/largest*fineness)) << 6
			}
		}
	}
}

// A State is the work space of one solve. It holds no pointers and allocates
// nothing, so that the assembly can address its fields and its vectors lie on
// cache lines. The order of the fields is known to internal/gen.
type State struct {
	Pot    [Max]float64 // φ
	Lo     [Max]float64 // max over rows i of φ_i − D_ix
	Flow   [Max]int64   // on the arcs of the tree
	Never  [8]int64     // the largest there is: the flow on an arc that there is not
	Cost   [Max]float64 // D of the arcs of the tree
	Mass   [Max]int64   // |p·a − q·b|, then what is not yet placed
	None   [8]int64     // 0: the mass of a column that there is not
	F      [Max]float64 // result of Finish
	Demand [Max]int64   // Start: mass asked of each row
	Choice [Max]int32   // Start: the nearest row that stays, as in Coarse,
	Regret [Max]int32   // and how much further it is than the one that leaves, and 63 − j
	Rank   [Max]int32   // Start: Regret of the columns of the row that leaves,
	Offer  [Max]int64   // and their masses
	P, Q   [Max]float64 // padded copies of the inputs, where they need padding
	Path   [Max]uint64  // the arcs between a node and the root
	Below  [Max]uint64  // the nodes that an arc is between and the root
	Column [Max]uint64  // Start: the columns asking each row
	// Rough and RoughLo are φ and Lo by the coarse distances. The six lowest bits of rows are 63, those
	// of columns 0, and those of the RoughLo that row i makes, 63 − i.
	Rough   [Max]int32
	RoughLo [Max]int32
	Keep    [Max]uint32 // AVX2: what tagging a violation keeps of it, 0 in lanes that are no columns,
	Tag     [Max]uint32 // and puts in
	Row     [Max]uint8  // the ends of the arcs of the tree
	Col     [Max]uint8
	Parent  [Max]uint8 // Start: the other end of the arc that a node leaves by
	Gone    [Max]uint8 // Start: nodes in the order they left
	List    [Max]uint8 // the columns, for the portable pricing

	Rows, Cols uint64 // sources and sinks, the fewer being rows
	Pos, Neg   uint64 // cells with p·a > q·b and p·a < q·b
	TotalP     float64
	TotalQ     float64
	Unit       float64 // mass of one integer unit, in units of p·a
	Primal     float64 // Σ Flow·Cost in integer units
	Mean       float64 // Σ F·Weight
	Root       int64
	Down       uint64 // the arcs whose row is nearer to the root than their column
	Enough     uint64 // Start: the rows that are asked for what they have
	Leaving    uint64 // Start: the rows of a round that have not yet left
	Left       int64  // Start: length of Gone
	Listed     int64  // length of List
	Swapped    bool   // rows are the sinks
	Pivots     int64
}

// NewState returns a work space.
func NewState() *State { return aligned[State]() }

// aligned allocates a T that begins on a page, which the allocator does not promise: a vector load
// that touches two cache lines takes twice as long, and where a State lies to its Problem
// decides which lines of the two are in each other's way, up to a quarter of start. T must not
// contain pointers, since the memory that it lies in is said to have none.
func aligned[T State | Problem]() *T {
	const page = 4096
	words := make([]uint64, (unsafe.Sizeof(*new(T))+page)/8)
	skip := -uintptr(unsafe.Pointer(&words[0])) % page / 8
	return (*T)(unsafe.Pointer(&words[skip]))
}

// lowest is the index of the lowest set bit, as an index that needs no check.
func lowest(set uint64) int { return bits.TrailingZeros64(set) & (Max - 1) }

// has says whether node x is in the set.
func has(set uint64, x int) bool { return set>>(uint(x)&63)&1 != 0 }

// laneSum adds eight lanes in the order in which vector registers are folded.
func laneSum(a *[8]float64) float64 {
	return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]))
}

// tag replaces the six lowest bits of x, 2⁻⁴⁶ of its size, by 63 − i. The
// largest of tagged numbers then tells where it was found, and the lowest index
// wins between equals.
func tag(x float64, i int) float64 {
	return math.Float64frombits(math.Float64bits(x)&^(Max-1) | uint64(Max-1-i))
}
