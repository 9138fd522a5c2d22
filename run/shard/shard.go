// Package shard cuts a command's work into shards that run anywhere, in any order, and puts what
// they leave together again.
//
// A file NAME that is made in shards has a folder NAME.shards: a manifest of the whole, written by
// the first shard that comes, and for every shard that is done a piece and its record. [Merge]
// makes NAME of the pieces, byte for byte what one run would have made. All files appear complete
// or not at all, nothing is locked, and what belongs to other work is refused by name. What the first
// shard finds out about large inputs ([Inputs]) it leaves to the others.
package shard

import (
	"fmt"
	"strconv"
	"strings"
)

// A Shard is one of N parts of some work, by its number from 0.
type Shard struct{ I, N int }

// Most is the largest number of shards: file names have five digits.
const Most = 100_000

// Auto is the word for a shard that is said by the environment.
const Auto = "auto"

// Environment variables that say which shard a process is, where no engine does.
const (
	envShard  = "BARROW_SHARD"
	envShards = "BARROW_SHARDS"
)

// Parse reads "i/n", or finds out from the environment, by lookup, as os.LookupEnv, where the
// text is [Auto]: a task of a Slurm array, a pod of a Kubernetes job with indexes, or whatever sets
// BARROW_SHARD and BARROW_SHARDS. Kubernetes does not say how many there are: BARROW_SHARDS does.
func Parse(text string, lookup func(string) (string, bool)) (Shard, error) {
	if text == Auto {
		return fromEnvironment(lookup)
	}
	i, n, ok := strings.Cut(text, "/")
	a, err1 := strconv.Atoi(i)
	b, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil {
		return Shard{}, fmt.Errorf("shard %q: want i/n, as 0/10 for the first of ten, or %s", text, Auto)
	}
	s := Shard{a, b}
	return s, s.Check()
}

// Check reports a number that no shard has.
func (s Shard) Check() error {
	if s.N < 1 || s.N > Most {
		return fmt.Errorf("shard %v: of 1 to %d shards", s, Most)
	}
	if s.I < 0 || s.I >= s.N {
		return fmt.Errorf("shard %v: want 0/%d to %d/%d", s, s.N, s.N-1, s.N)
	}
	return nil
}

// String is the shard as Parse reads it.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.I, s.N) }

// Range is the shard's part of so many things in a row: from the first to the one before the
// second number. Parts of all shards follow each other and differ by at most one in length.
func (s Shard) Range(things int) (from, to int) {
	at := func(i int) int { return things/s.N*i + things%s.N*i/s.N }
	return at(s.I), at(s.I + 1)
}

// Has tells whether thing k of several that differ in cost is the shard's: they are dealt out in turn.
func (s Shard) Has(k int) bool { return k%s.N == s.I }

func fromEnvironment(lookup func(string) (string, bool)) (Shard, error) {
	number := func(name string) (int, error) {
		text, ok := lookup(name)
		if !ok {
			return 0, fmt.Errorf("shard %s: %s is not set", Auto, name)
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("shard %s: %s=%q is no number", Auto, name, text)
		}
		return n, nil
	}
	var s Shard
	var err error
	set := func(v *int, name string) {
		if err == nil {
			*v, err = number(name)
		}
	}
	has := func(name string) bool { _, ok := lookup(name); return ok }
	switch {
	case has(envShard):
		set(&s.I, envShard)
		set(&s.N, envShards)
	case has("SLURM_ARRAY_TASK_ID"):
		first, step := 0, 1
		set(&s.I, "SLURM_ARRAY_TASK_ID")
		set(&first, "SLURM_ARRAY_TASK_MIN")
		if has("SLURM_ARRAY_TASK_STEP") {
			set(&step, "SLURM_ARRAY_TASK_STEP")
		}
		if has(envShards) { // an array over some of them, as those that failed
			set(&s.N, envShards)
			break
		}
		set(&s.N, "SLURM_ARRAY_TASK_COUNT")
		if err == nil && (step < 1 || (s.I-first)%step != 0) {
			err = fmt.Errorf("shard %s: task %d is none of an array from %d in steps of %d", Auto, s.I, first, step)
		}
		if err == nil {
			s.I = (s.I - first) / step
		}
	case has("JOB_COMPLETION_INDEX"):
		set(&s.I, "JOB_COMPLETION_INDEX")
		set(&s.N, envShards)
	default:
		err = fmt.Errorf("shard %s: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX nor %s is set: this is no task of an array; say i/n", Auto, envShard)
	}
	if err != nil {
		return s, err
	}
	if err := s.Check(); err != nil {
		return s, fmt.Errorf("%w (of the environment; %s says how many there are where an array has some of them alone)", err, envShards)
	}
	return s, nil
}
