package main

import (
	"errors"

	"barrow/internal/outfile"
)

// hint says in flags what to do about an error of a library, which knows none.
func hint(err error) string {
	if errors.Is(err, outfile.ErrExists) {
		return "; choose another name or give --force"
	}
	return ""
}
