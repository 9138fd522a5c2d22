package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"barrow/run/submit"
)

func newSubmit(c *common) *cobra.Command {
	s := submit.Settings{}
	var out string
	var hand, first bool
	cmd := &cobra.Command{
		Use:                   "submit slurm|condor|k8s --shards N --out DIR [flags] -- COMMAND...",
		DisableFlagsInUseLine: true,
		Short:                 "Write what a batch system needs to do a command in shards",
		Long: `Writes a folder with all that hands a command in to Slurm, HTCondor or Kubernetes
as an array of shards, with a step behind it that makes the whole of them: job
files to read and change, the script that does a shard, the list of them, a copy
of the program, and a README. It prints the command that hands it in; --run calls it.

COMMAND is one of this program's that takes --shard, without the program's name;
it is called in the present folder, which all machines must see, as the new one.
"barrow status DIR" says how far it is.`,
		Example: `  barrow submit slurm --shards 100 --out jobs/a --time 2h --option --partition=short -- simulate --events 1000000 --out a.csv
  barrow submit condor --shards 15 --out jobs/all --flavour workday -- compare --losses telescope,emd,mse --seeds 5 --out runs/all
  barrow status jobs/all`,
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.ArgsLenAtDash() != 1 || len(args) < 2 {
				return errors.New("want a scheduler, then --, then a command")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			err := needless(cmd.Flags(), purpose{[]string{"seed", "threads", maxRuntime, "quiet"}, "COMMAND: write it behind --", false})
			if err != nil {
				return err
			}
			switch {
			case out == "":
				return errors.New("--out is missing: name the folder to make")
			case !cmd.Flags().Changed("shards"):
				return errors.New("--shards is missing: say in how many the command is to be done")
			}
			s.Scheduler, s.Command = args[0], args[1:]
			if err := shardable(&s); err != nil {
				return fmt.Errorf("%q: %w", strings.Join(s.Command, " "), err)
			}
			if _, err := os.Lstat(out); err == nil {
				return fmt.Errorf("%s is there already: choose another name, or remove it", out)
			}
			if first {
				given := cmd.Flags().Changed
				if err := probe(cmd, c, &s, !given("memory"), !given("time") && s.Flavour == ""); err != nil {
					return err
				}
			}
			return write(cmd, c, out, s, hand)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&out, "out", "", "`folder` to make")
	flags.IntVar(&s.Shards, "shards", 0, "number of shards")
	flags.BoolVar(&hand, "run", false, "hand it in at once")
	flags.BoolVar(&first, "probe", false, "do shard 0 here first, and ask for the memory and the time that it takes, with room, where --memory and --time do not say")
	submitFlags(flags, &s)
	return cmd
}

// submitFlags are those of what a job asks for.
func submitFlags(flags *pflag.FlagSet, s *submit.Settings) {
	flags.IntVar(&s.AtOnce, "at-once", 100, "shards at work at a time, at most")
	flags.IntVar(&s.Retries, "retries", 2, "times that a shard that fails is tried again")
	flags.IntVar(&s.CPUs, "cpus", 1, "processors for each shard")
	flags.IntVar(&s.Memory, "memory", 2000, "memory for each shard in MB")
	flags.DurationVar(&s.Time, "time", 0, "time that a shard may take, as 3h; 0 is what the scheduler gives")
	wordVar(flags, &s.Flavour, "flavour", "", submit.Flavours(), "HTCondor at CERN: "+strings.Join(submit.Flavours(), ", "))
	flags.StringVar(&s.Image, "image", "", "container in which the program is called barrow: Slurm (by apptainer), HTCondor, and needed by Kubernetes")
	flags.StringVar(&s.Claim, "claim", "", "Kubernetes: claim of the volume with the files")
	flags.StringVar(&s.Mount, "mount", "", "Kubernetes: path at which the volume is mounted")
	flags.StringArrayVar(&s.Options, "option", nil, `further line of the job file, as --partition=short for Slurm, or '+AccountingGroup = "group_u_CMS.u_zh.users"' for HTCondor; may be given several times`)
}

// write makes the folder and hands it in, or says how.
func write(cmd *cobra.Command, c *common, out string, s submit.Settings, hand bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	script, err := submit.Write(out, s, self)
	if err != nil {
		return err
	}
	if hand {
		sh := exec.CommandContext(cmd.Context(), "sh", script)
		sh.Stdout, sh.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
		if err := sh.Run(); err != nil {
			return fmt.Errorf("%s: %w; the folder is complete: hand it in where the scheduler's commands are", script, err)
		}
		return nil
	}
	if c.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{"submit": script})
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), submit.ShellWords("sh", script))
	return err
}

// shardable reads a command line as the program would and says what it makes in shards.
func shardable(s *submit.Settings) error {
	root := newRoot()
	if filepath.Base(s.Command[0]) == root.Name() {
		return errors.New("the program's name is no part of the command: leave it out")
	}
	cmd, rest, err := root.Find(s.Command)
	if err != nil {
		return err
	}
	flag := cmd.Flags().Lookup("shard")
	if flag == nil {
		return fmt.Errorf("%s cannot be done in shards", cmd.CommandPath())
	}
	if err := cmd.ParseFlags(rest); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return fmt.Errorf("%q shows help", cmd.CommandPath())
		}
		return flagError(cmd, err)
	}
	args := cmd.Flags().Args()
	if err := cmd.ValidateArgs(args); err != nil {
		return err
	}
	if flag.Changed {
		return errors.New("--shard: each of the shards says its own: leave it out")
	}
	s.Force, _ = cmd.Flags().GetBool("force")
	_, s.Folder = flag.Annotations[inFolder]
	if s.Folder && s.Force {
		return errors.New("--force: a shard does not replace a run, of which others have done shards: choose another folder")
	}
	if f := cmd.Flags().Lookup("out"); f != nil {
		s.Out = f.Value.String()
	} else if len(args) > 0 {
		s.Out = args[len(args)-1]
	}
	if s.Out == "" || s.Out == "-" {
		return errors.New("shards need a file to make: name it")
	}
	if f := cmd.Flags().Lookup("potentials"); f != nil {
		s.Beside = f.Value.String()
	}
	if slices.Contains(args, "-") {
		return errors.New("standard input is not there for all shards: name a file")
	}
	return nil
}
