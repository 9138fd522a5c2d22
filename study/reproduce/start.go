package reproduce

import (
	"context"
	"fmt"
	"io"

	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/run"
	"barrow/study/compare"
	"barrow/study/images"
	"barrow/wafer"
)

// Settings of how a run is carried out; none of them changes a result.
type Settings struct {
	Threads  int                              // 0: all processors
	Progress func(share float64, note string) // share of the whole run that is done, in [0,1]; nil for none
	Force    bool                             // Start replaces the run that the folder holds
	Remark   func(string)                     // told what the user should know but did not ask for; nil for nobody
	Stream   func(name string) io.Reader      // what a name of Data or Pretrain stands for that is no file, as in images.Settings
}

// prepared has all processors counted, and functions to tell things to.
func (s Settings) prepared() (Settings, error) {
	if s.Progress == nil {
		s.Progress = func(float64, string) {}
	}
	if s.Remark == nil {
		s.Remark = func(string) {}
	}
	var err error
	if s.Threads, err = limit.Threads(s.Threads); err != nil {
		return s, fmt.Errorf("reproduce: %w", err)
	}
	return s, nil
}

// Start gets the images, opens or resumes the folder and carries the main job out in
// it. Everything that can be found wrong is found before the folder is made.
func Start(ctx context.Context, folder string, c Config, s Settings) (_ *Results, _ Times, err error) {
	s, err = s.prepared()
	if err != nil {
		return nil, Times{}, err
	}
	if err := c.checkOne(); err != nil {
		return nil, Times{}, err
	}
	set, source, err := s.read(ctx, c)
	if err != nil {
		return nil, Times{}, err
	}
	if len(c.Data) == 0 {
		source = "simulated images"
	}
	set = withDensity(set)
	c = c.For(set, source)
	if err := c.Check(set); err != nil {
		return nil, Times{}, err
	}
	id, err := c.Identity()
	if err != nil {
		return nil, Times{}, err
	}
	f, err := s.open(folder, id)
	if err != nil {
		return nil, Times{}, err
	}
	defer f.End(&err)
	return Run(ctx, f, c, set, s)
}

// StartFull does the same for the full comparison.
func StartFull(ctx context.Context, folder string, c Config, s Settings) (_ *FullResults, _ *compare.Times, err error) {
	s, err = s.prepared()
	if err != nil {
		return nil, nil, err
	}
	set, source, err := s.read(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	var before *wafer.Set
	if len(c.Pretrain) > 0 {
		if before, err = c.Files(ctx, c.Pretrain, images.Settings{Remark: s.Remark, Stream: s.Stream}); err != nil {
			return nil, nil, err
		}
		c.PretrainDigest = before.Digest()
	}
	c = c.For(set, source)
	if err := c.check(set); err != nil {
		return nil, nil, err
	}
	id, err := c.FullIdentity()
	if err != nil {
		return nil, nil, err
	}
	f, err := s.open(folder, id)
	if err != nil {
		return nil, nil, err
	}
	defer f.End(&err)
	return Full(ctx, f, c, set, before, s)
}

func (s Settings) read(ctx context.Context, c Config) (*wafer.Set, string, error) {
	if err := c.checkSettings(); err != nil {
		return nil, "", err
	}
	if m, err := hgcal.ReadPositions(c.Metric); err == nil && m.Note != "" {
		s.Remark(m.Note)
	}
	return c.Input.Read(ctx, images.Settings{Seed: c.Seed, Threads: s.Threads, Remark: s.Remark, Stream: s.Stream})
}

func (s Settings) open(folder string, id run.Identity) (*run.Folder, error) {
	f, err := run.Open(folder, id, run.Settings{Force: s.Force, Remark: s.Remark})
	if err == nil && f.Resumed() {
		s.Remark("going on with the interrupted run in " + folder)
	}
	return f, err
}

// withDensity leaves of the metadata what says which wafers are of high density.
func withDensity(set *wafer.Set) *wafer.Set {
	out := set.WithoutColumns()
	if c := set.Find(wafer.Density); c != nil {
		out.Columns = []wafer.Column{*c}
	}
	return out
}
