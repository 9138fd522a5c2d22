package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// starts are commands of which the start is nearly all.
var starts = []string{
	"--version",
	"simulate --events 1 --threads 1 --quiet --force --out a.csv",
	"simulate --events 1 --threads 1 --quiet --force --out b.csv --preset pions",
	"simulate --events 1 --threads 1 --quiet --force --out b.csv --whole",
	"emd a.csv a.csv --threads 1 --quiet",
	"econt encode a.csv --threads 1 --quiet --force --out b.csv",
	"convert a.csv b.csv --threads 1 --quiet --force",
	"compare --help",
}

// start measures what commands take that do next to nothing, by each of the programs in turn: the least and the
// median of so many calls.
func start(ctx context.Context, s settings, dir string) error {
	if s.barrow == "" {
		return errors.New("--barrow is missing: name the program, built, or several with commas between")
	}
	const calls = 25
	programs := strings.Split(s.barrow, ",")
	for _, command := range starts {
		took := make([][]time.Duration, len(programs))
		for range calls {
			for k, p := range programs {
				path, err := filepath.Abs(p)
				if err != nil {
					return err
				}
				t := &timed{ctx, path, dir}
				d, err := t.run(strings.Fields(command)...)
				if err != nil {
					return err
				}
				took[k] = append(took[k], d)
			}
		}
		for k, p := range programs {
			slices.Sort(took[k])
			ms := func(d time.Duration) float64 { return 1e3 * d.Seconds() }
			fmt.Printf("%s: %s: %.1f ms of a processor, median %.1f ms\n", p, command, ms(took[k][0]), ms(took[k][calls/2]))
		}
	}
	return nil
}
