package worker

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// keepSize forbids that the file shrinks under the mapping: touching what is gone would
// end the program. Files on disk know no seals; there the client is trusted.
func keepSize(f *os.File) error {
	_, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK)
	if errors.Is(err, unix.EINVAL) {
		return nil // no memfd
	}
	if errors.Is(err, unix.EPERM) { // sealed against seals
		seals, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
		if err == nil && seals&unix.F_SEAL_SHRINK != 0 {
			return nil
		}
		return errors.New("it can shrink and takes no seals: make it with MFD_ALLOW_SEALING")
	}
	return err
}
