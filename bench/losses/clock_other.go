//go:build !unix

package main

import "time"

// now is the time of day.
func now() time.Duration { return time.Duration(time.Now().UnixNano()) }
