package masks

import (
	"context"
	"fmt"
	"io"
	"sync"

	"barrow/autoencoder"
	"barrow/internal/limit"
	"barrow/loss"
	"barrow/run"
	"barrow/study/compare"
	"barrow/study/images"
	"barrow/study/internal/page"
)

// Settings of how a search is carried out; none of them changes a result.
type Settings struct {
	Threads  int                              // as many trainings at a time; 0: all processors
	Force    bool                             // replace the run that the folder holds
	Progress func(share float64, note string) // nil for none
	Remark   func(string)                     // told what the user should know but did not ask for; nil for nobody
	Stream   func(name string) io.Reader      // what a name of Data or Pretrain stands for that is no file, as in images.Settings
}

// Results are what a search found: the same plan gives the same bytes.
type Results struct {
	Plan    Plan           `json:"plan"`
	Links   int            `json:"links"`
	Bits    int            `json:"bits"` // of outputs that the links carry
	Mask    string         `json:"mask"` // the best, as autoencoder.Architecture's
	AllBits float64        `json:"all_bits_validation_loss"`
	Trials  []Trial        `json:"trials"`
	Encoder *compare.Table `json:"encoder"` // of the best mask at the full budget
}

// work is a search in progress.
type work struct {
	plan    Plan
	threads int
	folder  *run.Folder
	data    compare.Data
	network func() (loss.Distance, error)
	tell    func(share float64, note string)

	mu sync.Mutex
}

// Start carries out a plan in a folder, resuming what is there. Everything that can be found
// wrong is found before the folder is made. The best encoder of the best mask is kept under the
// name of its loss, as one of a run of its own is.
func Start(ctx context.Context, folder string, p Plan, s Settings) (_ *Results, _ *compare.Times, err error) {
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, nil, fmt.Errorf("masks: %w", err)
	}
	p.Plan = p.Complete()
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	w := &work{threads: threads, tell: s.Progress}
	if w.tell == nil {
		w.tell = func(float64, string) {}
	}
	if w.network, err = p.Network(); err != nil {
		return nil, nil, err
	}
	if w.data, err = p.Read(ctx, images.Settings{Seed: p.Seed, Threads: threads, Remark: s.Remark, Stream: s.Stream}); err != nil {
		return nil, nil, err
	}
	id, err := p.Identity(Kind())
	if err != nil {
		return nil, nil, err
	}
	id.Settings, w.plan = p, p
	if w.folder, err = run.Open(folder, id, run.Settings{Force: s.Force, Remark: s.Remark}); err != nil {
		return nil, nil, err
	}
	defer w.folder.End(&err)
	if w.folder.Resumed() && s.Remark != nil {
		s.Remark("going on with the interrupted run in " + folder)
	}
	return w.run(w.folder.Record(ctx))
}

// Shares of the work that are done after the encoder with all bits, and after the search.
const (
	shareWhole  = 0.2
	shareSearch = 0.6
)

func (w *work) run(ctx context.Context) (*Results, *compare.Times, error) {
	part := func(from, to float64, note string) compare.Resources {
		return compare.Resources{Threads: w.threads, CNN: w.network, Progress: func(share float64, _ string) { w.tell(from+(to-from)*share, note) }}
	}
	whole := w.plan.whole()
	table, _, err := compare.Train(ctx, w.folder, whole, w.data, part(0, shareWhole, "all bits"))
	if err != nil {
		return nil, nil, err
	}
	start := w.folder.Path(run.Weights, ranked)
	err = w.folder.Once("ranked", whole.Jobs()[0], &struct{}{}, func() ([]string, error) {
		return []string{ranked}, w.rank(ctx, compare.Weights(w.folder, whole.Jobs()[0]), start)
	})
	if err != nil {
		return nil, nil, err
	}
	r := &Results{Plan: w.plan, Links: w.plan.Links[0], Bits: room(w.plan.Links[0]), AllBits: table.Rows[0].Validation[0]}
	best := 0
	if r.Trials, best, err = w.search(ctx, start); err != nil {
		return nil, nil, err
	}
	r.Mask = r.Trials[best].Mask
	var times *compare.Times
	if r.Encoder, times, err = compare.Train(ctx, w.folder, w.plan.with(r.Mask), w.data, part(shareSearch, 1, "the best mask, "+r.Mask)); err != nil {
		return nil, nil, err
	}
	if err := compare.Keep(w.folder, r.Encoder); err != nil {
		return nil, nil, err
	}
	return r, times, w.finish(r, times)
}

// finish writes what closes a run.
func (w *work) finish(r *Results, times *compare.Times) error {
	if err := w.folder.WriteJSON(run.Times, times); err != nil {
		return err
	}
	if err := page.Write(w.folder, lay(r, times)); err != nil {
		return err
	}
	return w.folder.WriteJSON(run.Results, r)
}

// tried notes how much of a round's k-th trial is done. Nobody knows how many rounds there will be:
// each has half of what is left.
func (w *work) tried(shares []float64, k int, share float64, round int, m autoencoder.Widths) {
	w.mu.Lock()
	defer w.mu.Unlock()
	shares[k] = share
	left, sum := 1.0, 0.0
	for range round {
		left /= 2
	}
	for _, v := range shares {
		sum += v
	}
	done := 1 - left + left/2*sum/float64(len(shares))
	w.tell(shareWhole+(shareSearch-shareWhole)*done, fmt.Sprintf("round %d, %v", round, m))
}
