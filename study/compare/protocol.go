package compare

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/loss"
	"barrow/study/internal/learned"
)

// A Protocol is a table of contenders that are compared at equal bits on the links and on equal
// images: encoders by the loss that trains them, and what needs no training. It is part of the plan.
type Protocol struct {
	Name     string `json:"name"`
	About    string `json:"about,omitempty"`
	Baseline string `json:"baseline"` // the contender that the others' ratios are to
	// RateStep is by what the learning rate is multiplied and divided to see how much it matters; 0
	// leaves that out.
	RateStep float64 `json:"rate_step,omitempty"`
	// RateSeeds are the seeds, the first of the plan's, that are trained at those rates; 0 is 1.
	RateSeeds  int         `json:"rate_seeds,omitempty"`
	Contenders []Contender `json:"contenders"`
}

// A Contender has a loss, or an algorithm of the chip, or a number of principal components.
type Contender struct {
	Name      string            `json:"name" toml:"name"`
	Loss      string            `json:"loss,omitempty" toml:"loss"`
	Algorithm string            `json:"algorithm,omitempty" toml:"algorithm"` // a word as in the plan's Learned, or stc
	Decoding  evaluate.Decoding `json:"decoding,omitempty" toml:"decoding"`   // of the algorithm, by hand or learned
	Linear    int               `json:"linear,omitempty" toml:"linear"`       // components, that share the outputs' bits
}

//go:embed protocols/*.toml
var protocolFiles embed.FS

const protocolEnding = ".toml"

// Protocols names the protocols that come with the program.
func Protocols() []string {
	var names []string
	entries, _ := fs.ReadDir(protocolFiles, "protocols") // embedded: it is there
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), protocolEnding))
	}
	return names
}

// mostProtocol is more than any protocol's file needs.
const mostProtocol = 1 << 20

// ReadProtocol is the plan of a protocol: one of [Protocols], or a TOML file. Its settings are the
// default's but for those of the table settings and, of a quick run, then those of the table quick.
// Errors name file and line.
func ReadProtocol(name string, quick bool) (Plan, error) {
	var text []byte
	var err error
	if slices.Contains(Protocols(), name) {
		text, err = protocolFiles.ReadFile("protocols/" + name + protocolEnding)
	} else if text, err = limit.ReadFile(name, "a protocol", mostProtocol); errors.Is(err, fs.ErrNotExist) && !strings.HasSuffix(name, protocolEnding) && !strings.ContainsAny(name, `/\`) {
		return Plan{}, fmt.Errorf("compare: protocol = %q: it may be %s, or a file%s", name, strings.Join(Protocols(), ", "), setting.Hint(name, Protocols()))
	}
	if err != nil {
		return Plan{}, err
	}
	return parseProtocol(name, string(text), quick)
}

// protocolFile is a protocol as it is written.
type protocolFile struct {
	About      string         `toml:"about"`
	Baseline   string         `toml:"baseline"`
	RateStep   float64        `toml:"rate_step"`
	RateSeeds  int            `toml:"rate_seeds"`
	Settings   map[string]any `toml:"settings"`
	Quick      map[string]any `toml:"quick"`
	Contenders []Contender    `toml:"contender"`
}

const contenderHead = "[[contender]]"

func parseProtocol(name, text string, quick bool) (Plan, error) {
	place := lines{name, text}
	var f protocolFile
	meta, err := toml.Decode(text, &f)
	if p, ok := err.(toml.ParseError); ok {
		return Plan{}, fmt.Errorf("%s:%d:%d: %s", name, p.Position.Line, p.Position.Col, p.Message)
	}
	if err != nil {
		return Plan{}, setting.Mistyped(name, err)
	}
	for _, key := range meta.Undecoded() {
		return Plan{}, place.unknown(key, meta)
	}
	plan := Default()
	plan.Losses, plan.Seeds = nil, fewSeeds
	if err := place.fill(&plan, "[settings]", f.Settings); err != nil {
		return Plan{}, err
	}
	if quick && f.Quick == nil {
		return Plan{}, fmt.Errorf("%s: no table [quick]: the protocol has no quick run", name)
	}
	if quick {
		if err := place.fill(&plan, "[quick]", f.Quick); err != nil {
			return Plan{}, err
		}
	}
	p := &Protocol{Name: strings.TrimSuffix(baseOf(name), protocolEnding), About: f.About, Baseline: f.Baseline, RateStep: f.RateStep, RateSeeds: f.RateSeeds}
	if f.RateStep != 0 && !(f.RateStep > 1 && f.RateStep <= maxRateStep) {
		return Plan{}, place.at("", 0, "rate_step", fmt.Errorf("rate_step = %v: want a factor above 1, at most %d, or 0 for none", f.RateStep, maxRateStep))
	}
	if f.RateSeeds != 0 {
		if err := limit.Count("rate_seeds =", f.RateSeeds, maxSeeds); err != nil {
			return Plan{}, place.at("", 0, "rate_seeds", err)
		}
	}
	for k, c := range f.Contenders {
		key, err := c.complete()
		if err == nil {
			key, err = p.add(c)
		}
		if err != nil {
			return Plan{}, place.at(contenderHead, k, key, err)
		}
	}
	if n := len(f.Contenders); n < 2 {
		return Plan{}, fmt.Errorf("%s: %s %s: want two at least", name, []string{"no table", "one table"}[n], contenderHead)
	}
	if plan.Losses = p.losses(); len(plan.Losses) == 0 {
		return Plan{}, fmt.Errorf("%s: no contender has a loss: one at least is an encoder that is trained, as the links are its outputs'", name)
	}
	if len(plan.Precisions) != 1 {
		return Plan{}, place.at("[settings]", 0, "precisions", fmt.Errorf("precisions = %v: a protocol compares at one precision", plan.Precisions))
	}
	if err := p.settleBaseline(); err != nil {
		return Plan{}, place.at("", 0, "baseline", err)
	}
	plan.Protocol = p
	return plan, nil
}

// fewSeeds are a protocol's where it names none.
const fewSeeds = 5

// maxRateStep is further from a rate than anybody would stray by mistake.
const maxRateStep = 1000

func baseOf(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// complete checks a contender by itself and fills in what was left out. An error comes with the key
// that it is of.
func (c *Contender) complete() (key string, err error) {
	kinds := 0
	for _, is := range []bool{c.Loss != "", c.Algorithm != "", c.Linear != 0} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return "", errors.New("a contender has one of loss, algorithm and linear")
	}
	if c.Decoding != "" && c.Algorithm == "" {
		return "decoding", errors.New("decoding: only an algorithm has one")
	}
	name := ""
	switch {
	case c.Loss != "":
		if c.Loss, err = loss.Normal(c.Loss); err != nil {
			return "loss", err
		}
		name = loss.Label(c.Loss)
	case c.Algorithm != "":
		if err := setting.Choice("algorithm", c.Algorithm, algorithms()); err != nil {
			return "algorithm", err
		}
		if c.Decoding == "" {
			c.Decoding = evaluate.DecodeSpread
		}
		if err := setting.Choice("decoding", string(c.Decoding), []string{string(evaluate.DecodeKept), string(evaluate.DecodeSpread), string(evaluate.DecodeLearned)}); err != nil {
			return "decoding", err
		}
		a, ok := learned.Find(c.Algorithm)
		if name = a.Scheme.Name(); !ok {
			name = "super trigger cells"
		} else if !c.learns() && !decodes(a, c.Decoding) {
			return "decoding", fmt.Errorf("decoding = %q: what %s sends is decoded in one way: leave the key out", c.Decoding, name)
		}
		if c.learns() {
			name += ", learned"
		}
	default:
		if c.Linear < 1 || c.Linear > autoencoder.Latent {
			return "linear", fmt.Errorf("linear = %d: want 1 to %d components", c.Linear, autoencoder.Latent)
		}
		name = fmt.Sprintf("PCA-%d", c.Linear)
	}
	if c.Name == "" {
		c.Name = name
	}
	return "", nil
}

// decodes tells whether an algorithm has a rule by hand of that name on any number of links.
func decodes(a learned.Algorithm, d evaluate.Decoding) bool {
	for n := 1; n <= econt.MaxETx; n++ {
		if slices.ContainsFunc(a.Rules(n), func(s evaluate.Scheme) bool { return s.Decoding == d }) {
			return true
		}
	}
	return false
}

// add takes one more contender in; two may be called the same as little as be the same.
func (p *Protocol) add(c Contender) (key string, err error) {
	for _, o := range p.Contenders {
		if o.Name == c.Name {
			return "name", fmt.Errorf("a second contender is called %q", c.Name)
		}
		if o.Name = c.Name; o == c {
			return "", fmt.Errorf("%s stands there already", c.Name)
		}
	}
	p.Contenders = append(p.Contenders, c)
	if _, err := loss.Distinct(p.losses()); err != nil {
		return "loss", err
	}
	return "", nil
}

// settleBaseline finds the baseline, by default the MSE or else the first contender.
func (p *Protocol) settleBaseline() error {
	if p.Baseline == "" {
		p.Baseline = p.Contenders[0].Name
		for _, c := range p.Contenders {
			if c.Loss == plainLoss {
				p.Baseline = c.Name
			}
		}
	}
	var names []string
	for _, c := range p.Contenders {
		if c.Name == p.Baseline || c.Loss != "" && c.Loss == p.Baseline {
			p.Baseline = c.Name
			return nil
		}
		names = append(names, c.Name)
	}
	return setting.Choice("baseline", p.Baseline, names)
}

// plainLoss is what other losses are measured by, where nothing else is said.
const plainLoss = "mse"

// losses are those that contenders are trained with.
func (p *Protocol) losses() []string {
	var list []string
	for _, c := range p.Contenders {
		if c.Loss != "" {
			list = append(list, c.Loss)
		}
	}
	return list
}

// baseline is the contender of that name.
func (p *Protocol) baseline() int {
	return slices.IndexFunc(p.Contenders, func(c Contender) bool { return c.Name == p.Baseline })
}

// checkProtocol reports what of the plan does not go with its protocol.
func (p Plan) checkProtocol() error {
	if p.Protocol == nil {
		return nil
	}
	if !slices.Equal(p.losses(), p.Protocol.losses()) {
		return fmt.Errorf("losses = %v: the protocol %s names its own", p.Losses, p.Protocol.Name)
	}
	bits, err := p.widths()
	if err != nil {
		return err
	}
	if len(p.Precisions) != 1 || len(bits) != 1 {
		return fmt.Errorf("precisions = %v, links = %v: a protocol compares at one precision and one number of bits", p.Precisions, p.Links)
	}
	links := p.links()[0]
	for _, c := range p.Protocol.Contenders {
		if c.Algorithm == "" {
			continue
		}
		if _, err := c.schemes(links); err != nil {
			return fmt.Errorf("protocol %s: %w", p.Protocol.Name, err)
		}
	}
	rate := p.Complete().Rate
	if slices.ContainsFunc(p.Protocol.Contenders, Contender.learns) {
		rate = max(rate, lessonRate())
	}
	if top := rate * p.Protocol.RateStep; top >= 1 {
		return fmt.Errorf("learning_rate = %v: times the protocol's rate_step, %v, it is %.3g: want less than 1", rate, p.Protocol.RateStep, top)
	}
	return nil
}

// anySTC stands for the type of super trigger cells that leaves least of the training images: on
// other links it is another.
const anySTC = "stc"

// algorithms are the words for those of contenders.
func algorithms() []string { return append(learned.Words(), anySTC) }

// schemes are a contender's algorithm on a number of links, with its decoding or, where it has one by
// hand alone, with that: several where its type is to be found out.
func (c Contender) schemes(links int) ([]evaluate.Scheme, error) {
	decoding := c.Decoding
	if c.learns() { // a type is chosen by what can be had without training
		decoding = evaluate.DecodeSpread
	}
	of := func(links int) (list []evaluate.Scheme) {
		for _, a := range learned.Algorithms() {
			if a.Word != c.Algorithm && !(c.Algorithm == anySTC && a.Scheme.Algorithm == econt.SuperTriggerCell) {
				continue
			}
			rules := a.Rules(links)
			if k := slices.IndexFunc(rules, func(s evaluate.Scheme) bool { return s.Decoding == decoding }); k >= 0 {
				list = append(list, rules[k])
			} else if len(rules) > 0 {
				list = append(list, rules[0])
			}
		}
		return list
	}
	if list := of(links); len(list) > 0 {
		return list, nil
	}
	var can []string
	for n := 1; n <= maxLinks; n++ {
		if len(of(n)) > 0 {
			can = append(can, fmt.Sprint(n))
		}
	}
	return nil, fmt.Errorf("%s cannot use %d links: it may have %s", c.Name, links, strings.Join(can, ", "))
}

// maxLinks is the most that an encoder's outputs fill.
const maxLinks = 5

// rateSeeds are how many seeds are trained at other rates.
func (p Plan) rateSeeds() int { return min(max(1, p.Protocol.RateSeeds), p.Seeds) }

// rates are those that a training is tried at beside its own: divided by and times the protocol's step.
func (p *Protocol) rates(own float64) []float64 {
	if p.RateStep == 0 {
		return nil
	}
	return []float64{shortRate(own / p.RateStep), shortRate(own * p.RateStep)}
}

// trials are the trainings of encoders of the first seeds at other learning rates, all of the lower
// first.
func (p Plan) trials() []Job {
	if p.Protocol == nil {
		return nil
	}
	few := p
	few.Seeds = p.rateSeeds()
	var list []Job
	for _, rate := range p.Protocol.rates(p.Rate) {
		for _, j := range few.Jobs() {
			j.Rate = rate
			list = append(list, j)
		}
	}
	return list
}

// shortRate is a rate with six digits, which file names can hold.
func shortRate(rate float64) float64 {
	digit := math.Pow(10, math.Floor(math.Log10(rate))-5)
	return math.Round(rate/digit) * digit
}
