package columns

import "barrow/emd/internal/sparse"

// An amount is mass, and then what strong feasibility adds to it: as if every source had
// a little more and every sink took that much less, but the root. Trees for such masses
// have no arc without flow, and are strongly feasible for the masses as they are (J. B.
// Orlin, SIAM J. Comput. 14 (1985) 44).
type amount struct{ mass, little float64 }

func (a amount) less(b amount) bool {
	return a.mass < b.mass || a.mass == b.mass && a.little < b.little
}

func (a amount) minus(b amount) amount { return amount{a.mass - b.mass, a.little - b.little} }

// A share is what goes from one node to another.
type share struct {
	from, to int32
	amount
}

// tree lists the shares of the level's tree: what flows over its arcs.
func (s *Solver) tree(l *level) []share {
	n := l.src.nodes() + l.snk.nodes()
	s.weight = grow(s.weight, n)
	for k := range s.weight {
		s.weight[k] = 0
	}
	for _, g := range l.finer.src.up {
		s.weight[g]++
	}
	for _, g := range l.finer.snk.up {
		s.weight[l.src.nodes()+int(g)]++
	}
	list := s.coarse[:0]
	arcs := s.net.Arcs()
	s.net.Walk(func(x, parent, arc int32, flow float64) {
		a := arcs[arc]
		w := s.weight[x]
		s.weight[parent] += w
		if a.From != x { // away from the root
			flow, w = -flow, -w
		}
		list = append(list, share{a.From, a.To - int32(l.src.nodes()), amount{flow, w}})
	})
	s.coarse = list
	return list
}

// refine turns the tree of the level above into one of l, as arcs of s.arcs.
func (s *Solver) refine(l *level, coarse []share) {
	s.parts = sortShares(coarse, s.parts, &s.start, l.coarser.src.nodes(), func(x *share) int32 { return x.from })
	between := s.between[:0]
	for g := range l.coarser.src.nodes() {
		out := s.parts[s.start[g]:s.start[g+1]]
		s.have = s.have[:0]
		for k := l.src.first[g]; k < l.src.first[g+1]; k++ {
			s.have = append(s.have, amount{l.src.mass[k], 1})
		}
		s.want = s.want[:0]
		for _, x := range out {
			s.want = append(s.want, x.amount)
		}
		northWest(s.have, s.want, func(i, j int, x amount) {
			between = append(between, share{l.src.first[g] + int32(i), out[j].to, x})
		})
	}
	s.between = between
	s.parts = sortShares(between, s.parts, &s.start, l.coarser.snk.nodes(), func(x *share) int32 { return x.to })
	s.arcs = s.arcs[:0]
	sources := int32(l.src.nodes())
	for g := range l.coarser.snk.nodes() {
		in := s.parts[s.start[g]:s.start[g+1]]
		s.have = s.have[:0]
		for _, x := range in {
			s.have = append(s.have, x.amount)
		}
		s.want = s.want[:0]
		for k := l.snk.first[g]; k < l.snk.first[g+1]; k++ {
			s.want = append(s.want, amount{l.snk.mass[k], -1})
		}
		if g == 0 {
			// The root is what all that little goes to.
			s.want[0].little = float64(l.src.nodes() + l.snk.nodes() - 1)
		}
		northWest(s.have, s.want, func(i, j int, _ amount) {
			from, to := in[i].from, l.snk.first[g]+int32(j)
			s.arcs = append(s.arcs, sparse.Arc{From: from, To: sources + to, Cost: l.cost(s, int(from), int(to))})
		})
	}
}

// northWest shares out what there is among those who want it, both in order: len(have) +
// len(want) − 1 times something.
func northWest(have, want []amount, emit func(i, j int, x amount)) {
	i, j := 0, 0
	for {
		lastI, lastJ := i == len(have)-1, j == len(want)-1
		if lastJ || !lastI && have[i].less(want[j]) {
			emit(i, j, have[i])
			if lastI {
				return
			}
			want[j] = want[j].minus(have[i])
			i++
			continue
		}
		emit(i, j, want[j])
		have[i] = have[i].minus(want[j])
		j++
	}
}

// sortShares sorts by group, keeping the order within: those of group g are from start[g]
// to start[g+1].
func sortShares(list, into []share, start *[]int32, groups int, of func(*share) int32) []share {
	into = grow(into, len(list))
	at := grow(*start, groups+2)
	*start = at
	clear(at)
	for k := range list {
		at[of(&list[k])+2]++
	}
	for g := 2; g < len(at); g++ {
		at[g] += at[g-1]
	}
	for k := range list {
		g := of(&list[k]) + 1
		into[at[g]] = list[k]
		at[g]++
	}
	return into
}
