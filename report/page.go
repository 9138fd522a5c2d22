package report

// A Page is a whole report.
type Page struct {
	// Title heads the page and names the browser's tab. It must not be empty.
	Title string `json:"title"`
	// Subtitle is one line under the title: what was run, on what.
	Subtitle string `json:"subtitle,omitempty"`
	// Summary is the text at the top, a paragraph each.
	Summary []string `json:"summary,omitempty"`
	// Tables come after the summary, before the sections.
	Tables []Table `json:"tables,omitempty"`
	// Sections follow in this order, with a table of contents if there are
	// three or more.
	Sections []Section `json:"sections,omitempty"`
	// Palette lists series names in the order in which they take the
	// colours, of which there are twelve; the lines of those after them have markers. Names not listed follow in order of first appearance, so an
	// empty Palette is fine.
	Palette []string `json:"palette,omitempty"`
	// Footer is the small print: versions, seed, command line; a line each.
	Footer []string `json:"footer,omitempty"`
}

// A Section is a heading with what belongs under it.
type Section struct {
	Title   string   `json:"title"`
	Text    []string `json:"text,omitempty"` // a paragraph each
	Tables  []Table  `json:"tables,omitempty"`
	Figures []Figure `json:"figures,omitempty"`
}

// A Table is a small table of ready-made text.
type Table struct {
	Title   string   `json:"title,omitempty"`
	Columns []Column `json:"columns"`
	// Rows hold one text a column.
	Rows [][]string `json:"rows"`
	// Emphasis lists the rows (from 0) to set in bold.
	Emphasis []int `json:"emphasis,omitempty"`
	// Note stands under the table in small print.
	Note string `json:"note,omitempty"`
}

// A Column is the head of a table column.
type Column struct {
	Name string `json:"name"`
	// Unit is printed under the name.
	Unit string `json:"unit,omitempty"`
	// Numeric columns are aligned right with digits of equal width.
	Numeric bool `json:"numeric,omitempty"`
}

// Figure returns the figure with this ID, with the page's colours, ready for
// [SVG] or [PNG]; ok tells whether there is one.
func (p *Page) Figure(id string) (f Figure, ok bool) {
	names := p.palette()
	for _, s := range p.Sections {
		for _, f := range s.Figures {
			if f.ID == id && id != "" {
				if len(f.Palette) == 0 {
					f.Palette = names
				}
				return f, true
			}
		}
	}
	return Figure{}, false
}

// palette is every series name of the page: the listed ones, then the others
// as they appear.
func (p *Page) palette() []string {
	var figures []Figure
	for _, s := range p.Sections {
		figures = append(figures, s.Figures...)
	}
	return paletteOf(p.Palette, figures)
}

func paletteOf(first []string, figures []Figure) []string {
	var names []string
	seen := map[string]bool{}
	add := func(list ...string) {
		for _, n := range list {
			if n != "" && !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	add(first...)
	for i := range figures {
		add(figures[i].names()...)
	}
	return names
}
