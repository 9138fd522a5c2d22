package econt

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const rxHeader = "RX_DATA_0,RX_DATA_1,RX_DATA_2,RX_DATA_3,RX_DATA_4,RX_DATA_5,RX_DATA_6,RX_DATA_7,RX_DATA_8,RX_DATA_9,RX_DATA_10,RX_DATA_11\n"

// writeInput writes rows as ReadInput reads them, with the headers that are due.
func writeInput(w io.Writer, rows []BunchCrossing) error {
	bw := bufio.NewWriter(w)
	writeHexHeader(bw, "RX_DATA_", ERxWords)
	for i := range rows {
		head := uint32(idleHeader)
		if rows[i].BX == 0 {
			head = markerHeader
		}
		words := rows[i].ERx
		for k := range words {
			words[k] = head<<28 | words[k]&(1<<28-1)
		}
		if err := writeHexRow(bw, words[:]); err != nil {
			return err
		}
	}
	return bw.Flush()
}

func writeOutput(w io.Writer, rows []Output) error {
	out := NewOutputWriter(w)
	for i := range rows {
		if err := out.Write(&rows[i]); err != nil {
			return err
		}
	}
	return out.Flush()
}

func readOutput(r io.Reader) ([]Output, error) {
	out, err := NewOutputReader(r)
	if err != nil {
		return nil, err
	}
	return readAll(out)
}

func rxRow(head string) string {
	return strings.TrimSuffix(strings.Repeat(head+"0000000,", 12), ",") + "\n"
}

func TestInputRoundTrip(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(dataDir(t), "testInput.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := ReadInput(bytes.NewReader(raw), 0)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := writeInput(&buf, rows); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(buf.Bytes(), raw) {
		t.Error("writing what was read gives another file")
	}
}

func TestOutputRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	rows := make([]Output, 5)
	for i := range rows {
		for k := range rows[i] {
			rows[i][k] = r.Uint32()
		}
	}
	var buf bytes.Buffer
	if err := writeOutput(&buf, rows); err != nil {
		t.Fatal(err)
	}
	back, err := readOutput(strings.NewReader(strings.ReplaceAll(buf.String(), "\n", "\r\n")))
	if err != nil || fmt.Sprint(back) != fmt.Sprint(rows) {
		t.Errorf("%v: got %v, want %v", err, back, rows)
	}
}

func TestInputErrors(t *testing.T) {
	orbit := rxHeader + rxRow("9") + strings.Repeat(rxRow("a"), OrbitBX-1)
	for _, tc := range []struct {
		name, text string
		first      int
		want       string
	}{
		{"empty", "", 0, "empty file"},
		{"columns", "RX_DATA_0,RX_DATA_1\n", 0, "header has 2 columns"},
		{"names", strings.Replace(rxHeader, "RX_DATA_3", "RX_DATA_33", 1), 0, `column 4 is named "RX_DATA_33"`},
		{"short row", rxHeader + "90000000\n", 0, "row 1 (line 2): 1 words; want 12"},
		{"not hex", rxHeader + strings.Replace(rxRow("9"), "90000000,", "9000000g,", 1), 0, `row 1 (line 2), RX_DATA_0: "9000000g"`},
		{"seven digits", rxHeader + strings.Replace(rxRow("9"), "90000000,", "9000000,", 1), 0, `"9000000" is not a word`},
		{"nine digits", rxHeader + strings.Replace(rxRow("9"), "90000000,", "090000000,", 1), 0, "is not a word"},
		{"sign", rxHeader + strings.Replace(rxRow("9"), "90000000,", "+9000000,", 1), 0, "is not a word"},
		{"no marker", rxHeader + rxRow("a"), 0, "row 1 (line 2), RX_DATA_0: header a where 9 is due (BX 0)"},
		{"two markers", rxHeader + rxRow("9") + rxRow("9"), 0, "row 2 (line 3), RX_DATA_0: header 9 where a is due (BX 1)"},
		{"one link off", rxHeader + strings.Replace(rxRow("9"), "90000000\n", "a0000000\n", 1), 0, "RX_DATA_11: header a where 9 is due"},
		{"no header", rxHeader + rxRow("0"), 0, "header 0 where 9 is due (BX 0); a header is 9 or a"},
		{"late marker", orbit + rxRow("a"), 0, "row 3565 (line 3566), RX_DATA_0: header a where 9 is due (BX 0)"},
		{"first", rxHeader + rxRow("9"), 3564, "first bunch crossing 3564: want 0 to 3563"},
		{"long line", rxHeader + strings.Repeat("9", 3<<20) + "\n", 0, "line 2: the row is longer than"},
		{"UTF-16", "\xff\xfeR\x00X\x00", 0, "line 1: the text is UTF-16"},
		{"carriage returns alone", strings.ReplaceAll(rxHeader+rxRow("9"), "\n", "\r"), 0, "line 1: the rows end in carriage returns alone"},
		{"blank line", rxHeader + rxRow("9") + "\n" + rxRow("a"), 0, "line 3: blank line among the rows"},
	} {
		_, err := ReadInput(strings.NewReader(tc.text), tc.first)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "econt: ") {
			t.Errorf("%s: %v, want … %s …", tc.name, err, tc.want)
		}
	}
	for _, tc := range []struct {
		text  string
		first int
		rows  int
	}{
		{orbit + rxRow("9") + "\n\n", 0, OrbitBX + 1},
		{rxHeader + rxRow("a") + rxRow("9") + rxRow("a"), 3563, 3},
		{"\ufeff" + rxHeader, 5, 0},
	} {
		rows, err := ReadInput(strings.NewReader(tc.text), tc.first)
		if err != nil || len(rows) != tc.rows {
			t.Errorf("%d rows, %v; want %d", len(rows), err, tc.rows)
		}
	}
}

func FuzzInput(f *testing.F) {
	f.Add([]byte(rxHeader+rxRow("9")), 0)
	f.Add([]byte(rxHeader+rxRow("a")), 17)
	f.Add([]byte("RX_DATA_0"), 0)
	f.Fuzz(func(t *testing.T, data []byte, first int) {
		rows, err := ReadInput(bytes.NewReader(data), first)
		if err != nil {
			return
		}
		var buf bytes.Buffer
		if err := writeInput(&buf, rows); err != nil {
			t.Fatal(err)
		}
		again, err := ReadInput(&buf, first)
		if err != nil || len(again) != len(rows) {
			t.Fatalf("%d rows again, %v", len(again), err)
		}
		for i := range rows {
			if rows[i] != again[i] {
				t.Fatalf("row %d: %v, then %v", i, rows[i], again[i])
			}
		}
	})
}

func FuzzOutput(f *testing.F) {
	var buf bytes.Buffer
	if err := writeOutput(&buf, make([]Output, 1)); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Add([]byte("TX_DATA_0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := readOutput(bytes.NewReader(data))
		if err == nil && len(rows)*13*8 > len(data) {
			t.Fatalf("%d rows from %d bytes", len(rows), len(data))
		}
	})
}
