package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

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
It is nothing to type at: it ends with its input, or with the process that started
it, and an interrupt (Ctrl-C) is left to that process.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(os.Interrupt)
			signal.Reset(syscall.SIGTERM) // nothing is half done: end at once
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			go endWithParent(ctx)
			return worker.Serve(ctx, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

// endWithParent ends the process soon after the one that started it: a child of that one
// may live on and hold the pipe open, so the end of the input is not enough.
func endWithParent(ctx context.Context) {
	parent := os.Getppid()
	for tick := time.Tick(250 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			if os.Getppid() != parent {
				os.Exit(1)
			}
		}
	}
}
