package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"barrow/run"
	"barrow/run/shard"
)

// argumentsKey is that of the program's arguments in its context.
type argumentsKey struct{}

// cuts makes a command one whose run can be done in shards.
func (f *runFlags) cuts(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.shard.text, "shard", "", `do part "i/n" alone, i from 0, of the trainings (of physics: of the events), in the run's folder; "barrow merge FOLDER" measures and closes the run; "auto" is what a batch system's array says`)
	_ = cmd.Flags().SetAnnotation("shard", inFolder, []string{})
}

// inFolder marks the flag of commands whose shards work in a run's folder.
const inFolder = "barrow_in_folder"

// said is the key of a command's arguments in what is kept of its shards.
const said = "arguments"

// cut is the shard that is to be done, nil for a whole run.
func (f *runFlags) cut(cmd *cobra.Command) (*run.Cut, error) {
	if !f.shard.given() {
		return nil, nil
	}
	if f.force {
		return nil, errors.New("--force: a shard does not replace a run, of which others have done shards: choose another folder")
	}
	s, err := f.shard.parse()
	if err != nil {
		return nil, err
	}
	args, _ := cmd.Context().Value(argumentsKey{}).([]string)
	text, err := json.Marshal(ofAll(args))
	if err != nil {
		return nil, err
	}
	return &run.Cut{Shard: s, Command: strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" "), Said: map[string]string{said: string(text)}}, nil
}

// ofAll leaves of arguments those that all shards have in common and that change a result.
func ofAll(args []string) []string {
	var out []string
	for k := 0; k < len(args); k++ {
		name, _, value := strings.Cut(strings.TrimPrefix(args[k], "--"), "=")
		switch {
		case !strings.HasPrefix(args[k], "--"):
			out = append(out, args[k])
		case slices.Contains([]string{"quiet", "json", "force"}, name):
		case slices.Contains([]string{"shard", "out", "threads", maxRuntime}, name):
			if !value {
				k++
			}
		default:
			out = append(out, args[k])
		}
	}
	return out
}

// ended ends a command well that has done its shard.
func (f *runFlags) ended(cmd *cobra.Command, c *common, err error) error {
	var done *run.ShardDone
	if !errors.As(err, &done) {
		return err
	}
	fmt.Fprintf(remarks(cmd, c), "shard %v of %s is done\n", done.Shard, done.Folder)
	return nil
}

// mergeRun closes a run whose shards are done.
func mergeRun(cmd *cobra.Command, c *common, dir string, watch bool) error {
	if info, err := run.Inspect(dir); err != nil {
		return err
	} else if info.Finished {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is finished already\n", dir)
		return err
	}
	var w shard.Work
	err := waiting(cmd, c, watch, func() (err error) {
		w, err = shard.Ready(filepath.Join(dir, run.Shards))
		return err
	})
	if err != nil {
		return err
	}
	var args []string
	if err := json.Unmarshal([]byte(w.Settings[said]), &args); err != nil || len(args) == 0 {
		return fmt.Errorf("%s: its shards do not say by which command: call that without --shard", dir)
	}
	args = append(args, "--out", dir, "--threads", fmt.Sprint(c.threads), fmt.Sprintf("--quiet=%v", c.quiet), fmt.Sprintf("--json=%v", c.json))
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(cmd.InOrStdin())
	root.SetOut(cmd.OutOrStdout())
	root.SetErr(cmd.ErrOrStderr())
	return root.ExecuteContext(cmd.Context())
}

// waiting does what shards may be missing for, again and again until none is if watch is set.
func waiting(cmd *cobra.Command, c *common, watch bool, do func() error) error {
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	for {
		err := do()
		var missing *shard.MissingError
		if !watch || !errors.As(err, &missing) {
			return err
		}
		bar.set(float64(missing.Shards-len(missing.Missing))/float64(missing.Shards), fmt.Sprintf("%d shards to come", len(missing.Missing)))
		if err := pause(cmd.Context(), watchEvery); err != nil {
			return err
		}
	}
}
