package submit_test

import (
	"fmt"

	"barrow/run/submit"
)

func ExampleShellWords() {
	fmt.Println(submit.ShellWords("barrow", "convert", "--select", "layer == 9", "it's.csv", "out.csv"))
	// Output: barrow convert --select 'layer == 9' 'it'\''s.csv' out.csv
}
