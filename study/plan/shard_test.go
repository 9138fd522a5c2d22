package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"barrow/run"
	"barrow/run/shard"
)

// TestShards: shards at work at the same time train what is to be trained once among them, of two
// seeds, and leave what one run leaves; of a plan that trains nothing they measure its classes.
func TestShards(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"trainings": func(p *Plan) { p.EncoderLinks, p.Masks, p.Seeds = []int{2}, nil, 2 },
		"by hand":   func(p *Plan) { p.EncoderLinks, p.Masks, p.Decoders = []int{0}, nil, 0 },
	} {
		p := small(t)
		change(&p)
		one, cut := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "cut")
		r, _, err := Start(context.Background(), one, p, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		const n = 3
		var g errgroup.Group
		for i := range n {
			g.Go(func() error {
				_, _, err := Start(context.Background(), cut, p, Settings{Threads: 1, Cut: &run.Cut{Shard: shard.Shard{I: i, N: n}, Command: "plan"}})
				var done *run.ShardDone
				if !errors.As(err, &done) {
					return fmt.Errorf("%s, shard %d: %w", name, i, err)
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		// All trainings are there, and so are the classes by hand.
		hand, err := filepath.Glob(filepath.Join(cut, run.Weights, "class-*-"+byHand+".json"))
		weights, err2 := filepath.Glob(filepath.Join(cut, run.Weights, "*"+run.WeightsEnding))
		if err != nil || err2 != nil || len(hand) != len(r.Classes) || len(weights) != len(r.Sets)*p.Seeds {
			t.Errorf("%s: %d of %d classes, %d weights", name, len(hand), len(r.Classes), len(weights))
		}
		list, err := run.ReadMetrics(cut)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, e := range list {
			at := fmt.Sprint(e.Part, e.Epoch)
			if seen[at] {
				t.Errorf("%s: epoch %s was done twice", name, at)
			}
			seen[at] = true
		}
		if _, _, err := Start(context.Background(), cut, p, Settings{Threads: 2}); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{run.Results, run.Modules} {
			a, errA := os.ReadFile(filepath.Join(one, file))
			b, errB := os.ReadFile(filepath.Join(cut, file))
			if errA != nil || errB != nil || !bytes.Equal(a, b) {
				t.Errorf("%s: shards change %s: %v, %v", name, file, errA, errB)
			}
		}
		if strings.Contains(name, "hand") == (len(r.Sets) > 0) {
			t.Errorf("%s: %d sets", name, len(r.Sets))
		}
	}
}
