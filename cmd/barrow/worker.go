package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
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
			ctx, cancel := context.WithCancelCause(cmd.Context())
			defer cancel(nil)
			go func() {
				if parentEnds(ctx) {
					cancel(errOrphan)
				}
			}()
			err := worker.Serve(ctx, cmd.InOrStdin(), cmd.OutOrStdout())
			if context.Cause(ctx) == errOrphan {
				return nil
			}
			return err
		},
	}
}

var errOrphan = errors.New("the parent process has ended")

// parentEnds waits for the end of the process that started this one, which ends it, too: a
// child of that one may live on and hold the pipe open, so the end of the input is not
// enough. It is false if ctx ends first.
func parentEnds(ctx context.Context) bool {
	parent := os.Getppid()
	for tick := time.Tick(250 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			return false
		case <-tick:
			if os.Getppid() != parent {
				return true
			}
		}
	}
}
