package cluster

import (
	"context"
	"fmt"

	"barrow/internal/counter"
	"barrow/nn"
)

// A lesson is the contrastive training of a network: nn.Objective.
type lesson struct {
	brain       *brain
	viewer      *viewer
	temperature float64
	seed        uint64
	epoch       int
	gradient    *nn.Tensor
	held        []int // rows of the fixed views that are validated on
}

// batch is how many images are told apart at a time, each in two views.
const batch = maxBatch / 2

func newLesson(b *brain, r *rows, p *Plan, seed uint64) *lesson {
	l := &lesson{brain: b, viewer: &viewer{rows: r, views: p.Views}, temperature: p.Temperature, seed: seed, gradient: nn.NewTensor(maxBatch, nn.Vector(projection))}
	for k := range min(batch, r.len()) {
		l.held = append(l.held, k*r.len()/min(batch, r.len()))
	}
	return l
}

// StartEpoch implements nn.EpochStarter: every epoch has views of its own.
func (l *lesson) StartEpoch(epoch int) { l.epoch = epoch }

// look fills the batch with two views of each row and returns their projections.
func (l *lesson) look(idx []int, round uint64, mode nn.Mode) (*nn.Tensor, error) {
	b := l.brain
	b.begin(2 * len(idx))
	charge, agreement := make([]float64, b.grid.cells), l.agreement()
	for k, i := range idx {
		s := counter.New(l.seed^streamViews, round<<32|uint64(i))
		for view := range 2 {
			l.viewer.draw(i, &s, charge, agreement)
			b.see(k+view*len(idx), charge, agreement)
		}
	}
	return b.forward(mode)
}

// agreement is room for that of one view, if there is any.
func (l *lesson) agreement() []float64 {
	if l.viewer.rows.agreement == nil {
		return nil
	}
	return make([]float64, l.brain.grid.cells)
}

// Train implements nn.Objective.
func (l *lesson) Train(_ context.Context, idx []int) (float64, error) {
	z, err := l.look(idx, uint64(l.epoch)+1, nn.Training)
	if err != nil {
		return 0, err
	}
	l.gradient.Resize(z.N)
	loss := contrast(z.Data, z.N, z.Shape.C, l.temperature, l.gradient.Data)
	return loss, l.brain.backward(l.gradient)
}

// Validate implements nn.Objective: the loss of the same views of the same rows after every epoch.
func (l *lesson) Validate(context.Context) (float64, error) {
	z, err := l.look(l.held, 0, nn.Inference)
	if err != nil {
		return 0, err
	}
	l.gradient.Resize(z.N)
	return contrast(z.Data, z.N, z.Shape.C, l.temperature, l.gradient.Data), nil
}

// learn trains the network; an interrupted training goes on from its checkpoint.
func (l *lesson) learn(ctx context.Context, p *Plan, checkpoint string, progress func(share float64, note string)) ([][2]float64, error) {
	fit := nn.Fit{Net: l.brain.net, Schedule: nn.Cosine{Start: p.Rate, End: p.Rate / 100}, Samples: l.viewer.rows.len(), Batch: batch, Epochs: p.Epochs,
		Seed: l.seed, Checkpoint: checkpoint, Resume: true, Progress: progress}
	h, err := fit.Run(ctx, l)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	var curve [][2]float64
	for _, e := range h.Epochs {
		curve = append(curve, [2]float64{e.Loss, e.Validation})
	}
	return curve, nil
}

// embedded is the features of all rows as they are and, after those, of so many views of each.
func (l *lesson) embedded(ctx context.Context, views int) ([][][]float64, error) {
	r := l.viewer.rows
	out := make([][][]float64, 1+views)
	charge, agreement := make([]float64, r.grid.cells), l.agreement()
	for view := range out {
		out[view] = make([][]float64, r.len())
		for from := 0; from < r.len(); from += batch {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			n := min(batch, r.len()-from)
			l.brain.begin(n)
			for k := range n {
				if view == 0 {
					l.brain.see(k, r.value[from+k], r.agreementOf(from+k))
					continue
				}
				s := counter.New(l.seed^streamViews, uint64(view)<<48|uint64(from+k))
				l.viewer.draw(from+k, &s, charge, agreement)
				l.brain.see(k, charge, agreement)
			}
			f, _, err := l.brain.embed()
			if err != nil {
				return nil, err
			}
			for k := range n {
				v := make([]float64, f.Shape.C)
				for c := range v {
					v[c] = float64(f.Data[k*f.Shape.C+c])
				}
				out[view][from+k] = v
			}
		}
	}
	return out, nil
}

// agreementOf is that of row i, nil where there is none.
func (r *rows) agreementOf(i int) []float64 {
	if r.agreement == nil {
		return nil
	}
	return r.agreement[i]
}
