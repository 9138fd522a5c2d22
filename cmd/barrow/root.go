package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/internal/version"
)

// common holds the flags that every command shares.
type common struct {
	seed    uint64
	threads int
	quiet   bool
	json    bool
	most    time.Duration // that the command may take, 0 for any
}

// commands make those of the program.
func commands() map[string]func(*common) *cobra.Command {
	return map[string]func(*common) *cobra.Command{
		"adapt":     newAdapt,
		"cluster":   newCluster,
		"compare":   newCompare,
		"convert":   newConvert,
		"decoder":   newDecoder,
		"econt":     newEcont,
		"emd":       newEmd,
		"encoder":   newEncoder,
		"inspect":   newInspect,
		"losses":    newLosses,
		"merge":     newMerge,
		"model":     newModel,
		"nearest":   newNearest,
		"physics":   newPhysics,
		"plan":      newPlan,
		"report":    newReport,
		"reproduce": newReproduce,
		"runs":      newRuns,
		"serve":     newServe,
		"simulate":  newSimulate,
		"status":    newStatus,
		"submit":    newSubmit,
		"surrogate": newSurrogate,
		"worker":    func(*common) *cobra.Command { return newWorker() },
	}
}

// newRoot builds the command tree anew, so that tests can run it many times. Where the first of args names
// a command it is built alone: the flags of all take longer than many a command.
func newRoot(args ...string) *cobra.Command {
	c := &common{}
	root := &cobra.Command{
		Use:   "barrow",
		Short: "Exact earth mover's distances that you can train with",
		Long: `Barrow computes the exact earth mover's distance between detector images with
its exact gradient, trains networks that approximate it, and trains the
encoder of CMS's HGCAL trigger chip with it as the loss.`,
		Example:       "  barrow reproduce --quick --out runs/first",
		Version:       version.Current().String(),
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			if c.threads, err = limit.Threads(c.threads); err != nil {
				return fmt.Errorf("--threads: %w", err)
			}
			return c.stopInTime(cmd)
		},
	}
	root.SetVersionTemplate("barrow {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.Uint64Var(&c.seed, "seed", 1, "seed of every random choice; the same seed gives the same bits")
	flags.IntVar(&c.threads, "threads", 0, "processors to use, 0 for all; never changes a result")
	flags.BoolVar(&c.quiet, "quiet", false, "no progress and no remarks on standard error")
	flags.DurationVar(&c.most, maxRuntime, 0, "stop after this time, as 3h50m, with everything saved and the exit code 85, for batch systems; 0 for never")
	flags.BoolVar(&c.json, "json", false, "print results as JSON")
	all := commands()
	if len(args) > 0 && all[args[0]] != nil {
		root.AddCommand(all[args[0]](c))
	} else {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			root.AddCommand(all[name](c))
		}
	}
	everywhere(root)
	return root
}

// everywhere gives every command what all have: flags complete and are given once,
// the wrong number of arguments is answered with how the command is called, groups of
// commands show their help, and a command that is not there is answered with those like it.
func everywhere(cmd *cobra.Command) {
	completes(cmd)
	single(cmd)
	switch fits := cmd.Args; {
	case cmd.HasSubCommands() && (fits == nil || fits(cmd, []string{""}) != nil): // no arguments of its own
		cmd.Args = group
	case fits != nil:
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if fits(cmd, args) != nil {
				return fmt.Errorf("arguments %q (%d): want %q", args, len(args), cmd.UseLine())
			}
			return nil
		}
	}
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, sub := range cmd.Commands() {
		everywhere(sub)
	}
}

// group accepts no arguments: those that follow a group's name were meant as a
// command.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	hint := setting.Hint(args[0], names)
	if hint == "" {
		hint = "; the commands are " + strings.Join(names, ", ")
	}
	return fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), hint)
}

// flagError says which flag was probably meant by one that is not there.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	hint := setting.Suggest(unknown.GetSpecifiedName(), names)
	if hint != "" {
		hint = "did you mean --" + hint + "? "
	}
	return fmt.Errorf("%w; %s%q lists them", err, hint, cmd.CommandPath()+" --help")
}
