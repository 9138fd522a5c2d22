package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"barrow/run"
	"barrow/run/shard"
	"barrow/run/submit"
)

func newStatus(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "status DIR|FILE.shards|FOLDER",
		Short: "Say how far the shards of a job are",
		Long: `Says of a folder that "barrow submit" made how many shards are done, at work,
waiting and failed, and when the rest will be done if as many stay at work.

It reads the files that shards leave, and asks Slurm by squeue where that is there. By files
alone, a shard whose machine went down counts as at work until its time (--time) is over, and
one that failed and is tried again as failed.

Of shards without such a folder, in FILE.shards or a run's FOLDER, it says which are done.`,
		Example: "  barrow status jobs/all\n  barrow status a.csv.shards",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if s, err := byHand(args[0]); s != nil || err != nil {
				if err == nil {
					err = s.print(cmd.OutOrStdout(), c.json)
				}
				return err
			}
			if _, err := os.Stat(args[0]); err != nil {
				return fmt.Errorf("%s: there is no such folder: name that of \"barrow submit --out\", or one with shards", args[0])
			}
			q, silent := submit.Ask(cmd.Context(), args[0])
			s, err := submit.ReadStatus(args[0], time.Now(), q)
			if err != nil {
				return err
			}
			if silent != nil {
				fmt.Fprintln(remarks(cmd, c), silent, "(what follows is from files alone)")
			}
			w := cmd.OutOrStdout()
			if c.json {
				return json.NewEncoder(w).Encode(s)
			}
			printStatus(w, s, args[0])
			return nil
		},
	}
}

// handStatus is how far shards are that no job does.
type handStatus struct {
	Shards  int    `json:"shards"`
	Done    int    `json:"done"`
	Missing []int  `json:"missing"` // those that are not done
	Out     string `json:"out"`
	Made    bool   `json:"made"` // whether that is there

	dir, list string
}

// byHand finds out how far the shards of a file or of a run are; nil where the folder has none.
func byHand(dir string) (*handStatus, error) {
	dir = filepath.Clean(dir)
	s := &handStatus{dir: dir, Missing: []int{}, Out: strings.TrimSuffix(dir, shard.Ending)}
	of, made := dir, s.Out
	switch {
	case run.Cuts(dir):
		of, made = filepath.Join(dir, run.Shards), filepath.Join(dir, run.Results)
	case !shard.Folder(dir):
		return nil, nil
	}
	n, err := shard.Count(of)
	if err != nil {
		return nil, err
	}
	done, err := shard.Finished(of, n)
	if err != nil {
		return nil, err
	}
	s.Shards = n
	for i, ok := range done {
		if !ok {
			s.Missing = append(s.Missing, i)
		}
	}
	s.Done = n - len(s.Missing)
	s.list = (&shard.MissingError{Missing: s.Missing}).List()
	_, err = os.Stat(made)
	s.Made = err == nil
	return s, nil
}

func (s *handStatus) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	text := fmt.Sprintf("%d of %d shards done", s.Done, s.Shards)
	switch {
	case s.Done < s.Shards:
		text += "; not done: " + s.list
	case s.Made:
		text += "; " + s.Out + " is made"
	default:
		text += fmt.Sprintf("; %s makes %s of them", submit.ShellWords("barrow", "merge", s.dir), s.Out)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// printStatus prints how far the job of the folder dir is.
func printStatus(w io.Writer, s *submit.Status, dir string) {
	fmt.Fprintf(w, "%d of %d shards done", s.Done, s.Shards)
	if s.Known {
		fmt.Fprintf(w, ", %d at work", s.Running)
	}
	fmt.Fprintf(w, ", %d waiting, %d failed\n", s.Waiting, len(s.Failed))
	if s.Queued != nil {
		fmt.Fprintln(w, queued(s))
	}
	switch {
	case s.Made && s.Done == s.Shards:
		fmt.Fprintf(w, "%s is made\n", s.Out)
	case s.Done == s.Shards:
		fmt.Fprintf(w, "%s is still to be made, by the step behind the shards", s.Out)
		if s.Known {
			fmt.Fprint(w, " or ", submit.ShellWords("sh", filepath.Join(dir, "merge.sh")))
		}
		fmt.Fprintln(w)
	}
	if s.Seconds > 0 {
		fmt.Fprintf(w, "%v left with %d at work\n", (time.Duration(s.Seconds) * time.Second).Round(time.Second), s.Running)
	}
	for k, f := range s.Failed {
		if k == 20 {
			fmt.Fprintf(w, "and %d more that failed\n", len(s.Failed)-k)
			break
		}
		fmt.Fprintf(w, "shard %d %s\n", f.Shard, f.Why)
	}
}

// queued is a line of what the scheduler says.
func queued(s *submit.Status) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(s.Queued.Reasons)) {
		parts = append(parts, fmt.Sprintf("%d waiting for %s", s.Queued.Reasons[reason], reason))
	}
	if s.Queued.Absent > 0 {
		parts = append(parts, fmt.Sprintf("%d not handed in", s.Queued.Absent))
	}
	whole := s.Queued.Whole
	if whole == "" {
		whole = "not in the queue"
	}
	return s.Scheduler + ": " + strings.Join(append(parts, "the step that makes the whole: "+whole), ", ")
}
