package jsonout

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

type inner struct {
	V float64 `json:"v"`
}

type outer struct {
	inner
	A      float64        `json:"a"`
	List   []float64      `json:"list"`
	Fixed  [2]float64     `json:"fixed"`
	Map    map[string]any `json:"map"`
	P      *inner         `json:"p"`
	Nil    *inner         `json:"nil,omitempty"`
	Rows   []inner        `json:"rows"`
	Any    any            `json:"any"`
	hidden float64
}

func TestMarshal(t *testing.T) {
	nan := math.NaN()
	v := outer{A: nan, List: []float64{1, math.Inf(1)}, Fixed: [2]float64{nan, 2}, Map: map[string]any{"k": nan},
		P: &inner{math.Inf(-1)}, Rows: []inner{{nan}, {3}}, Any: inner{nan}, hidden: nan}
	got, err := Marshal(&v)
	want := `{"v":0,"a":null,"list":[1,null],"fixed":[null,2],"map":{"k":null},"p":{"v":null},"rows":[{"v":null},{"v":3}],"any":{"v":null}}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if !math.IsNaN(v.A) || !math.IsInf(v.P.V, -1) {
		t.Error("the value itself was changed")
	}
	x := outer{A: 1.5}
	plain, _ := json.Marshal(x)
	if got, err := Marshal(x); err != nil || string(got) != string(plain) {
		t.Errorf("%s, %v; want %s", got, err, plain)
	}
	if _, err := Marshal(func() {}); err == nil {
		t.Error("a function was marshalled")
	}
}

func TestJoin(t *testing.T) {
	got, err := Join(inner{1}, struct{}{}, map[string]float64{"w": math.NaN()})
	if err != nil || string(got) != `{"v":1,"w":null}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := Join(inner{1}, []int{1}); err == nil || !strings.Contains(err.Error(), "no JSON object") {
		t.Errorf("a list was joined: %v", err)
	}
	var b strings.Builder
	if err := Encode(&b, inner{math.NaN()}); err != nil || b.String() != "{\"v\":null}\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}
