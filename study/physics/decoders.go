package physics

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"barrow/decoder"
	"barrow/physics"
	"barrow/study/compare"
	"barrow/study/internal/learned"
)

// decoders are those that are trained here, by contenders' words and by links.
type decoders map[string]map[int]*decoder.Model

// lessons are the trainings of decoders that the plan's contenders need, one for each number of
// links that an algorithm uses.
func (p Plan) lessons(links *physics.LinkTable) (list []learned.Lesson, err error) {
	for _, word := range p.Contenders {
		a, ok := withDecoder(word)
		if !ok {
			continue
		}
		seen := map[int]bool{}
		for _, n := range links.Counts() {
			if n == 0 || seen[physics.LinksUsed(a.Scheme, n)] {
				continue
			}
			n = physics.LinksUsed(a.Scheme, n)
			seen[n] = true
			if !a.Learns(n) {
				return nil, fmt.Errorf("physics: contenders: %s: on %d links there is nothing to learn: want %s with a rule by hand", word, n, a.Word)
			}
			list = append(list, learned.Lesson{Algorithm: a, Links: n, Metric: p.Metric})
		}
	}
	return list, nil
}

// course is that of decoders: simulated images as many as encoders see, and then the wafers of
// simulated events that those are trained on.
func (p Plan) course() decoder.Course {
	c := decoder.Normal()
	c.Simulated.Epochs, c.Given.Epochs = p.Epochs, p.Epochs
	c.PerEpoch, c.Validation = p.Images, min(c.Validation, p.Images)
	if p.Images < fewImages {
		c.Simulated.Batch = decoder.Quick().Simulated.Batch
	}
	return c
}

// fewImages are taken in smaller steps.
const fewImages = 10_000

// trainDecoders trains the decoders of the plan in the run's folder, unless they are there.
func (w *work) trainDecoders(ctx context.Context, progress func(float64, string)) (decoders, error) {
	list, err := w.plan.lessons(w.links)
	if err != nil || len(list) == 0 {
		return decoders{}, err
	}
	images, err := w.trainingImages(ctx)
	if err != nil {
		return nil, err
	}
	data, err := compare.Split(images, w.plan.Seed)
	if err != nil {
		return nil, err
	}
	models, share := make([]*decoder.Model, len(list)), make([]float64, len(list))
	var mu sync.Mutex
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(w.threads)
	for k, l := range list {
		l.Folder, l.Train, l.Validation = w.folder, data.Train, data.Validation
		l.Learn = decoder.LearnSettings{Course: w.plan.course(), Seed: w.plan.Seed, Threads: 1, Progress: func(done float64, _ string) {
			mu.Lock()
			defer mu.Unlock()
			share[k] = done
			all := 0.0
			for _, v := range share {
				all += v
			}
			progress(all/float64(len(list)), fmt.Sprintf("%d to train", len(list)))
		}}
		group.Go(func() (err error) {
			if err = inner.Err(); err == nil {
				models[k], err = l.Decoder(inner)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("physics: training: %w", err)
	}
	d := decoders{}
	for k, l := range list {
		word := l.Word + learnedEnding
		if d[word] == nil {
			d[word] = map[int]*decoder.Model{}
		}
		d[word][l.Links] = models[k]
	}
	return d, nil
}
