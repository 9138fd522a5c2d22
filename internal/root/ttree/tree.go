package ttree

import (
	"fmt"

	"barrow/internal/root"
)

// maxNested bounds branches within branches.
const maxNested = 50

// A Tree is a TTree, or an object of a class that is based on it.
type Tree struct {
	file    *root.File
	path    string
	infos   *root.Streamers
	entries int64
	columns []column
	// leaves tells by whose leaf values are counted which branch has the counts.
	leaves map[*root.Object]*branch
	// seen are the branches that were met: a damaged file may have one below itself.
	seen map[*root.Object]bool
}

// column is a column and where its values are.
type column struct {
	root.Column
	branch *branch
	layout layout
}

// Is tells whether objects of a class are TTrees as far as the file says.
func Is(f *root.File, class string) bool {
	infos, err := f.Streamers()
	if err != nil {
		infos = &root.Streamers{}
	}
	for range maxNested {
		if class == "TTree" {
			return true
		}
		if class = infos.Base(class); class == "" {
			return false
		}
	}
	return false
}

// Open reads what a file knows of a TTree: its branches and where their values are.
func Open(f *root.File, key root.Key) (*Tree, error) {
	fail := func(err error) (*Tree, error) { return nil, fmt.Errorf("TTree %s: %w", key.Path, err) }
	infos, err := f.Streamers()
	if err != nil {
		return fail(err)
	}
	data, err := f.Bytes(key, nil)
	if err != nil {
		return fail(err)
	}
	o := root.NewBuffer(data, key.KeyLen()).Object(key.Class, infos)
	if !o.Has("fBranches") {
		if o.Err == nil {
			o.Err = fmt.Errorf("class %s has no branches", key.Class)
		}
		return fail(o.Err)
	}
	t := &Tree{file: f, path: key.Path, infos: infos, entries: o.Int("fEntries"), leaves: map[*root.Object]*branch{}, seen: map[*root.Object]bool{}}
	if t.entries < 0 {
		return fail(fmt.Errorf("%d entries", t.entries))
	}
	var all []*branch
	for _, b := range o.Objects("fBranches") {
		all = t.collect(all, b, nil, 0)
	}
	most := int64(0)
	for _, b := range all {
		most = max(most, b.entries())
	}
	if len(all) > 0 {
		t.entries = min(t.entries, most)
	}
	t.seen = nil
	for _, b := range all {
		t.columns = append(t.columns, t.interpret(b)...)
	}
	t.rename()
	return t, nil
}

// collect lists a branch and those below it in the file's order.
func (t *Tree) collect(all []*branch, o *root.Object, above *branch, depth int) []*branch {
	if o == nil || t.seen[o] {
		return all
	}
	t.seen[o] = true
	b := newBranch(o, above)
	all = append(all, b)
	for _, l := range b.leaves {
		t.leaves[l] = b
	}
	if depth >= maxNested {
		return all
	}
	for _, c := range o.Objects("fBranches") {
		all = t.collect(all, c, b, depth+1)
	}
	return all
}

// rename puts the branches above in front of names that would not tell columns apart.
func (t *Tree) rename() {
	n := map[string]int{}
	for _, c := range t.columns {
		n[c.Name]++
	}
	for i := range t.columns {
		c := &t.columns[i]
		if n[c.Name] < 2 {
			continue
		}
		for b := c.branch.above; b != nil; b = b.above {
			c.Name = b.name + "/" + c.Name
		}
	}
}

// Kind is TTree.
func (t *Tree) Kind() string { return "TTree" }

// Entries is the number of entries.
func (t *Tree) Entries() int64 { return t.entries }

// Columns lists the columns in the file's order. The leaves of a branch that has several
// are columns of their own, branch.leaf.
func (t *Tree) Columns() []root.Column {
	list := make([]root.Column, len(t.columns))
	for i, c := range t.columns {
		list[i] = c.Column
	}
	return list
}

// Reader begins to read a column.
func (t *Tree) Reader(i int) (root.Reader, error) {
	c := &t.columns[i]
	if c.Unread != "" {
		return nil, fmt.Errorf("column %s of TTree %s is not read: %s", c.Name, t.path, c.Unread)
	}
	r, err := t.reader(c, 0)
	if err != nil {
		return nil, fmt.Errorf("column %s of TTree %s: %w", c.Name, t.path, err)
	}
	return r, nil
}
