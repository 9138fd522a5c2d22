package sparse

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Random problems on random graphs, arcs both ways and one way, ties and large masses: the
// flow is conserved, the potentials prove it optimal, and the tree is in order.
func TestRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var s Network
	for trial := range 3000 {
		n := 2 + r.IntN(40)
		if trial%50 < 2 {
			n = 200 + r.IntN(300) // enough for rounds of pivots
		}
		var arcs []Arc
		var tree []int32
		cost := func() float64 {
			if trial%2 == 0 {
				return 1
			}
			return r.Float64()
		}
		for x := 1; x < n; x++ {
			tree = append(tree, int32(len(arcs)))
			arcs = append(arcs, Arc{int32(x), int32(r.IntN(x)), cost()})
		}
		for range r.IntN(3 * n) {
			if a, b := int32(r.IntN(n)), int32(r.IntN(n)); a != b {
				arcs = append(arcs, Arc{a, b, cost()})
			}
		}
		both := len(arcs)
		for range r.IntN(3 * n) {
			if a, b := int32(r.IntN(n)), int32(r.IntN(n)); a != b {
				arcs = append(arcs, Arc{a, b, cost()})
			}
		}
		late := both + r.IntN(len(arcs)-both+1)
		s.Reset(n, append([]Arc(nil), arcs[:late]...), both)
		supply := s.Supply()
		sum := 0.0
		for x := 1; x < n; x++ {
			supply[x] = math.Floor(math.Exp2(float64(r.IntN(30))*r.Float64())) * float64(r.IntN(3)-1)
			sum += supply[x]
		}
		supply[0] = -sum
		if !s.Plant(tree, int32(r.IntN(n))) {
			t.Fatal("not planted")
		}
		check(t, &s)
		if !s.Solve(10000) {
			t.Fatal("too many pivots")
		}
		check(t, &s)
		optimal(t, &s, s.arcs)
		ok := s.Generate(10000, func() bool {
			found := false
			for _, a := range arcs[late:] {
				found = s.Offer(a) || found
			}
			return found
		})
		if !ok {
			t.Fatal("too many pivots")
		}
		check(t, &s)
		optimal(t, &s, s.arcs)
		oneWay(t, &s, arcs[late:])
	}
}

// check looks at all that a pivot has to keep true.
func check(t *testing.T, s *Network) {
	t.Helper()
	n := len(s.supply)
	rest := append([]float64(nil), s.supply...)
	size := make([]int32, n)
	seen := 0
	pos := make([]int, n)
	for x := s.root; ; {
		pos[x] = seen
		seen++
		y := s.thread[x]
		if s.back[y] != x {
			t.Fatal("thread and back differ")
		}
		if x = y; x == s.root || seen > n {
			break
		}
	}
	if seen != n {
		t.Fatalf("%d of %d nodes in the list", seen, n)
	}
	end := make([]int32, n)
	for x := range end {
		end[x] = int32(x)
	}
	for x := range n {
		for y := int32(x); y != none; y = s.node[y].parent {
			size[y]++
			if pos[x] < pos[y] {
				t.Fatal("no preorder")
			}
			if pos[x] >= pos[end[y]] {
				end[y] = int32(x)
			}
		}
	}
	for x := range n {
		if size[x] != s.node[x].size || end[x] != s.last[x] || pos[end[x]] != pos[x]+int(size[x])-1 {
			t.Fatalf("node %d: size %d, not %d; last %d, not %d", x, s.node[x].size, size[x], s.last[x], end[x])
		}
		p := s.node[x].parent
		if p == none {
			continue
		}
		a := s.arcs[s.arc[x]]
		if !(a.From == int32(x) && a.To == p || a.To == int32(x) && a.From == p) {
			t.Fatal("the wrong arc")
		}
		if int(s.arc[x]) >= s.both && (a.From == p) != (s.node[x].flow < 0) {
			t.Fatal("flow the wrong way, or no strongly feasible tree")
		}
		rest[x] -= s.node[x].flow
		rest[p] += s.node[x].flow
	}
	for x, y := range rest {
		if y != 0 {
			t.Fatalf("%v is left at %d", y, x)
		}
	}
}

func optimal(t *testing.T, s *Network, arcs []Arc) {
	t.Helper()
	for k, a := range arcs {
		d := s.pot[a.From] - s.pot[a.To]
		if k < s.both {
			d = math.Abs(d)
		}
		if d > a.Cost+1e-12 {
			t.Fatalf("arc %d is violated by %v", k, d-a.Cost)
		}
	}
	s.Flows(func(k int, from, to int32, flow float64) {
		if d := s.pot[from] - s.pot[to] - arcs[k].Cost; !(math.Abs(d) < 1e-12) || flow <= 0 {
			t.Fatalf("flow %v on arc %d, which is slack by %v", flow, k, d)
		}
	})
}

func oneWay(t *testing.T, s *Network, arcs []Arc) {
	t.Helper()
	for _, a := range arcs {
		if d := s.pot[a.From] - s.pot[a.To] - a.Cost; d > 1e-12 {
			t.Fatalf("arc %v is violated by %v and was not added", a, d)
		}
	}
}

// An arc that is violated by the tolerance and no more is not taken, and where price insists
// there is an end.
func TestGenerateEnds(t *testing.T) {
	var s Network
	s.Reset(3, []Arc{{0, 1, 1}, {1, 2, 1}}, 0)
	copy(s.Supply(), []float64{5, 0, -5})
	s.Plant([]int32{0, 1}, 0)
	s.Solve(10)
	for _, c := range []struct {
		below float64
		taken bool
	}{{0, false}, {0.5, false}, {4, true}} {
		before := len(s.arcs)
		if got := s.Offer(Arc{0, 2, 2 - c.below*s.tol}); got != c.taken || len(s.arcs)-before > 1 || (len(s.arcs) > before) != got {
			t.Errorf("an arc that is violated by %v of the tolerance: %v", c.below, got)
		}
	}
	calls := 0
	if !s.Generate(10, func() bool { calls++; return true }) || calls > 2 {
		t.Errorf("%d calls of a price that finds nothing new", calls)
	}
	if s.Generate(0, func() bool { return s.Offer(Arc{0, 2, 1}) }) {
		t.Error("a limit of 0 pivots")
	}
}

// The worst are kept, in order.
func TestCandidates(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for most := 1; most < 7; most++ {
		c := Candidates{Most: most}
		for range 50 {
			c.Reset()
			var all []float64
			for k := range r.IntN(20) {
				v := float64(r.IntN(9) - 2)
				c.Keep(Candidate{int32(k), 0, v})
				if v > 0 {
					all = append(all, v)
				}
			}
			slices.SortFunc(all, func(a, b float64) int { return cmp.Compare(b, a) })
			all = all[:min(most, len(all))]
			var got []float64
			for _, x := range c.List() {
				got = append(got, x.Violation)
			}
			if !slices.Equal(got, all) {
				t.Fatalf("%v, not %v", got, all)
			}
		}
	}
}

func TestPlantRefuses(t *testing.T) {
	var s Network
	arcs := []Arc{{0, 1, 1}, {1, 2, 1}, {2, 0, 1}, {0, 1, 2}}
	for _, c := range []struct {
		tree   []int32
		supply [3]float64
		ok     bool
	}{
		{[]int32{0, 1}, [3]float64{5, 0, -5}, true},
		{[]int32{0, 1}, [3]float64{5, -5, 0}, false}, // no flow on an arc away from the root
		{[]int32{0, 1}, [3]float64{-5, 0, 5}, false}, // against the arcs
		{[]int32{0, 1}, [3]float64{5, 0, -4}, false}, // not balanced
		{[]int32{0}, [3]float64{5, 0, -5}, false},    // not all nodes
		{[]int32{0, 0}, [3]float64{5, 0, -5}, false}, // twice the same
		{[]int32{0, 3}, [3]float64{5, -5, 0}, false}, // a cycle of two
		{[]int32{2, 1}, [3]float64{-5, -1, 6}, false},
		{[]int32{2, 1}, [3]float64{-5, 1, 4}, true},
	} {
		s.Reset(3, arcs, 0)
		copy(s.Supply(), c.supply[:])
		if got := s.Plant(c.tree, 0); got != c.ok {
			t.Errorf("tree %v with %v: %v", c.tree, c.supply, got)
		}
	}
}

// From a node to its neighbour costs 1 either way, and a shortcut is found later.
func ExampleNetwork() {
	var s Network
	s.Reset(4, []Arc{{0, 1, 1}, {1, 2, 1}, {2, 3, 1}}, 3)
	copy(s.Supply(), []float64{5, 0, 0, -5})
	s.Plant([]int32{0, 1, 2}, 0)
	s.Solve(100)
	fmt.Println(s.Primal())
	s.Offer(Arc{0, 3, 2.5})
	s.Solve(100)
	fmt.Println(s.Primal())
	// Output:
	// 15
	// 12.5
}
