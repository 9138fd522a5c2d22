package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A load is what the processors of this machine have done so far.
type load struct {
	at     time.Time
	busy   time.Duration // by any process
	ours   time.Duration // by this one, and POT where it has ended
	stolen time.Duration // ready to run, but the host ran something else
	known  bool
}

// readLoad reads /proc/stat, where there is one: lines of user, nice, system, idle,
// waiting for input and output, two kinds of interrupts, and stolen time.
func readLoad() load {
	const unit = time.Second / 100
	l := load{at: time.Now(), ours: processorTime()}
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return l
	}
	first, _, _ := strings.Cut(string(b), "\n")
	fields := strings.Fields(first)
	if len(fields) < 9 {
		return l
	}
	for i, f := range fields[1:9] {
		ticks, err := strconv.Atoi(f)
		switch {
		case err != nil:
			return l
		case i == 7:
			l.stolen = time.Duration(ticks) * unit
		case i != 3 && i != 4:
			l.busy += time.Duration(ticks) * unit
		}
	}
	l.known = true
	return l
}

// report says what else had the processors since l.
func (l load) report(now load) {
	if !l.known || !now.known {
		return
	}
	others := (now.busy - l.busy) - (now.ours - l.ours)
	fmt.Fprintf(os.Stderr, "bench/emd: in %.0f s other processes used %.2f s of the processors, and the host took %.2f s away\n",
		now.at.Sub(l.at).Seconds(), others.Seconds(), (now.stolen - l.stolen).Seconds())
}
