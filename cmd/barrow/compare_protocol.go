package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"barrow/internal/setting/bind"
	"barrow/study/compare"
)

// protocolPart is what a comparison has of a protocol.
type protocolPart struct {
	name  string
	quick bool
}

func (p *protocolPart) add(flags *pflag.FlagSet) {
	flags.Var(bind.File(&p.name, compare.Protocols()), "protocol", "table of contenders: "+strings.Join(compare.Protocols(), ", ")+", or a TOML `file`")
	flags.BoolVar(&p.quick, "quick", false, "the protocol's quick run")
}

// protocolsHere is in a help text where the protocols are listed.
const protocolsHere = "<protocols>\n"

// helpWithProtocols has the protocols listed when help is asked for: reading them takes milliseconds,
// which every start of the program would take.
func helpWithProtocols(cmd *cobra.Command) {
	help := cmd.HelpFunc()
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		cmd.Long = strings.Replace(cmd.Long, protocolsHere, protocolHelp(), 1)
		help(cmd, args)
	})
}

// protocolHelp lists the protocols that come with the program.
func protocolHelp() string {
	var b strings.Builder
	for _, name := range compare.Protocols() {
		about := "?"
		if plan, err := compare.ReadProtocol(name, false); err == nil { // a test reads them all
			about = fmt.Sprintf("%s (%d contenders)", plan.Protocol.About, len(plan.Protocol.Contenders))
		}
		fmt.Fprintf(&b, "  %-10s %s\n", name, about)
	}
	return b.String()
}

// into makes the plan that of the protocol, but for what was given by flags or a file.
func (p *protocolPart) into(plan *compare.Plan, given *bind.Binding) error {
	if p.name == "" {
		if p.quick {
			return errors.New("--quick is of a protocol's: name one with --protocol")
		}
		return nil
	}
	if given.Given("losses") {
		return errors.New("--losses and --protocol exclude each other: a protocol names its own losses")
	}
	of, err := compare.ReadProtocol(p.name, p.quick)
	if err != nil {
		return err
	}
	if given.Given("latent_bits") || given.Given("mask") { // the same by links, of which the protocol may say
		of.Links = nil
	}
	if given.Given("mask") {
		of.Bits = nil
	}
	given.Into(&of)
	*plan = of
	return nil
}

// printProtocol prints what a protocol found.
func printProtocol(w io.Writer, t *compare.Table, times *compare.Times) error {
	for _, table := range t.Standings(times) {
		fmt.Fprintln(w, table.Title)
		if err := printAligned(w, withHead(table)); err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\n\n", table.Note)
	}
	if err := printChip(w, t.Chip); err != nil {
		return err
	}
	return printTrigger(w, t)
}
