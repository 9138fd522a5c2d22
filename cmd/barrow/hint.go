package main

import (
	"errors"

	"barrow/internal/outfile"
	"barrow/run"
)

// hint says in flags what to do about an error of a library, which knows none.
func hint(err error) string {
	switch {
	case errors.Is(err, outfile.ErrExists):
		return "; choose another name or give --force"
	case errors.Is(err, run.ErrTaken):
		return " or give --force"
	}
	return ""
}
