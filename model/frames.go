package model

import (
	"cmp"
	"context"
	_ "embed" // the reference of what no network says
	"fmt"
	"strings"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/internal/counter"
	"barrow/wafer"
)

// FramesScript is the file beside an export of a decoder of frames that says what its network
// does not: how frames become its input, and its output images.
const FramesScript = "frames.py"

//go:embed frames.py
var framesScript string

// OfDecoder is a decoder of the chip's frames as formats see it: the part "shares", from
// what a frame says to 48 shares, and a file of NumPy's (FramesScript) for what is in front of
// it and behind it.
func OfDecoder(d *decoder.Model) (*Model, error) {
	net, chip := d.Network(), d.Chip()
	algorithm, err := econt.ParseAlgorithm(chip.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	ae := algorithm == econt.Autoencoder
	out := &Model{parts: []Part{{
		"shares", sharesAbout(d), net,
		[]Input{{Name: "x", Shape: net.InputShape()}}, "y",
	}}}
	out.about = aboutFrames(d, ae)
	channels := strings.Trim(strings.ReplaceAll(fmt.Sprint(d.Channels()), " ", ", "), "[]")
	python := map[bool]string{false: "False", true: "True"}
	script := strings.NewReplacer("@ABOUT@", fmt.Sprint(chip), "@CHANNEL@", channels, "@AE@", python[ae], "@CONDITIONS@", python[d.Architecture().Conditions]).Replace(framesScript)
	out.beside = []File{{
		Name: FramesScript, Data: []byte(script),
		About: "what the network does not say, as functions on NumPy arrays: x of frames, and images of y;\nrun by itself, it holds them to vectors.npz beside it",
	}}
	out.draw = func(ctx context.Context, n int) (Vectors, error) { return drawFrames(ctx, d, out, n) }
	return out, nil
}

// sharesAbout says what the network makes.
func sharesAbout(d *decoder.Model) string {
	if n := d.Architecture().Members; n > 1 {
		return fmt.Sprintf("%d times 48 shares, one for each of the chip's channels, of what a frame says", n)
	}
	return "48 shares, one for each of the chip's channels, of what a frame says"
}

func aboutFrames(d *decoder.Model, ae bool) string {
	var b strings.Builder
	line := func(what, text string) { fmt.Fprintf(&b, "%-14s %s\n", what, text) }
	line("Frames:", fmt.Sprintf("%v, channels in the chip's order, charges in CALQ counts", d.Chip()))
	if ae {
		line("Input x:", "the encoder's 16 outputs as sent, bits not sent being 0, over 256")
	} else {
		line("Input x:", "for each of 48 channels in turn √(charge/total) and 1 if its charge was sent, √(sum/total) of its group, and 1 if")
		line("", "it has its group's largest charge; then the limit over the total, at most 1; where nothing arrives all of it is 0")
	}
	conditions := "8 conditions, of which this decoder takes ln(total + 1) alone, the seventh; the others are 0"
	if d.Architecture().Conditions {
		conditions = fmt.Sprintf("8 conditions: %s; the seventh is ln(total + 1), of what was sent", strings.Join(conditionNames[:], ", "))
	}
	line("", "and at the end "+conditions)
	line("", "the total is all charge that arrived, of channels and as sums; groups are channels that arrived as a sum only")
	line("Output y:", "48 squares; a channel's share s is its square + 2^-20")
	if n := d.Architecture().Members; n > 1 {
		line("", fmt.Sprintf("of %d members in turn: what follows is done with each one's, and the image is the mean of theirs", n))
	}
	line("Image:", "charges that were sent stay; channel c of a group has sum·s(c)/Σs over the group; channels without charge and")
	line("", "group have the part f = Σs over them / Σs over all without charge of all sums, by their shares, and groups keep 1 − f")
	return b.String()
}

// sums is the most groups that a frame has.
const sums = econt.Channels / 4

// drawFrames makes the vectors of a decoder of frames: those of drawn images.
func drawFrames(ctx context.Context, d *decoder.Model, m *Model, n int) (Vectors, error) {
	images := &wafer.Set{Charge: drawCharge(1, n)}
	chip, err := drawnChip(d.Chip())
	if err != nil {
		return nil, err
	}
	frames := make([]econt.Decoded, n)
	var scratch [autoencoder.Cells]float64
	for i := range n {
		if _, err := chip.Encode(images.Image(i), scratch[:]); err != nil {
			return nil, err
		}
		frames[i] = *chip.Decoded()
	}
	v := frameVectors(frames, chip.Config().Algorithm == econt.Autoencoder)
	var conditions []float32
	if d.Architecture().Conditions {
		c, err := drawnConditions(images, n)
		if err != nil {
			return nil, err
		}
		c.About = "the 8 conditions, of which the seventh is replaced"
		conditions = c.Float32s()
		v = append(v, c)
	}
	x, err := d.Inputs(frames, conditions)
	if err != nil {
		return nil, err
	}
	v = append(v, Vector{"x", "what the network takes of the frames", Floats(x, n, len(x)/n)})
	if v, err = m.parts[0].add(ctx, v, "the shares that the network makes of x"); err != nil {
		return nil, err
	}
	image := make([]float64, n*autoencoder.Cells)
	if err := d.Decode(ctx, frames, conditions, image); err != nil {
		return nil, err
	}
	return append(v, Vector{"image", "the decoded images, CALQ counts of 48 cells, V9 order", &Array{Float64, []int{n, autoencoder.Cells}, image}}), nil
}

// drawnChip is one whose frames are as the decoder's, but for what it does not know: an
// encoder's weights, which are drawn.
func drawnChip(c decoder.Chip) (*econt.Baseline, error) {
	a, err := econt.ParseAlgorithm(c.Algorithm)
	if err != nil {
		return nil, err
	}
	links := c.Links
	if links == 0 {
		links = econt.MaxETx
	}
	var w *econt.Weights
	if a == econt.Autoencoder {
		var r [econt.WeightCount]int8
		s := counter.New(5, 0)
		for i := range r {
			r[i] = int8(s.IntN(40) - 16)
		}
		if w, err = econt.WeightsFromRegisters(&r); err != nil {
			return nil, err
		}
	}
	high := c.Low == nil && c.High != nil
	config, err := econt.BaselineConfig(a, links, high, w)
	if err != nil {
		return nil, err
	}
	if sent := cmp.Or(c.Low, c.High); sent != nil {
		config.DropLSB, config.UseSum = sent.DropLSB, sent.UseSum
	}
	config.STCType = econt.STCType(c.STCType)
	if c.Keep != nil {
		config.Keep = *c.Keep
	}
	for ch := range config.Threshold {
		config.Threshold[ch] = c.Threshold
	}
	return econt.NewBaseline(config, econt.BaselineSettings{Entry: c.Entry, Decoder: econt.DecoderSettings{Point: c.Point, ZeroCode: c.ZeroCode, Pedestal: c.Pedestal}})
}

// frameVectors are what frames say.
func frameVectors(frames []econt.Decoded, ae bool) Vectors {
	n := len(frames)
	make2 := func(t Type, columns int) *Array { return &Array{t, []int{n, columns}, make([]float64, n*columns)} }
	sent, known, group := make2(Float64, econt.Channels), make2(Int64, econt.Channels), make2(Int64, econt.Channels)
	carrier, limit, total, latent := make2(Int64, econt.Channels), make2(Float64, 1), make2(Float64, sums), make2(Int64, autoencoder.Latent)
	for i := range frames {
		f, at := &frames[i], i*econt.Channels
		for ch := range econt.Channels {
			group.Data[at+ch] = -1
			if f.Known()>>ch&1 != 0 {
				known.Data[at+ch], sent.Data[at+ch] = 1, f.Image[ch]
			}
		}
		for k, g := range f.Groups() {
			total.Data[i*sums+k] = g.Sum
			limit.Data[i] = max(limit.Data[i], g.Limit)
			if g.Carrier >= 0 {
				carrier.Data[at+g.Carrier] = 1
			}
			for ch := range econt.Channels {
				if g.Cells>>ch&1 != 0 {
					group.Data[at+ch] = float64(k)
				}
			}
		}
		for j, c := range f.Latent {
			latent.Data[i*autoencoder.Latent+j] = float64(c)
		}
	}
	v := Vectors{
		{"sent", "charges of the chip's channels that were sent, CALQ counts, else 0", sent},
		{"known", "1 for those channels", known},
		{"group", "the group of a channel, counted from 0, that arrived as a sum only, else -1", group},
		{"sums", "the groups' sums", total},
	}
	if ae {
		return append(v, Vector{"latent", "the encoder's 16 outputs as sent", latent})
	}
	return append(v,
		Vector{"carrier", "1 for channels that have their group's largest charge", carrier},
		Vector{"limit", "what no channel of a group is above, or 0 where nothing says so", limit},
	)
}
