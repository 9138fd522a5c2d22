//go:build unix && !linux

package worker

import "context"

// processEnds waits for the end of a process; it is false if ctx ends first.
func processEnds(ctx context.Context, pid int) bool { return lookForEnd(ctx, pid) }
