package root

import (
	"fmt"
)

// Streamers is how classes are laid out in a file: what the file itself says, and what is
// known of the classes that a TTree is made of where it says nothing.
type Streamers struct {
	classes map[string][]*streamer
}

// streamer is one version of a class.
type streamer struct {
	version  int
	checksum uint32
	elements []Element
}

// An Element is a member of a class, or a class that it is based on.
type Element struct {
	Name, Title string
	// Type is the member's type as C++ writes it.
	Type string
	// Code is ROOT's number for the kind of member: see the constants in elements.go.
	Code int
	// Len is the number of values of an array.
	Len int
	// counter is the member that counts a variable array's values.
	counter string
}

// find returns what is known of a version of a class; where the version says nothing,
// the checksum does. A version newer than all that are known, which the file does not
// describe, is taken for the newest: new members come behind the old ones.
func (s *Streamers) find(class string, version int, checksum uint32) *streamer {
	var newest *streamer
	for _, list := range [][]*streamer{s.classes[class], known().classes[class]} {
		for _, i := range list {
			if version > 0 && i.version == version || version <= 0 && i.checksum == checksum {
				return i
			}
			if newest == nil || i.version > newest.version {
				newest = i
			}
		}
	}
	if newest != nil && version > newest.version {
		return newest
	}
	return nil
}

// Elements is the members of a version of a class, by its checksum where that is known.
func (s *Streamers) Elements(class string, version int, checksum uint32) []Element {
	for _, i := range s.classes[class] {
		if checksum != 0 && i.checksum == checksum {
			return i.elements
		}
	}
	if i := s.find(class, version, checksum); i != nil {
		return i.elements
	}
	if list := s.classes[class]; len(list) == 1 {
		return list[0].elements
	}
	return nil
}

// Base is the first class that a class is based on, "" where none is known.
func (s *Streamers) Base(class string) string {
	for _, list := range [][]*streamer{s.classes[class], known().classes[class]} {
		for _, i := range list {
			if len(i.elements) > 0 && i.elements[0].Code == codeBase {
				return i.elements[0].Name
			}
		}
	}
	return ""
}

// Streamers reads how the file says that its classes are laid out.
func (f *File) Streamers() (*Streamers, error) {
	f.once.Do(func() { f.infos, f.infosErr = f.readStreamers() })
	return f.infos, f.infosErr
}

func (f *File) readStreamers() (*Streamers, error) {
	s := &Streamers{classes: map[string][]*streamer{}}
	if f.seekInfo == 0 {
		return s, nil
	}
	fail := func(err error) (*Streamers, error) {
		return nil, fmt.Errorf("how the file lays out its classes: %w", err)
	}
	head, err := f.bytes(nil, f.seekInfo, min(512, f.size-f.seekInfo))
	if err != nil {
		return fail(err)
	}
	b := NewBuffer(head, 0)
	k := b.Key()
	if b.err != nil {
		return fail(b.err)
	}
	k.seek = f.seekInfo
	data, err := f.Bytes(k, nil)
	if err != nil {
		return fail(err)
	}
	list := NewBuffer(data, k.keyLen).Object("TList", known())
	if list.Err != nil {
		return fail(list.Err)
	}
	for _, o := range list.member("elements").objects {
		if o != nil && o.Class == "TStreamerInfo" {
			s.add(o)
		}
	}
	return s, nil
}

// add takes in what a TStreamerInfo says; a class of which not all can be read is none
// that is known.
func (s *Streamers) add(o *Object) {
	if o.Err != nil {
		return
	}
	i := &streamer{version: int(o.Int("fClassVersion")), checksum: uint32(o.Int("fCheckSum"))}
	for _, e := range o.Objects("fElements") {
		if e == nil || e.Err != nil {
			return
		}
		element := Element{
			Name: e.Text("fName"), Title: e.Text("fTitle"), Type: e.Text("fTypeName"),
			Code: int(e.Int("fType")), Len: int(e.Int("fArrayLength")), counter: e.Text("fCountName"),
		}
		if e.Class == "TStreamerBase" {
			element.Code = codeBase
		}
		i.elements = append(i.elements, element)
	}
	name := o.Text("fName")
	s.classes[name] = append(s.classes[name], i)
}
