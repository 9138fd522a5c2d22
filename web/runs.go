package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// A column of the list of runs, which a click sorts by.
type column struct {
	Key, Name string
	Numeric   bool
	Sort      string // "ascending", "descending" or none
	Href      string
}

type runsView struct {
	Columns []column
	Rows    []runState
	All     bool
}

// listPage lists all runs below the folder.
func (s *Server) listPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	by, down := q.Get("sort"), q.Has("down")
	if !slices.Contains([]string{"kind", "state", "emd", "loss", "changed"}, by) {
		by = ""
	}
	now, _ := s.watch.look()
	key := listKey{now.version, by, down}
	body, err := s.lists.get(key, func() ([]byte, error) {
		return s.page("runs", view{Title: "Runs", Active: "/", Live: true, Data: list(now, by, down)})
	})
	if err != nil {
		return err
	}
	sendPage(w, 0, body)
	return nil
}

// listKey says which list of runs is meant. The same is asked for by many, again and again.
type listKey struct {
	version int
	by      string
	down    bool
}

// list is a list of runs, with the links that sort it.
func list(now snapshot, by string, down bool) runsView {
	v := runsView{Rows: order(now.states, by, down), All: now.all}
	for _, c := range []column{{Key: "", Name: "run"}, {Key: "emd", Name: "EMD", Numeric: true}, {Key: "loss", Name: "validation loss", Numeric: true},
		{Key: "state", Name: "state"}, {Key: "kind", Name: "kind"}, {Key: "changed", Name: "changed"}} {
		to := url.Values{}
		if c.Key != "" {
			to.Set("sort", c.Key)
		}
		if c.Key == by {
			c.Sort = "ascending"
			if down {
				c.Sort = "descending"
			} else {
				to.Set("down", "1")
			}
		}
		c.Href = "/?" + to.Encode()
		v.Columns = append(v.Columns, c)
	}
	return v
}

// events tells a reader whenever the list of runs is another. Nothing is kept for a
// stream but its place in the queue.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	if !s.watch.join() {
		return failure{http.StatusServiceUnavailable, "too many look at once"}
	}
	defer s.watch.leave()
	defer patient(w)()
	c := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	send := func(text string) bool {
		c.SetWriteDeadline(time.Now().Add(streamTime))
		if _, err := w.Write([]byte(text)); err != nil {
			return false
		}
		return c.Flush() == nil
	}
	beat := time.NewTicker(beatTime)
	defer beat.Stop()
	told := -1
	for {
		now, changed := s.watch.look()
		if now.version != told {
			told = now.version
			if !send("event: runs\ndata: " + strconv.Itoa(told) + "\n\n") {
				return nil
			}
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.watch.ended:
			return nil
		case <-changed:
		case <-beat.C:
			if !send(": still here\n\n") {
				return nil
			}
		}
	}
}

// streamTime is how long a reader may take for what it is sent, beatTime after how long
// without news it hears that there is none.
const (
	streamTime = 10 * time.Second
	beatTime   = 20 * time.Second
)
