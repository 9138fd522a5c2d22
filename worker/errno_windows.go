package worker

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/windows"
)

// posixName is an error of the system by its name in POSIX, whose numbers Windows does not
// have; "" for those that programs do not tell apart.
func posixName(e syscall.Errno) string {
	switch e {
	case windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL:
		return "ENOSPC"
	case windows.ERROR_DIRECTORY:
		return "ENOTDIR"
	case windows.ERROR_DIR_NOT_EMPTY:
		return "ENOTEMPTY"
	case windows.ERROR_TOO_MANY_OPEN_FILES:
		return "EMFILE"
	case windows.ERROR_FILENAME_EXCED_RANGE:
		return "ENAMETOOLONG"
	}
	switch {
	case errors.Is(e, fs.ErrNotExist):
		return "ENOENT"
	case errors.Is(e, fs.ErrExist):
		return "EEXIST"
	case errors.Is(e, fs.ErrPermission):
		return "EACCES"
	}
	return ""
}
