package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"barrow/evaluate"
	"barrow/report"
	"barrow/study/internal/page"
)

// Standings are the tables of a protocol's contenders: what they keep, what they cost, how far they
// can be relied on, and their ranks.
func (t *Table) Standings(times *Times) []report.Table {
	j := t.Protocol
	if j == nil || len(times.Contenders) != len(j.Contenders) {
		return nil
	}
	return []report.Table{t.fidelity(), j.scales(), j.costs(times), t.stability(), j.ranks(t.Plan.Seeds)}
}

// lowered is by how much a mean EMD is to be lower for the table to say so.
const lowered = 0.10

// against is a ratio with its interval, and whether it is lower by as much as lowered with an interval
// that leaves 1 out.
func against(p evaluate.Paired) (text, lower string) {
	lower = "no"
	if p.Ratio <= 1-lowered && p.High < 1 {
		lower = "yes"
	}
	return fmt.Sprintf("%.3f [%.3f, %.3f]", p.Ratio, p.Low, p.High), lower
}

// isFixed tells whether a contender needs no training, so that nothing of it depends on a seed.
func (s *Standing) isFixed() bool { return s.Loss == "" }

// spread is a mean, with its standard deviation over the seeds if it has one.
func (s *Standing) spread(v Spread) string {
	if s.isFixed() {
		return fmt.Sprintf("%.3f", v.Mean)
	}
	return fmt.Sprintf("%.3f ± %.3f", v.Mean, v.Std)
}

func (t *Table) fidelity() report.Table {
	j, base := t.Protocol, t.Plan.Protocol.Baseline
	out := report.Table{Title: "What they keep of held-out images", Columns: columns([]string{"contender"}, "mean EMD", "median", "95 %", "ratio to "+base, "≥ 10 % lower", "response", "resolution")}
	least := 0
	for i := range j.Contenders {
		s := &j.Contenders[i]
		if s.EMD.Mean < j.Contenders[least].EMD.Mean {
			least = i
		}
		ratio, lower := against(s.Ratio)
		if s.Name == base {
			ratio, lower = "1", "–"
		}
		out.Rows = append(out.Rows, []string{s.Name, s.spread(s.EMD), fmt.Sprintf("%.3f", s.Median.Mean), fmt.Sprintf("%.3f", s.P95.Mean), ratio, lower,
			fmt.Sprintf("%.3f", s.Response.Mean), fmt.Sprintf("%.3f", s.Resolution.Mean)})
	}
	out.Emphasis = []int{least}
	out.Note = fmt.Sprintf("Exact EMD in %s, mean ± standard deviation over seeds; 95 %% of the images leave less than the column says. Ratio of mean EMDs over the seeds with its 95 %% interval for other trainings and other images; lower by 10 %% where the ratio is at most 0.9 and the interval leaves 1 out. "+
		"Response: decoded charge over true charge; resolution: its standard deviation over images. The mean training image, for which nothing need be sent, leaves %.3f.",
		page.UnitOf(t.Plan.Metric), j.MeanImage)
	return out
}

// scales are the fractions skill scores.
func (j *Judgement) scales() report.Table {
	out := report.Table{Title: "Fractions skill score by scale", Columns: columns([]string{"contender"}),
		Note: fmt.Sprintf("Of cells above %g CALQ: whether as many are within so many steps of every cell, 1 where that is so everywhere; means over seeds.", j.Threshold)}
	best := make([]int, farthest+1)
	for r := range farthest + 1 {
		name := fmt.Sprintf("%d steps", r)
		if r < 2 {
			name = []string{"the cell", "1 step"}[r]
		}
		out.Columns = append(out.Columns, report.Column{Name: name, Numeric: true})
	}
	for i := range j.Contenders {
		row := []string{j.Contenders[i].Name}
		for r, v := range j.Contenders[i].Fractions {
			row = append(row, page.Minus(fmt.Sprintf("%.3f", v)))
			if v > j.Contenders[best[r]].Fractions[r] {
				best[r] = i
			}
		}
		out.Rows = append(out.Rows, row)
	}
	var names []string
	for _, i := range best {
		names = append(names, j.Contenders[i].Name)
	}
	out.Note += " Best, from the left: " + strings.Join(names, ", ") + "."
	return out
}

func (j *Judgement) costs(times *Times) report.Table {
	out := report.Table{Title: "What they cost", Columns: columns([]string{"contender", "method"}, "seconds a training", "µs a wafer", "multiplications", "weights", "bits of a frame", "link bits", "front"),
		Note: fmt.Sprintf("Seconds: mean over seeds. µs: of one core that encodes a wafer with this program, which says nothing of a chip. Multiplications and weights: of the encoder, beside what all algorithms of the chip share. Bits of a frame: information in the mean, without padding, of the %d that the links carry; threshold sum keeps to them in the mean alone. Front: no other has both a smaller mean EMD and fewer multiplications. Wafer density: %s.", j.LinkBits, j.Density)}
	for i := range j.Contenders {
		s, front, seconds := &j.Contenders[i], "", "–"
		if s.Pareto {
			front = "yes"
		}
		if !s.isFixed() {
			seconds = fmt.Sprintf("%.1f", times.Contenders[i].Seconds)
		}
		out.Rows = append(out.Rows, []string{s.Name, s.Method, seconds, fmt.Sprintf("%.2g", 1e6/times.Contenders[i].Wafers), fmt.Sprint(s.Cost.Multiplications), fmt.Sprint(s.Cost.Weights),
			fmt.Sprintf("%.1f", s.Bits), fmt.Sprint(j.LinkBits), front})
	}
	return out
}

func (t *Table) stability() report.Table {
	p := t.Plan.Protocol
	out := report.Table{Title: "How far they can be relied on", Columns: columns([]string{"contender"}, "σ over seeds", "of the mean", "worst seed", "diverged"),
		Note: "σ and worst seed: of the mean EMD. Diverged: trainings that ended in numbers that are none, or whose encoder leaves no less than the mean training image."}
	if p.RateStep != 0 {
		for _, sign := range []string{"÷", "×"} {
			out.Columns = append(out.Columns, report.Column{Name: fmt.Sprintf("rate %s %g", sign, p.RateStep), Numeric: true})
		}
		out.Note += fmt.Sprintf(" Rate: by how much the mean EMD of the first seed changes with the learning rate %g divided and multiplied so.", t.Plan.Rate)
	}
	for i := range t.Protocol.Contenders {
		s := &t.Protocol.Contenders[i]
		row := []string{s.Name, "–", "–", fmt.Sprintf("%.3f", s.Worst), "–"}
		if !s.isFixed() {
			row[1], row[2] = fmt.Sprintf("%.4f", s.EMD.Std), fmt.Sprintf("%.1f %%", 100*s.EMD.Std/s.EMD.Mean)
			row[4] = fmt.Sprintf("%d of %d", s.Diverged, t.Plan.Seeds)
		}
		for k := 0; p.RateStep != 0 && k < 2; k++ {
			cell := "–"
			if k < len(s.Rates) {
				cell = page.Minus(fmt.Sprintf("%+.1f %%", 100*(s.Rates[k].Ratio-1)))
				if s.Rates[k].Diverged {
					cell = "diverged"
				}
			}
			row = append(row, cell)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// rankings are those that there are, with what their blocks are.
func (j *Judgement) rankings(seeds int) (list []*evaluate.Ranking, names, texts []string) {
	if r := j.BySeeds; r != nil {
		list, names = append(list, r), append(names, "by seeds")
		texts = append(texts, fmt.Sprintf("Mean ranks over %d blocks, of which each has the trainings of one seed on a share of the held-out images of its own: they are independent of each other, and what differs here would with other seeds.", seeds))
	}
	if r := j.ByImages; r != nil {
		list, names = append(list, r), append(names, "by images")
		texts = append(texts, fmt.Sprintf("Mean ranks over %d blocks of %d held-out images, of means over the seeds: what differs here does for these encoders on other images, but perhaps not with other seeds.", r.Blocks, imagesPerBlock))
	}
	return list, names, texts
}

// test is what Friedman's test says of a ranking.
func test(r *evaluate.Ranking) string {
	p := fmt.Sprintf("p = %.2g", r.P)
	if r.P < 1e-9 {
		p = "p < 10⁻⁹"
	}
	by := map[string]string{
		evaluate.ByArrangements: "of all arrangements of the ranks within the blocks",
		evaluate.ByDraws:        "of arrangements of the ranks within the blocks, drawn",
		evaluate.ByF:            "by Iman’s and Davenport’s F",
	}[r.By]
	critical := fmt.Sprintf("two mean ranks differ (Nemenyi, 5 %% for all pairs together) from %.2f on", r.Critical)
	if r.Critical == 0 {
		critical = "in so few blocks no difference of mean ranks is unlikely by less than 5 %, so that none are told apart"
	}
	return fmt.Sprintf("Friedman χ² = %.1f over %d blocks, %s %s; %s.", r.ChiSquare, r.Blocks, p, by, critical)
}

func (j *Judgement) ranks(seeds int) report.Table {
	list, names, texts := j.rankings(seeds)
	out := report.Table{Title: "Mean ranks by the mean EMD, 1 the best", Columns: columns([]string{"contender"}, names...)}
	var notes []string
	for k, r := range list {
		out.Columns[k+1].Name = "rank " + names[k]
		notes = append(notes, strings.ToUpper(names[k][:1])+names[k][1:]+": "+texts[k]+" "+test(r))
	}
	if len(list) == 0 {
		notes = []string{"There are too few seeds and images for ranks."}
	}
	for _, i := range j.order() {
		row := []string{j.Contenders[i].Name}
		for _, r := range list {
			row = append(row, fmt.Sprintf("%.2f", r.Ranks[i]))
		}
		out.Rows = append(out.Rows, row)
	}
	out.Note = strings.Join(notes, " ")
	return out
}

// order lists the contenders by the mean EMD.
func (j *Judgement) order() []int {
	order := make([]int, len(j.Contenders))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(j.Contenders[a].EMD.Mean, j.Contenders[b].EMD.Mean)
	})
	return order
}
