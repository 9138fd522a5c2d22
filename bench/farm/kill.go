package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A job is a command that can be done in shards. OUT in its arguments is the name of what it makes.
type job struct {
	name string
	args string
	// what is merged, and the files that must have the same bytes, both of OUT.
	merge, files []string
}

// of a file, and of a run's folder.
func file(name, args string) job {
	return job{name, args, []string{"OUT.shards"}, []string{"OUT"}}
}
func folder(name, args string, more ...string) job {
	files := []string{"OUT/results.json"}
	for _, m := range more {
		files = append(files, "OUT/"+m)
	}
	return job{name, args, []string{"OUT"}, files}
}

const modules = "layer,waferu,waferv,links\n9,2,3,2\n9,3,3,2\n9,3,4,3\n9,4,4,3\n"

const protocol = `about = "one of each"
rate_step = 2.0

[settings]
precisions = ["asic"]
links = [3]
sum = "sent"
epochs = 2

[[contender]]
algorithm = "bc"

[[contender]]
loss = "mse"

[[contender]]
loss = "telescope"
`

func jobs() []job {
	gradients := file("emd", "emd a.csv b.csv --out OUT --potentials OUT.npz")
	gradients.merge, gradients.files = append(gradients.merge, "OUT.npz.shards"), append(gradients.files, "OUT.npz")
	return []job{
		file("simulate", "simulate --events 20000 --out OUT"),
		gradients,
		file("convert", "convert a.csv b.csv OUT --select layer>5"),
		file("econt", "econt encode a.csv --etx 2 --out OUT"),
		folder("compare", "compare --losses mse,telescope --seeds 2 --events 400 --epochs 6 --out OUT"),
		folder("protocol", "compare --protocol own.toml --events 400 --seeds 2 --out OUT"),
		folder("scan", "surrogate scan --architectures n1,paper --losses mse --repeats 2 --events 200 --pairs 400 --epochs 2 --out OUT"),
		folder("seeds", "encoder train --loss mse --seeds 4 --events 400 --epochs 6 --out OUT", "weights/encoder-mse.weights"),
		folder("physics", "physics --class photon --pileup 0 --pt 20:60 --eta 2:2.4 --events 400 --contenders bc,bc-learned,telescope --links 2 --per-link=false --training-images 200 --epochs 1 --draws 10 --minimum-bias 0 --out OUT"),
		folder("plan", "plan --modules modules.csv --class-images 60 --fewest 2 --encoder-links 2 --events 400 --epochs 2 --decoders 1 --seeds 2 --out OUT", "plan.csv"),
	}
}

// pieces is in how many shards a job is done, and atOnce how many are at work at a time.
const (
	pieces = 3
	atOnce = 2
)

// kill tries all jobs.
func kill(ctx context.Context, s settings, dir string) error {
	if s.barrow == "" {
		return errors.New("--barrow is missing: name the program, built")
	}
	barrow, err := filepath.Abs(s.barrow)
	if err != nil {
		return err
	}
	k := &killer{barrow: barrow, dir: dir, rng: rand.New(rand.NewPCG(s.seed, 1))}
	fmt.Printf("seed %d\n", s.seed)
	for name, text := range map[string]string{"modules.csv": modules, "own.toml": protocol} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	for _, args := range []string{"simulate --events 4000 --out a.csv", "simulate --events 4000 --first 9000 --out b.csv"} {
		if _, err := k.run(ctx, args, 0); err != nil {
			return err
		}
	}
	list := slices.DeleteFunc(jobs(), func(j job) bool { return s.only != "" && j.name != s.only })
	if len(list) == 0 {
		return fmt.Errorf("no command %q", s.only)
	}
	for i, j := range list {
		kills := s.kills*(i+1)/len(list) - s.kills*i/len(list)
		began := time.Now()
		said, err := k.try(ctx, j, kills)
		if err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
		fmt.Printf("%-9s %d kills (%s): the same bytes, %.0f s\n", j.name, kills, said, time.Since(began).Seconds())
	}
	return nil
}

type killer struct {
	barrow, dir string
	mutex       sync.Mutex
	rng         *rand.Rand
}

// within is a random time below d.
func (k *killer) within(d time.Duration) time.Duration {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return time.Duration(k.rng.Int64N(int64(d)))
}

// run calls the program, and kills it after a time unless that is 0 or it has ended before.
func (k *killer) run(ctx context.Context, args string, after time.Duration) (killed bool, err error) {
	cmd := exec.CommandContext(ctx, k.barrow, append(strings.Fields(args), "--quiet", "--threads", "1")...)
	cmd.Dir = k.dir
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return false, err
	}
	if after > 0 {
		t := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		defer t.Stop()
	}
	err = cmd.Wait()
	if err != nil && cmd.ProcessState.ExitCode() == -1 && ctx.Err() == nil {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w: %s", args, err, said.String())
	}
	return false, nil
}

// try does a job whole, and in shards that are killed so often, in as many rounds as it takes, and
// compares what each round makes.
func (k *killer) try(ctx context.Context, j job, kills int) (said string, err error) {
	began := time.Now()
	if _, err := k.run(ctx, j.in(j.args, "whole"), 0); err != nil {
		return "", err
	}
	took := time.Since(began)
	rounds, runs, left := 0, 0, kills
	for rounds == 0 || left > 0 {
		rounds++
		r := &round{left: left, runs: make([]int, pieces), busy: make([]bool, pieces), done: make([]bool, pieces)}
		if err := k.round(ctx, j, fmt.Sprintf("cut%d", rounds), r, took); err != nil {
			return "", fmt.Errorf("round %d: %w", rounds, err)
		}
		left = r.left
		for _, n := range r.runs {
			runs += n
		}
	}
	return fmt.Sprintf("%d shards begun for %d in %d rounds", runs, rounds*pieces, rounds), nil
}

// round does all shards of a job, merges them and compares.
func (k *killer) round(ctx context.Context, j job, which string, r *round, took time.Duration) error {
	var g errgroup.Group
	for range atOnce {
		g.Go(func() error { return k.work(ctx, j.in(j.args, which), r, took) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := k.merge(ctx, j.in("merge "+strings.Join(j.merge, " "), which), r); err != nil {
		return err
	}
	for _, f := range j.files {
		a, errA := os.ReadFile(filepath.Join(k.dir, j.in(f, "whole")))
		b, errB := os.ReadFile(filepath.Join(k.dir, j.in(f, which)))
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if !bytes.Equal(a, b) {
			return fmt.Errorf("%s: other bytes than of one run", j.in(f, which))
		}
	}
	return nil
}

// in puts the name of what is made into a text.
func (j job) in(text, which string) string {
	name := j.name + "-" + which
	if !strings.Contains(j.files[0], "/") {
		name += ".csv"
	}
	return strings.ReplaceAll(text, "OUT", name)
}

// A round is the shards of a job under way.
type round struct {
	mutex sync.Mutex
	left  int    // kills
	runs  []int  // how often each was begun
	busy  []bool // at work
	done  []bool
}

// next takes a shard that is not done and that nobody is at, and tells whether it is to be killed;
// i is -1 where there is none, all where all are done.
func (r *round) next() (i int, doom, all bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	i, all = -1, true
	for k, done := range r.done {
		if all = all && done; !done && !r.busy[k] && (i < 0 || r.runs[k] < r.runs[i]) {
			i = k
		}
	}
	if i >= 0 {
		r.busy[i] = true
		r.runs[i]++
		if doom = r.left > 0; doom {
			r.left--
		}
	}
	return i, doom, all
}

// ended tells how a shard did.
func (r *round) ended(i int, doom, killed bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.busy[i] = false
	if doom && !killed {
		r.left++
	}
	r.done[i] = !killed
}

// work does shards until all are done.
func (k *killer) work(ctx context.Context, args string, r *round, took time.Duration) error {
	for {
		i, doom, all := r.next()
		if all {
			return nil
		}
		if i < 0 {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		after := time.Duration(0)
		if doom {
			after = time.Millisecond + k.within(took/2)
		}
		killed, err := k.run(ctx, fmt.Sprintf("%s --shard %d/%d", args, i, pieces), after)
		if err != nil {
			return err
		}
		r.ended(i, doom, killed)
	}
}

// mergeKills is how often a round's merge is killed, and within which time.
const (
	mergeKills  = 2
	mergeWithin = 200 * time.Millisecond
)

// merge puts the shards together, killed some times if there are kills left, and twice in peace.
func (k *killer) merge(ctx context.Context, args string, r *round) error {
	for range min(mergeKills, r.left) {
		killed, err := k.run(ctx, args, time.Millisecond+k.within(mergeWithin))
		if err != nil {
			return err
		}
		if killed {
			r.left--
		}
	}
	for range 2 {
		if _, err := k.run(ctx, args, 0); err != nil {
			return err
		}
	}
	return nil
}
