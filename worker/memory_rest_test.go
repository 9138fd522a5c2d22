//go:build unix && !linux

package worker

import "errors"

func memory() (int, error) { return 0, errors.ErrUnsupported }
