package compare

import (
	"cmp"
	"fmt"
	"math"
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

// chance is the share of tables of contenders that are none lower, or none by as much as lowered, in
// which one is called so: one side of 95 %.
const chance = 0.025

// What is said of a ratio, and of the column of such.
const (
	lowerHead  = "lower?"
	lowerMuch  = "by ≥ 10 %"
	lowerSome  = "lower"
	lowerUnfit = "not told"
	lowerNote  = "lower: the ratio is below 1; by ≥ 10 %: it is below 0.9; each sure to 97.5 % for the whole column (Holm’s correction), so that an interval may leave 1 out and nothing be told"
)

// against are ratios with their intervals, and what is said of them, all together. Those of nil are
// the baseline's own.
func against(list []*evaluate.Paired) [][]string {
	var some, much []float64
	for _, p := range list {
		if p != nil {
			some, much = append(some, p.NotBelow(1)), append(much, p.NotBelow(1-lowered))
		}
	}
	lower, muchLower := evaluate.Holm(some, chance), evaluate.Holm(much, chance)
	var out [][]string
	k := 0
	for _, p := range list {
		if p == nil {
			out = append(out, []string{"1", "–"})
			continue
		}
		word := lowerUnfit
		switch {
		case muchLower[k]:
			word = lowerMuch
		case lower[k]:
			word = lowerSome
		}
		k++
		out = append(out, []string{fmt.Sprintf("%.3f [%.3f, %.3f]", p.Ratio, p.Low, p.High), word})
	}
	return out
}

// spread is a mean, with its standard deviation over the seeds if it has one.
func (s *Standing) spread(v Spread) string {
	if !s.trained() {
		return fmt.Sprintf("%.3f", v.Mean)
	}
	return v.Print()
}

// others are what intervals of ratios hold for.
func (p Plan) others() string {
	if p.Seeds < 2 {
		return "other held-out images, not for other trainings, of which one seed says nothing"
	}
	return "other trainings on these training images and other held-out images"
}

func (t *Table) fidelity() report.Table {
	j, base := t.Protocol, t.Plan.Protocol.Baseline
	out := report.Table{Title: "What they keep of held-out images", Columns: columns([]string{"contender"}, "mean EMD", "median", "95 %", "ratio to "+base, lowerHead, "response", "resolution")}
	least := 0
	var ratios []*evaluate.Paired
	for i := range j.Contenders {
		ratios = append(ratios, &j.Contenders[i].Ratio)
	}
	ratios[t.Plan.Protocol.baseline()] = nil
	verdicts := against(ratios)
	for i := range j.Contenders {
		s := &j.Contenders[i]
		if s.EMD.Mean < j.Contenders[least].EMD.Mean {
			least = i
		}
		out.Rows = append(out.Rows, []string{s.Name, s.spread(s.EMD), s.spread(s.Median), s.spread(s.P95), verdicts[i][0], verdicts[i][1],
			s.spread(s.Response), s.spread(s.Resolution)})
	}
	out.Emphasis = []int{least}
	out.Note = fmt.Sprintf("Exact EMD in %s; ± is the standard deviation over seeds; 95 %% of the images leave less than the column says. Ratio of mean EMDs over the seeds with its 95 %% interval for %s; "+strings.ReplaceAll(lowerNote, "%", "%%")+". "+
		"Response: decoded charge over true charge; resolution: its standard deviation over images. The mean training image, for which nothing need be sent, leaves %.3f.",
		page.UnitOf(t.Plan.Metric), t.Plan.others(), j.MeanImage)
	if n := j.Contenders[t.Plan.Protocol.baseline()].Diverged; n > 0 {
		out.Note += fmt.Sprintf(" %s, the baseline, diverged in %d of %s: to be lower than it says little.", base, n, page.Of(t.Plan.Seeds, "training"))
	}
	return out
}

// scales are the fractions skill scores.
func (j *Judgement) scales() report.Table {
	out := report.Table{Title: "Fractions skill score by scale", Columns: columns([]string{"contender"}),
		Note: fmt.Sprintf("Of cells above %g CALQ: whether as many are within so many steps of every cell, 1 where that is so everywhere; means over seeds.", j.Threshold)}
	for r := range farthest + 1 {
		name := fmt.Sprintf("%d steps", r)
		if r < 2 {
			name = []string{"the cell", "1 step"}[r]
		}
		out.Columns = append(out.Columns, report.Column{Name: name, Numeric: true})
	}
	for i := range j.Contenders {
		row := []string{j.Contenders[i].Name}
		for _, v := range j.Contenders[i].Fractions {
			row = append(row, page.Minus(fmt.Sprintf("%.3f", v)))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func (j *Judgement) costs(times *Times) report.Table {
	out := report.Table{Title: "What they cost", Columns: columns([]string{"contender", "method"}, "a step of training", "seconds a training", "µs to encode", "µs to decode", "multiplications", "weights", "of the decoder", "bits of a frame", "link bits", "front"),
		Note: fmt.Sprintf("A step of training: over one with the MSE, as measured once for the loss’s kind (docs/losses.md), or, of a decoder that learned, an image’s training over that of an encoder with the MSE. Seconds: of the clock, mean over seeds, of all calls that had a part in a training, beside whatever else ran. µs: of one core with this program, which says nothing of a chip; frames are made and read of the chip’s algorithms alone. Multiplications and weights: of the encoder, beside what all algorithms of the chip share; of the decoder: its multiplications. Bits of a frame: information in the mean, without padding, of the %d that the links carry; threshold sum keeps to them in the mean alone. Front: no other is as good or better in mean EMD, multiplications and the step of training, and better in one. Wafer density: %s.", j.LinkBits, j.Density)}
	for i := range j.Contenders {
		s, front, seconds, step := &j.Contenders[i], "", "–", "–"
		if s.Pareto {
			front = "yes"
		}
		if s.trained() {
			seconds, step = fmt.Sprintf("%.1f", times.Contenders[i].Seconds), fmt.Sprintf("%.2f", s.Step)
		}
		out.Rows = append(out.Rows, []string{s.Name, s.Method, step, seconds, micro(times.Contenders[i].Wafers), micro(times.Contenders[i].Decoded), fmt.Sprint(s.Cost.Multiplications), fmt.Sprint(s.Cost.Weights), fmt.Sprint(s.Decoder),
			fmt.Sprintf("%.1f", s.Bits), fmt.Sprint(j.LinkBits), front})
	}
	return out
}

// micro are the microseconds a wafer of a speed.
func micro(perSecond float64) string { return fmt.Sprintf("%.2g", 1e6/perSecond) }

func (t *Table) stability() report.Table {
	p := t.Plan.Protocol
	out := report.Table{Title: "How far they can be relied on", Columns: columns([]string{"contender"}, "σ over seeds", "of the mean", "worst seed", "diverged"),
		Note: "σ and worst seed: of the mean EMD. Diverged: trainings that ended in numbers that are none, or whose encoder leaves no less than the mean training image."}
	if p.RateStep != 0 {
		for _, sign := range []string{"÷", "×"} {
			out.Columns = append(out.Columns, report.Column{Name: fmt.Sprintf("rate %s %g", sign, p.RateStep), Numeric: true})
		}
		out.Note += fmt.Sprintf(" Rate: by how much the mean EMD of %s changes with the learning rate (%g, of decoders %g) divided and multiplied so; ±: √2·σ over seeds, by which trainings differ from others anyhow. At best rates: the ratio to %s of these seeds, each of the two at the rate that leaves least of the validation images, which is named.", t.Plan.ofSeeds(), t.Plan.Rate, lessonRate(), p.Baseline)
		out.Columns = append(out.Columns, report.Column{Name: "ratio at best rates", Numeric: true})
	}
	for i := range t.Protocol.Contenders {
		s := &t.Protocol.Contenders[i]
		row := []string{s.Name, "–", "–", fmt.Sprintf("%.3f", s.Worst), "–"}
		if s.trained() {
			row[1], row[2] = fmt.Sprintf("%.4f", s.EMD.Std), fmt.Sprintf("%.1f %%", 100*s.EMD.Std/s.EMD.Mean)
			row[4] = fmt.Sprintf("%d of %d", s.Diverged, t.Plan.Seeds)
		}
		for k := 0; p.RateStep != 0 && k < 2; k++ {
			cell := "–"
			if k < len(s.Rates) {
				cell = page.Minus(fmt.Sprintf("%+.1f ± %.1f %%", 100*(s.Rates[k].Ratio-1), 100*math.Sqrt(2/float64(t.Plan.rateSeeds()))*s.EMD.Std/s.EMD.Mean))
				if s.Rates[k].Diverged > 0 {
					cell = "diverged"
				}
			}
			row = append(row, cell)
		}
		if s.Tuned != nil {
			row = append(row, t.tuned(s))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// ofSeeds are the seeds of the trials, in words.
func (p Plan) ofSeeds() string {
	if n := p.rateSeeds(); n > 1 {
		return fmt.Sprintf("the first %d seeds", n)
	}
	return "the first seed"
}

// tuned is a contender's ratio at the best rates.
func (t *Table) tuned(s *Standing) string {
	cell := fmt.Sprintf("%.3f", s.Tuned.Ratio)
	if s.Tuned.Seeds > 1 {
		cell += fmt.Sprintf(" [%.3f, %.3f]", s.Tuned.Low, s.Tuned.High)
	}
	if s.trained() {
		cell += fmt.Sprintf(", %g", s.BestRate)
	}
	return cell
}

// fewBlocks tell little.
const fewBlocks = 10

// rankings are those that there are, with what their blocks are.
func (j *Judgement) rankings(seeds int) (list []*evaluate.Ranking, names, texts []string) {
	if r := j.BySeeds; r != nil {
		list, names = append(list, r), append(names, "by seeds")
		texts = append(texts, fmt.Sprintf("Mean ranks over %d blocks, of which each has the trainings of one seed on a share of the held-out images of its own: they are independent of each other, and what differs here would with other seeds.", seeds))
	}
	if r := j.ByImages; r != nil {
		list, names = append(list, r), append(names, "by images")
		text := fmt.Sprintf("Mean ranks over %d blocks of %d held-out images, of means over the seeds: what differs here does for these encoders on other images, but perhaps not with other seeds.", r.Blocks, imagesPerBlock)
		if r.Blocks < fewBlocks {
			text += " So few blocks tell large differences alone."
		}
		texts = append(texts, text)
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
