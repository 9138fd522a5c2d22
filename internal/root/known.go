package root

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// known.txt has the layouts of the classes that a file's own descriptions are made of,
// and those of a TTree for files that do not describe them: a line a version of a class,
// its number and checksum, and behind a colon its members as C++ writes them; classes
// that it is based on have a colon in front, and a counted array names its counter.
//
//go:embed known.txt
var knownText string

var known = sync.OnceValue(func() *Streamers {
	s := &Streamers{classes: map[string][]*streamer{}}
	for line := range strings.Lines(knownText) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		head, body, _ := strings.Cut(line, ": ")
		var class string
		i := &streamer{}
		fmt.Sscan(head, &class, &i.version, &i.checksum)
		for _, m := range strings.Split(body, "; ") {
			i.elements = append(i.elements, knownElement(m))
		}
		s.classes[class] = append(s.classes[class], i)
	}
	return s
})

// codes are the types in known.txt that are no classes.
var codes = map[string]int{
	"char": CodeChar, "short": CodeShort, "int": CodeInt, "long": CodeLong64, "float": CodeFloat, "double": CodeDouble,
	"uchar": CodeUChar, "ushort": CodeUShort, "uint": CodeUInt, "ulong": CodeULong64, "bool": CodeBool, "TString": CodeTString,
}

// knownElement reads one member of known.txt.
func knownElement(text string) Element {
	if base, ok := strings.CutPrefix(text, ":"); ok {
		return Element{Name: base, Code: codeBase}
	}
	kind, name, _ := strings.Cut(text, " ")
	name, index, _ := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	e := Element{Name: name, Type: kind, Code: codeAny}
	if c, ok := codes[strings.TrimSuffix(kind, "*")]; ok {
		e.Code = c
	} else if strings.HasSuffix(kind, "*") {
		e.Code = codeObjectPtr
	}
	if n, err := strconv.Atoi(index); err == nil {
		e.Code, e.Len = e.Code+CodeArray, n
	} else if index != "" {
		e.Code, e.counter = e.Code+CodePointer, index
	}
	return e
}
