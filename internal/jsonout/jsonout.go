// Package jsonout does two things that encoding/json does not: it writes several
// structs as one object, and NaN and infinities as null.
package jsonout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
)

// Join marshals the parts, each to an object, as one object with the keys of all,
// in the parts' order. Their keys must differ.
func Join(parts ...any) ([]byte, error) {
	out := []byte{'{'}
	for _, p := range parts {
		b, err := Marshal(p)
		if err != nil {
			return nil, err
		}
		b = bytes.TrimSpace(b)
		if len(b) < 2 || b[0] != '{' {
			return nil, fmt.Errorf("jsonout: %T is no JSON object", p)
		}
		inner := b[1 : len(b)-1]
		if len(inner) > 0 && len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, inner...)
	}
	return append(out, '}'), nil
}

// Marshal is json.Marshal, but numbers that JSON has none for become null.
func Marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	var bad *json.UnsupportedValueError
	if !errors.As(err, &bad) {
		return b, err
	}
	// Rare: a copy with a number in their place that no figure has.
	if b, err = json.Marshal(finite(reflect.ValueOf(v)).Interface()); err != nil {
		return nil, err
	}
	mark, err := json.Marshal(stand)
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(b, mark, []byte("null")), nil
}

// Encode writes v as json.Encoder does, a line, with Marshal's nulls.
func Encode(w io.Writer, v any) error {
	b, err := Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// stand stands for what is no number.
const stand = -1.7976931348623151e+308

// finite copies a value with stand for every exported float64 that is not finite.
func finite(v reflect.Value) reflect.Value {
	if !v.IsValid() {
		return v
	}
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			out.SetFloat(stand)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(finite(v.Elem()))
		}
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(finite(v.Elem()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(finite(v.Field(i)))
			}
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(finite(v.Index(i)))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(finite(v.Index(i)))
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for _, k := range v.MapKeys() {
				out.SetMapIndex(k, finite(v.MapIndex(k)))
			}
		}
	}
	return out
}
