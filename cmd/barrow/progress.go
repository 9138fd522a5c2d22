package main

import (
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
)

// progressBar shows one line with a share done and the time left on a
// terminal, and nothing elsewhere or with --quiet.
type progressBar struct {
	mu    sync.Mutex
	pool  *mpb.Progress
	bar   *mpb.Bar
	note  string
	start time.Time
	first float64 // share that was done when work began, as after a resume
	share float64
}

const barSteps = 10_000

// newProgress starts a bar on w; Close ends it.
func newProgress(w io.Writer, c *common) *progressBar {
	p := &progressBar{start: time.Now(), first: -1}
	if f, ok := w.(*os.File); !ok || c.quiet || !isTerminal(f) {
		return p
	}
	p.pool = mpb.New(mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithAutoRefresh())
	p.bar = p.pool.New(barSteps, mpb.BarStyle().Rbound("|").Lbound("|"), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return p.text() }, decor.WC{W: 42, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.Any(func(decor.Statistics) string { return p.left() }, decor.WC{W: 14})))
	return p
}

func isTerminal(f *os.File) bool {
	return cwriter.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// set shows a share in [0,1] and what is being done.
func (p *progressBar) set(share float64, note string) {
	p.mu.Lock()
	if p.first < 0 {
		p.first, p.start = share, time.Now()
	}
	p.share, p.note = share, note
	p.mu.Unlock()
	if p.bar != nil {
		p.bar.SetCurrent(int64(math.Min(share, 1) * (barSteps - 1)))
	}
}

func (p *progressBar) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.note
}

// left is the time left at the mean pace since work began.
func (p *progressBar) left() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := time.Since(p.start)
	done := p.share - p.first
	if done < 1e-3 || elapsed < 2*time.Second {
		return ""
	}
	left := time.Duration(float64(elapsed) * (1 - p.share) / done)
	return " " + left.Round(time.Second).String() + " left"
}

// close takes the bar off the screen.
func (p *progressBar) close() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.pool.Wait()
	}
}
