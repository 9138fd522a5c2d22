package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"barrow/run"
)

// A runState is a line of the list of runs.
type runState struct {
	Dir     string
	Kind    string
	State   string // one of those below
	Note    string // who is at work, or what is wrong
	EMD     *float64
	By      string // whose EMD that is
	Loss    *float64
	Epoch   string
	Changed time.Time
}

// What a run can be.
const (
	finished = "finished"
	working  = "at work"
	stopped  = "stopped"
	broken   = "unreadable"
)

// Fresh tells whether the run changes while one looks.
func (r runState) Fresh() bool { return r.State == working }

// A snapshot is the folder as it was a moment ago.
type snapshot struct {
	listing
	states  []runState
	version int // rises when the states change
}

// watch keeps a snapshot for all who look. It looks at the folder again only where the
// last look is older than fresh and somebody asks, or a stream is open.
type watch struct {
	dir *folder

	mu      sync.Mutex
	now     snapshot
	seen    time.Time
	known   map[string]known // by run
	changed chan struct{}    // closed when version rises
	streams int
	ended   chan struct{}
	once    sync.Once
}

// known is what was read of a run, and the state of its files then.
type known struct {
	stamp string
	state runState
}

// fresh is how old a snapshot may be.
const fresh = 2 * time.Second

func newWatch(dir *folder) *watch {
	return &watch{dir: dir, known: map[string]known{}, changed: make(chan struct{}), ended: make(chan struct{})}
}

func (w *watch) close() { w.once.Do(func() { close(w.ended) }) }

// look is the folder's state, at most fresh ago, and what is closed once it is another.
func (w *watch) look() (snapshot, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.seen) < fresh {
		return w.now, w.changed
	}
	next := snapshot{listing: w.dir.list(), version: w.now.version}
	still := map[string]known{}
	for _, name := range next.runs {
		k := w.known[name]
		if stamp := w.dir.stamp(name); k.stamp != stamp || k.state.Fresh() {
			k = known{stamp, w.dir.state(name)}
		}
		still[name] = k
		next.states = append(next.states, k.state)
	}
	w.known = still
	if !slices.EqualFunc(next.states, w.now.states, func(a, b runState) bool { return a.same(b) }) {
		next.version++
		close(w.changed)
		w.changed = make(chan struct{})
	}
	w.now, w.seen = next, time.Now()
	return w.now, w.changed
}

// same compares what is shown.
func (r runState) same(o runState) bool {
	eq := func(a, b *float64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
	if !eq(r.EMD, o.EMD) || !eq(r.Loss, o.Loss) || !r.Changed.Equal(o.Changed) {
		return false
	}
	r.EMD, r.Loss, r.Changed, o.EMD, o.Loss, o.Changed = nil, nil, time.Time{}, nil, nil, time.Time{}
	return r == o
}

// mostStreams may be open at a time.
const mostStreams = 2000

// join counts a stream; with the first one begins somebody to look for all.
func (w *watch) join() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.streams >= mostStreams {
		return false
	}
	if w.streams++; w.streams == 1 {
		go w.keep()
	}
	return true
}

func (w *watch) leave() {
	w.mu.Lock()
	w.streams--
	w.mu.Unlock()
}

// keep looks as long as there is a stream.
func (w *watch) keep() {
	t := time.NewTicker(fresh)
	defer t.Stop()
	for {
		select {
		case <-w.ended:
			return
		case <-t.C:
		}
		w.mu.Lock()
		none := w.streams == 0
		w.mu.Unlock()
		if none {
			return
		}
		w.look()
	}
}

// stamp tells whether a run's files are those of before.
func (d *folder) stamp(name string) string {
	var all []byte
	for _, f := range []string{run.Config, run.Results, metricsFile, "run.lock"} {
		if info, err := d.root.Stat(filepath.FromSlash(path.Join(name, f))); err == nil {
			all = info.ModTime().AppendFormat(all, time.RFC3339Nano)
			all = append(all, '/')
		}
		all = append(all, '|')
	}
	return string(all)
}

// state reads what the list shows of a run.
func (d *folder) state(name string) runState {
	s := runState{Dir: name, State: broken}
	p, err := d.run(name)
	if err != nil {
		s.Note = err.Error()
		return s
	}
	for _, f := range []string{run.Config, run.Results, metricsFile} {
		if info, err := os.Stat(filepath.Join(p, f)); err == nil && info.ModTime().After(s.Changed) {
			s.Changed = info.ModTime()
		}
	}
	info, err := run.Inspect(p)
	s.Kind = info.Name
	if err != nil {
		s.Note = d.hide(err.Error())
		return s
	}
	s.State = stopped
	if _, ok := run.Running(p); ok {
		s.State = working
	}
	if info.Finished {
		s.State = finished
		var v any
		if run.ReadJSON(p, run.Results, &v) == nil {
			best(v, "", 0, &s)
		}
	}
	if list, err := readMetrics(p); err == nil && len(list) > 0 {
		e := list[len(list)-1]
		s.Loss = &e.Validation
		s.Epoch = e.words()
	}
	return s
}

// best finds the least mean EMD that a run's results tell of, and whose it is.
func best(v any, by string, depth int, s *runState) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			best(x, by, depth, s)
		}
	case map[string]any:
		for _, key := range []string{"loss", "name", "algorithm"} {
			if name, ok := v[key].(string); ok && name != "" {
				by = name
				break
			}
		}
		for _, key := range []string{"mean_emd", "emd"} {
			mean, ok := v[key].(float64)
			if in, is := v[key].(map[string]any); is {
				mean, ok = in["mean"].(float64)
			}
			if ok && (s.EMD == nil || mean < *s.EMD) {
				s.EMD, s.By = &mean, by
			}
		}
		for key, x := range v {
			// A plan's parts, and figures by bins, are no results of a run.
			if depth < 3 && !slices.Contains([]string{"config", "plan", "classes", "singles", "filled", "layers", "best_single", "examples"}, key) {
				if _, group := x.([]any); group || key == "encoder" || key == "kept" {
					best(x, by, depth+1, s)
				}
			}
		}
	}
}

// metricsFile has a line for every epoch of every training of a run.
const metricsFile = "metrics.jsonl"

// An epoch is one of those lines.
type epoch struct {
	Part       string   `json:"part"`
	Epoch      int      `json:"epoch"`
	Of         int      `json:"of"`
	Loss       float64  `json:"loss"`
	Validation float64  `json:"validation"`
	EMD        *float64 `json:"emd"`
	Rate       float64  `json:"rate"`
}

// readMetrics reads what there is, but for a last line under way.
func readMetrics(dir string) (list []epoch, err error) {
	f, err := os.Open(filepath.Join(dir, metricsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for d := json.NewDecoder(io.LimitReader(f, 256<<20)); ; {
		var e epoch
		switch err := d.Decode(&e); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return list, nil
		case err != nil:
			return nil, err
		}
		list = append(list, e)
	}
}

// order sorts states by a column.
func order(states []runState, by string, down bool) []runState {
	list := slices.Clone(states)
	missing := func(v *float64) float64 {
		if v == nil {
			return 1e308
		}
		return *v
	}
	slices.SortStableFunc(list, func(a, b runState) int {
		c := 0
		switch by {
		case "kind":
			c = cmp.Compare(a.Kind, b.Kind)
		case "state":
			c = cmp.Compare(a.State, b.State)
		case "emd":
			c = cmp.Compare(missing(a.EMD), missing(b.EMD))
		case "loss":
			c = cmp.Compare(missing(a.Loss), missing(b.Loss))
		case "changed":
			c = b.Changed.Compare(a.Changed)
		default:
			c = cmp.Compare(a.Dir, b.Dir)
		}
		if down {
			return -c
		}
		return c
	})
	return list
}
