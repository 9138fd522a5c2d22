package worker

import (
	"context"
	"errors"

	"golang.org/x/sys/windows"
)

// processEnds waits for the end of a process; it is false if ctx ends first, but does not
// return before the process ends then.
func processEnds(ctx context.Context, pid int) bool {
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return errors.Is(err, windows.ERROR_INVALID_PARAMETER) // there is none of the number
	}
	defer windows.CloseHandle(process)
	_, err = windows.WaitForSingleObject(process, windows.INFINITE)
	return err == nil && ctx.Err() == nil
}
