package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// common holds the flags that every command shares.
type common struct {
	seed    uint64
	threads int
	quiet   bool
	json    bool
}

// newRoot builds the command tree anew, so that tests can run it many times.
func newRoot() *cobra.Command {
	c := &common{}
	root := &cobra.Command{
		Use:   "barrow",
		Short: "Exact earth mover's distances that you can train with",
		Long: `Barrow computes the exact earth mover's distance between detector images with
its exact gradient, trains networks that approximate it, and trains the
encoder of CMS's HGCAL trigger chip with it as the loss.`,
		Example:       "  barrow reproduce --quick --out runs/first",
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if c.threads < 1 {
				return fmt.Errorf("--threads %d: must be at least 1", c.threads)
			}
			return nil
		},
	}
	flags := root.PersistentFlags()
	flags.Uint64Var(&c.seed, "seed", 1, "seed of every random choice; the same seed gives the same bits")
	flags.IntVar(&c.threads, "threads", runtime.GOMAXPROCS(0), "processors to use; never changes a result")
	flags.BoolVar(&c.quiet, "quiet", false, "no progress and no remarks on standard error")
	flags.BoolVar(&c.json, "json", false, "print results as JSON")
	root.AddCommand(newReproduce(c))
	root.AddCommand(newSurrogate(c))
	root.AddCommand(newEncoder(c))
	root.AddCommand(newCompare(c))
	root.AddCommand(newReport(c))
	root.AddCommand(newEcont(c))
	root.AddCommand(newEmd(c))
	root.AddCommand(newSimulate(c))
	root.AddCommand(newConvert(c))
	return root
}
