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
	for spins := 0; t.active.Load() != 0; spins++ {
		if spins > 200 {
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

// crew is the process's helpers, shared by all networks: goroutines that wait
// briefly in a loop for the next operation, as one follows another within
// microseconds, and then go to sleep.
var crew helpers

type helpers struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*helper]
}

type helper struct {
	job    atomic.Pointer[team]
	asleep atomic.Bool
	wake   chan struct{}
}

// recruit gives t to up to want idle helpers, and starts new ones if there are
// fewer than want in all. Fewer may join: the caller does the rest itself.
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

// idleSpins is how often a helper looks for work before it sleeps: some tens
// of microseconds.
const idleSpins = 20000

func (w *helper) loop() {
	for {
		t := w.wait()
		t.work()
		w.job.Store(nil)
		t.active.Add(-1)
	}
}

func (w *helper) wait() *team {
	for {
		for range idleSpins {
			if t := w.job.Load(); t != nil {
				return t
			}
		}
		w.asleep.Store(true)
		if t := w.job.Load(); t != nil {
			if !w.asleep.CompareAndSwap(true, false) {
				<-w.wake // the recruiter saw us asleep and rang
			}
			return t
		}
		<-w.wake
	}
}
