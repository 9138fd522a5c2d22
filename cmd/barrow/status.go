package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"barrow/run/submit"
)

func newStatus(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "status DIR",
		Short: "Say how far the shards of a job are",
		Long: `Says of a folder that "barrow submit" made how many shards are done, at work,
waiting and failed, and when the rest will be done if as many stay at work.

It reads the files that shards leave, and asks Slurm by squeue where that is there. By files
alone, a shard whose machine went down counts as at work until its time (--time) is over, and
one that failed and is tried again as failed.`,
		Example: "  barrow status jobs/all",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
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
