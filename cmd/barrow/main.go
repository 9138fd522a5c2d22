// Command barrow computes exact earth mover's distances between detector
// images, trains networks with them as the loss, and evaluates the result.
// Run "barrow --help" for its commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// execute is the whole program but for the process: the scripts under testdata
// call it too. The first interrupt cancels the context so that long work can
// save its state; a second one ends the process at once.
func execute(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop()
	}()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(stderr, "barrow: interrupted: %v\n", err)
	default:
		fmt.Fprintf(stderr, "barrow: %v\n", err)
	}
	return 1
}
