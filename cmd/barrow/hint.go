package main

import (
	"errors"
	"strings"

	"barrow/internal/outfile"
	"barrow/run"
	"barrow/study/reproduce"
	"barrow/wafer"
)

// hint says in flags what to do about an error of a library, which knows none.
func hint(err error) string {
	switch {
	case errors.Is(err, outfile.ErrExists):
		return "; choose another name or give --force"
	case errors.Is(err, wafer.ErrColumns):
		return ": convert --columns a,b"
	case errors.Is(err, reproduce.ErrFull):
		return ": add --full"
	case errors.Is(err, run.ErrTaken):
		return " or give --force"
	}
	return ""
}

// message is an error's text, with the settings that would settle what a file
// means written as flags.
func message(err error) string {
	text := err.Error()
	if u := (*wafer.UnclearError)(nil); errors.As(err, &u) {
		flags := u.Text(func(setting, value string) string { return "--" + setting + " " + value })
		text = strings.Replace(text, u.Error(), flags, 1)
	}
	return text + hint(err)
}
