package lines

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	read := func(text string, fail int) (rows []string, last int, err error) {
		add := func(kind string) func([][]byte, int) error {
			return func(fields [][]byte, line int) error {
				if line == fail {
					return errors.New("refused")
				}
				rows = append(rows, fmt.Sprintf("%s %d %s", kind, line, fields))
				return nil
			}
		}
		last, err = Table(strings.NewReader(text), 1000, add("header"), add("row"))
		return rows, last, err
	}
	rows, last, err := read("# a remark\n\nlayer;links\n1;3\n  \n# another\n2;5\n", 0)
	if want := []string{"header 3 [layer links]", "row 4 [1 3]", "row 7 [2 5]"}; err != nil || last != 7 || !reflect.DeepEqual(rows, want) {
		t.Errorf("%q, %v, %v; want %q", rows, last, err, want)
	}
	if rows, last, err := read("# nothing\n\n", 0); err != nil || last != 0 || rows != nil {
		t.Errorf("remarks alone: %q, %v, %v", rows, last, err)
	}
	if rows, _, err := read("a,b\n1,2\n3,4\n", 2); err == nil || err.Error() != "refused" || len(rows) != 1 {
		t.Errorf("a refused row: %q, %v", rows, err)
	}
	if _, _, err := read("a,b\n1,\"2\n", 0); err == nil || !strings.HasPrefix(err.Error(), "2: ") {
		t.Errorf("an open quotation mark: %v", err)
	}
}
