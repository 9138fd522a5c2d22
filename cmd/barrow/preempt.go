package main

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// resubmit is the exit code of work that was stopped and is to be gone on with: HTCondor's
// checkpoint_exit_code by custom, told from errors and from what ends a program by itself.
const resubmit = 85

const maxRuntime = "max-runtime"

// preempted tells whether a batch system stopped the command, not a person: the time given was
// over, the processor time was (SIGXCPU), or a command that is of a farm, by --shard or
// --max-runtime, was told to end.
func preempted(cmd *cobra.Command, by stopped) bool {
	if by.signal == nil || slices.Contains(preempting, by.signal) {
		return true
	}
	farmed := func(name string) bool { f := cmd.Flags().Lookup(name); return f != nil && f.Changed }
	return by.signal == syscall.SIGTERM && (farmed("shard") || farmed(maxRuntime))
}

// stopInTime ends the command's context when its time is over.
func (c *common) stopInTime(cmd *cobra.Command) error {
	if c.most < 0 {
		return fmt.Errorf("--%s %v: want a time above 0", maxRuntime, c.most)
	}
	if c.most == 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(cmd.Context())
	time.AfterFunc(c.most, func() { cancel(stopped{}) })
	cmd.SetContext(ctx)
	return nil
}
