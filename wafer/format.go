package wafer

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"barrow/hgcal"
)

// Format is a file format of wafer images. Each is a package below this one;
// package wafer/file lists them all and is what opens and creates files.
type Format interface {
	// Name is the format's name in small letters: csv.
	Name() string
	// Endings are those of its files' names, with the dot, the usual one first.
	Endings() []string
	// Sniff reports whether a file with this beginning may be of the format:
	// SniffLength bytes, fewer only where the file is shorter.
	Sniff(head []byte) bool
	// Open starts reading. What is no such file after all is an error at once.
	// The reader's memory does not grow with the file. What the format needs in any
	// order it gets by src.File; the caller closes src after the reader.
	Open(src *Source, s ReadSettings) (FileReader, error)
}

// Creator is a Format that can be written, too. The writer's Close completes what
// was written but does not close out.
type Creator interface {
	Format
	Create(out io.Writer, s WriteSettings) (Writer, error)
}

// Dialecter is a Creator with several layouts to write, the usual one first:
// names for WriteSettings.Dialect.
type Dialecter interface {
	Creator
	Dialects() []string
}

// Untyped is a Creator whose files hold text, in which values of a column may be of
// any kind. Writers of other formats get columns of one kind throughout: see Types.
type Untyped interface {
	Creator
	Untyped()
}

// A Heeder is a Format to whose files settings of ReadSettings apply that do not apply to
// all: which ones, by their fields in small letters, of header, layout, tree and charge.
type Heeder interface {
	Format
	Heeds() []string
}

// SniffLength is how much of a file's beginning is enough to tell its format.
const SniffLength = 4096

// Info is what a file says of its images, as far as it says it.
type Info struct {
	// Format is the name of the file's format.
	Format string
	// Order is the numbering of the charges in the file, and OrderSaid whether the
	// file itself says so: otherwise it is as assumed in the settings.
	Order     hgcal.Order
	OrderSaid bool
	// Unit is the charges' unit, one of Charges where it is known; "" where the file
	// does not say.
	Unit string
	// Columns are the names of the metadata columns.
	Columns []string
}

// FileReader reads the images of one file.
type FileReader interface {
	Reader
	// Info is what is known from the start.
	Info() Info
	// Place names where image i of the last Read stands, for messages: file:row, say.
	Place(i int) string
	// Close frees what the reader holds; the Source stays open.
	Close() error
}

// A Marker is a FileReader that can go on in the middle of its file.
type Marker interface {
	FileReader
	// Mark is where the next image stands; ok is false where none can be set.
	Mark() (m Mark, ok bool)
	// Go goes on at a mark that a reader of the same bytes with the same settings has set,
	// without reading what is before it where the file allows that. This reader must not be
	// behind it yet.
	Go(m Mark) error
}

// A Mark is where an image stands in a file, as the file's format has it.
type Mark struct {
	// At is the byte, the row or the entry.
	At int64
	// Sub is the number of lines before it, or of images of the same entry.
	Sub int
}

// ErrNoImages is wrapped where a file is one of images, but has none: by Format.Open, or
// by the first Read where only reading can tell. Of several files such ones are passed
// over.
var ErrNoImages = errors.New("no images")

// A Remarker is a FileReader that has something to say of how it read the file:
// rows that hold no image, a producer's mistake that it made up for.
type Remarker interface {
	// Remarks are a line each, of what was read so far; complete at the file's end.
	Remarks() []string
}

// ReadSettings say about a file what it may not say itself. The zero value
// assumes V9 order and nothing else.
type ReadSettings struct {
	// Order is the numbering of the charges in the file. A file that says another
	// one is an error.
	Order hgcal.Order
	// Header says of a text file without names of the charges what its first line
	// is: "first" for names, "none" for an image. "" tells by what the line looks
	// like, and takes what may be either for an error.
	Header string
	// Layout says what the columns of a table without names of the charges are, in
	// order, separated by commas: "charges" for the 48 charges, "-" for a column
	// to leave out, "..." at the end for any further columns, any other word to name
	// a metadata column. "noheader" and "ecoder" stand for the columns of those
	// training files. "" takes only tables of known widths.
	Layout string
	// Tree is the table to read of a file that has several, with its folder: dir/tree.
	// "" takes the only one that has images.
	Tree string
	// Quirks are mistakes of other programs to repeat, each one of Quirks: for counts
	// and sums that agree with theirs.
	Quirks []string
	// Charge says what the charges of ntuples are made of: one of Charges, "" for the
	// first. Files that hold charges as such are taken as they are.
	Charge string
}

// Charges lists the readings of an ntuple's trigger cells, the usual one first, with
// data the digitised charge and η the cell's own: calq is ⌊data·round(2^11/cosh η)/2^11⌋
// as the chip's emulator has it, calq12 ⌊data·⌊2^12/cosh η⌋/2^12⌋, data is tc_data as it
// stands, mippt is tc_mipPt.
func Charges() []string { return []string{"calq", "calq12", "data", "mippt"} }

// Mistakes of other programs.
const (
	// QuirkFirstRow is the published readers' of training files without a header: they
	// take the first row for one, so that an image a file is lost.
	QuirkFirstRow = "first-row"
	// QuirkSumWithout0 is the ntuple producer's: its sumCALQ leaves out CALQ_0. The
	// column sumCALQ is then made so, from the charges in V9 order.
	QuirkSumWithout0 = "sum-without-0"
)

// Quirks lists the mistakes of other programs that can be repeated.
func Quirks() []string { return []string{QuirkFirstRow, QuirkSumWithout0} }

// Quirk reports whether a mistake is to be repeated.
func (s ReadSettings) Quirk(name string) bool { return slices.Contains(s.Quirks, name) }

// Check reports settings that no format knows.
func (s ReadSettings) Check() error {
	if err := s.Order.Check(); err != nil {
		return err
	}
	if s.Header != "" && s.Header != "first" && s.Header != "none" {
		return fmt.Errorf("wafer: header %q: want first (the first line names the columns) or none (it is an image)", s.Header)
	}
	if s.Charge != "" && !slices.Contains(Charges(), s.Charge) {
		return fmt.Errorf("wafer: charge %q: want %s", s.Charge, strings.Join(Charges(), ", "))
	}
	for _, q := range s.Quirks {
		if !slices.Contains(Quirks(), q) {
			return fmt.Errorf("wafer: quirk %q: want %s", q, strings.Join(Quirks(), ", "))
		}
	}
	return nil
}

// WriteSettings say how to write. The zero value is V9 order and the format's
// usual layout.
type WriteSettings struct {
	// Order is the numbering of the charges in the file.
	Order hgcal.Order
	// Dialect is the layout, "" for the format's usual one: see Dialecter.
	Dialect string
	// Digits, if positive, writes the charges of a text format with so many digits
	// behind the decimal point; 0 the shortest form that reads back the same.
	Digits int
	// Unit is the charges' unit, kept by formats that have a place for it: see
	// Info.Unit.
	Unit string
}

// A Loser is a Writer that cannot keep everything.
type Loser interface {
	// Lost says, a line each, what of the sets written so far the file does not have.
	Lost() []string
}

// An Aborter is a Writer that keeps more than memory, temporary files say.
type Aborter interface {
	Writer
	// Abort frees what is kept, where the output is not wanted any more; after Close it
	// does nothing.
	Abort()
}

// UnclearError is a file that may mean more than one thing, with the settings
// that would settle which.
type UnclearError struct {
	Place   string // file, or file:row
	Looks   string // what it looks like
	Choices []Choice
}

// Choice is one way to settle what a file means: a field of ReadSettings, in
// small letters, its value, and what that takes the file for.
type Choice struct{ Setting, Value, Means string }

func (e *UnclearError) Error() string {
	return e.Text(func(setting, value string) string { return setting + "=" + value })
}

// Text is the error's message with the settings written as the caller's users
// know them.
func (e *UnclearError) Text(write func(setting, value string) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Place, e.Looks)
	for i, c := range e.Choices {
		switch i {
		case 0:
			b.WriteString("; say which it is: ")
		default:
			b.WriteString(", or ")
		}
		fmt.Fprintf(&b, "%s (%s)", write(c.Setting, c.Value), c.Means)
	}
	return b.String()
}
