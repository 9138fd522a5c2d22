package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"barrow/run"
	"barrow/study/compare"
)

// put writes a file below a folder.
func put(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// fill makes a folder with two runs that are stopped and one that is done.
func fill(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range []string{"a", "deep/b"} {
		put(t, dir, name+"/"+run.Config, fmt.Sprintf(`{"kind": "encoder", "version": 1, "epochs": %d, "seed": 7, "inner": {"rate": 0.00%d}}`, 5+i, i+1))
		put(t, dir, name+"/"+run.Metrics, fmt.Sprintf(`{"part":"encoder-emd","epoch":1,"of":3,"loss":2,"validation":2.5,"rate":0.001,"emd":1.5}
{"part":"encoder-emd","epoch":2,"of":3,"loss":1,"validation":1.%d,"rate":0.0005,"emd":1.25}
{"part":"encoder-emd","ep`, i+1))
	}
	head := fmt.Sprintf(`{"kind": %q, "version": %d`, compare.Kind().Name, compare.Kind().Version)
	put(t, dir, "done/"+run.Config, head+"}")
	put(t, dir, "done/"+run.Results, head+`, "rows": [{"loss": "mse", "mean_emd": {"mean": 2.5}}, {"loss": "emd", "mean_emd": {"mean": 0.75}}]}`)
	return dir
}

func server(t testing.TB, dir, token string) *Server {
	t.Helper()
	s, err := New(Settings{Dir: dir, Token: token, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// get asks for a page as a browser of this machine does.
func get(s *Server, address string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.Host = "127.0.0.1:1234"
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

// TestRuns: the list has what runs say, in the order that is asked for, and names that mean
// something to HTML or to an address are only names.
func TestRuns(t *testing.T) {
	dir := fill(t)
	odd := `<b>&"x" %2e+?#=`
	if runtime.GOOS == "windows" {
		odd = "&x %2e+#="
	}
	put(t, dir, odd+"/"+run.Config, `{"kind": "encoder", "version": 1}`)
	put(t, dir, "bad/"+run.Config, `{`)
	put(t, dir, ".hidden/"+run.Config, `{"kind": "encoder", "version": 1}`)
	s := server(t, dir, "")
	page := get(s, "/").Body.String()
	for _, want := range []string{"0.75", "1.1", "1.2", "encoder-emd, epoch 2 of 3", run.StateFinished, run.StateInterrupted} {
		if !strings.Contains(page, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	for _, no := range []string{"<b>", "hidden/", dir} {
		if strings.Contains(page, no) {
			t.Errorf("the list has %q", no)
		}
	}
	if w := get(s, "/run?dir="+url.QueryEscape(odd)); w.Code != http.StatusOK {
		t.Errorf("a run with an odd name: %d %s", w.Code, w.Body)
	}
	places := func(address string) (list []int) {
		page := get(s, address).Body.String()
		for _, name := range []string{`value="a"`, `value="deep/b"`, `value="done"`} {
			list = append(list, strings.Index(page, name))
		}
		return list
	}
	if p := places("/?sort=loss"); p[0] > p[1] || p[1] > p[2] {
		t.Errorf("by loss: %v", p)
	}
	if p := places("/?sort=loss&down=1"); p[0] < p[1] || p[1] < p[2] {
		t.Errorf("by loss, the other way: %v", p)
	}
	if p := places("/?sort=emd"); p[2] > p[0] || p[2] > p[1] {
		t.Errorf("by EMD: %v", p)
	}
}

// TestRun: one run shows its curves and settings, two what they differ in.
func TestRun(t *testing.T) {
	dir := fill(t)
	putPlan(t, dir)
	put(t, dir, "plan/"+run.Metrics, `{"part":"encoder-emd","epoch":1,"of":1,"loss":2,"validation":2.5,"rate":0.001,"emd":1.5}`+"\n")
	s := server(t, dir, "")
	done := get(s, "/run?dir=plan").Body.String()
	for _, id := range []string{"curve-loss", "curve-emd", "curve-rate"} {
		if strings.Contains(done, id) != (id != "curve-loss") {
			t.Errorf("a finished run's page, whose report has the losses: %s", id)
		}
	}
	one := get(s, "/run?dir=a").Body.String()
	for _, want := range []string{"curve-loss", "curve-emd", "curve-rate", "inner.rate", "is not finished"} {
		if !strings.Contains(one, want) {
			t.Errorf("the run's page lacks %q", want)
		}
	}
	two := get(s, "/run?dir=a&dir=deep/b").Body.String()
	for _, want := range []string{"inner.rate", "epochs", "deep/b: emd, validation"} {
		if !strings.Contains(two, want) {
			t.Errorf("the page of two runs lacks %q", want)
		}
	}
	if strings.Contains(two, "<td>seed</td>") {
		t.Error("a setting that both have is said to differ")
	}
	for address, code := range map[string]int{
		"/run": 400, "/run?dir=none": 404, "/run?dir=deep": 422, "/run?dir=../a": 404, "/run?dir=/etc": 404, "/run?dir=a/config.json": 404,
		"/run?dir=a" + strings.Repeat("&dir=a&dir=deep/b", 5): 200, "/run?dir=a&dir=b&dir=c&dir=d&dir=e&dir=f&dir=g&dir=h&dir=i": 400,
		"/run/file?dir=a&figure=curve-emd&format=svg": 200, "/run/file?dir=a&dir=deep/b&figure=curve-loss&format=csv": 200, "/run/file?dir=a&figure=none&format=csv": 404, "/run/file?dir=..": 404, "/nothing": 404, "/run/../../etc/passwd": 404, "/%2e%2e/%2e%2e/etc/passwd": 404,
		"/assets/..%2fweb.go": 404, "/assets/web.css": 200, "/assets/report.css": 200, "/assets/web.js": 200,
	} {
		if w := get(s, address); w.Code != code && w.Code != http.StatusMovedPermanently && w.Code != http.StatusTemporaryRedirect {
			t.Errorf("%s: %d, want %d", address, w.Code, code)
		}
	}
}

// TestOutside: no link, whatever it is called, shows what is not in the folder.
func TestOutside(t *testing.T) {
	dir, out := fill(t), t.TempDir()
	put(t, out, "secret.csv", "secret")
	put(t, out, "run/"+run.Config, `{"kind": "encoder", "version": 1, "secret": 1}`)
	for name, to := range map[string]string{
		"link": out, "secret.csv": filepath.Join(out, "secret.csv"), "up": "..", "run": filepath.Join(out, "run"), "inner": "a",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	put(t, dir, "half/"+run.Results, `{}`)
	if err := os.Symlink(filepath.Join(out, "run", run.Config), filepath.Join(dir, "half", run.Config)); err != nil {
		t.Fatal(err)
	}
	put(t, out, "metrics.jsonl", `{"part":"secret","epoch":1,"of":3,"loss":2,"validation":2.5}`+"\n")
	put(t, dir, "shards/"+run.Config, `{"kind": "encoder", "version": 1}`)
	if err := os.Symlink(filepath.Join(out, "metrics.jsonl"), filepath.Join(dir, "shards", "metrics-00001-of-00002.jsonl")); err != nil {
		t.Fatal(err)
	}
	s := server(t, dir, "")
	for _, name := range []string{"shards", "link", "link/run", "up", "run", "half", "up/" + filepath.Base(out) + "/run", "link/../a", "./a", "a/", "", "a/../../x", "..", "a\x00", `..\a`, `C:\`, "//a"} {
		w := get(s, "/run?dir="+url.QueryEscape(name))
		if w.Code != http.StatusNotFound {
			t.Errorf("%q: %d", name, w.Code)
		}
		if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), out) {
			t.Errorf("%q tells of what is outside", name)
		}
	}
	if w := get(s, "/run?dir=inner"); w.Code != http.StatusOK {
		t.Errorf("a link within the folder: %d", w.Code)
	}
	if page := get(s, "/").Body.String(); strings.Contains(page, "secret") {
		t.Error("the list tells of what is outside")
	}
}

// TestPipe: what waits for a writer that never comes keeps nobody from the list, or from the run
// around it.
func TestPipe(t *testing.T) {
	dir := fill(t)
	put(t, dir, "a/inner/"+run.Config, `{"kind": "encoder", "version": 1}`)
	for _, name := range []string{"a/run.lock", "a/inner/run.lock", "a/inner/" + run.Results, "deep/b/metrics-00001-of-00002.jsonl"} {
		if out, err := exec.Command("mkfifo", filepath.Join(dir, filepath.FromSlash(name))).CombinedOutput(); err != nil {
			t.Skipf("no pipes here: %v %s", err, out)
		}
	}
	s := server(t, dir, "")
	done := make(chan int, 4)
	for _, address := range []string{"/", "/run?dir=a", "/run?dir=deep/b", "/run?dir=a&dir=deep/b"} {
		go func() { done <- get(s, address).Code }()
	}
	late := time.After(20 * time.Second)
	for range cap(done) {
		select {
		case code := <-done:
			if code >= 500 {
				t.Errorf("%d", code)
			}
		case <-late:
			t.Fatal("a page waits for a pipe")
		}
	}
}

// TestKeep: one looks for all streams, however often they come and go.
func TestKeep(t *testing.T) {
	w := newWatch(server(t, t.TempDir(), "").dir)
	before := runtime.NumGoroutine()
	for range 100 {
		w.join()
		w.leave()
	}
	w.join()
	if n := runtime.NumGoroutine() - before; n > 1 {
		t.Errorf("%d look for one stream", n)
	}
	w.close()
}

// TestGuard: who may ask, how, and by which name.
func TestGuard(t *testing.T) {
	s := server(t, fill(t), "")
	header := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Set(pairs[i], pairs[i+1])
			}
		}
	}
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	method := func(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }
	for name, c := range map[string]struct {
		code   int
		change func(*http.Request)
	}{
		"localhost":                 {200, host("localhost:99")},
		"IPv6":                      {200, host("[::1]:99")},
		"other name":                {421, host("evil.example:1234")},
		"other name that begins so": {421, host("127.0.0.1.evil.example")},
		"other address":             {421, host("192.0.2.7:1234")},
		"no name":                   {421, host("")},
		"PUT":                       {405, method(http.MethodPut)},
		"DELETE":                    {405, method(http.MethodDelete)},
		"TRACE":                     {405, method(http.MethodTrace)},
		"OPTIONS":                   {405, method(http.MethodOptions)},
		"POST to a page":            {405, method(http.MethodPost)},
		"own origin":                {200, header("Origin", "http://127.0.0.1:1234")},
		"other origin":              {403, header("Origin", "http://evil.example")},
		"other port":                {403, header("Origin", "http://127.0.0.1:1235")},
		"fetched by a page":         {403, header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors")},
		"fetched by a port":         {403, header("Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors")},
		"a link that is followed":   {200, header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")},
		"typed":                     {200, header("Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate")},
	} {
		w := get(s, "/", c.change)
		if w.Code != c.code {
			t.Errorf("%s: %d, want %d", name, w.Code, c.code)
		}
		if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", name, p)
		}
	}
	for _, address := range []string{"/", "/run?dir=a", "/nothing"} {
		page := get(s, address).Body.String()
		for _, no := range []string{" style=", "<style", "onclick", "javascript:", "http://", "https://"} {
			if strings.Contains(strings.ReplaceAll(page, "http://www.w3.org", ""), no) {
				t.Errorf("%s has %q", address, no)
			}
		}
	}
}

// TestToken: without it nothing is shown; with it any name of the machine serves.
func TestToken(t *testing.T) {
	const token = "0123456789abcdef&="
	if _, err := New(Settings{Dir: t.TempDir(), Token: "short"}); err == nil {
		t.Error("a short token is taken")
	}
	s := server(t, fill(t), token)
	elsewhere := func(r *http.Request) { r.Host = "farm.example:80" }
	for _, address := range []string{"/", "/run?dir=a", "/assets/web.js", "/events", "/?token=" + url.QueryEscape(token[1:])} {
		if w := get(s, address, elsewhere); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "encoder") {
			t.Errorf("%s: %d", address, w.Code)
		}
	}
	w := get(s, "/run?dir=a&token="+url.QueryEscape(token), elsewhere)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/run?dir=a" {
		t.Fatalf("with the token: %d to %q", w.Code, w.Header().Get("Location"))
	}
	c := w.Result().Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %v", c)
	}
	if other := server(t, fill(t), token+"2"); other.cookie() == c.Name {
		t.Error("another server, on another port, would take the cookie's place")
	}
	if w := get(s, "/", elsewhere, func(r *http.Request) { r.AddCookie(c) }); w.Code != http.StatusOK {
		t.Errorf("with the cookie: %d", w.Code)
	}
	if w := get(s, "/", elsewhere, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }); w.Code != http.StatusOK {
		t.Errorf("with the header: %d", w.Code)
	}
	// A path that looks like another machine's is not where one is sent.
	if to := get(s, "//evil.example/?token="+url.QueryEscape(token), elsewhere).Header().Get("Location"); strings.HasPrefix(to, "//") {
		t.Errorf("sent to %q", to)
	}
}

// serve answers at a free port until the test ends.
func serve(t *testing.T, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// TestServe: an address that others reach needs a token, and the end is awaited.
func TestServe(t *testing.T) {
	s := server(t, fill(t), "")
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Skip(err)
	}
	if err := s.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("served to all: %v", err)
	}
	at := serve(t, s)
	r, err := http.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); err != nil || !strings.Contains(string(b), "encoder") {
		t.Errorf("%v %s", err, b)
	}
}

// TestStreams: many look on at once, each hears of a change, and nothing is left of them.
func TestStreams(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 50
	}
	dir := fill(t)
	s := server(t, dir, "")
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan bool, n), make(chan bool, n)
	for range n {
		go func() {
			pr, pw := io.Pipe()
			w := &streamWriter{header: http.Header{}, w: pw}
			go func() {
				r := httptest.NewRequest(http.MethodGet, "/events", nil).WithContext(ctx)
				r.Host = "localhost"
				s.Handler().ServeHTTP(w, r)
				pw.Close()
			}()
			lines := bufio.NewScanner(pr)
			heard := []chan bool{first, second}
			for lines.Scan() {
				if strings.HasPrefix(lines.Text(), "data: ") && len(heard) > 0 {
					heard[0] <- true
					heard = heard[1:]
				}
			}
		}()
	}
	wait := func(c chan bool) {
		t.Helper()
		late := time.After(20 * time.Second)
		for i := range n {
			select {
			case <-c:
			case <-late:
				t.Fatalf("%d of %d heard", i, n)
			}
		}
	}
	wait(first)
	if most := before + 4*n + 20; runtime.NumGoroutine() > most {
		t.Errorf("%d goroutines, want at most %d", runtime.NumGoroutine(), most)
	}
	put(t, dir, "new/"+run.Config, `{"kind": "encoder", "version": 1}`)
	wait(second)
	cancel()
	streams := func() int {
		s.watch.mu.Lock()
		defer s.watch.mu.Unlock()
		return s.watch.streams
	}
	for range 200 {
		if runtime.NumGoroutine() <= before+5 && streams() == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%d goroutines are left of %d, and %d streams", runtime.NumGoroutine(), before, streams())
}

// A streamWriter is a response that is read while it is written.
type streamWriter struct {
	header http.Header
	w      io.Writer
}

func (w *streamWriter) Header() http.Header                { return w.header }
func (w *streamWriter) Write(b []byte) (int, error)        { return w.w.Write(b) }
func (w *streamWriter) WriteHeader(int)                    {}
func (w *streamWriter) Flush()                             {}
func (w *streamWriter) SetWriteDeadline(t time.Time) error { return nil }

// TestSlow: who sends no request in time is cut off.
func TestSlow(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a timeout")
	}
	at := serve(t, server(t, fill(t), ""))
	c, err := net.Dial("tcp", strings.TrimPrefix(at, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\n")
	c.SetReadDeadline(time.Now().Add(headerTime + 5*time.Second))
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("the connection is still open: %v", err)
	}
}

// FuzzRun: whatever an address says, the answer is a page, and never of another folder.
func FuzzRun(f *testing.F) {
	dir := fill(f)
	s := server(f, dir, "")
	for _, q := range []string{"dir=a", "dir=a&dir=deep/b", "dir=..", "dir=%00", "dir=a/../..", "sort=emd&down", "dir=%2e%2e%2f", "dir=done", "dir=a&figure=curve-emd&format=csv"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/", "/run", "/run/file"} {
			w := get(s, "/", func(r *http.Request) { r.URL.Path, r.URL.RawQuery = path, query })
			if w.Code >= 500 || strings.Contains(w.Body.String(), dir) {
				t.Fatalf("%s?%s: %d %.300s", path, query, w.Code, w.Body)
			}
		}
	})
}

// FuzzMetrics: whatever a run's metrics are, they are read or refused.
func FuzzMetrics(f *testing.F) {
	e := 1.5
	b, _ := json.Marshal(run.Epoch{Part: "a", Epoch: 1, Of: 2, Loss: 1, Validation: 2, EMD: &e, Rate: 1e-3})
	f.Add(append(b, '\n'))
	f.Add([]byte(`{"part":"a","epoch":-1,"loss":1e308,"validation":-1e308}` + "\n" + `{"part":"\u0000<","epoch":9e15}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		put(t, dir, "r/"+run.Config, `{"kind": "encoder", "version": 1}`)
		put(t, dir, "r/"+run.Metrics, string(b))
		s := server(t, dir, "")
		for _, address := range []string{"/", "/run?dir=r", "/run?dir=r"} { // the second time from where it left off
			if w := get(s, address); w.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", address, w.Code, w.Body)
			}
		}
	})
}
