package decoder_test

import (
	"context"
	"testing"

	"barrow/decoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/simulate"
)

// TestBeatsHandRules trains for some seconds, on images that nobody measures by, and is
// closer to the images than the better rule by hand.
func TestBeatsHandRules(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for some seconds")
	}
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	exact, err := loss.Parse("emd", loss.Resources{Metric: m})
	if err != nil {
		t.Fatal(err)
	}
	source, err := decoder.Simulated(simulate.Settings{Seed: 11}, 5000)
	if err != nil {
		t.Fatal(err)
	}
	validation, err := simulate.Generate(1000, simulate.Settings{Seed: 12})
	if err != nil {
		t.Fatal(err)
	}
	test, err := simulate.Generate(3000, simulate.Settings{Seed: 13})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		scheme evaluate.Scheme
		most   float64 // of the better rule's mean EMD
	}{
		{evaluate.Scheme{Algorithm: econt.BestChoice, Links: 3}, 0.98},
		{evaluate.Scheme{Algorithm: econt.SuperTriggerCell, STCType: econt.STC4A4E3M, Links: 4}, 0.8},
	} {
		kept, spread, learned := tc.scheme, tc.scheme, tc.scheme
		kept.Decoding, spread.Decoding, learned.Decoding = evaluate.DecodeKept, evaluate.DecodeSpread, evaluate.DecodeLearned
		chips, err := kept.Chips()
		if err != nil {
			t.Fatal(err)
		}
		learned.Decoder, _, err = decoder.Train(context.Background(), chips, source, validation, exact, decoder.Settings{Seed: 1, Budget: decoder.Budget{Epochs: 5, Batch: 100}})
		if err != nil {
			t.Fatal(err)
		}
		list, err := evaluate.Chip(context.Background(), m, test, []evaluate.Scheme{kept, spread, learned}, evaluate.ChipSettings{})
		if err != nil {
			t.Fatal(err)
		}
		of := func(k int) float64 { return list[k].Fidelity.Of(evaluate.EMD).Mean }
		t.Logf("%s on %d links: kept %.4f, spread %.4f, learned %.4f", kept.Name(), kept.Links, of(0), of(1), of(2))
		if of(2) > tc.most*min(of(0), of(1)) {
			t.Errorf("%s on %d links: learned %.4f, by hand %.4f and %.4f", kept.Name(), kept.Links, of(2), of(0), of(1))
		}
	}
}
