package physics

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"barrow/econt"
	"barrow/evaluate"
	"barrow/physics"
	"barrow/study/internal/learned"
)

// An algorithm of the chip, by the word that a plan has for it.
type algorithm struct {
	word   string
	scheme evaluate.Scheme
}

// algorithms are those that a plan takes, in the order of tables.
func algorithms() []algorithm {
	stc := func(word string, t econt.STCType, d evaluate.Decoding) algorithm {
		return algorithm{word, evaluate.Scheme{Algorithm: econt.SuperTriggerCell, STCType: t, Decoding: d}}
	}
	return []algorithm{
		{repeater, evaluate.Scheme{Algorithm: econt.Repeater, Decoding: evaluate.DecodeKept}},
		{"ts", evaluate.Scheme{Algorithm: econt.ThresholdSum, Decoding: evaluate.DecodeKept}},
		stc("stc4", econt.STC4A5E4M, evaluate.DecodeKept),
		stc("stc16", econt.STC16A5E4M, evaluate.DecodeKept),
		stc("ctc", econt.CTC4N5E4M, evaluate.DecodeSpread),
		{"bc", evaluate.Scheme{Algorithm: econt.BestChoice, Decoding: evaluate.DecodeKept}},
		{"bc-spread", evaluate.Scheme{Algorithm: econt.BestChoice, Decoding: evaluate.DecodeSpread}},
	}
}

// learnedEnding ends the words of algorithms whose decoders are trained here.
const learnedEnding = "-learned"

// withDecoder is the algorithm of a word whose decoders are trained; ok tells whether it is one.
func withDecoder(word string) (a learned.Algorithm, ok bool) {
	of, ok := strings.CutSuffix(word, learnedEnding)
	if !ok {
		return a, false
	}
	return learned.Find(of)
}

// repeater is the word for RPT, which sends all 48 charges and has links for that.
const (
	repeater      = "rpt"
	repeaterLinks = 11
)

// byHand are the words of algorithms that need no training.
func byHand() []string {
	var words []string
	for _, a := range algorithms() {
		words = append(words, a.word)
	}
	return words
}

// algorithmNames are the words of all algorithms.
func algorithmNames() []string {
	words := byHand()
	for _, word := range learned.Words() {
		words = append(words, word+learnedEnding)
	}
	return words
}

// table is what the plan's links are in a geometry.
func (p Plan) table(g *physics.Geometry) (*physics.LinkTable, error) {
	if p.Links == modulesLinks {
		return physics.ModuleLinks(g), nil
	}
	if n, err := strconv.Atoi(p.Links); err == nil {
		return physics.SameLinks(g, n)
	}
	t, err := physics.ReadLinks(g, p.Links)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("physics: links = %q: no such file: want 1 to 13, %s for the modules' own, or a CSV file", p.Links, modulesLinks)
	}
	return t, err
}

// words are what the plan calls the contenders, in their order; all cells has no word there.
func (p Plan) words(encoders []encoder) []string {
	list := []string{allWord}
	for _, word := range p.Contenders {
		if slices.Contains(algorithmNames(), word) {
			list = append(list, word)
		}
	}
	for _, e := range encoders {
		list = append(list, e.name)
	}
	return list
}

// allWord stands for all cells.
const allWord = "all-cells"

// contenders makes all that are compared, all cells first, then as the plan has them, the
// given encoders last. Those whose decoders are not trained yet are left out.
func (p Plan) contenders(g *physics.Geometry, links *physics.LinkTable, encoders []encoder, d decoders) ([]physics.Contender, error) {
	list := []physics.Contender{physics.NewAllCells()}
	add := func(c physics.Contender, err error) error {
		if err != nil {
			return err
		}
		for _, o := range list {
			if o.Name() == c.Name() {
				return fmt.Errorf("physics: two contenders are called %q", c.Name())
			}
		}
		list = append(list, c)
		return nil
	}
	for _, word := range p.Contenders {
		for _, a := range algorithms() {
			if a.word != word {
				continue
			}
			of := links
			if word == repeater {
				var err error
				if of, err = physics.SameLinks(g, repeaterLinks); err != nil {
					return nil, err
				}
			}
			if err := add(physics.NewAlgorithm(a.scheme, of)); err != nil {
				return nil, err
			}
		}
		if a, ok := withDecoder(word); ok && d != nil {
			a.Scheme.Decoding = evaluate.DecodeLearned
			if err := add(physics.NewLearned(a.Scheme, d[word], links)); err != nil {
				return nil, err
			}
		}
	}
	for _, e := range encoders {
		if err := add(e.contender(links)); err != nil {
			return nil, err
		}
	}
	return list, nil
}
