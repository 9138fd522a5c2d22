package econt_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"barrow/econt"
)

// Best choice on two links of 32 bits: a header, the sum of the rest, four
// addresses (2, 5, 17, 40) and four charges, one of them zero.
func Example() {
	c := econt.Defaults()
	c.Algorithm = econt.BestChoice
	c.Links = econt.LinkMask(2)
	c.UseSum = false
	chip, err := econt.New(c)
	if err != nil {
		fmt.Println(err)
		return
	}
	var charges [econt.Channels]uint32
	charges[5], charges[17], charges[40] = 70, 900, 36
	var out econt.Output
	if err := chip.StepCALQ(1, &charges, &out); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%08x %08x\n", out[0], out[1])
	// Output: 10008546 80081f19
}

func ExampleVerify() {
	row := strings.Repeat("%x0408102,", 12)
	words := "RX_DATA_0,RX_DATA_1,RX_DATA_2,RX_DATA_3,RX_DATA_4,RX_DATA_5,RX_DATA_6,RX_DATA_7,RX_DATA_8,RX_DATA_9,RX_DATA_10,RX_DATA_11\n" +
		strings.TrimSuffix(strings.ReplaceAll(row, "%x", "9"), ",") + "\n" +
		strings.TrimSuffix(strings.ReplaceAll(row, "%x", "a"), ",") + "\n"
	c := econt.Defaults() // threshold sum, two links
	chip, err := econt.New(c)
	if err != nil {
		fmt.Println(err)
		return
	}
	input, err := econt.NewInputReader(strings.NewReader(words), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	var golden strings.Builder
	out := econt.NewOutputWriter(&golden)
	if _, err := chip.Run(context.Background(), input, out, false); err != nil {
		fmt.Println(err)
		return
	}
	if err := out.Flush(); err != nil {
		fmt.Println(err)
		return
	}
	// One bit of what the chip should have sent.
	wrong := golden.String()[:golden.Len()-13*9] + "8" + golden.String()[golden.Len()-13*9+1:]
	want, err := econt.NewOutputReader(strings.NewReader(wrong))
	if err != nil {
		fmt.Println(err)
		return
	}
	input, err = econt.NewInputReader(strings.NewReader(words), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := econt.Verify(context.Background(), c, input, want)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d/%d rows identical\n", report.Identical, report.Rows)
	for _, d := range report.First {
		fmt.Println(d)
	}
	// Output:
	// 1/2 rows identical
	// row 2 (line 3), TX_DATA_0 bits 31..31: charge of channel 0, 4E3M, frame of row 1 (BX 0): expected 0x45, got 0x05
}

func ExampleBaseline() {
	c, err := econt.BaselineConfig(econt.BestChoice, 4, false, nil) // 9 cells on 128 bits
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := econt.NewBaseline(c, econt.BaselineSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	image, decoded := make([]float64, 48), make([]float64, 48)
	image[3], image[20] = 118, 1501
	bits, err := b.Encode(image, decoded)
	fmt.Println(decoded[3], decoded[20], bits, b.LinkBits(), err)
	// Output: 115.5 1471.5 123 128 <nil>
}

func ExampleFloatWeights_Quantise() {
	trained := econt.FloatWeights{
		Conv: make([]float64, 72), ConvBias: make([]float64, 8),
		Dense: make([]float64, 2048), DenseBias: make([]float64, 16),
		Order: econt.DenseKeras,
	}
	trained.Conv[0] = -0.17     // row 0, column 0, filter 0
	trained.Dense[3*16+7] = 2.0 // hidden unit 3 to output 7
	for _, r := range []econt.Rounding{econt.RoundNearest, econt.RoundFloor} {
		w, changed, err := trained.Quantise(r)
		fmt.Println(r, w.Conv[0], w.Dense[7][3], changed.OffGrid, changed.Clipped, err)
	}
	// Output:
	// nearest -5 31 1 1 <nil>
	// floor -6 31 1 1 <nil>
}

func ExampleReadRegisters() {
	file := `
ConfigAlgo:
  Global: {alg_type: 2, alg_high_density: 1}
FormatterBuffer:
  Global: {active_etxs: 0x1f, use_sum: 0, buff_t1: 338, buff_t2: 314, buff_t3: 25}
`
	r, err := econt.ReadRegisters(strings.NewReader(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Config.Algorithm, r.Config.ETx(), r.Dialect, r.Config.Convention)
	for _, d := range r.Defaults {
		fmt.Println(d.Register, "=", d.Value)
	}
	// Output:
	// BC 5 prod prod
	// drop_lsb = 0
	// Cal = 2048
	// Mux = channel c reads register value c
}

func ExampleWeights_WriteCSV() {
	w := new(econt.Weights)
	w.Conv[1] = -3
	var csv strings.Builder
	if err := w.WriteCSV(&csv); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	for _, line := range strings.SplitN(csv.String(), "\n", 12)[:11] {
		fmt.Println(line)
	}
	// Output:
	// layer,output,input,weight
	// conv,0,0,0
	// conv,0,1,0
	// conv,0,2,0
	// conv,0,3,0
	// conv,0,4,0
	// conv,0,5,0
	// conv,0,6,0
	// conv,0,7,0
	// conv,0,8,0
	// conv,1,0,-3
}
