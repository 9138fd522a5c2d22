package web

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"barrow/run"
	"barrow/study/plan"
)

// putPlan writes a plan of two modules.
func putPlan(t testing.TB, dir string) {
	t.Helper()
	k := plan.Kind()
	put(t, dir, "plan/"+run.Config, fmt.Sprintf(`{"kind": %q, "version": %d}`, k.Name, k.Version))
	put(t, dir, "plan/"+run.Results, fmt.Sprintf(`{"kind": %q, "version": %d, "mean_emd": 0.5, "singles": [{"algorithm": "BC", "decoding": "kept"}],
		"classes": [{"name": "one", "links": 3, "occupancy": [1, 7.5], "scores": [{"algorithm": "BC", "decoding": "spread", "links": 3}], "emd": 0.25, "best_single_emd": 0.5},
		{"name": "two", "links": 1, "occupancy": [2, 0.25], "scores": [{"algorithm": "TS", "decoding": "kept", "links": 1}], "emd": 0.75, "best_single_emd": 0.75}],
		"layers": [{"layer": 1, "modules": [[20, 30, 0], [40, 50, 1]]}, {"layer": 3, "modules": [[20, 30, 1]]}]}`, k.Name, k.Version))
}

// csvFile is a file with these images, a cell and its charge each.
func csvFile(images ...map[int]float64) string {
	var b strings.Builder
	for c := range 48 {
		fmt.Fprintf(&b, "CALQ_%d,", c)
	}
	b.WriteString("class\n")
	for i, m := range images {
		for c := range 48 {
			fmt.Fprintf(&b, "%g,", m[c])
		}
		fmt.Fprintf(&b, "%d\n", 10-i)
	}
	return b.String()
}

// TestWafers: the page has the exact distance of a case that can be reckoned by hand, in every
// order, and files of what it shows.
func TestWafers(t *testing.T) {
	dir := t.TempDir()
	// BC on one link sends one cell. The other one's charge is lost, or shared by 47.
	put(t, dir, "images.csv", csvFile(map[int]float64{0: 512, 1: 512}, map[int]float64{5: 256}, map[int]float64{}, map[int]float64{0: 64, 1: 64, 2: 64, 3: 64}))
	s := server(t, dir, "")
	page := get(s, "/wafers?file=images.csv&what=BC&links=1&how=kept").Body.String()
	// Half the charge is a pitch of two halves away: EMD 1.
	for _, want := range []string{"EMD 1.000", "1 of 4", "potential-1", "flow-1"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if page := get(s, "/wafers?file=images.csv&image=3&what=BC").Body.String(); !strings.Contains(page, "no charge") || strings.Contains(page, "flow-1") {
		t.Error("an image without charge has a flow")
	}
	for sort, want := range map[string]string{"": "1", "emd": "2", "occupancy": "3", "sum": "3", "column:class": "4", "emd&down=1": "3", "occupancy&down": "4", "column:class&down": "1"} {
		page := get(s, "/wafers?file=images.csv&what=BC&links=1&how=kept&sort="+sort).Body.String()
		if !strings.Contains(page, "Image "+want+" and what is made of it") {
			t.Errorf("sorted by %q the first is not image %s", sort, want)
		}
	}
	const file = "/wafers/file?file=images.csv&image=1&what=BC&links=1&how=kept&figure="
	for format, begins := range map[string]string{"images&format=svg": "<svg", "flow-1&format=png": "\x89PNG", "images&format=csv": "cell,x,y,input,", "flow-1&format=csv": "from,to,share of the charge (%)\n", "potential-1&format=csv": "cell,x,y,potential (½ TC pitch)\n0,"} {
		w := get(s, file+format)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), begins) || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %.60q", format, w.Code, w.Body)
		}
	}
	if text := get(s, file+"flow-1&format=csv").Body.String(); !strings.Contains(text, "\n0,1,50\n") || strings.Count(text, "\n") != 3 {
		t.Errorf("the plan: %s", text)
	}
}

// TestBad: what an address says that cannot be is answered, in words, by the status that fits.
func TestBad(t *testing.T) {
	dir, out := world(t), t.TempDir()
	put(t, out, "secret.csv", csvFile(map[int]float64{0: 77777}))
	if err := os.Symlink(filepath.Join(out, "secret.csv"), filepath.Join(dir, "link.csv")); err != nil {
		t.Log("no symbolic links here:", err)
	}
	put(t, dir, "damaged.parquet", "PAR1 and no more")
	s := server(t, dir, "")
	for address, code := range map[string]int{
		"/wafers?file=none.csv": 404, "/wafers?file=../secret.csv": 404, "/wafers?file=link.csv": 404, "/wafers?file=/etc/passwd": 404, "/wafers?file=deep": 404,
		"/wafers?file=damaged.parquet": 422, "/wafers?file=images.csv&image=0": 400, "/wafers?file=images.csv&image=x": 400, "/wafers?file=images.csv&image=99": 404,
		"/wafers?file=images.csv&what=XX": 400, "/wafers?file=images.csv&links=14&what=BC": 400, "/wafers?file=images.csv&what=BC&how=none": 400, "/wafers?file=images.csv&metric=none": 400,
		"/wafers?file=images.csv&sort=none": 400, "/wafers?file=images.csv&order=none": 400, "/wafers?file=images.csv&what=STC16+5E4M&links=13": 400, "/wafers?file=images.csv&what=RPT&links=2": 400,
		"/wafers?file=images.csv&what=encoder:../x": 404, "/wafers?file=images.csv&what=encoder:images.csv": 422, "/wafers?file=images.csv&what=decoder:images.csv": 422,
		"/wafers?file=upload:../../etc/passwd": 404, "/wafers?file=images.csv&what=BC&what=BC&what=BC&what=BC&what=BC": 400, "/wafers/file?file=images.csv": 404,
		"/wafers/file?file=images.csv&figure=images": 400, "/play?a=48:1": 400, "/play?a=1:-2": 400, "/play?a=1:NaN": 400, "/play?a=1:Inf": 400, "/play?b=x": 400, "/play?a=&b=": 200, "/play?a=1:1e300": 200,
		"/plan?by=none": 400, "/plan?dir=a": 400, "/plan?dir=..": 404, "/plan?layer=2": 404, "/plan?layer=3&by=gain": 200, "/plan/file?dir=plan&figure=layer-1&format=svg": 200, "/wafers": 200, "/play": 200,
	} {
		w := get(s, address)
		if w.Code != code {
			t.Errorf("%s: %d, want %d: %.300s", address, w.Code, code, w.Body)
		}
		if body := w.Body.String(); strings.Contains(body, dir) || strings.Contains(body, out) || strings.Contains(body, "77777") {
			t.Errorf("%s tells of where or what it may not", address)
		}
	}
}

// TestPlay: the distance, the gradient and the frame of cases that can be reckoned by hand.
func TestPlay(t *testing.T) {
	s := server(t, t.TempDir(), "")
	page := get(s, "/play?a=0:100&b=1:100&what=BC&links=1&how=kept").Body.String()
	for _, want := range []string{"EMD 2.0000", "board-a", "gradient-a", "gradient-b", "A, cell 0: 100", "header", "cell 0</td>", "The frame, part by part"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// One unit of a hundred more in cell 1 of A moves nearer to B: by a hundredth of the way, twice.
	text := get(s, "/play/file?a=0:100&b=1:100&figure=gradient-a&format=csv").Body.String()
	if !strings.Contains(text, "\n1,") || !strings.Contains(text, ",-20\n") {
		t.Errorf("gradient: %s", text)
	}
	if page := get(s, "/play?a=&b=1:1").Body.String(); !strings.Contains(page, "without charge") {
		t.Error("an empty wafer has a distance")
	}
	for _, what := range algorithms() {
		for links := 1; links <= 13; links++ {
			w := get(s, fmt.Sprintf("/play?a=0:100,7:3000,30:17&what=%s&links=%d", url.QueryEscape(what.Value), links))
			if w.Code != http.StatusOK && w.Code != http.StatusBadRequest || w.Code == http.StatusOK && !strings.Contains(w.Body.String(), "bits of information") {
				t.Errorf("%s on %d links: %d", what.Text, links, w.Code)
			}
		}
	}
}

// TestPlan: layers are coloured by what is asked for; a plan from before occupancy was kept says so.
func TestPlan(t *testing.T) {
	dir := t.TempDir()
	putPlan(t, dir)
	s := server(t, dir, "")
	for by, want := range map[string]string{"": "BC", "emd": "0.75", "gain": "0.5", "occupancy": "7.5", "links": "3"} {
		w := get(s, "/plan?by="+by)
		if page := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(page, ">"+want) || strings.Count(page, "<svg") != 2 {
			t.Errorf("by %q: %d %s", by, w.Code, page)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "plan", run.Results))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "plan/"+run.Results, strings.ReplaceAll(string(b), "occupancy", "before"))
	if w := get(s, "/plan?by=occupancy"); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "no occupancy") || !strings.Contains(w.Body.String(), `id="by"`) {
		t.Errorf("a plan from before occupancy was kept: %d %s", w.Code, w.Body)
	}

	// One of another version is named, and not offered.
	other := strings.ReplaceAll(string(b), fmt.Sprintf(`"version": %d`, plan.Kind().Version), `"version": 0`)
	put(t, dir, "older/"+run.Config, `{"kind": "plan", "version": 0}`)
	put(t, dir, "older/"+run.Results, other)
	s = server(t, dir, "")
	if page := get(s, "/plan").Body.String(); strings.Contains(page, `value="older"`) || !strings.Contains(page, `href="/run?dir=older"`) {
		t.Errorf("a plan of another version: %s", page)
	}
	if w := get(s, "/plan?dir=older"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "another Barrow") || !strings.Contains(w.Body.String(), `value="plan"`) {
		t.Errorf("a plan of another version that is asked for: %d %s", w.Code, w.Body)
	}
	if page := get(s, "/plan?layer=3").Body.String(); strings.Count(page, "<svg") != 1 || !strings.Contains(page, "drawn alone") {
		t.Errorf("a layer alone: %s", page)
	}
}

// TestSorting: what is not sorted yet says how far it is and shows the file's order, keeps no
// other page waiting, and is kept once it is done; so many wait at most.
func TestSorting(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "images.csv", csvFile(map[int]float64{0: 512, 1: 512}, map[int]float64{5: 256}))
	s := server(t, dir, "")
	s.jobs.turn <- struct{}{} // somebody else's is under way
	const address = "/wafers?file=images.csv&what=BC&links=1&how=kept&sort=emd"
	w := get(s, address)
	if page := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(page, "<progress") || !strings.Contains(page, "Image 1 and what is made of it") {
		t.Fatalf("under way: %d %s", w.Code, page)
	}
	if w := get(s, "/wafers?file=images.csv"); w.Code != http.StatusOK {
		t.Errorf("another page: %d", w.Code)
	}
	s.jobs.waiting.Add(mostJobs)
	if w := get(s, "/wafers?file=images.csv&what=BC&links=2&sort=emd"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", w.Code)
	}
	s.jobs.waiting.Add(-mostJobs)
	<-s.jobs.turn
	for range 100 {
		if page := get(s, address).Body.String(); !strings.Contains(page, "<progress") {
			if !strings.Contains(page, "Image 2 and what is made of it") {
				t.Errorf("sorted: %s", page)
			}
			return
		}
	}
	t.Error("never sorted")
}

// TestSwapped: a link that is put in the place of a file or a run's file while it is asked for
// does not lead out, whenever that happens.
func TestSwapped(t *testing.T) {
	dir, out := fill(t), t.TempDir()
	secret := csvFile(map[int]float64{0: 77777})
	put(t, out, "secret.csv", secret)
	put(t, out, "secret.jsonl", `{"part":"77777","epoch":1,"of":3,"loss":2,"validation":2.5}`+"\n")
	files := map[string]string{"images.csv": "secret.csv", "a/" + run.Metrics: "secret.jsonl"}
	put(t, dir, "images.csv", csvFile(map[int]float64{0: 5}))
	var swaps sync.WaitGroup
	stop := make(chan struct{})
	defer swaps.Wait()
	defer close(stop)
	for name, to := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		content, err := os.ReadFile(p)
		if err == nil {
			err = os.Symlink(filepath.Join(out, to), p+".link")
		}
		if err != nil {
			t.Skip("no symbolic links here:", err)
		}
		swaps.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				os.WriteFile(p+".file", content, 0o666)
				os.Rename(p+".file", p)
				os.Symlink(filepath.Join(out, to), p+".link")
				os.Rename(p+".link", p)
			}
		})
	}
	s := server(t, dir, "")
	answered := map[int]int{}
	for i := range 60 {
		for _, address := range []string{"/wafers?file=images.csv&what=", "/run?dir=a", "/?x="} {
			w := get(s, fmt.Sprintf("%s&n=%d", address, i))
			if answered[w.Code]++; strings.Contains(w.Body.String(), "77777") || w.Code >= 500 {
				t.Fatalf("%s: %d %s", address, w.Code, w.Body)
			}
		}
	}
	t.Log(answered)
}

// form is a request with a file.
func form(t testing.TB, name string, content []byte) *http.Request {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	f, err := m.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	f.Write(content)
	m.Close()
	r := httptest.NewRequest(http.MethodPost, "/upload", &b)
	r.Host = "localhost"
	r.Header.Set("Content-Type", m.FormDataContentType())
	return r
}

// TestUpload: a file that is brought is looked at as others are, is gone at the end, and does
// not come from a page elsewhere.
func TestUpload(t *testing.T) {
	dir := fill(t)
	s, err := New(Settings{Dir: dir, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	bring := func(r *http.Request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w
	}
	content := []byte(csvFile(map[int]float64{3: 300}))
	w := bring(form(t, `../../"x.csv`, content))
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	page := get(s, w.Header().Get("Location")).Body.String()
	if !strings.Contains(page, "1 of 1") || !strings.Contains(page, "EMD") {
		t.Errorf("the file's page: %s", page)
	}
	bad := bring(form(t, "x.root", []byte("root and no more")))
	if page := get(s, bad.Header().Get("Location")); page.Code != http.StatusUnprocessableEntity || strings.Contains(page.Body.String(), s.uploads.scratch.dir) {
		t.Errorf("a damaged file: %d %s", page.Code, page.Body)
	}
	for name, change := range map[string]func(*http.Request){
		"origin": func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
		"site":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"null":   func(r *http.Request) { r.Header.Set("Origin", "null") },
	} {
		r := form(t, "x.csv", content)
		change(r)
		if w := bring(r); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := bring(form(t, "x.csv", bytes.Repeat([]byte("1,"), mostUpload/2+1<<17))); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a large file: %d", w.Code)
	}
	for range mostUploads {
		if w := bring(form(t, "x.csv.gz", content)); w.Code != http.StatusSeeOther {
			t.Errorf("%d", w.Code)
		}
	}
	if entries, err := os.ReadDir(s.uploads.scratch.dir); err != nil || len(entries) != mostUploads {
		t.Errorf("%d files are kept, %v", len(entries), err)
	}
	var ends []*io.PipeWriter
	arrived := make(chan int, mostUploads)
	for range mostUploads {
		body, end := io.Pipe()
		ends = append(ends, end)
		go func() {
			r := form(t, "x.csv", content)
			r.Body = body
			arrived <- bring(r).Code
		}()
	}
	for s.uploads.busy.Load() < mostUploads {
		time.Sleep(time.Millisecond)
	}
	if w := bring(form(t, "x.csv", content)); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a file too many at once: %d", w.Code)
	}
	for _, end := range ends {
		end.Close()
		<-arrived
	}
	if w := bring(form(t, "x.csv", content)); w.Code != http.StatusSeeOther {
		t.Errorf("a file after that: %d", w.Code)
	}
	tmp := s.uploads.scratch.dir
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(tmp); err == nil {
		t.Error("what was brought is still there")
	}
}

// fuzzed asks for pages by any query.
func fuzzed(f *testing.F, dir string, paths []string, seeds ...string) {
	s := server(f, dir, "")
	for _, q := range seeds {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range paths {
			w := get(s, "/", func(r *http.Request) { r.URL.Path, r.URL.RawQuery = path, query })
			if w.Code >= 500 || strings.Contains(w.Body.String(), dir) {
				t.Fatalf("%s?%s: %d %.300s", path, query, w.Code, w.Body)
			}
		}
	})
}

func FuzzWafers(f *testing.F) {
	dir := f.TempDir()
	put(f, dir, "i.csv", csvFile(map[int]float64{0: 512, 1: 512}, map[int]float64{}))
	fuzzed(f, dir, []string{"/wafers", "/wafers/file"}, "file=i.csv", "file=i.csv&image=2&sort=emd&down=1&what=STC4+4E3M&links=4&how=kept", "file=i.csv&order=raster&metric=cmssw&tree=x&figure=flow-1&format=svg",
		"file=%2e%2e/i.csv", "file=upload:x", "file=i.csv&what=encoder:i.csv", "file=i.csv&sort=column:class")
}

func FuzzPlay(f *testing.F) {
	fuzzed(f, f.TempDir(), []string{"/play", "/play/file"}, "a=0:1,1:2&b=3:4", "a=0:1e308&b=0:1e-308&what=TS&links=1", "a=47:4194303&b=1:1&metric=cmssw&what=RPT&links=13&density=hd&figure=plan&format=csv", "step=NaN&do=away")
}

func FuzzPlan(f *testing.F) {
	dir := f.TempDir()
	putPlan(f, dir)
	fuzzed(f, dir, []string{"/plan", "/plan/file"}, "dir=plan&by=emd&layer=1", "by=links", "dir=plan&figure=layer-3&format=png", "dir=.&by=")
}

// FuzzPlanFile: whatever a plan's results are, they are drawn or refused.
func FuzzPlanFile(f *testing.F) {
	dir := f.TempDir()
	putPlan(f, dir)
	b, err := os.ReadFile(filepath.Join(dir, "plan", run.Results))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"kind": "plan", "version": 1, "classes": [{"scores": [{}], "emd": 1e300}, {"scores": [{}]}], "layers": [{"layer": 1, "modules": [[1e300, -1e300, 1e300], [0, 0, -1], [1, 1, 0.5]]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		putPlan(t, dir)
		put(t, dir, "plan/"+run.Results, string(b))
		s := server(t, dir, "")
		for _, by := range plan.Quantities() {
			if w := get(s, "/plan?dir=plan&by="+by); w.Code >= 500 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
	})
}

// FuzzUpload: whatever is brought is shown or refused.
func FuzzUpload(f *testing.F) {
	f.Add("a.csv", []byte(csvFile(map[int]float64{0: 1})))
	f.Add("a.root", []byte("root\x00\x00"))
	f.Add("a.parquet.gz", []byte("\x1f\x8b"))
	dir := f.TempDir()
	s := server(f, dir, "")
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, form(t, name, content))
		if w.Code != http.StatusSeeOther {
			if w.Code >= 500 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			return
		}
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		if page := get(s, to.String()); page.Code >= 500 || strings.Contains(page.Body.String(), s.uploads.scratch.dir) {
			t.Fatalf("%d %s", page.Code, page.Body)
		}
	})
}
