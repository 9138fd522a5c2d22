package physics

import (
	"fmt"
	"math"

	"barrow/physics"
	"barrow/simulate"
)

// Settle gives settings that were not asked for the values that go with those that were,
// and tells what that leaves out. Without collisions there is no minimum bias to simulate;
// beside files of particles simulated minimum bias would be that of another detector; and of
// files all is read.
func (p Plan) Settle(given func(key string) bool, remark func(string)) Plan {
	if len(p.Data) > 0 && !given("events") {
		p.Events = 0
	}
	if given("minimum_bias") {
		return p
	}
	switch {
	case len(p.Others) > 0:
		p.MinimumBias = 0 // all of the files
	case len(p.Data) > 0:
		p.MinimumBias = 0
		remark("no minimum bias, so neither rates nor what tells particles from pile-up: name files of it as minimum_bias_data, or say with minimum_bias how many endcaps to simulate")
	case p.PileUp == 0:
		p.MinimumBias = 0
	}
	return p
}

// checkSimulated reports what cannot be simulated.
func (p Plan) checkSimulated() error {
	if p.MinimumBias > 0 && len(p.Others) == 0 && p.PileUp == 0 {
		return fmt.Errorf("minimum_bias = %d with pileup = 0: without collisions there is none: give minimum_bias = 0, or pileup above 0", p.MinimumBias)
	}
	if len(p.Data) == 0 {
		if err := p.enough(p.Events); err != nil {
			return err
		}
	}
	if len(p.Data) == 0 || p.Learns() {
		if err := p.drawable(false); err != nil {
			return err
		}
	}
	if p.MinimumBias > 0 && len(p.Others) == 0 {
		return p.drawable(true)
	}
	return nil
}

// drawable reports settings that the generator does not take.
func (p Plan) drawable(bias bool) error {
	s, err := p.generator(bias, 1)
	if err != nil {
		return err
	}
	_, err = simulate.NewEvents(s)
	return err
}

// foundShare is what a contender may find in either half of the events and be calibrated: one
// that finds 90 % finds that, less two spreads.
const foundShare = 0.85

// enough reports too few events with a particle. Simulated ones may be had in any number, so
// a contender that loses some must be calibrated by them, too.
func (p Plan) enough(n int) error {
	layers := len(p.geometry().TriggerLayers())
	half := physics.FewestClusters(layers)
	if len(p.Data) == 0 {
		half = int(math.Ceil(float64(half) / foundShare))
	}
	if n < 2*half {
		return fmt.Errorf("%d events with a particle, of which each half calibrates %d layers: want at least %d", n, layers, 2*half)
	}
	return nil
}
