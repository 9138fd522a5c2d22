package physics

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"barrow/physics"
	"barrow/run"
	"barrow/study/compare"
)

// folderName is that of a run within a comparison's folder.
const folderName = "physics"

// Further carries out the plan with the encoders of a comparison, in a folder within its own
// for each width of outputs, and puts what they leave of particles into its table: see
// [compare.Resources]. Encoders of a width that the comparison names are on its links, others
// on the plan's.
func Further(p Plan, s Settings) func(ctx context.Context, folder string, t *compare.Table) error {
	return func(ctx context.Context, folder string, t *compare.Table) error {
		encoders, err := t.Encoders(folder)
		if err != nil {
			return err
		}
		p.Metric, p.Seed = t.Plan.Metric, t.Plan.Seed
		t.Physics = &compare.Physics{}
		var links []int
		for _, e := range encoders {
			if !slices.Contains(links, e.Links) {
				links = append(links, e.Links)
			}
		}
		for k, n := range links {
			q, of := p, s
			name := folderName
			if n > 0 {
				name, q.Links = fmt.Sprintf("%s-%d-links", folderName, n), strconv.Itoa(n)
			}
			for _, e := range encoders {
				if e.Links == n {
					q.Encoders = append(q.Encoders, e.Name+"="+e.File)
				}
			}
			// A finished run whose comparison was not closed is measured again.
			if info, err := run.Inspect(filepath.Join(folder, name)); err == nil && info.Finished {
				of.Force = true
			}
			of.Progress = func(share float64, note string) {
				if s.Progress != nil {
					s.Progress((float64(k)+share)/float64(len(links)), note)
				}
			}
			r, _, err := Start(ctx, filepath.Join(folder, name), q, of)
			if err != nil {
				return err
			}
			r.into(t, name, encoders, n)
		}
		return nil
	}
}

// into puts the results of a width into a comparison's table.
func (r *Results) into(t *compare.Table, folder string, encoders []compare.Encoder, links int) {
	p := t.Physics
	if p.Folders == nil {
		p.Words = r.Words()
		for _, f := range r.main() {
			p.Figures = append(p.Figures, compare.PhysicsFigure{Name: f.Name, Label: f.Label, Unit: f.Unit, Digits: digits(f)})
		}
	}
	values := func(c *Contender) []physics.Value {
		var list []physics.Value
		for _, f := range p.Figures {
			list = append(list, c.Value(f.Name))
		}
		return list
	}
	p.Folders, p.References = append(p.Folders, folder), append(p.References, values(r.Contenders[0]))
	for _, c := range r.Contenders[1:] {
		row := slices.IndexFunc(encoders, func(e compare.Encoder) bool { return e.Links == links && c.Name == e.Name+", "+c.Links })
		if row >= 0 {
			t.Rows[row].Physics = values(c)
		} else {
			p.Algorithms = append(p.Algorithms, compare.PhysicsRow{Name: c.Name, Folder: folder, Values: values(c)})
		}
	}
}
