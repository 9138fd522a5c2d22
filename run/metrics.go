package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"barrow/nn"
)

// Metrics is the file of a run that has a line for every epoch of every training, in the order
// in which they ended, each an [Epoch].
const Metrics = "metrics.jsonl"

// An Epoch is a line of Metrics. All but Time and Seconds follow from the run's identity.
type Epoch struct {
	Part       string   `json:"part"`          // the training: the name of its file in [Weights] without the ending
	Epoch      int      `json:"epoch"`         // from 1
	Of         int      `json:"of"`            // epochs of the training at most
	Step       int      `json:"step"`          // steps of the training so far
	Loss       float64  `json:"loss"`          // mean of the training's steps
	Validation float64  `json:"validation"`    // the training's loss on the images or pairs to choose by
	EMD        *float64 `json:"emd,omitempty"` // mean exact EMD of images to choose by and what is made of them, where it is measured
	Rate       float64  `json:"rate"`          // learning rate of the last step
	Seconds    float64  `json:"seconds"`       // that the epoch took, from where it was last taken up
	Time       string   `json:"time"`          // when it ended, RFC 3339 in UTC
}

// MeasuredEMD is the name by which a training calls the exact EMD among its figures.
const MeasuredEMD = "emd"

// same tells whether two lines say the same, but for when.
func (e Epoch) same(o Epoch) bool {
	a, b := e.EMD, o.EMD
	e.EMD, e.Seconds, e.Time, o.EMD, o.Seconds, o.Time = nil, 0, "", nil, 0, ""
	return e == o && (a == nil) == (b == nil) && (a == nil || *a == *b)
}

// A recorder keeps Metrics while trainings run.
type recorder struct {
	folder *Folder
	mu     sync.Mutex
	file   *os.File
	parts  map[string]*recorded
}

// recorded is what is there of a training.
type recorded struct {
	lines int
	curve string // file for TensorBoard
}

// Record returns a context in which every training with a checkpoint in the run's folder leaves
// a line for each of its epochs in [Metrics]. One that is taken up again loses the lines of
// epochs that its checkpoint does not have: they are done again.
func (f *Folder) Record(ctx context.Context) context.Context {
	return nn.WithFollower(ctx, f.recorder.follow)
}

// partOf is the name of the training with a checkpoint, "" where it is none of the run's.
func (f *Folder) partOf(checkpoint string) string {
	if filepath.Dir(checkpoint) != filepath.Clean(f.Path(Weights)) {
		return ""
	}
	before, after, ok := strings.Cut(filepath.Base(checkpoint), CheckpointEnding)
	if !ok {
		return ""
	}
	return before + after
}

// follow writes what is new of a training.
func (r *recorder) follow(t nn.Following) error {
	part := r.folder.partOf(t.Checkpoint)
	if part == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := lines(part, t)
	err := r.folder.held()
	p, known := r.parts[part]
	switch {
	case err != nil:
	case known && p.lines <= len(now):
		err = r.goOn(part, now[p.lines:])
	default:
		err = r.takeUp(part, now)
	}
	if err != nil {
		return fmt.Errorf("run: %s: %w", r.folder.Path(r.folder.metricsName()), err)
	}
	return nil
}

// lines are those of a training.
func lines(part string, t nn.Following) []Epoch {
	var list []Epoch
	for _, e := range t.History.Epochs {
		l := Epoch{Part: part, Epoch: e.Epoch, Of: t.Epochs, Step: e.Step, Loss: e.Loss, Validation: e.Validation, Rate: e.Rate, Seconds: e.Seconds}
		if v, ok := e.Figures[MeasuredEMD]; ok {
			l.EMD = &v
		}
		list = append(list, l)
	}
	return list
}

// takeUp leaves of a training's lines those that it now has, and adds what is missing.
func (r *recorder) takeUp(part string, now []Epoch) error {
	have, whole, err := readMetrics(r.folder.Path(r.folder.metricsName()))
	if err != nil {
		return err
	}
	var keep, of []Epoch
	n := 0
	for _, e := range have {
		if e.Part == part {
			if n >= len(now) || !e.same(now[n]) {
				continue
			}
			n++
			of = append(of, e)
		}
		keep = append(keep, e)
	}
	if len(keep) < len(have) || !whole {
		if err := r.rewrite(keep); err != nil {
			return err
		}
	}
	if err := r.add(now[n:]); err != nil {
		return err
	}
	p := &recorded{lines: len(now)}
	r.parts[part] = p
	if len(now) > 0 {
		p.curve, err = r.folder.beginCurve(part, append(of, now[n:]...))
	}
	return err
}

// goOn adds epochs of a training that was taken up before.
func (r *recorder) goOn(part string, more []Epoch) (err error) {
	if len(more) == 0 {
		return nil
	}
	if err := r.add(more); err != nil {
		return err
	}
	p := r.parts[part]
	p.lines += len(more)
	if p.curve == "" {
		p.curve, err = r.folder.beginCurve(part, more)
		return err
	}
	return goOnCurve(p.curve, more)
}

// rewrite replaces the file.
func (r *recorder) rewrite(list []Epoch) error {
	r.closeFile()
	return r.folder.Write(r.folder.metricsName(), func(w io.Writer) error {
		for _, e := range list {
			b, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if _, err := w.Write(append(b, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
}

// add puts lines behind the others, each in one piece, and notes in them when.
func (r *recorder) add(list []Epoch) error {
	if r.file == nil && len(list) > 0 {
		var err error
		if r.file, err = os.OpenFile(r.folder.Path(r.folder.metricsName()), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666); err != nil {
			return err
		}
	}
	for k := range list {
		list[k].Time = time.Now().UTC().Format(time.RFC3339)
		b, err := json.Marshal(list[k])
		if err != nil {
			return err
		}
		if _, err := r.file.Write(append(b, '\n')); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeFile()
}

func (r *recorder) closeFile() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// ReadMetrics reads what a folder has of its trainings' epochs, in the order in which they
// ended, those of shards one after the other; none where there is none yet. A run may be at work: a last line that is not complete
// is left out.
func ReadMetrics(folder string) ([]Epoch, error) {
	files, err := metricsFiles(folder)
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	var lists [][]Epoch
	for _, path := range append([]string{filepath.Join(folder, Metrics)}, files...) {
		list, _, err := readMetrics(path)
		if err != nil {
			return nil, fmt.Errorf("run: %w", err)
		}
		lists = append(lists, list)
	}
	return joined(lists), nil
}

// readMetrics tells as well whether the last line is complete.
func readMetrics(path string) (list []Epoch, whole bool, err error) {
	b, err := readFile(path, "a run's metrics")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	n := bytes.LastIndexByte(b, '\n') + 1
	list, err = decodeMetrics(path, 1, b[:n])
	return list, n == len(b), err
}

// decodeMetrics reads complete lines, the first of which has that number.
func decodeMetrics(path string, first int, b []byte) ([]Epoch, error) {
	var list []Epoch
	for n := first; len(b) > 0; n++ {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		var e Epoch
		if err := json.Unmarshal(line, &e); err != nil || e.Part == "" || e.Epoch < 1 {
			return nil, fmt.Errorf("%s:%d: is no epoch of a training: remove the file, which is only a record", path, n)
		}
		list, b = append(list, e), rest
	}
	return list, nil
}
