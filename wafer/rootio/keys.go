package rootio

import "barrow/internal/root"

// keyFields are the columns that say which wafer an item is on.
type keyFields struct {
	v     *vectors
	field [5]*field // zside, subdet, layer, waferu, waferv; subdet may be nil
	value [5][]int64
}

// keyNames are what a key is made of, behind the prefix.
var keyNames = [5]string{"zside", "subdet", "layer", "waferu", "waferv"}

// missingKey names what a key needs and the table lacks.
func missingKey(n *names, prefix string, subdet bool) string {
	var want []string
	for _, name := range keyNames {
		if name != "subdet" || subdet {
			want = append(want, join(prefix, name))
		}
	}
	return n.absent(want...)
}

func newKeyFields(v *vectors, n *names, prefix string, subdet bool) (k keyFields, err error) {
	k.v = v
	for j, name := range keyNames {
		if name == "subdet" && !subdet {
			continue
		}
		if k.field[j], err = v.need(n.numbers(join(prefix, name)), root.Int); err != nil {
			return k, err
		}
	}
	return k, nil
}

// event turns to the n items of entry e.
func (k *keyFields) event(e, n int) (err error) {
	for j, f := range k.field {
		if f == nil {
			continue
		}
		if k.value[j], err = k.v.ints(f, e, n); err != nil {
			return err
		}
	}
	return nil
}

// key is that of item i of entry e.
func (k *keyFields) key(e, i int) (key, error) {
	var subdet int64
	if k.value[1] != nil {
		subdet = k.value[1][i]
	}
	made, odd := newKey(k.value[0][i], subdet, k.value[2][i], k.value[3][i], k.value[4][i])
	if odd == "" {
		return made, nil
	}
	for j, name := range keyNames {
		if name == odd {
			return 0, k.v.b.fail(e, k.field[j].name, "%d is no %s", k.value[j][i], odd)
		}
	}
	return 0, nil // not reached: every odd part has a name
}
