//go:build !unix

package main

import (
	"os"
	"time"
)

var began = time.Now()

// used is the time that this process took so far.
func used() time.Duration { return time.Since(began) }

// peakMB is the largest resident size that a process had; 0 where the system does not
// tell.
func peakMB(*os.ProcessState) float64 { return 0 }
