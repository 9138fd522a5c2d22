package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completes gives the shell the values of a command's flags that know theirs: those of
// the package bind do.
func completes(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		known, ok := f.Value.(interface{ Choices() []string })
		if !ok || len(known.Choices()) == 0 {
			return
		}
		several, ok := f.Value.(interface{ List() bool })
		list := ok && several.List()
		// The error is that of a flag that is not there, or that completes already.
		_ = cmd.RegisterFlagCompletionFunc(f.Name, func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			switch {
			case f.Value.Type() == "file":
				return known.Choices(), cobra.ShellCompDirectiveDefault
			case !list:
				return known.Choices(), cobra.ShellCompDirectiveNoFileComp
			}
			before := typed[:strings.LastIndex(typed, ",")+1]
			var words []string
			for _, c := range known.Choices() {
				words = append(words, before+c)
			}
			return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		})
	})
}
