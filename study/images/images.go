// Package images gets the images that a study trains on and measures: those of wafer
// files, or simulated ones.
package images

import (
	"context"
	"fmt"
	"io"
	"strings"

	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/simulate"
	"barrow/wafer"
	"barrow/wafer/file"
)

// An Input says where images come from: settings that every study has. Without files they
// are simulated.
type Input struct {
	Data   []string `json:"data,omitempty" repeat:"true" value:"file" help:"wafer file to train on instead of simulated images, or a pattern of names; may be repeated"`
	Events int      `json:"events" help:"simulated images"`
	Preset string   `json:"preset" help:"what is simulated"`
	Order  string   `json:"order" help:"cell numbering of wafer files"`
	Header string   `json:"header,omitempty" help:"first line of wafer files without CALQ_0…, names or an image already (default: told by what it looks like)"`
	Layout string   `json:"layout,omitempty" help:"columns of wafer files without CALQ_0…, as in index,charges,eta: the 48 charges, names of others, - for none, ... for the rest"`
	Tree   string   `json:"tree,omitempty" help:"table of wafer files that have several, with its folder (default: the only one with images)"`
	Charge string   `json:"charge,omitempty" help:"what the charges of ntuples' trigger cells are (default: calq, as the chip computes them)"`
	Quirks []string `json:"quirks,omitempty" flag:"quirk" help:"mistakes of other programs to repeat: first-row (readers that lose the first image of a file without header), sum-without-0 (a column sumCALQ that leaves out cell 0)"`
}

// Default is a number of simulated images of all kinds.
func Default(events int) Input {
	return Input{Events: events, Preset: simulate.Presets()[0], Order: hgcal.V9.String()}
}

// Choices are the values that a setting of the input may have.
func (Input) Choices(key string) []string {
	switch key {
	case "preset":
		return simulate.Presets()
	case "header":
		return []string{"first", "none"}
	case "order":
		return hgcal.OrderNames()
	case "quirks":
		return wafer.Quirks()
	case "charge":
		return wafer.Charges()
	}
	return nil
}

// What a simulated image takes in memory, with its metadata and what a study makes of it;
// and more than any study draws.
const (
	imageBytes = 4000
	maxEvents  = 1_000_000_000
)

// Check reports what no images can be had by, by the setting's key.
func (i Input) Check() error {
	for _, c := range [][2]string{{"preset", i.Preset}, {"order", i.Order}, {"header", i.Header}, {"charge", i.Charge}} {
		if c[1] == "" && (c[0] == "header" || c[0] == "charge") {
			continue // as the file looks, or the usual one
		}
		if err := setting.Choice(c[0], c[1], i.Choices(c[0])); err != nil {
			return fmt.Errorf("images: %w", err)
		}
	}
	for _, q := range i.Quirks {
		if err := setting.Choice("quirks", q, i.Choices("quirks")); err != nil {
			return fmt.Errorf("images: %w", err)
		}
	}
	if len(i.Data) > 0 {
		return nil
	}
	err := limit.Count("events =", i.Events, maxEvents)
	if err == nil {
		err = limit.Fits("events =", i.Events, imageBytes)
	}
	if err != nil {
		return fmt.Errorf("images: %w", err)
	}
	return nil
}

// Settings of how images are got.
type Settings struct {
	Seed    uint64 // of the simulation
	Threads int    // 0: all processors; never changes a bit
	Remark  func(string)
	Empty   bool // keep images without charge, which are left out otherwise
	// Counts refuses, where it stands in a file, an image that the trigger chip does not take, and
	// Densities a column HD_LD that says neither: see wafer.Counts.
	Counts, Densities bool
	// Check, unless nil, gets a file's images as they are read, batch by batch: what it finds wrong with
	// one, a *wafer.ValueError, is told with its place in the file.
	Check func(*wafer.Set) error
	// Stream is what a name stands for that is no file, such as standard input; nil, or a nil
	// result, for files.
	Stream func(name string) io.Reader
}

func (s Settings) remark(format string, a ...any) {
	if s.Remark != nil {
		s.Remark(fmt.Sprintf(format, a...))
	}
}

// Read gets the images with their metadata and says in words where they are from.
func (i Input) Read(ctx context.Context, s Settings) (*wafer.Set, string, error) {
	if err := i.Check(); err != nil {
		return nil, "", err
	}
	if len(i.Data) > 0 {
		set, err := i.Files(ctx, i.Data, s)
		return set, strings.Join(i.Data, ", "), err
	}
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, "", err
	}
	set, err := draw(ctx, i.Events, simulate.Settings{Preset: i.Preset, Seed: s.Seed, Threads: threads})
	if err != nil {
		return nil, "", err
	}
	if !s.Empty {
		set, _ = set.NonZero()
	}
	return set, fmt.Sprintf("%d simulated images (%s)", i.Events, i.Preset), nil
}

// drawn is how many images are simulated between two looks at the context.
const drawn = 10_000

// draw is simulate.Generate, which can be stopped.
func draw(ctx context.Context, n int, s simulate.Settings) (*wafer.Set, error) {
	g, err := simulate.New(s)
	if err != nil {
		return nil, err
	}
	all, part := &wafer.Set{}, &wafer.Set{}
	for first := 0; first < n; first += drawn {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g.Fill(part, uint64(first), min(drawn, n-first))
		if err := all.Append(part); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Files joins wafer files with their metadata, or without it where the files' columns
// differ.
func (i Input) Files(ctx context.Context, paths []string, s Settings) (*wafer.Set, error) {
	order, err := hgcal.ParseOrder(i.Order)
	if err != nil {
		return nil, err
	}
	of := wafer.ReadSettings{Order: order, Header: i.Header, Layout: i.Layout, Tree: i.Tree, Charge: i.Charge, Quirks: i.Quirks}
	paths, err = s.expand(paths)
	if err != nil {
		return nil, err
	}
	all, charged := &wafer.Set{}, 0
	for _, path := range paths {
		set, err := s.readAll(ctx, path, of)
		if err != nil {
			return nil, err
		}
		some, zero := set.NonZero()
		if charged += some.Len(); zero > 0 && !s.Empty {
			set = some
			s.remark("%s: %d images without charge left out, %d kept", path, zero, set.Len())
		}
		if err := all.Append(set); err != nil {
			s.remark("%s: %v: the columns are left out", path, err)
			all = all.WithoutColumns()
			if err := all.Append(set.WithoutColumns()); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	if charged == 0 {
		return nil, fmt.Errorf("images: %s: no image with charge", strings.Join(paths, ", "))
	}
	return all, nil
}

// readAll reads a file, or what its name stands for.
func (s Settings) readAll(ctx context.Context, path string, of wafer.ReadSettings) (*wafer.Set, error) {
	in := file.Input{Name: path}
	if s.Stream != nil {
		in.Stream = s.Stream(path)
	}
	r, err := file.New(ctx, of, in)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if of.Order != hgcal.V9 && !r.Info().OrderSaid {
		s.remark("%s: does not say how its cells are numbered: %v, as given", path, of.Order)
	}
	from := wafer.FileReader(r)
	if s.Counts {
		from = wafer.Counts(from, s.Densities)
	}
	if s.Check != nil {
		from = wafer.Checked(from, s.Check)
	}
	set, err := wafer.ReadAll(from)
	for _, text := range r.Remarks() {
		s.remark("%s", text)
	}
	return set, err
}

// expand puts files for patterns: see file.Expand.
func (s Settings) expand(paths []string) ([]string, error) {
	var all []string
	for _, path := range paths {
		if s.Stream != nil && s.Stream(path) != nil {
			all = append(all, path)
			continue
		}
		names, err := file.Expand(path)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	return all, nil
}
