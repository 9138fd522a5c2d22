package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"barrow/run"
	"barrow/run/shard"
)

func newMerge(c *common) *cobra.Command {
	var force, watch bool
	cmd := &cobra.Command{
		Use:   "merge FILE.shards|FOLDER...",
		Short: "Put together what shards made",
		Long: `Makes FILE of all its shards, byte for byte as one run would have made it. Shards
that are missing, that are of other work, other settings or another version, or that were changed since,
are named, and nothing is written then. What is there already stays as it is.

A run's folder whose trainings were done in shards is measured and closed, as by the
command without --shard; call it where that was called.

With --watch it waits until all shards are there, the first of them, too.`,
		Example: `  for i in 0 1 2; do barrow simulate --events 30000 --out a.csv --shard $i/3; done
  barrow merge a.csv.shards`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, dir := range args {
				if err := mergeOne(cmd, c, dir, force, watch); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE where it is another")
	cmd.Flags().BoolVar(&watch, "watch", false, "wait for shards that are missing")
	return cmd
}

// mergeOne puts the shards of a file or of a run together.
func mergeOne(cmd *cobra.Command, c *common, dir string, force, watch bool) error {
	if watch {
		if err := begun(cmd, c, dir); err != nil {
			return err
		}
	} else if err := shardsIn(dir); err != nil {
		return err
	}
	if run.Cuts(dir) {
		return mergeRun(cmd, c, dir, watch)
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	s := shard.MergeSettings{Force: force, Join: join, Progress: bar.set, Remark: func(text string) { fmt.Fprintln(remarks(cmd, c), text) }}
	var m *shard.Merged
	err := waiting(cmd, c, watch, func() (err error) {
		m, err = shard.Merge(cmd.Context(), dir, s)
		return err
	})
	if err != nil {
		return err
	}
	bar.close()
	if c.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(m)
	}
	if m.There {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is there already: %d rows of %d shards\n", m.File, m.Rows, m.Shards)
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d rows of %d shards\n", m.File, m.Rows, m.Shards)
	return err
}

// shardsIn refuses what holds no shards.
func shardsIn(dir string) error {
	if run.Cuts(dir) || shard.Folder(dir) {
		return nil
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such folder: shards of FILE are in FILE%s, those of a run in its folder, once the first has begun", dir, shard.Ending)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: is a file; name the folder of its shards, %s, or that of a run", dir, dir+shard.Ending)
	}
	return fmt.Errorf("%s holds no shards: those of FILE are in FILE%s, those of a run in its folder", dir, shard.Ending)
}

// begun waits until a shard has begun.
func begun(cmd *cobra.Command, c *common, dir string) error {
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	for !run.Cuts(dir) && !shard.Folder(dir) {
		bar.set(0, dir+": no shard has begun")
		if err := pause(cmd.Context(), watchEvery); err != nil {
			return err
		}
	}
	return nil
}

// watchEvery is how often a folder is looked into.
const watchEvery = time.Second

// pause waits, or ends with the context.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
