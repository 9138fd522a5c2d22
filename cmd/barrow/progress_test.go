package main

import (
	"strings"
	"testing"
	"time"
)

// TestProgressOfALog: off a terminal a line a minute, with --quiet none, and the time left is
// that of the dear parts as soon as they are at work.
func TestProgressOfALog(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		var log strings.Builder
		p := newProgress(&log, &common{quiet: quiet})
		now := time.Now()
		p.now = func() time.Time { return now }
		p.set(0, "simulating")
		for s := range 8 { // 16 % in 8 s, then 1 % in 8 s
			now = now.Add(time.Second)
			p.set(0.02*float64(s+1), "simulating")
		}
		for s := range 120 {
			now = now.Add(time.Second)
			p.set(0.16+float64(s+1)/800, "decoders\x1b[2J")
		}
		p.close()
		want := "22 % after 1m0s, 10m20s left: decoders\\x1b[2J\n30 % after 2m0s, 9m20s left: decoders\\x1b[2J\n"
		if quiet {
			want = ""
		}
		if log.String() != want {
			t.Errorf("quiet %v: %q, want %q", quiet, log.String(), want)
		}
	}
}
