package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"barrow/run/shard"
	"barrow/run/submit"
)

// What a job asks for beyond what a shard was measured to take: other machines are slower, and other
// shards larger.
const (
	probeMemory = 1.5
	probeTime   = 3
	leastMemory = 200 // MB
	leastTime   = 10 * time.Minute
)

// probe does shard 0 here and has the job ask for the memory and the time that it took, with room.
// memory and span say which of the two are asked for.
func probe(cmd *cobra.Command, c *common, s *submit.Settings, memory, span bool) error {
	done, err := s.Check()
	if err != nil {
		return err
	}
	if done[0] {
		return errors.New("--probe: shard 0 is done already, and nothing is left to measure: say --memory and --time")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	first := exec.CommandContext(cmd.Context(), self, append(s.Args(), "--shard", shard.Shard{I: 0, N: s.Shards}.String())...)
	first.Cancel = func() error { return first.Process.Signal(os.Interrupt) } // a run saves
	first.Stderr = cmd.ErrOrStderr()
	began := time.Now()
	if err := first.Run(); err != nil {
		return fmt.Errorf("--probe: shard 0: %w", err)
	}
	took, peak := time.Since(began), peakMB(first.ProcessState)
	if memory && peak > 0 {
		s.Memory = max(leastMemory, int(probeMemory*peak)+1)
	}
	if span {
		s.Time = max(leastTime, (probeTime * took).Round(time.Minute))
	}
	_, err = fmt.Fprintf(remarks(cmd, c), "shard 0 took %v and %.0f MB here: each may take %v and %d MB\n", took.Round(100*time.Millisecond), peak, s.Time, s.Memory)
	return err
}
