package physics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"barrow/autoencoder"
	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/model/file"
	"barrow/physics"
	"barrow/run"
	"barrow/study/compare"
	"barrow/study/internal/inputs"
	"barrow/wafer"
)

// An encoder of the run, with the files of its weights by the links that they are for; 0 is
// all.
type encoder struct {
	name  string
	files map[int]string
	loss  string // that names the encoder within a folder with several
}

// contender opens the models.
func (e encoder) contender(links *physics.LinkTable) (physics.Contender, error) {
	of := physics.EncoderSettings{Name: e.name, ByLinks: map[int]*autoencoder.Model{}, Links: links}
	for _, n := range slices.Sorted(maps.Keys(e.files)) {
		m, err := file.Autoencoder(e.files[n], file.Settings{Loss: e.loss, Threads: 1})
		if err != nil {
			return nil, fmt.Errorf("physics: encoder %s: %w", e.name, err)
		}
		if n == 0 {
			of.Model = m
		} else {
			of.ByLinks[n] = m
		}
	}
	return physics.NewEncoder(of)
}

// precision of the encoder of all links, or of the fewest.
func (e encoder) precision() (string, error) {
	n := slices.Min(slices.Collect(maps.Keys(e.files)))
	m, err := file.Autoencoder(e.files[n], file.Settings{Loss: e.loss, Threads: 1})
	if err != nil {
		return "", fmt.Errorf("physics: encoder %s: %w", e.name, err)
	}
	return cmp.Or(m.Architecture().Precision, autoencoder.Presets()[0].Name), nil
}

// givenEncoders are the encoders that the plan names, with the files that they are read from.
func (p Plan) givenEncoders() (list []encoder, files []run.Input, err error) {
	all, err := p.given()
	if err != nil {
		return nil, nil, err
	}
	at := map[string]int{}
	for _, g := range all {
		k, ok := at[g.name]
		if !ok {
			k = len(list)
			at[g.name] = k
			list = append(list, encoder{name: g.name, files: map[int]string{}})
		}
		e := &list[k]
		paths, err := file.AutoencoderFiles(g.path, e.loss)
		if errors.Is(err, file.ErrSeveral) {
			e.loss = e.name
			paths, err = file.AutoencoderFiles(g.path, e.loss)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("physics: encoder %s: %w", g.name, err)
		}
		of, err := inputs.Files("the encoder "+g.name, paths)
		if err != nil {
			return nil, nil, err
		}
		e.files[g.links], files = g.path, append(files, of...)
	}
	if p.Compare == "" {
		return list, files, nil
	}
	kept, err := compare.Encoders(p.Compare)
	if err != nil {
		return nil, nil, err
	}
	for _, k := range kept {
		i, ok := at[k.Name]
		if !ok {
			i = len(list)
			at[k.Name] = i
			list = append(list, encoder{name: k.Name, files: map[int]string{}})
		}
		of, err := inputs.Files("the encoder "+k.Name, []string{k.File})
		if err != nil {
			return nil, nil, err
		}
		list[i].files[k.Links], files = k.File, append(files, of...)
	}
	return list, files, nil
}

// encoderLinks are the most that an encoder uses.
const encoderLinks = 5

// trainedLinks are the numbers of links that encoders are trained for, nil for one of all.
func (p Plan) trainedLinks(t *physics.LinkTable) []int {
	if !p.PerLink {
		return nil
	}
	var list []int
	for _, n := range t.Counts() {
		if n > 0 && n <= encoderLinks {
			list = append(list, n)
		}
	}
	if counts := t.Counts(); len(list) == 0 || counts[len(counts)-1] > encoderLinks && !slices.Contains(list, encoderLinks) {
		list = append(list, encoderLinks)
	}
	return list
}

// train trains the encoders of the plan's losses in the run's folder, unless they are there.
func (w *work) train(ctx context.Context, progress func(float64, string)) ([]encoder, *compare.Table, *compare.Times, error) {
	losses := w.plan.losses()
	if len(losses) == 0 {
		return nil, nil, nil, nil
	}
	plan := w.plan.training(w.plan.trainedLinks(w.links))
	network, err := plan.Network()
	if err != nil {
		return nil, nil, nil, err
	}
	images, err := w.trainingImages(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	data, err := compare.Split(images, w.plan.Seed)
	if err != nil {
		return nil, nil, nil, err
	}
	table, times, err := compare.Train(ctx, w.folder, plan, data, compare.Resources{Threads: w.threads, CNN: network, Progress: progress, Shared: true})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("physics: training: %w", err)
	}
	var list []encoder
	for _, j := range plan.Jobs() {
		links := 0
		if w.plan.PerLink {
			links = j.Architecture.Links()
		}
		k := slices.IndexFunc(list, func(e encoder) bool { return e.name == j.Loss })
		if k < 0 {
			k = len(list)
			list = append(list, encoder{name: j.Loss, files: map[int]string{}})
		}
		list[k].files[links] = compare.Weights(w.folder, j)
	}
	return list, table, times, nil
}

// What encoders are trained on: of every event some wafers within the reach of a cluster.
const (
	trainingReach  = 0.03
	trainingWafers = 16
	trainingStream = 0x747261696e
)

// trainingImages draws them, with the wafers' density. They are of simulated events, whatever is
// measured.
func (w *work) trainingImages(ctx context.Context) (*wafer.Set, error) {
	e, err := w.plan.generator(false, w.threads)
	if err != nil {
		return nil, err
	}
	n := (w.plan.Images + trainingWafers - 1) / trainingWafers
	in, err := physics.NewSimulated(physics.SimulatedSettings{Events: e, First: trainingFirst, N: 4 * n, Reach: trainingReach})
	if err != nil {
		return nil, err
	}
	defer in.Close()
	all := &wafer.Set{Charge: make([]float64, 0, w.plan.Images*hgcal.Cells), Columns: []wafer.Column{{Name: string(wafer.Density)}}}
	events := make([]*physics.Event, particleBlock)
	for i := range events {
		events[i] = &physics.Event{}
	}
	for all.Len() < w.plan.Images {
		n, err := in.Next(ctx, events)
		if err != nil {
			return nil, fmt.Errorf("physics: %d wafers with charge to train on, of %d: %w", all.Len(), w.plan.Images, err)
		}
		for _, e := range events[:n] {
			w.pick(all, e)
		}
	}
	return all, nil
}

// pick adds some of an event's wafers with charge.
func (w *work) pick(all *wafer.Set, e *physics.Event) {
	var list []int
	for i := range e.Images.Len() {
		for _, v := range e.Images.Image(i) {
			if v >= 1 {
				list = append(list, i)
				break
			}
		}
	}
	r := counter.New(w.plan.Seed^trainingStream, uint64(e.Number))
	for k := 0; k < min(trainingWafers, len(list)) && all.Len() < w.plan.Images; k++ {
		other := k + r.IntN(len(list)-k)
		list[k], list[other] = list[other], list[k]
		all.Charge = append(all.Charge, e.Images.Image(list[k])...)
		density := "LD"
		if w.geometry.Wafer(int(e.Wafers[list[k]])).Module.HighDensity() {
			density = "HD"
		}
		all.Columns[0].Text = append(all.Columns[0].Text, density)
	}
}
