package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/model/file"
	"barrow/run"
	"barrow/study/decode"
	"barrow/wafer"
)

// A choice is what a reader picks: an algorithm of the chip on links with a decoding, an
// encoder's file or a decoder's.
type choice struct {
	What  string // algorithm, or encoder: or decoder: and a name below the folder
	Links int
	How   string // kept or spread, of an algorithm, as package evaluate has them
}

// Prefixes of choices that are files.
const (
	encoderPrefix = "encoder:"
	decoderPrefix = "decoder:"
)

// An option is something to pick, by its value in addresses.
type option struct{ Value, Text string }

// algorithms are the chip's, by the value in addresses.
func algorithms() []option {
	list := []option{{"BC", "best choice"}}
	for t := econt.STC4A5E4M; t <= econt.CTC4N5E4M; t++ {
		list = append(list, option{t.String(), t.String()})
	}
	return append(list, option{"TS", "threshold sum"}, option{"RPT", "repeater"})
}

// mostChoices are shown beside each other.
const mostChoices = 4

// choices reads what is picked: the values of what, links and how belong together by
// their order. Without what there is one to begin with.
func choices(q url.Values) ([]choice, error) {
	what := q["what"]
	if len(what) == 0 {
		return []choice{{"BC", 3, string(evaluate.DecodeSpread)}}, nil
	}
	at := func(key string, i int) string {
		if v := q[key]; i < len(v) {
			return v[i]
		}
		return ""
	}
	var list []choice
	for i, w := range what {
		if w == "" {
			continue
		}
		c := choice{What: w, Links: 3, How: string(evaluate.DecodeSpread)}
		if n := at("links", i); n != "" {
			v, err := strconv.Atoi(n)
			if err != nil || v < 1 || v > econt.MaxETx {
				return nil, wrong(fmt.Sprintf("%q links: want 1 to %d", n, econt.MaxETx))
			}
			c.Links = v
		}
		switch h := at("how", i); h {
		case "":
		case string(evaluate.DecodeKept), string(evaluate.DecodeSpread):
			c.How = h
		default:
			return nil, wrong(fmt.Sprintf("there is no decoding %q: want %s or %s", h, evaluate.DecodeKept, evaluate.DecodeSpread))
		}
		if list = append(list, c); len(list) > mostChoices {
			return nil, wrong(fmt.Sprintf("more than %d are not shown beside each other", mostChoices))
		}
	}
	return list, nil
}

// A contender makes images of images, by the chip or by a trained encoder.
type contender struct {
	key, label string
	scheme     evaluate.Scheme
	model      *autoencoder.Model    // an encoder with its own decoder, or nil
	decoder    evaluate.FrameDecoder // of frames, or nil
	chip       bool                  // frames are the chip's
	one        sync.Mutex            // networks work for one at a time
	keep       *econt.Mask           // of an encoder in the chip's integers
	weights    *econt.Weights        // of that
}

// contenders opens all that is picked.
func (s *Server) contenders(list []choice) (with []*contender, err error) {
	for _, c := range list {
		one, err := s.contender(c)
		if err != nil {
			return nil, err
		}
		with = append(with, one)
	}
	return with, nil
}

// contender opens one of them.
func (s *Server) contender(c choice) (*contender, error) {
	if name, ok := strings.CutPrefix(c.What, encoderPrefix); ok {
		return s.trained(c.What, name, openEncoder)
	}
	if name, ok := strings.CutPrefix(c.What, decoderPrefix); ok {
		return s.trained(c.What, name, s.openDecoder)
	}
	i := slices.IndexFunc(algorithms(), func(o option) bool { return o.Value == c.What })
	if i < 0 {
		return nil, wrong(fmt.Sprintf("there is no algorithm %q", c.What))
	}
	v := &contender{key: fmt.Sprintf("%s/%d/%s", c.What, c.Links, c.How), chip: true}
	v.scheme = evaluate.Scheme{Links: c.Links, Decoding: evaluate.Decoding(c.How)}
	if a, err := econt.ParseAlgorithm(c.What); err == nil {
		v.scheme.Algorithm = a
	} else {
		v.scheme.Algorithm = econt.SuperTriggerCell
		for v.scheme.STCType.String() != c.What { // one of algorithms
			v.scheme.STCType++
		}
	}
	v.label = fmt.Sprintf("%s, %s", v.scheme.Name(), plural(c.Links, "link"))
	if v.scheme.Algorithm != econt.Repeater {
		v.label += ", " + c.How
	}
	if v.scheme.Algorithm == econt.ThresholdSum {
		v.scheme.Threshold = 1 // until images say which fits
	}
	if _, err := v.scheme.Chips(); err != nil {
		return nil, wrong(v.label + ": " + strings.TrimPrefix(err.Error(), "econt: "))
	}
	return v, nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// trained opens a network's file below the folder, once for each content.
func (s *Server) trained(key, name string, open func(name, path string, threads int) (*contender, error)) (c *contender, err error) {
	f, info, err := s.dir.open(name)
	if err != nil {
		return nil, err
	}
	f.Close()
	stamp := fmt.Sprint(info.ModTime().UnixNano(), info.Size())
	return s.models.get(key+"\x00"+stamp, func() (c *contender, err error) {
		err = s.dir.withFile(name, func(path string) error {
			c, err = open(name, path, s.threads)
			return err
		})
		if err == nil {
			c.key = key + stamp
		}
		return c, err
	})
}

// openEncoder opens an encoder with its decoder. One whose arithmetic is the chip's has
// frames.
func openEncoder(name, path string, threads int) (*contender, error) {
	m, err := file.Autoencoder(path, file.Settings{Threads: threads})
	if err != nil {
		return nil, err
	}
	c := &contender{label: networkName(name, run.EncoderWeights), model: m}
	if w, err := m.ChipWeights(); err == nil {
		keep := m.Architecture().Widths().Keep()
		c.chip, c.weights, c.keep = true, w, &keep
	}
	return c, nil
}

// openDecoder opens a decoder with the chips whose frames it reads.
func (s *Server) openDecoder(name, path string, threads int) (*contender, error) {
	m, chip, err := decode.Open(path, threads)
	if err != nil {
		return nil, err
	}
	c := &contender{label: networkName(name, run.DecoderWeights) + ", " + m.Chip().String() + ", learned", decoder: m, chip: true}
	return c, c.read(chip, m)
}

// read makes the scheme of a decoder's chips.
func (c *contender) read(chip decode.Chip, m *decoder.Model) error {
	a, err := econt.ParseAlgorithm(chip.Algorithm)
	if err != nil {
		return err
	}
	if a == econt.Autoencoder {
		return errors.New("web: a decoder of an encoder's frames is shown with its encoder by barrow decoder eval, not here")
	}
	set := econt.BaselineSettings{Decoder: econt.DecoderSettings{ZeroCode: chip.ZeroCode, Pedestal: chip.Pedestal}}
	if chip.Entry == "erx" {
		set.Entry = econt.EntryERx
	}
	if chip.Point == "lowest" {
		set.Decoder.Point = econt.Lowest
	}
	c.scheme = evaluate.Scheme{Algorithm: a, STCType: econt.STCType(chip.STCType), Links: chip.Links, Decoding: evaluate.DecodeLearned, Decoder: m}
	for k := range c.scheme.Chip {
		high := k == 1
		if chip.Density != "" {
			high = chip.Density == evaluate.HighDensity
		}
		config, err := econt.BaselineConfig(a, chip.Links, high, nil)
		if err != nil {
			return err
		}
		if chip.DropLSB >= 0 {
			config.DropLSB = uint8(chip.DropLSB)
		}
		config.STCType, config.UseSum = econt.STCType(chip.STCType), chip.UseSum
		for ch := range config.Threshold {
			config.Threshold[ch] = uint32(chip.Threshold)
		}
		if c.scheme.Chip[k], err = econt.NewBaseline(config, set); err != nil {
			return err
		}
	}
	_, err = c.scheme.Chips()
	return err
}

// networkName is what a file below a run is called: the run, and what is special about it.
func networkName(name, prefix string) string {
	dir, base := filepath.ToSlash(filepath.Dir(filepath.FromSlash(name))), filepath.Base(filepath.FromSlash(name))
	dir = strings.TrimSuffix(dir, "/"+run.Weights)
	base = strings.TrimSuffix(strings.TrimPrefix(base, prefix), run.WeightsEnding)
	if dir == "." || dir == run.Weights {
		return base
	}
	if base == "" || base == dir {
		return dir
	}
	return dir + ": " + base
}

// picks are what can be picked: the algorithms, and networks of the runs below the folder.
func (s *Server) picks(l listing) picks {
	p := picks{Algorithms: algorithms()}
	for _, name := range l.runs {
		for _, w := range s.dir.weights(name, run.EncoderWeights) {
			p.Encoders = append(p.Encoders, option{encoderPrefix + w, networkName(w, run.EncoderWeights)})
		}
		for _, w := range s.dir.weights(name, run.DecoderWeights) {
			p.Decoders = append(p.Decoders, option{decoderPrefix + w, networkName(w, run.DecoderWeights)})
		}
	}
	return p
}

// A sent is what became of images.
type sent struct {
	decoded *wafer.Set
	bits    []int // of information in each frame; 0 where there is no frame
	frame   *frame
}

// chips are those of low and of high density.
func (c *contender) chips(lengths *evaluate.FrameLengths) (pair [2]*econt.Baseline, err error) {
	if c.model != nil {
		for k := range pair {
			config, err := econt.BaselineConfig(econt.Autoencoder, c.keep.Links(), k == 1, c.weights)
			if err != nil {
				return pair, err
			}
			config.Keep = *c.keep
			if pair[k], err = econt.NewBaseline(config, econt.BaselineSettings{}); err != nil {
				return pair, err
			}
		}
		return pair, nil
	}
	s := c.scheme
	if s.Algorithm == econt.ThresholdSum && c.decoder == nil {
		s.Threshold = usualThreshold
		if lengths != nil && lengths.Images() > 0 {
			s.Threshold = lengths.Threshold(s.Links)
		}
	}
	return s.Chips()
}

// usualThreshold is that of one image by itself: 1.35 MIP_T.
const usualThreshold = 47

// send takes images through the chip, if it is one, and decodes them. The frame is that of the
// last image.
func (c *contender) send(ctx context.Context, set *wafer.Set, lengths *evaluate.FrameLengths) (*sent, error) {
	r := &sent{decoded: &wafer.Set{Charge: make([]float64, len(set.Charge))}, bits: make([]int, set.Len())}
	var frames []econt.Decoded
	if c.chip {
		pair, err := c.chips(lengths)
		if err != nil {
			return nil, err
		}
		high, err := set.HighDensity()
		var missing *wafer.NoColumnError
		if err != nil && !errors.As(err, &missing) {
			return nil, err
		}
		for i := range set.Len() {
			if i%1024 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			b := pair[0]
			if high != nil && high[i] {
				b = pair[1]
			}
			if r.bits[i], err = b.Encode(set.Image(i), r.decoded.Image(i)); err != nil {
				return nil, fmt.Errorf("image %d: %w", i+1, err)
			}
			if c.decoder != nil {
				frames = append(frames, *b.Decoded())
			}
			if i == set.Len()-1 {
				r.frame = spell(b)
			}
		}
	}
	c.one.Lock()
	defer c.one.Unlock()
	switch {
	case c.decoder != nil:
		conditions, err := c.decoder.Conditions(set)
		if err != nil {
			return nil, err
		}
		return r, c.decoder.Decode(ctx, frames, conditions, r.decoded.Charge)
	case c.model != nil:
		return r, c.autoencode(ctx, set, r)
	}
	return r, nil
}

// autoencode decodes the images that have charge; of the others nothing arrives.
func (c *contender) autoencode(ctx context.Context, set *wafer.Set, r *sent) error {
	var rows []int
	for i := range set.Len() {
		if slices.Max(set.Image(i)) > 0 && (!c.chip || slices.Max(set.Image(i)) >= 1) {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	whole := set.Select(rows)
	if c.chip {
		for i, v := range whole.Charge {
			whole.Charge[i] = math.Floor(v) // as the chip takes it
		}
	}
	out, err := c.model.Decode(ctx, whole)
	if err != nil {
		return err
	}
	for k, i := range rows {
		copy(r.decoded.Image(i), out.Image(k))
	}
	return nil
}

// A frame is what the chip sends, spelt out.
type frame struct {
	Words  []string // of 16 bits, in hexadecimal
	Bits   int      // of information
	Links  int
	Fields []fieldText
}

// A fieldText is a part of a frame, or several alike that follow each other.
type fieldText struct {
	Name, Of, Bits, Value string
	From, Width           int
}

// spell reads the frame that a chip has just made.
func spell(b *econt.Baseline) *frame {
	words := b.Words()
	config := b.Config()
	f := &frame{Bits: b.Decoded().Bits, Links: config.ETx()}
	for _, w := range words {
		f.Words = append(f.Words, fmt.Sprintf("%04x", w))
	}
	v9 := config.Algorithm.Order().ToV9()
	bits := func(from, width int) string {
		var s strings.Builder
		for i := from; i < from+width; i++ {
			s.WriteByte('0' + byte(words[i/16]>>(15-i%16)&1))
		}
		return s.String()
	}
	for _, x := range b.Fields() {
		t := fieldText{Name: x.Name, From: x.Bit, Width: x.Width, Bits: bits(x.Bit, x.Width)}
		v, err := strconv.ParseUint(t.Bits, 2, 64)
		if err == nil {
			t.Value = fmt.Sprint(v)
		}
		switch {
		case x.Name == "map" && len(f.Fields) > 0 && f.Fields[len(f.Fields)-1].Name == "map":
			last := &f.Fields[len(f.Fields)-1]
			last.Bits, last.Width = last.Bits+t.Bits, last.Width+t.Width
			last.Value = plural(strings.Count(last.Bits, "1"), "channel") + " sent"
			continue
		case x.Name == "map":
			t.Value = ""
		case x.Name == "address" && config.Algorithm != econt.SuperTriggerCell && v < hgcal.Cells:
			t.Of = fmt.Sprintf("channel %d, cell %d", v, v9[v])
		case x.Name == "charge" && x.Index >= 0 && x.Index < hgcal.Cells && config.Algorithm != econt.SuperTriggerCell:
			t.Of = fmt.Sprintf("cell %d", v9[x.Index])
		case x.Index >= 0:
			t.Of = fmt.Sprint(x.Index)
		}
		f.Fields = append(f.Fields, t)
	}
	return f
}
