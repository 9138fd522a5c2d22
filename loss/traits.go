package loss

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/setting"
)

// Sees says what of an image a loss compares; of a sum it is what any of its
// terms does.
type Sees uint8

const (
	SeesCharges Sees = 1 << iota // every cell its own charge
	SeesShape                    // both images scaled to sum 1
	SeesTotal                    // the sum of all cells
)

// Traits are what others need to know of a loss without building it. Each loss
// states them where it is registered, in its own file; those of a sum follow
// from its terms.
type Traits struct {
	// Label is the loss in a reader's words, as tables and plots call it.
	Label string
	// Help says in one line, for a list of losses, what is compared.
	Help string
	Sees Sees
	// CNN: it needs an EMD CNN, Resources.CNN.
	CNN bool
	// Cost is what a step of training the paper's encoder with it takes, over what
	// one with the MSE takes, as bench/losses measures it with the options' defaults on one core
	// with AVX-512. It weighs the parts of a progress bar.
	Cost float64
}

// ShapeOnly reports that nothing in a loss asks a cell for its own charge: that
// it compares shapes, with or without the totals beside them.
func (t Traits) ShapeOnly() bool { return t.Sees&SeesShape != 0 && t.Sees&SeesCharges == 0 }

// A kind is a registered loss.
type kind struct {
	traits Traits
	// read reads the options; those that have none read none.
	read func(*options) recipe
	// term is that of a loss cell by cell, on any lattice.
	term func(t, p float32) (value, slope float32)
	// make reads the options of any other loss, of wafers, and says what makes it.
	make func(*options) func(Resources) (Loss, error)
}

// A recipe makes a loss of images on a lattice, as its options were.
type recipe func(*Lattice) imageLoss

var kinds = map[string]kind{}

// register adds a loss; every file of one calls it for a package variable, so
// that a loss touches no other file. A name taken is a mistake in this package.
func register(name string, t Traits, build func(Resources) (Loss, error)) struct{} {
	return enter(name, kind{traits: t, make: func(*options) func(Resources) (Loss, error) { return build }})
}

// registerOptions adds a loss of wafers with options, which read reads in a fixed order.
func registerOptions(name string, t Traits, read func(*options) func(Resources) (Loss, error)) struct{} {
	return enter(name, kind{traits: t, make: read})
}

// registerSpatial adds a loss of images on any lattice, with options: read reads them in
// a fixed order and says what it does with them.
func registerSpatial(name string, t Traits, read func(*options) recipe) struct{} {
	return enter(name, kind{traits: t, read: read})
}

// registerCellwise adds a loss that is the mean over cells, of any lattice, of a term.
func registerCellwise(name string, t Traits, term func(t, p float32) (value, slope float32)) struct{} {
	return enter(name, kind{traits: t, term: term})
}

func enter(name string, k kind) struct{} {
	t := k.traits
	if _, taken := kinds[name]; taken || t.Label == "" || t.Help == "" || t.Sees == 0 || !(t.Cost > 0) || strings.ContainsAny(name, "+*@: ") {
		panic("loss: " + name + " is registered twice, or its traits or its name are not whole")
	}
	kinds[name] = k
	return struct{}{}
}

// Names lists the losses Parse knows, sorted.
func Names() []string {
	names := make([]string, 0, len(kinds))
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Help lists the losses with what each compares, one a line, two spaces in
// front.
func Help() string {
	var b strings.Builder
	for _, name := range Names() {
		fmt.Fprintf(&b, "  %-16s %s\n", name, kinds[name].traits.Help)
	}
	return b.String()
}

// Describe tells the traits of what Parse accepts, and of the two losses of
// [Stages], without building any. Costs of terms add up, but for the network's
// own step, which they share.
func Describe(text string) (Traits, error) {
	decoder, encoder, err := Stages(text)
	if err != nil {
		return Traits{}, err
	}
	t, err := describe(decoder)
	if err != nil || encoder == "" {
		return t, err
	}
	e, err := describe(encoder)
	if err != nil {
		return Traits{}, err
	}
	t.CNN, t.Cost = t.CNN || e.CNN, t.Cost+e.Cost
	t.Label += ", encoder by " + e.Label
	t.Help = t.Label
	return t, nil
}

// describe tells the traits of a sum.
func describe(text string) (Traits, error) {
	terms, err := split(text, wafers())
	if err != nil {
		return Traits{}, err
	}
	if len(terms) == 1 {
		t := kinds[terms[0].kind].traits
		t.Label = terms[0].weighted("·", terms[0].label())
		return t, nil
	}
	sum := Traits{Cost: 1}
	var labels []string
	for _, term := range terms {
		t := kinds[term.kind].traits
		labels = append(labels, term.weighted("·", term.label()))
		sum.Sees |= t.Sees
		sum.CNN, sum.Cost = sum.CNN || t.CNN, sum.Cost+max(0, t.Cost-1)
	}
	sum.Label = strings.Join(labels, " + ")
	sum.Help = sum.Label
	return sum, nil
}

// Label is a loss in a reader's words, or the text itself where it is none.
func Label(text string) string {
	t, err := Describe(text)
	if err != nil {
		return text
	}
	return t.Label
}

// Stages splits "decoder@encoder" in its two losses: the encoder is trained,
// with a decoder, by the second and kept, as in a chip whose weights are set, and
// another decoder is trained for it by the first. encoder is empty where one
// loss trains both.
func Stages(text string) (decoder, encoder string, err error) {
	decoder, encoder, two := strings.Cut(text, "@")
	if two && strings.TrimSpace(encoder) == "" {
		return "", "", fmt.Errorf("loss: %q names no loss behind the @: want one as in emd@telescope", text)
	}
	return strings.TrimSpace(decoder), strings.TrimSpace(encoder), nil
}

// Normal is the one way to write a loss, a sum or two of them with an @: without
// spaces, weights in their shortest form and those of 1 left out.
func Normal(text string) (string, error) {
	return rewrite(text, func(terms []term) []term { return terms })
}

// Distinct gives the losses in their normal form and refuses two that are the
// same, however they are written: with spaces, weights of 1, or terms in
// another order.
func Distinct(texts []string) ([]string, error) {
	normal, seen := make([]string, len(texts)), map[string]string{}
	for i, text := range texts {
		var err error
		if normal[i], err = Normal(text); err != nil {
			return nil, err
		}
		key, err := rewrite(text, collect)
		if err != nil {
			return nil, err
		}
		if first, twice := seen[key]; twice {
			if first == text {
				return nil, fmt.Errorf("loss: %q is named twice: once is enough", text)
			}
			return nil, fmt.Errorf("loss: %q and %q are the same loss: name one of them", first, text)
		}
		seen[key] = text
	}
	return normal, nil
}

// collect joins the terms of one name and sorts them.
func collect(terms []term) []term {
	var out []term
	for _, t := range terms {
		if i := slices.IndexFunc(out, func(o term) bool { return o.name == t.name }); i >= 0 {
			out[i].weight += t.weight
			continue
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b term) int { return strings.Compare(a.name, b.name) })
	return out
}

// rewrite spells a loss out after its terms went through change.
func rewrite(text string, change func([]term) []term) (string, error) {
	decoder, encoder, err := Stages(text)
	if err != nil {
		return "", err
	}
	stages := []string{decoder, encoder}
	if encoder == "" {
		stages = stages[:1]
	}
	for i, stage := range stages {
		terms, err := split(stage, wafers())
		if err != nil {
			return "", err
		}
		stages[i] = spell(change(terms))
	}
	return strings.Join(stages, "@"), nil
}

// A term of a sum.
type term struct {
	weight float64
	name   string // with its options, each once, defaults left out
	kind   string // without
	said   []string
	build  recipe // of a loss of images on any lattice, else nil
	make   func(Resources) (Loss, error)
}

// label is the term's loss in a reader's words.
func (t term) label() string {
	label := kinds[t.kind].traits.Label
	if len(t.said) > 0 {
		label += " (" + strings.ReplaceAll(strings.Join(t.said, ", "), "=", " ") + ")"
	}
	return label
}

// weighted puts the weight, unless it is 1, in front of what the term is called.
func (t term) weighted(times, name string) string {
	if t.weight == 1 {
		return name
	}
	return spellNumber(t.weight) + times + name
}

func spell(terms []term) string {
	var names []string
	for _, t := range terms {
		names = append(names, t.weighted("*", t.name))
	}
	return strings.Join(names, "+")
}

// maxWeight is far above any that makes sense and far from what overflows.
const maxWeight = 1e12

// split reads a weighted sum of names, of losses of images on a lattice.
func split(text string, l *Lattice) ([]term, error) {
	var terms []term
	for _, part := range strings.Split(text, "+") {
		t := term{weight: 1, name: strings.TrimSpace(part)}
		if w, rest, ok := strings.Cut(t.name, "*"); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(w), 64)
			if err != nil || !(v > 0) || v > maxWeight {
				return nil, fmt.Errorf("loss: %q: the weight %q is not a positive number", text, w)
			}
			t = term{weight: v, name: strings.TrimSpace(rest)}
		}
		if err := t.read(l); err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	return terms, nil
}

// read finds the term's kind and reads its options.
func (t *term) read(l *Lattice) error {
	kind, text, _ := strings.Cut(t.name, ":")
	t.kind = strings.TrimSpace(kind)
	k, ok := kinds[t.kind]
	if t.kind == "" {
		return fmt.Errorf("loss: a loss without a name: the losses are %s, or a weighted sum such as emd+0.1*telescope", strings.Join(Names(), ", "))
	}
	if !ok {
		return fmt.Errorf("loss: unknown loss %q; the losses are %s, or a weighted sum such as emd+0.1*telescope%s", t.kind, strings.Join(Names(), ", "), setting.Hint(t.kind, Names()))
	}
	if strings.HasSuffix(t.name, ":") {
		return fmt.Errorf("loss: %q: want an option behind the colon, as in neighbourhood:radius=2", t.name)
	}
	o, err := readOptions(t.kind, text, l)
	if err != nil {
		return err
	}
	if k.read != nil {
		t.build = k.read(o)
	}
	if k.make != nil {
		t.make = k.make(o)
	}
	t.name, t.said = o.spelt(), o.said
	return o.done()
}
