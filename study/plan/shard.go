package plan

import (
	"context"

	"barrow/evaluate"
)

// shard does a shard's share of the plan: trainings are dealt out in turn over all seeds. Which
// decoders are trained follows from the rules by hand in all classes: shards that train some share
// these, others measure some classes, dealt out in turn, too. Choosing is for who does the whole.
func (w *work) shard(ctx context.Context) error {
	for k := range w.plan.Seeds {
		if err := w.seed(k).shardOf(ctx, k); err != nil {
			return err
		}
	}
	return w.folder.EndShard()
}

// shardOf does the share of the k-th seed.
func (w *work) shardOf(ctx context.Context, k int) error {
	if err := w.begin(ctx); err != nil {
		return err
	}
	list, all := w.fixedSets(), w.everyClass()
	n := len(list) + w.learners()
	mine := func(i int) bool { return w.folder.Mine(k*n + i) }
	decoders := false
	for i := len(list); i < n; i++ {
		decoders = decoders || mine(i)
	}
	if !decoders {
		var own []int
		for _, c := range all {
			if w.folder.Mine(k*len(all) + c) {
				own = append(own, c)
			}
		}
		all = own
	}
	hand, err := w.measureSome(ctx, byHand, 0, shareHand, all, w.handCandidates)
	if err != nil {
		return err
	}
	if decoders {
		list = w.sets(hand)
	}
	return w.train(ctx, list, hand, mine)
}

// learners is how many decoders are trained.
func (w *work) learners() (n int) {
	for _, links := range w.linkCounts() {
		seen := map[string]bool{}
		for _, s := range evaluate.SchemesOn(links) {
			if s.Learns() {
				seen[s.Short()] = true
			}
		}
		n += min(len(seen), w.plan.Decoders)
	}
	return n
}
