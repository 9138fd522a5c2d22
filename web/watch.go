package web

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"barrow/run"
	"barrow/study"
)

// A runState is a line of the list of runs.
type runState struct {
	Dir     string
	Kind    run.Kind
	State   string // as package run has it
	Note    string // what is wrong
	EMD     *float64
	Others  string // figures, in words
	Loss    *float64
	Epoch   string // where a training is
	Changed time.Time
	Row     template.HTML // of the list, made once
}

// Fresh tells whether the run changes while one looks, Finished whether it is done.
func (r runState) Fresh() bool    { return r.State == run.StateRunning }
func (r runState) Finished() bool { return r.State == run.StateFinished }

// A snapshot is the folder as it was a moment ago.
type snapshot struct {
	listing
	states  []runState
	version int // rises when the states change
}

// watch keeps a snapshot for all who look. It looks at the folder again only where the
// last look is older than fresh and somebody asks, or a stream is open; who asks waits for
// that only where the last look is older than stale.
type watch struct {
	dir *folder

	mu      sync.Mutex
	now     snapshot
	seen    time.Time
	looking chan struct{}    // closed when the look under way is done; nil where none is
	known   map[string]known // by run; of the look under way alone
	changed chan struct{}    // closed when version rises
	streams int
	keeping bool // somebody looks for the streams
	ended   chan struct{}
	once    sync.Once
}

// known is what was read of a run, and the state of its files then.
type known struct {
	stamp string
	state runState
}

// How old a snapshot may be.
const (
	fresh = 2 * time.Second
	stale = 10 * time.Second
)

func newWatch(dir *folder) *watch {
	return &watch{dir: dir, known: map[string]known{}, changed: make(chan struct{}), ended: make(chan struct{})}
}

// close waits for a look under way.
func (w *watch) close() {
	w.once.Do(func() { close(w.ended) })
	w.mu.Lock()
	looking := w.looking
	w.mu.Unlock()
	if looking != nil {
		<-looking
	}
}

// look is the folder's state, and what is closed once it is another.
func (w *watch) look() (snapshot, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	age := time.Since(w.seen)
	if age >= fresh && w.looking == nil {
		w.looking = make(chan struct{})
		go w.again(w.now.version)
	}
	if looking := w.looking; age >= stale && looking != nil {
		w.mu.Unlock()
		<-looking
		w.mu.Lock()
	}
	return w.now, w.changed
}

// again looks at the folder.
func (w *watch) again(version int) {
	next := snapshot{listing: w.dir.list(), version: version}
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
	w.mu.Lock()
	defer w.mu.Unlock()
	if version == 0 || !slices.EqualFunc(next.states, w.now.states, func(a, b runState) bool { return a.same(b) }) {
		next.version++
		close(w.changed)
		w.changed = make(chan struct{})
	}
	w.now, w.seen = next, time.Now()
	close(w.looking)
	w.looking = nil
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

// join counts a stream; with the first one somebody begins to look for all, one however
// often readers come and go.
func (w *watch) join() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.streams >= mostStreams {
		return false
	}
	w.streams++
	if !w.keeping {
		w.keeping = true
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
		w.keeping = w.streams > 0
		on := w.keeping
		w.mu.Unlock()
		if !on {
			return
		}
		w.look()
	}
}

// stamp tells whether a run's files are those of before.
func (d *folder) stamp(name string) string {
	var all []byte
	for _, e := range d.own(name) {
		if info, err := d.root.Stat(filepath.FromSlash(path.Join(name, e.Name()))); err == nil {
			all = fmt.Appendf(all, "%s %d %d|", e.Name(), info.ModTime().UnixNano(), info.Size())
		}
	}
	return string(all)
}

// state reads what the list shows of a run.
func (d *folder) state(name string) runState {
	s := d.read(name)
	s.Row = rowOf(s)
	return s
}

func (d *folder) read(name string) runState {
	s := runState{Dir: name, State: run.StateUnreadable}
	err := d.withRun(name, func(path string) error {
		r, err := study.Look(path)
		if err != nil {
			return err
		}
		s.Kind, s.State, s.Note, s.Changed = r.Kind, r.State, strings.ReplaceAll(r.Problem, path, name), r.Changed
		s.figures(r.Figures)
		if list, err := run.ReadMetrics(path); err == nil && len(list) > 0 {
			e := list[len(list)-1]
			s.Loss = &e.Validation
			if !s.Finished() {
				s.Epoch = fmt.Sprintf("%s, epoch %d of %d", e.Part, e.Epoch, e.Of)
			}
		}
		return nil
	})
	if err != nil {
		s.Note = d.hide(err.Error())
	}
	return s
}

// figures are the EMD, and what else there is in words.
func (r *runState) figures(of map[string]float64) {
	var others []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		v := of[name]
		if name == emdFigure {
			r.EMD = &v
		} else {
			others = append(others, fmt.Sprintf("%s\u00a0%.4g", name, v))
		}
	}
	r.Others = strings.Join(others, ", ")
}

// emdFigure is the name of a run's mean EMD among its figures.
const emdFigure = "emd"

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
			c = cmp.Compare(a.Kind.Name, b.Kind.Name)
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
