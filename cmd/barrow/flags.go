package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"barrow/internal/setting/bind"
)

// wordVar adds a flag whose value is one of a few words: others are refused with the one
// that was probably meant, and the shell completes them.
func wordVar(fl *pflag.FlagSet, p *string, name, value string, words []string, usage string) {
	*p = value
	fl.Var(bind.Word(p, words), name, usage)
}

// onceVar adds a flag that names one thing, such as a file, and is given at most
// once. pflag's own would keep the last of several and drop the others without
// a word.
func onceVar(fl *pflag.FlagSet, p *string, name, value, usage string) {
	*p = value
	fl.Var(&once{value: p}, name, usage)
}

type once struct {
	value *string
	set   bool
}

func (o *once) Set(s string) error {
	if o.set {
		return fmt.Errorf("given twice, first as %q; give one", *o.value)
	}
	*o.value, o.set = s, true
	return nil
}

func (o *once) String() string {
	if o.value == nil {
		return ""
	}
	return *o.value
}

func (o *once) Type() string { return "string" }
