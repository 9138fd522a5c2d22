package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"barrow/hgcal"
	"barrow/internal/setting/bind"
)

// wordVar adds a flag whose value is one of a few words: others are refused with the one
// that was probably meant, and the shell completes them.
func wordVar(fl *pflag.FlagSet, p *string, name, value string, words []string, usage string) {
	*p = value
	fl.Var(bind.Word(p, words), name, usage)
}

// metricVar adds the flag of the ground metric.
func metricVar(fl *pflag.FlagSet, p *string, usage string) {
	*p = hgcal.Metrics()[0]
	fl.Var(bind.File(p, hgcal.Metrics()), "metric", usage)
}

// A purpose is what some flags are for, and whether the command line has that.
type purpose struct {
	flags []string
	what  string
	here  bool
}

// needless is an error for a flag that was given and would change nothing.
func needless(fl *pflag.FlagSet, purposes ...purpose) error {
	for _, p := range purposes {
		for _, name := range p.flags {
			if fl.Changed(name) && !p.here {
				return fmt.Errorf("--%s changes nothing here: it is for %s", name, p.what)
			}
		}
	}
	return nil
}

// single lets the flags of a command that hold one value be given once. pflag's own
// would keep the last of several and drop the others without a word; the same one
// again drops nothing.
func single(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		_, slice := f.Value.(pflag.SliceValue)
		list, ok := f.Value.(interface{ Several() bool })
		if !slice && !(ok && list.Several()) {
			f.Value = &once{Value: f.Value}
		}
	})
}

// once is a flag's value that refuses a second one.
type once struct {
	pflag.Value
	text  string // as it was given
	given bool
}

func (o *once) Set(text string) error {
	if o.given && text != o.text {
		return fmt.Errorf("given twice, first as %q; give one", o.text)
	}
	o.text, o.given = text, true
	return o.Value.Set(text)
}
