package ttree

import "strings"

// byName are the numbers by their names in C++, without spaces.
var byName = map[string]number{
	"bool": truth, "Bool_t": truth,
	"char": i8, "Char_t": i8, "signedchar": i8, "int8_t": i8, "unsignedchar": u8, "UChar_t": u8, "uint8_t": u8,
	"short": i16, "Short_t": i16, "int16_t": i16, "unsignedshort": u16, "UShort_t": u16, "uint16_t": u16,
	"int": i32, "Int_t": i32, "int32_t": i32, "unsignedint": u32, "unsigned": u32, "UInt_t": u32, "uint32_t": u32,
	"long": i64, "Long_t": i64, "longlong": i64, "Long64_t": i64, "int64_t": i64, "ptrdiff_t": i64,
	"unsignedlong": u64, "ULong_t": u64, "unsignedlonglong": u64, "ULong64_t": u64, "uint64_t": u64, "size_t": u64,
	"float": f32, "Float_t": f32, "double": f64, "Double_t": f64,
}

// tarrays are the numbers in ROOT's own arrays.
var tarrays = map[string]number{"TArrayC": i8, "TArrayS": i16, "TArrayI": i32, "TArrayL": i64, "TArrayL64": i64, "TArrayF": f32, "TArrayD": f64}

// containers are the classes whose lists are all written in the same way.
var containers = map[string]bool{
	"vector": true, "list": true, "deque": true, "forward_list": true, "set": true, "multiset": true,
	"unordered_set": true, "unordered_multiset": true, "RVec": true, "VecOps::RVec": true, "ROOT::VecOps::RVec": true, "ROOT::RVec": true,
}

// plain is a type's name without spaces, const and std::.
func plain(name string) string {
	name = strings.TrimPrefix(strings.TrimSpace(name), "const ")
	return strings.ReplaceAll(strings.ReplaceAll(name, "std::", ""), " ", "")
}

// elementOf is what a container holds, by its plain name.
func elementOf(class string) (string, bool) {
	name, rest, ok := strings.Cut(class, "<")
	if !ok || !containers[name] || !strings.HasSuffix(rest, ">") {
		return "", false
	}
	rest = rest[:len(rest)-1]
	depth := 0
	for i, c := range rest {
		switch c {
		case '<':
			depth++
		case '>':
			depth--
		case ',':
			if depth == 0 {
				return rest[:i], true // Behind it come how memory is got, and the order.
			}
		}
	}
	return rest, true
}
