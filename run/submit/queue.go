package submit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Queue is what a scheduler says of a job's shards that it has.
type Queue struct {
	shards map[int]task
	whole  string // what the step that makes the whole does, "" where the scheduler has none
}

// A task is a shard that a scheduler has.
type task struct {
	waiting bool
	reason  string // why it waits, in the scheduler's word
}

// patience is how long a scheduler may take to answer.
const patience = 20 * time.Second

// Ask asks the scheduler of the job in the folder dir, where its commands are on this machine; it
// returns nil where they are not, and where the scheduler is none that can be asked. That is Slurm,
// by squeue.
func Ask(ctx context.Context, dir string) (*Queue, error) {
	j, err := readJob(dir)
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	k := slices.IndexFunc(schedulers, func(o scheduler) bool { return o.name == j.Scheduler })
	if k < 0 || schedulers[k].ask == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	q, err := schedulers[k].ask(ctx, dir, j.Name)
	if err != nil {
		return nil, fmt.Errorf("submit: %s: %w", j.Scheduler, err)
	}
	return q, nil
}

// squeue's columns: the job's name, the task's number in its array, state, reason, and the folder
// in which it was handed in, which comes last as it may hold anything.
const columns = "%j|%K|%T|%r|%Z"

// atRest are states of jobs that squeue shows and that do not run.
var atRest = []string{"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT"}

// askSlurm finds the tasks of this name that were handed in from the folder: however often it was.
func askSlurm(ctx context.Context, dir, name string) (*Queue, error) {
	if _, err := exec.LookPath("squeue"); err != nil {
		return nil, nil
	}
	out, err := exec.CommandContext(ctx, "squeue", "--noheader", "--array", "--name="+name+","+name+whole, "--format="+columns).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return nil, fmt.Errorf("squeue: %w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return nil, fmt.Errorf("squeue: %w", err)
	}
	return readSqueue(string(out), name, sameFolder(dir))
}

// whole is what the name of the step that makes the whole has behind that of the shards.
const whole = "-merge"

// sameFolder tells whether a path leads to the folder dir.
func sameFolder(dir string) func(string) bool {
	info, err := os.Stat(dir)
	known := map[string]bool{}
	return func(path string) bool {
		same, ok := known[path]
		if !ok {
			other, err2 := os.Stat(path)
			same = err == nil && err2 == nil && os.SameFile(info, other)
			known[path] = same
		}
		return same
	}
}

func readSqueue(out, name string, here func(string) bool) (*Queue, error) {
	q := &Queue{shards: map[int]task{}}
	for line := range strings.Lines(out) {
		words := strings.SplitN(strings.TrimSuffix(line, "\n"), "|", 5)
		if len(words) != 5 {
			return nil, fmt.Errorf("squeue says %q: want %s", line, columns)
		}
		if !here(words[4]) {
			continue
		}
		t := task{slices.Contains(atRest, words[2]), words[3]}
		switch words[0] {
		case name + whole:
			q.whole = words[2]
			if t.waiting {
				q.whole += " (" + t.reason + ")"
			}
		case name:
			i, err := strconv.Atoi(words[1])
			if err != nil {
				continue // no task of an array: somebody's own job
			}
			if old, ok := q.shards[i]; !ok || old.waiting { // of two that were handed in, the one that runs
				q.shards[i] = t
			}
		}
	}
	return q, nil
}
