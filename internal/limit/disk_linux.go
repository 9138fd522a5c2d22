package limit

import "syscall"

// free is how many bytes this user can write into a folder.
func free(folder string) (float64, bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(folder, &s) != nil {
		return 0, false
	}
	return float64(s.Bavail) * float64(s.Bsize), true
}
