package main

import (
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"barrow/worker"
)

func newWorker() *cobra.Command {
	return &cobra.Command{
		Use:   "worker",
		Short: "Serve the library to programs of other languages, on standard input and output",
		Long: `Worker answers requests on standard input with replies on standard output, while
arrays lie in a file that both sides have mapped into memory. The Python package
runs it for itself; docs/worker.md has the protocol for clients in other languages.
It is nothing to type at: it ends with its input, or with the process that greeted
it, and an interrupt (Ctrl-C) is left to that process.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(os.Interrupt)
			return worker.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
