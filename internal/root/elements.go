package root

import "fmt"

// ROOT's numbers for the kinds of a class's members. To those of numbers 20 is added for
// fixed arrays and 40 for arrays that another member counts.
const (
	CodeChar      = 1
	CodeShort     = 2
	CodeInt       = 3
	CodeLong      = 4
	CodeFloat     = 5
	CodeCounter   = 6
	CodeCharStar  = 7
	CodeDouble    = 8
	CodeDouble32  = 9
	CodeUChar     = 11
	CodeUShort    = 12
	CodeUInt      = 13
	CodeULong     = 14
	CodeBits      = 15
	CodeLong64    = 16
	CodeULong64   = 17
	CodeBool      = 18
	CodeFloat16   = 19
	CodeArray     = 20
	CodePointer   = 40
	CodeTString   = 65
	CodeSTLString = 365

	codeBase       = 0
	codeObject     = 61
	codeAny        = 62
	codeObjectIn   = 63
	codeObjectPtr  = 64
	codeTObject    = 66
	codeTNamed     = 67
	codeAnyIn      = 68
	codeAnyPtr     = 69
	codeSTLPtr     = 71
	codeSTL        = 300
	codeArtificial = 1000
)

// element reads one member of o.
func (b *Buffer) element(o *Object, e *Element, infos *Streamers) {
	m := member{name: e.Name}
	switch c := e.Code; {
	case c == codeBase:
		b.baseClass(o, e, infos)
		return
	case c == CodeBits:
		m.number = b.number1(CodeUInt)
		if m.number&(1<<4) != 0 {
			b.U16()
		}
	case c == CodeFloat16:
		b.Take(3) // The range of a leaf, which is nothing that is asked for.
	case c > codeBase && c < CodeArray && c != CodeCharStar:
		b.scalar(&m, c)
	case c > CodeArray && c < CodePointer:
		b.array(&m, c-CodeArray, e.Len)
	case c > CodePointer && c < 60:
		if b.U8() != 0 {
			b.array(&m, c-CodePointer, int(min(max(o.Int(e.counter), -1), int64(b.Left())+1)))
		}
	case c == CodeCharStar:
		m.text = string(b.Take(int(b.I32())))
	case c == CodeTString:
		m.text = b.String()
	case c == codeTObject:
		b.base()
	case c == codeTNamed, c == codeObject, c == codeAny, c == codeObjectIn, c == codeAnyIn:
		b.member(&m, e, infos)
	case c == codeObjectPtr, c == codeAnyPtr:
		m.objects = []*Object{b.pointer(infos)}
	case c == codeSTL, c == CodeSTLString, c == codeSTLPtr:
		b.skip()
	case c >= codeArtificial || c < 0:
		return
	default:
		b.fail("a member of type %s, kind %d", e.Type, c)
	}
	o.members = append(o.members, m)
}

// baseClass reads the members of a class that o's is based on, which become o's.
func (b *Buffer) baseClass(o *Object, e *Element, infos *Streamers) {
	if width := tarray(e.Name); width != 0 {
		m := member{name: e.Name}
		b.tarray(&m, width)
		o.members = append(o.members, m)
		return
	}
	base := Object{Class: e.Name}
	b.object(&base, infos)
	o.members = append(o.members, base.members...)
	if base.Err != nil && b.err == nil {
		b.err = base.Err
	}
}

// member reads a member that is an object within another.
func (b *Buffer) member(m *member, e *Element, infos *Streamers) {
	class := trimPointer(e.Type)
	if width := tarray(class); width != 0 {
		b.tarray(m, width)
		return
	}
	if class == "TDatime" {
		m.number = int64(b.U32())
		return
	}
	for range max(e.Len, 1) {
		o := &Object{Class: class}
		b.object(o, infos)
		m.objects = append(m.objects, o)
		if b.err != nil {
			return
		}
	}
}

func trimPointer(class string) string {
	for len(class) > 0 && (class[len(class)-1] == '*' || class[len(class)-1] == ' ') {
		class = class[:len(class)-1]
	}
	return class
}

// skip goes behind what has a byte count in front.
func (b *Buffer) skip() {
	_, end := b.version()
	if end < 0 {
		b.fail("a container without its size")
		return
	}
	b.seek(end)
}

// tarray is the kind of number in an array of ROOT's own, which has no version in front;
// 0 for other classes.
func tarray(class string) int {
	switch class {
	case "TArrayC":
		return CodeChar
	case "TArrayS":
		return CodeShort
	case "TArrayI":
		return CodeInt
	case "TArrayL", "TArrayL64":
		return CodeLong64
	case "TArrayF":
		return CodeFloat
	case "TArrayD":
		return CodeDouble
	}
	return 0
}

func (b *Buffer) tarray(m *member, code int) {
	n := int(b.I32())
	b.array(m, code, n)
}

// width is the number of bytes of a number.
func width(code int) int {
	switch code {
	case CodeChar, CodeUChar, CodeBool:
		return 1
	case CodeShort, CodeUShort:
		return 2
	case CodeInt, CodeUInt, CodeFloat, CodeCounter, CodeDouble32, CodeBits:
		return 4
	case CodeLong, CodeULong, CodeLong64, CodeULong64, CodeDouble:
		return 8
	}
	return 0
}

// array reads n numbers.
func (b *Buffer) array(m *member, code, n int) {
	w := width(code)
	if w == 0 || n < 0 || n > b.Left()/w {
		b.fail("an array of %d values of kind %d in %d bytes", n, code, b.Left())
		return
	}
	switch code {
	case CodeFloat, CodeDouble, CodeDouble32:
		m.floats = make([]float64, n)
		for i := range m.floats {
			m.floats[i] = b.float1(code)
		}
	default:
		m.numbers = make([]int64, n)
		for i := range m.numbers {
			m.numbers[i] = b.number1(code)
		}
	}
}

func (b *Buffer) scalar(m *member, code int) {
	switch code {
	case CodeFloat, CodeDouble, CodeDouble32:
		m.float = b.float1(code)
	default:
		m.number = b.number1(code)
	}
}

func (b *Buffer) float1(code int) float64 {
	if code == CodeDouble {
		return b.f64()
	}
	return float64(b.f32())
}

func (b *Buffer) number1(code int) int64 {
	switch code {
	case CodeChar:
		return int64(int8(b.U8()))
	case CodeUChar, CodeBool:
		return int64(b.U8())
	case CodeShort:
		return int64(b.I16())
	case CodeUShort:
		return int64(b.U16())
	case CodeInt, CodeCounter:
		return int64(b.I32())
	case CodeUInt:
		return int64(b.U32())
	case CodeLong, CodeULong, CodeLong64, CodeULong64:
		return b.i64()
	}
	b.err = fmt.Errorf("a number of kind %d", code)
	return 0
}
