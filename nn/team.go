package nn

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A team runs the numbered tasks of one operation on up to threads goroutines.
// Tasks write disjoint memory and are computed alike wherever they run, so the
// number of threads cannot show in the results.
type team struct {
	threads int
	next    atomic.Int64
	count   int64
	task    func(int)
	active  atomic.Int64
}

// run calls task(0) … task(count−1) and returns when all have ended.
func (t *team) run(count int, task func(int)) {
	helpers := min(t.threads, count) - 1
	if helpers <= 0 {
		for i := range count {
			task(i)
		}
		return
	}
	t.task, t.count = task, int64(count)
	t.next.Store(0)
	crew.recruit(t, helpers)
	t.work()
	crew.dismiss(t)
	for spins := 0; t.active.Load() != 0; spins++ {
		if spins%256 == 255 {
			runtime.Gosched()
		}
	}
}

func (t *team) work() {
	for {
		i := t.next.Add(1) - 1
		if i >= t.count {
			return
		}
		t.task(int(i))
	}
}

// crew is the process's helpers, shared by all networks: goroutines that look
// for work for a while after the last, as one operation follows another within
// microseconds, and then go to sleep. Waking one takes longer than many an
// operation; so a team never waits for a helper that has not yet begun.
var crew helpers

type helpers struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*helper]
}

// A helper's job is nil while it is free, the team that wants it until it
// begins, and then busy.
type helper struct {
	job    atomic.Pointer[team]
	asleep atomic.Bool
	wake   chan struct{}
}

var busy = new(team)

// recruit offers t to up to want free helpers, and starts new ones if there are
// fewer than want in all.
func (h *helpers) recruit(t *team, want int) {
	list := h.list.Load()
	if list == nil || len(*list) < want {
		list = h.grow(want)
	}
	for _, w := range *list {
		if want == 0 {
			return
		}
		if w.job.Load() != nil {
			continue
		}
		t.active.Add(1)
		if !w.job.CompareAndSwap(nil, t) {
			t.active.Add(-1)
			continue
		}
		if w.asleep.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
		want--
	}
}

// dismiss takes t back from the helpers that have not begun with it.
func (h *helpers) dismiss(t *team) {
	for _, w := range *h.list.Load() {
		if w.job.CompareAndSwap(t, nil) {
			t.active.Add(-1)
		}
	}
}

func (h *helpers) grow(want int) *[]*helper {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*helper
	if old := h.list.Load(); old != nil {
		list = append(list, *old...)
	}
	for len(list) < want {
		w := &helper{wake: make(chan struct{}, 1)}
		list = append(list, w)
		go w.loop()
	}
	h.list.Store(&list)
	return &list
}

// A helper looks idleLooks times for work before it sleeps, some 100 µs, and
// lets other goroutines run after every looksAtOnce.
const (
	idleLooks   = 200
	looksAtOnce = 500
)

func (w *helper) loop() {
	for {
		t := w.wait()
		t.work()
		w.job.Store(nil)
		t.active.Add(-1)
	}
}

// wait returns a team that counts on this helper.
func (w *helper) wait() *team {
	for {
		for range idleLooks {
			for range looksAtOnce {
				if t := w.begin(); t != nil {
					return t
				}
			}
			runtime.Gosched()
		}
		w.asleep.Store(true)
		if w.job.Load() == nil || !w.asleep.CompareAndSwap(true, false) {
			<-w.wake
		}
	}
}

// begin takes up the job offered, if there is one.
func (w *helper) begin() *team {
	if t := w.job.Load(); t != nil && w.job.CompareAndSwap(t, busy) {
		return t
	}
	return nil
}
