package main

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"barrow/emd"
)

//go:embed burst/main.go
var burstSource []byte

// burstPairs is how many pairs are solved in one go: a fraction of a millisecond, so that
// most goes are undisturbed on a machine that others use too.
const burstPairs = 200

// A turn is a process that solves pairs in bursts.
type turn struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  io.Reader
	took [][]float64 // nanoseconds of each burst, by round
	e    []float64
}

// against lets the solver of another commit and this one's take turns in short bursts, each
// pair of bursts in turned order every other round. Of each burst's times over
// the rounds it takes the lower octile, which neither waiting nor clock rates reach.
func against(o options) (err error) {
	if o.pairs < burstPairs || o.rounds < 1 {
		return fmt.Errorf("--pairs must be at least %d, --rounds at least 1", burstPairs)
	}
	dir, err := os.MkdirTemp("", "barrow-against-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	programs, err := buildBursts(dir, o.against)
	if err != nil {
		return err
	}
	kernels := emd.Kernels()
	if o.kernels != "" {
		kernels = strings.Split(o.kernels, ",")
	}
	chosen, err := choose(o)
	if err != nil {
		return err
	}
	fmt.Printf("%s; %d pairs a regime, %d rounds of bursts of %d\n\n", cpuName(), o.pairs, o.rounds, burstPairs)
	fmt.Printf("| regime | kernel | %s, µs | now, µs | less time | largest difference |\n|---|---|---|---|---|---|\n", o.against)
	for _, r := range chosen {
		for _, k := range kernels {
			us, diff, err := takeTurns(r, k, programs, o.rounds)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", r.name, k, err)
			}
			fmt.Printf("| %s | %s | %.3f | %.3f | %.1f %% | %.1e |\n", r.name, k, us[0], us[1], 100*(1-us[1]/us[0]), diff)
		}
	}
	return nil
}

// buildBursts builds program burst with the solver of a commit and with that of the working
// tree. The commit is checked out in dir, and needs not have the program.
func buildBursts(dir, commit string) (programs [2]string, err error) {
	run := func(in, name string, args ...string) error {
		cmd := exec.Command(name, args...)
		cmd.Dir = in
		text, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(text))
		}
		return nil
	}
	tree := filepath.Join(dir, "tree")
	if err := run(".", "git", "worktree", "add", "--detach", tree, commit); err != nil {
		return programs, err
	}
	defer func() { err = errors.Join(err, run(".", "git", "worktree", "remove", "--force", tree)) }()
	source := filepath.Join(tree, "bench", "emd", "burst")
	if err := os.MkdirAll(source, 0o755); err != nil {
		return programs, err
	}
	if err := os.WriteFile(filepath.Join(source, "main.go"), burstSource, 0o644); err != nil {
		return programs, err
	}
	for k, in := range []string{tree, "."} {
		programs[k] = filepath.Join(dir, fmt.Sprint("burst", k))
		if err := run(in, "go", "build", "-o", programs[k], "barrow/bench/emd/burst"); err != nil {
			return programs, err
		}
	}
	return programs, nil
}

// takeTurns returns the microseconds a pair of both programs, and the largest difference of
// their distances.
func takeTurns(r *regime, kernel string, programs [2]string, rounds int) (us [2]float64, diff float64, err error) {
	var turns [2]*turn
	for k, program := range programs {
		if turns[k], err = newTurn(program, kernel, r); err != nil {
			return us, 0, err
		}
		defer func() { err = errors.Join(err, turns[k].close()) }()
	}
	n := r.pairs()
	for round := range rounds {
		for b := 0; b*burstPairs < n; b++ {
			for k := range turns {
				t := turns[k^round&1]
				if err := t.burst(b, min(n, (b+1)*burstPairs)); err != nil {
					return us, 0, err
				}
			}
		}
	}
	for k, t := range turns {
		for _, v := range t.took {
			slices.Sort(v)
			us[k] += v[len(v)/8] / float64(n) / 1000
		}
	}
	diff, err = compare(turns[1].e, turns[0].e)
	return us, diff, err
}

func newTurn(program, kernel string, r *regime) (*turn, error) {
	t := &turn{cmd: exec.Command(program, kernel), e: make([]float64, r.pairs()), took: make([][]float64, (r.pairs()+burstPairs-1)/burstPairs)}
	t.cmd.Stderr = os.Stderr
	var err error
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if t.out, err = t.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	for _, v := range []any{int64(r.pairs()), r.p, r.q} {
		if err := binary.Write(t.in, binary.LittleEndian, v); err != nil {
			return nil, errors.Join(err, t.close())
		}
	}
	return t, nil
}

// burst solves the pairs of burst b, which end before to.
func (t *turn) burst(b, to int) error {
	from := b * burstPairs
	if err := binary.Write(t.in, binary.LittleEndian, [2]int64{int64(from), int64(to)}); err != nil {
		return err
	}
	var took int64
	if err := binary.Read(t.out, binary.LittleEndian, &took); err != nil {
		return err
	}
	t.took[b] = append(t.took[b], float64(took))
	return binary.Read(t.out, binary.LittleEndian, t.e[from:to])
}

func (t *turn) close() error {
	t.in.Close()
	return t.cmd.Wait()
}
