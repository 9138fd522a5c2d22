package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"barrow/internal/setting/bind"
	"barrow/study/compare"
	"barrow/study/physics"
)

// physicsPart is what a comparison has of barrow physics.
type physicsPart struct {
	wanted bool
	config string
}

func (p *physicsPart) add(flags *pflag.FlagSet) {
	flags.BoolVar(&p.wanted, "physics", false, "measure what the encoders leave of particles, too, as \"barrow physics\" does")
	flags.StringVar(&p.config, "physics-config", "", "TOML `file` with settings of \"barrow physics\"; implies --physics")
}

// into has the comparison measure it. Half of the progress is then the comparison's own.
func (p *physicsPart) into(s *compare.Settings, bar *progressBar) error {
	if !p.wanted && p.config == "" {
		return nil
	}
	plan := physics.Default()
	b := bind.Flags(pflag.NewFlagSet("physics", pflag.ContinueOnError), &plan, "encoders", "compare", "metric", "seed")
	if err := b.ReadTOML(p.config); err != nil {
		return err
	}
	plan = plan.Settle(b.Given, s.Remark)
	if err := plan.Complete().Check(); err != nil {
		return err
	}
	s.Progress = func(share float64, note string) { bar.set(share/2, note) }
	s.Further = physics.Further(plan, physics.Settings{
		Threads: s.Threads, Force: s.Force, Remark: s.Remark,
		Progress: func(share float64, note string) { bar.set(0.5+share/2, "physics: "+note) },
	})
	return nil
}

// printTrigger is what the encoders, and the chip's algorithms beside them, leave of particles.
func printTrigger(w io.Writer, t *compare.Table) error {
	p := t.Physics
	if p == nil {
		return nil
	}
	fmt.Fprintln(w, p.Words)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "loss\tprecision\tbits\t")
	for _, f := range p.Figures {
		fmt.Fprint(tw, f.Label, "\t")
	}
	fmt.Fprintln(tw)
	add := func(precision, bits string, r compare.PhysicsRow) {
		fmt.Fprintf(tw, "%s\t%s\t%s\t", r.Name, precision, bits)
		for k, v := range r.Values {
			fmt.Fprint(tw, v.Print(p.Figures[k].Digits), "\t")
		}
		fmt.Fprintln(tw)
	}
	for _, a := range p.Algorithms {
		add("", "", a)
	}
	for _, r := range t.Rows {
		add(r.Precision, r.Width(), compare.PhysicsRow{Name: r.Loss, Values: r.Physics})
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}
