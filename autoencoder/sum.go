package autoencoder

import (
	"fmt"

	"barrow/econt"
	"barrow/wafer"
)

// sums are the names that Architecture.Sum takes.
func sums() []string { return []string{SumDecoded, SumSent} }

// The names of what a decoded image sums to.
const (
	SumDecoded = "decoded"
	SumSent    = "sent"
)

func (a Architecture) defaultSum() string {
	if p, _ := a.preset(); a.Output == OutputSquare || p.Restore {
		return SumSent
	}
	return SumDecoded
}

// A total says what decoded images are scaled to.
type total int

const (
	asDecoded total = iota
	asSent
	asCMSSW
)

func (a Architecture) total(p Precision) total {
	switch {
	case p.Restore:
		return asCMSSW
	case a.Sum == SumSent || a.Sum == "" && a.defaultSum() == SumSent:
		return asSent
	}
	return asDecoded
}

// Afterwards says in words what is done to what the decoder makes of an image: what nobody
// finds in the network alone.
func (a Architecture) Afterwards() (string, error) {
	p, err := a.withDefaults().precision()
	if err != nil {
		return "", err
	}
	s := "times what the image was divided by"
	switch a.total(p) {
	case asSent:
		s = "scaled to the module's sum, which every frame carries in nine bits (5E4M, read at the middle of its interval)"
	case asCMSSW:
		s = fmt.Sprintf("scaled to the image's sum; then cells below %v CALQ, 0.1 MIP_T, are left out unless all are", suppressed)
	}
	return s, nil
}

// scale gives the decoded image of an image its total.
func (t total) scale(image, decoded []float64) {
	all := wafer.Sum(decoded)
	if t == asDecoded || !(all > 0) {
		return
	}
	sum := wafer.Sum(image)
	if t == asSent {
		sum = sentSum(sum)
	}
	for c := range decoded {
		decoded[c] *= sum / all
	}
	if t == asCMSSW {
		suppress(decoded)
	}
}

// Rescale gives decoded images the totals that those of the architecture's own decoder get: for what
// is compared with it.
func (a Architecture) Rescale(images, decoded *wafer.Set) error {
	a = a.withDefaults()
	p, err := a.precision()
	if err != nil {
		return err
	}
	if images.Len() != decoded.Len() {
		return fmt.Errorf("autoencoder: %d images and %d decoded ones", images.Len(), decoded.Len())
	}
	t := a.total(p)
	for i := range images.Len() {
		t.scale(images.Image(i), decoded.Image(i))
	}
	return nil
}

// maxSent is the largest sum of 48 charges of 22 bits; 5E4M reaches further.
const maxSent = Cells << 22

// sentSum is what the sum of a module's charges, in CALQ counts, comes to off the
// detector. The chip truncates it to a float of 9 bits, 5E4M, in every frame of
// the autoencoder's (ECON-T; barrow/econt); it is read at the middle of its interval, at
// most 1/32 and, over sums of all sizes, 1.3 % (rms) from the truth. Sums below 32 arrive exactly.
func sentSum(sum float64) float64 {
	if sum < 32 || sum > maxSent {
		return sum
	}
	lo, hi := econt.F5E4M.Interval(econt.F5E4M.Encode(uint64(sum)))
	return float64(lo+hi) / 2
}

// suppressed is the charge below which CMSSW leaves a decoded cell out: 0.1 MIP_T
// at 35 counts each.
const suppressed = 3.5

// suppress leaves cells below suppressed out, unless that is all of them.
func suppress(decoded []float64) {
	most := 0.0
	for _, v := range decoded {
		most = max(most, v)
	}
	if most < suppressed {
		return
	}
	for c, v := range decoded {
		if v < suppressed {
			decoded[c] = 0
		}
	}
}
