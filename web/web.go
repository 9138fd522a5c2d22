// Package web serves a page over a folder of runs and wafer files: the runs with their
// figures and curves, as they go on; wafers with what the chip's algorithms and trained
// encoders make of them, and the exact plan's flow between the two; two wafers to put
// charge into; the layers of a plan.
//
// It only reads, and only below its folder. Every page is made by the server, by
// package report's drawings, from its address alone: what is seen can be linked to, and
// pages work without their script, which is there for keys, for files that are dropped
// and for what changes while it is looked at. Nothing is asked of another machine.
//
// Whoever can reach the address can read the folder's runs and images. It is therefore
// one of this machine alone, or else [Settings] need a token. Requests that a page of
// somebody else's makes, by its own name for this machine or from its own origin, are
// refused.
package web

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"runtime"
	"time"

	"barrow/report"
	"barrow/run"
)

// Settings of a [Server].
type Settings struct {
	// Dir is the folder whose runs and files are shown.
	Dir string
	// Token is what a reader must know, at least 16 characters; "" asks for none, which
	// [Server.Serve] refuses on addresses that other machines reach.
	Token string
	// Threads that are used at once; 0 means all processors.
	Threads int
}

// A Server shows one folder. It may serve any number of requests at a time.
type Server struct {
	dir     *folder
	token   string
	threads int
	mux     *http.ServeMux
	watch   *watch
	pages   *cache[string, *drawn]
	lists   *cache[listKey, []byte]
	sets    *cache[imageKey, *images]
	models  *cache[string, *contender]
	founds  *cache[string, run.Found]
	tails   *cache[string, *follower]
	layers  *cache[string, []report.Figure]
	uploads *uploads
	jobs    *jobs
	version string // of the assets, in their addresses
}

//go:embed assets
var assets embed.FS

// leastToken is how long a token is at least.
const leastToken = 16

// New makes a server for a folder. Close frees what it keeps.
func New(s Settings) (*Server, error) {
	if s.Token != "" && len(s.Token) < leastToken {
		return nil, fmt.Errorf("web: the token has %d characters: want at least %d, as of a random text", len(s.Token), leastToken)
	}
	dir, err := openFolder(s.Dir)
	if err != nil {
		return nil, err
	}
	if s.Threads <= 0 {
		s.Threads = runtime.GOMAXPROCS(0)
	}
	b := make([]byte, 6)
	rand.Read(b)
	w := &Server{
		dir: dir, token: s.Token, threads: s.Threads, version: hex.EncodeToString(b),
		pages: newCache[string, *drawn](64), lists: newCache[listKey, []byte](12), sets: newCache[imageKey, *images](4), models: newCache[string, *contender](16),
		founds: newCache[string, run.Found](64), tails: newCache[string, *follower](64), layers: newCache[string, []report.Figure](16), uploads: &uploads{}, jobs: newJobs(s.Threads),
	}
	w.watch = newWatch(dir)
	w.routes()
	return w, nil
}

// Close ends what is under way, removes what was uploaded and lets go of the folder.
func (s *Server) Close() error {
	s.watch.close()
	s.jobs.close()
	return errors.Join(s.uploads.close(), s.dir.close())
}

// routes names every address that is served.
func (s *Server) routes() {
	s.mux = http.NewServeMux()
	page := func(pattern string, h func(http.ResponseWriter, *http.Request) error) {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				s.fail(w, r, err)
			}
		})
	}
	computing := func(path string, whole, file func(http.ResponseWriter, *http.Request) error) {
		busy := make(chan struct{}, max(s.threads, 2)) // what one part has to compute, others do not wait for
		page("GET "+path, computing(busy, whole))
		page("GET "+path+"/file", computing(busy, file))
	}
	page("GET /{$}", s.listPage)
	computing("/run", s.runPage, s.runFile)
	computing("/wafers", s.wafersPage, s.waferFile)
	computing("/play", s.playPage, s.playFile)
	computing("/plan", s.planPage, s.planFile)
	page("POST /upload", s.upload)
	page("GET /events", s.events)
	page("GET /", func(http.ResponseWriter, *http.Request) error { return notFound("there is no such page") })
	s.mux.HandleFunc("GET /assets/{name}", s.asset)
}

// computing lets only so many requests compute at a time as busy has room for; the others wait
// for a while.
func computing(busy chan struct{}, h func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), computeTime)
		defer cancel()
		select {
		case busy <- struct{}{}:
		case <-ctx.Done():
			return failure{http.StatusServiceUnavailable, "too much is being computed: try again in a while"}
		}
		defer func() { <-busy }()
		defer patient(w)()
		err := h(w, r.WithContext(ctx))
		if err != nil && ctx.Err() != nil && r.Context().Err() == nil {
			return failure{http.StatusServiceUnavailable, fmt.Sprintf("this takes longer than %v: choose a smaller file, or another order", computeTime)}
		}
		return err
	}
}

// computeTime is the longest that a page may take.
const computeTime = 45 * time.Second

// asset serves a file of the page itself.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	body, err := fs.ReadFile(assets, path.Join("assets", name))
	if name == "report.css" {
		body, err = []byte(report.Style()), nil
	}
	if err != nil || types[path.Ext(name)] == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", types[path.Ext(name)])
	w.Header().Set("Cache-Control", "public, max-age=86400")
	w.Write(body)
}

// Times after which a slow client is cut off.
const (
	headerTime = 5 * time.Second
	readTime   = 15 * time.Second
	writeTime  = computeTime + 30*time.Second
	idleTime   = 60 * time.Second
	lastTime   = 5 * time.Second // for what is under way when serving ends
)

// patient lets a request that was read whole take longer than it may take to send one,
// until the function that it returns is called.
func patient(w http.ResponseWriter) func() {
	c := http.NewResponseController(w)
	c.SetReadDeadline(time.Time{}) // what cannot has no deadline, either
	return func() { c.SetReadDeadline(time.Now().Add(readTime)) }
}

// Serve answers requests until the context is cancelled, and then those under way; the
// listener is closed. One that other machines reach needs a token.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if !Local(l.Addr()) && s.token == "" {
		l.Close()
		return fmt.Errorf("web: %s can be reached from other machines, which the page is not for without a token", l.Addr())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler: s.Handler(), BaseContext: func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: 64 << 10, ErrorLog: quiet(),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("web: %w", err)
	case <-ctx.Done():
	}
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), lastTime)
	defer stop()
	if err := server.Shutdown(last); err != nil {
		server.Close()
	}
	return nil
}

// Local tells whether an address is this machine's alone.
func Local(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
