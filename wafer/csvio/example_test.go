package csvio_test

import (
	"fmt"
	"strings"

	"barrow/wafer"
	"barrow/wafer/csvio"
)

func ExampleNewReader() {
	file := "168,168" + strings.Repeat(",0", 46) + "\n" + strings.Repeat("0,", 47) + "0\n"
	r, err := csvio.NewReader(strings.NewReader(file), "example.csv", wafer.ReadSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	images, err := wafer.ReadAll(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(images.Len(), "images,", images.ZeroSum(), "without charge")
	// Output: 2 images, 1 without charge
}
