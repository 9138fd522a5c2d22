package web

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"barrow/run"
)

// browser starts Chromium without a window, or skips the test where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{os.Getenv("BARROW_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium here: the pages are not seen by a browser (BARROW_CHROMIUM names one)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	all, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, cancel := chromedp.NewContext(all)
	t.Cleanup(cancel)
	late, stop := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(stop)
	do(t, late, chromedp.EmulateViewport(1280, 900))
	return late
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// until waits for what a script finds to be true.
func until(t *testing.T, ctx context.Context, script string) {
	t.Helper()
	for range 200 {
		if ask(t, ctx, chromedp.Evaluate[bool](script)) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never true: %s\n%s", script, ask(t, ctx, chromedp.Evaluate[string](`document.getElementById("main").innerText`)))
}

// scheme sets what the reader prefers.
func scheme(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}}); err != nil {
		t.Fatal(err)
	}
}

// world is a folder with runs, a file of images and a plan, to look at.
func world(t *testing.T) string {
	t.Helper()
	dir := fill(t)
	var b strings.Builder
	for i := range 5 {
		for c := range 48 {
			v := 0
			if (c*7+i*5)%11 < 1+i {
				v = 20 + 13*c%50 + 40*i
			}
			fmt.Fprintf(&b, "%d,", v)
		}
		fmt.Fprintf(&b, "%d\n", 4-i)
	}
	head := ""
	for c := range 48 {
		head += fmt.Sprintf("CALQ_%d,", c)
	}
	put(t, dir, "images.csv", head+"layer\n"+b.String())
	putPlan(t, dir)
	return dir
}

// pages are those that a reader sees.
var pages = map[string]string{
	"runs": "/", "run": "/run?dir=a", "two": "/run?dir=a&dir=deep/b", "none": "/wafers", "wafers": "/wafers?file=images.csv&what=BC&links=2&how=spread&what=STC4+5E4M&links=3&how=kept",
	"play": "/play", "plan": "/plan?by=emd", "missing": "/nothing",
}

// TestPages: each page in light and dark and on a small screen is as wide as the screen, has the
// colours of its scheme, and axe finds nothing serious in it.
func TestPages(t *testing.T) {
	dir, out := os.Getenv("BARROW_LOOK_DIR"), os.Getenv("BARROW_LOOK") // a folder to look at, and one for pictures of it
	list := pages
	if dir == "" {
		dir = world(t)
	}
	ctx := browser(t)
	at := serve(t, server(t, dir, ""))
	axe, err := os.ReadFile(os.Getenv("BARROW_AXE"))
	if err != nil {
		t.Log("BARROW_AXE names no script of axe-core: pages are not looked through for what keeps readers out")
	}
	for name, path := range list {
		for _, look := range []struct {
			name, scheme string
			width        int64
		}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"phone", "light", 390}} {
			if out == "" && look.name == "light" && name != "play" {
				continue // light is seen on the small screen
			}
			scheme(t, ctx, look.scheme)
			do(t, ctx, chromedp.EmulateViewport(look.width, 900), chromedp.Navigate(at+path))
			if wide := ask(t, ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); wide > look.width {
				t.Errorf("%s, %s: %d wide on a screen of %d", name, look.name, wide, look.width)
			}
			picture := ask(t, ctx, chromedp.CaptureScreenshot())
			if out != "" {
				if err := os.WriteFile(filepath.Join(out, name+"-"+look.name+".png"), ask(t, ctx, chromedp.FullScreenshot(100)), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			inspect(t, name+", "+look.name, picture, look.scheme == "dark", int(look.width))
			if len(axe) > 0 {
				accessible(t, ctx, name+", "+look.name, string(axe))
			}
		}
	}
}

// inspect holds a picture to what a page looks like: mostly paper, with something on it.
func inspect(t *testing.T, name string, picture []byte, dark bool, width int) {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds()
	bright, n := 0, 0
	seen := map[uint32]bool{}
	for y := b.Min.Y; y < b.Max.Y; y += 3 {
		for x := b.Min.X; x < b.Max.X; x += 3 {
			r, g, bl, _ := m.At(x, y).RGBA()
			if r+g+bl > 3*0x8000 {
				bright++
			}
			n++
			seen[r>>8<<16|g>>8<<8|bl>>8] = true
		}
	}
	share := float64(bright) / float64(n)
	if dark && share > 0.5 || !dark && share < 0.5 {
		t.Errorf("%s: %.2f of the picture is bright", name, share)
	}
	if b.Dx() != width || b.Dy() < 500 || len(seen) < 8 {
		t.Errorf("%s: a picture of %d × %d pixels in %d colours", name, b.Dx(), b.Dy(), len(seen))
	}
}

// accessible runs axe-core on the page.
func accessible(t *testing.T, ctx context.Context, name, axe string) {
	t.Helper()
	ask(t, ctx, chromedp.Evaluate[any](axe+"\n;null"))
	found := ask(t, ctx, chromedp.Evaluate[struct {
		Held int
		Bad  []string
	}](`axe.run().then(r => ({held: r.passes.length, bad: r.violations.filter(v => v.impact === "serious" || v.impact === "critical")
		.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html + " " + n.failureSummary).join(" | "))}))`, chromedp.EvalAwaitPromise))
	for _, f := range found.Bad {
		t.Errorf("%s: %s", name, f)
	}
	if found.Held < 10 {
		t.Errorf("%s: axe held the page to %d rules only", name, found.Held)
	}
}

// TestWalk goes through the pages as a person does, by mouse and by keys.
func TestWalk(t *testing.T) {
	dir := world(t)
	ctx := browser(t)
	at := serve(t, server(t, dir, ""))

	// Two runs laid over each other, and the list that follows by itself.
	do(t, ctx, chromedp.Navigate(at+"/"), chromedp.Click(`input[value="a"]`))
	put(t, dir, "later/"+run.Config, `{"kind": "encoder", "version": 1}`)
	until(t, ctx, `!!document.querySelector('input[value="later"]') && document.querySelector('input[value="a"]').checked`)
	do(t, ctx, chromedp.Click(`input[value="deep/b"]`), chromedp.Click(`button[type=submit]`), chromedp.WaitVisible("#curve-loss"))

	// A file is chosen, another decoding, an order; keys lead on.
	do(t, ctx, chromedp.Click(`a[href="/wafers"]`), chromedp.SetValue("#file", "images.csv"))
	change := func(id string) string {
		return fmt.Sprintf(`document.getElementById(%q).dispatchEvent(new Event("change", {bubbles: true})), null`, id)
	}
	ask(t, ctx, chromedp.Evaluate[any](change("file")))
	until(t, ctx, `!!document.getElementById("flow-1") && location.search.includes("file=images.csv")`)
	do(t, ctx, chromedp.SetValue("#sort", "emd"))
	ask(t, ctx, chromedp.Evaluate[any](change("sort")))
	until(t, ctx, `location.search.includes("sort=emd") && !document.body.hasAttribute("aria-busy")`)
	first := ask(t, ctx, chromedp.Evaluate[string](`document.querySelector("#images h3").textContent`))
	do(t, ctx, chromedp.Focus("#main"), chromedp.KeyEvent("\u0303")) // right arrow
	until(t, ctx, fmt.Sprintf(`document.querySelector("#images h3").textContent !== %q && document.querySelector(".steps").textContent.includes("2 of 5")`, first))
	link := ask(t, ctx, chromedp.Location())
	second := ask(t, ctx, chromedp.Evaluate[string](`document.querySelector("#images h3").textContent`))
	do(t, ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(link))
	if got := ask(t, ctx, chromedp.Evaluate[string](`document.querySelector("#images h3").textContent`)); got != second {
		t.Errorf("the address leads to %q, not %q", got, second)
	}

	// A file of one's own is brought.
	own := filepath.Join(t.TempDir(), "own.csv")
	b, err := os.ReadFile(filepath.Join(dir, "images.csv"))
	if err == nil {
		err = os.WriteFile(own, b, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.SetUploadFiles("#bring", []string{own}), chromedp.Click(`.bring button`))
	until(t, ctx, `location.search.includes("upload") && !!document.getElementById("flow-1") && document.getElementById("file").selectedOptions[0].textContent === "own.csv"`)

	// Charge is put into a cell by the mouse, and taken out by keys.
	do(t, ctx, chromedp.Navigate(at+"/play"))
	result := func() string {
		return ask(t, ctx, chromedp.Evaluate[string](`document.getElementById("result").textContent.trim()`))
	}
	before := result()
	do(t, ctx, chromedp.Click(`#board-a [data-cell="40"]`))
	until(t, ctx, `document.getElementById("a").value.includes("40:35") && !document.body.hasAttribute("aria-busy")`)
	if now := result(); now == before {
		t.Errorf("after charge in another cell still %q", now)
	}
	do(t, ctx, chromedp.Focus(`#board-a [data-cell="40"]`), chromedp.KeyEvent("0"))
	until(t, ctx, `!document.getElementById("a").value.includes("40:") && !document.body.hasAttribute("aria-busy")`)
	if now := result(); now != before {
		t.Errorf("after what was put in is taken out: %q, was %q", now, before)
	}
	if in := ask(t, ctx, chromedp.Evaluate[string](`document.activeElement.dataset.cell || ""`)); in != "40" {
		t.Errorf("focus is at cell %q, was at 40", in)
	}

	// A plan's layers by what they gain.
	do(t, ctx, chromedp.Navigate(at+"/plan"), chromedp.SetValue("#by", "gain"))
	ask(t, ctx, chromedp.Evaluate[any](change("by")))
	until(t, ctx, `location.search.includes("by=gain") && !!document.getElementById("layer-1")`)
}
