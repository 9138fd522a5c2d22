// Package learned says which of the chip's algorithms studies train decoders for, and by which
// words settings call them.
package learned

import (
	"slices"

	"barrow/econt"
	"barrow/evaluate"
)

// An Algorithm is one whose frames leave something to a decoder.
type Algorithm struct {
	Word   string          // in settings
	Scheme evaluate.Scheme // without links and decoding
}

// Algorithms are all of them, in the order of tables.
func Algorithms() []Algorithm {
	stc := func(word string, t econt.STCType) Algorithm {
		return Algorithm{word, evaluate.Scheme{Algorithm: econt.SuperTriggerCell, STCType: t}}
	}
	return []Algorithm{
		{"bc", evaluate.Scheme{Algorithm: econt.BestChoice}},
		stc("stc4", econt.STC4A5E4M),
		stc("stc4-4e3m", econt.STC4A4E3M),
		stc("stc16", econt.STC16A5E4M),
		stc("ctc", econt.CTC4N5E4M),
		stc("ctc-4e3m", econt.CTC4N4E3M),
		{"ts", evaluate.Scheme{Algorithm: econt.ThresholdSum}},
	}
}

// Words are the algorithms' words.
func Words() []string {
	var list []string
	for _, a := range Algorithms() {
		list = append(list, a.Word)
	}
	return list
}

// Find is the algorithm of a word; ok tells whether there is one.
func Find(word string) (a Algorithm, ok bool) {
	list := Algorithms()
	k := slices.IndexFunc(list, func(a Algorithm) bool { return a.Word == word })
	if k < 0 {
		return a, false
	}
	return list[k], true
}

// Rules are the algorithm's decodings by hand on a number of links, none where it cannot use
// them.
func (a Algorithm) Rules(links int) []evaluate.Scheme {
	return slices.DeleteFunc(evaluate.Schemes(links), func(s evaluate.Scheme) bool {
		return s.Algorithm != a.Scheme.Algorithm || s.STCType != a.Scheme.STCType || s.Links != links
	})
}

// Learns tells whether the algorithm can use a number of links and leaves something to a
// decoder on them: best choice on 13 sends everything.
func (a Algorithm) Learns(links int) bool {
	s := a.Scheme
	s.Links = links
	return len(a.Rules(links)) > 0 && s.Learns()
}
