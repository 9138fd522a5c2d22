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
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"unicode"
)

func main() {
	collectLate()
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// collectLate puts the first collection of garbage off until the heap has 36 MB, where it would have begun at
// 4: a start would take three, for what the program holds throughout. From then on the heap may double, as ever.
func collectLate() {
	if os.Getenv("GOGC") != "" {
		return
	}
	const least, usual = 800, 100 // % of Go's least heap, and of what is held
	debug.SetGCPercent(least)
	runtime.AddCleanup(new([64]byte), func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// execute is the whole program but for the process: the scripts under testdata
// call it too. The first interrupt cancels the context so that long work can
// save its state; a second Ctrl-C ends the process at once, but not a second SIGTERM,
// which batch systems send to all processes of a job, whose script may pass on its own. Work
// that a batch system stops ends with the code 85: see preempted.
func execute(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, append(preempting, os.Interrupt, syscall.SIGTERM)...)
	// Not SIGTERM: one that comes now must not end the program with another code than that of what it did.
	defer signal.Reset(os.Interrupt)
	go func() {
		select {
		case s := <-signals:
			signal.Reset(os.Interrupt)
			cancel(stopped{s})
		case <-ctx.Done():
		}
	}()
	// A reader that went away, as head does, is an error of Write: what is half done
	// is removed or saved before the program ends.
	signal.Ignore(syscall.SIGPIPE)
	out := &output{w: stdout, closed: func() { cancel(stopped{syscall.SIGPIPE}) }}
	root := newRoot(args...)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(context.WithValue(ctx, argumentsKey{}, args))
	if err == nil && out.err != nil {
		err = fmt.Errorf("standard output: %w", out.err)
	}
	var by stopped
	switch {
	case errors.Is(out.err, syscall.EPIPE):
		return stopped{syscall.SIGPIPE}.code()
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && errors.As(context.Cause(cmd.Context()), &by):
		fmt.Fprintf(stderr, "barrow: interrupted; %s\n", printable(next(err, out)))
		if preempted(cmd, by) {
			return resubmit
		}
		return by.code()
	}
	fmt.Fprintf(stderr, "barrow: %s\n", printable(message(err)))
	return 1
}

// stopped is why a command ended that a signal interrupted, or, without one, its time.
type stopped struct{ signal os.Signal }

func (s stopped) Error() string {
	if s.signal == nil {
		return "its time is over"
	}
	return s.signal.String()
}

// code is what a shell reports of a program that the signal ends: 130 for Ctrl-C.
func (s stopped) code() int {
	if n, ok := s.signal.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return 130
}

// saved says that interrupted work can be gone on with.
type saved struct {
	error
	where string
	force bool // with which the same command would begin anew
}

func (s saved) Unwrap() error { return s.error }

// left says of interrupted work that files of it are complete, and are in the way of the
// same command.
type left struct {
	error
	what string
}

func (l left) Unwrap() error { return l.error }

// next says what to do after an interruption, and what it left. Outputs that are files
// are put in place as the last of a command's work, or it says that they are there.
func next(err error, out *output) string {
	var s saved
	var l left
	switch {
	case errors.As(err, &s) && s.force:
		return "everything so far is saved in " + s.where + ": the same command without --force goes on from there"
	case errors.As(err, &s):
		return "everything so far is saved in " + s.where + ": the same command goes on from there"
	case errors.As(err, &l):
		return l.what + ": the same command with --force starts anew"
	case out.wrote:
		return "what was printed is not all: the same command starts anew"
	}
	return "no output was left: the same command starts anew"
}

// output is standard output that remembers the first error, so that a full disk
// behind it is never taken for success, whoever wrote.
type output struct {
	w      io.Writer
	err    error
	wrote  bool
	closed func() // called where nobody reads any more
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	o.wrote = o.wrote || n > 0
	if err != nil && o.err == nil {
		o.err = err
		if errors.Is(err, syscall.EPIPE) {
			o.closed()
		}
	}
	return n, err
}

// printable is a text with its control characters, which a file name may hold,
// spelt out, so that none of them reaches a terminal.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == '\t' || !unicode.IsControl(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// printer prints texts as printable has them.
type printer struct{ w io.Writer }

func (p printer) Write(b []byte) (int, error) {
	if _, err := io.WriteString(p.w, printable(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}
