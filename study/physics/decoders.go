package physics

import (
	"context"
	"fmt"

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
	for k := range list {
		// As many simulated images as encoders see, and then what those are trained on.
		list[k].Folder, list[k].Train, list[k].Validation = w.folder, data.Train, data.Validation
		list[k].Learn = decoder.LearnSettings{Course: learned.Course(w.plan.Images*w.plan.Epochs, w.plan.Epochs), Seed: w.plan.Seed}
	}
	models, err := learned.Train(ctx, list, w.threads, progress)
	if err != nil {
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
