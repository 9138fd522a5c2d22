//go:build !unix

package main

// peakMB is the process's largest resident size; 0 where the system does not tell.
func peakMB() float64 { return 0 }
