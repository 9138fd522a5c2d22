package main

import (
	"fmt"
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
// terminal. Elsewhere, as in a batch job's log, work that goes on leaves a line
// a minute, and with --quiet none.
type progressBar struct {
	mu    sync.Mutex
	pool  *mpb.Progress
	bar   *mpb.Bar
	log   io.Writer // of lines, where there is no terminal
	told  time.Time // of the last line
	note  string
	start time.Time
	first float64 // share that was done when work began, as after a resume
	share float64
	past  []moment // of the last quarter of the time
	now   func() time.Time
}

// A moment is what was done by when.
type moment struct {
	at    time.Time
	share float64
}

const (
	barSteps = 10_000
	logEvery = time.Minute
)

// newProgress starts a bar on w; Close ends it.
func newProgress(w io.Writer, c *common) *progressBar {
	p := &progressBar{start: time.Now(), first: -1, now: time.Now}
	if c.quiet {
		return p
	}
	if f, ok := w.(*os.File); !ok || !isTerminal(f) {
		p.log = printer{w}
		return p
	}
	p.pool = mpb.New(mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithAutoRefresh())
	p.bar = p.pool.New(barSteps, mpb.BarStyle().Rbound("|").Lbound("|"), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return p.text() }, decor.WC{W: 42, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.Any(func(decor.Statistics) string { return p.left() }, decor.WC{W: 15})))
	return p
}

func isTerminal(f *os.File) bool {
	return cwriter.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// set shows a share in [0,1] and what is being done. Lines of a log are written here and by no
// clock of their own: where they stop coming, so has the work.
func (p *progressBar) set(share float64, note string) {
	p.mu.Lock()
	now := p.now()
	if p.first < 0 {
		p.first, p.start, p.told = share, now, now
	}
	p.share, p.note = share, note
	p.remember(moment{now, share})
	if p.log != nil && now.Sub(p.told) >= logEvery {
		p.told = now
		fmt.Fprintf(p.log, "%.0f %% after %v%s: %s\n", 100*share, now.Sub(p.start).Round(time.Second), p.leftOf(now), note)
	}
	p.mu.Unlock()
	if p.bar != nil {
		p.bar.SetCurrent(int64(math.Min(share, 1) * (barSteps - 1)))
	}
}

// remember keeps some hundred moments of the last quarter of the time.
func (p *progressBar) remember(m moment) {
	elapsed := m.at.Sub(p.start)
	if n := len(p.past); n > 0 && m.at.Sub(p.past[n-1].at) < elapsed/400 {
		return
	}
	p.past = append(p.past, m)
	for len(p.past) > 2 && m.at.Sub(p.past[1].at) >= elapsed/4 {
		p.past = p.past[1:]
	}
}

func (p *progressBar) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.note
}

func (p *progressBar) left() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leftOf(p.now())
}

// leftOf is the time left at the mean pace since work began or that of its last quarter, whichever
// is slower: shares count cheap parts like dear ones, and with cheap ones first the mean alone
// says far too little, and more with every minute.
func (p *progressBar) leftOf(now time.Time) string {
	elapsed := now.Sub(p.start)
	if p.share-p.first < 1e-3 || elapsed < 5*time.Second || len(p.past) == 0 {
		return ""
	}
	pace := (p.share - p.first) / elapsed.Seconds()
	pace = math.Min(pace, (p.share-p.past[0].share)/now.Sub(p.past[0].at).Seconds())
	seconds := (1 - p.share) / pace
	if !(seconds < 1e7) { // nothing was done of late
		return ""
	}
	return ", " + time.Duration(math.Round(seconds)*float64(time.Second)).String() + " left"
}

// close takes the bar off the screen.
func (p *progressBar) close() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.pool.Wait()
	}
}
