//go:build !linux

package main

import "errors"

// needs is not known: other systems do not say how much a process read.
func (t *timed) needs(...string) (need, error) {
	return need{}, errors.New("inputs: how much a process reads only Linux says")
}
