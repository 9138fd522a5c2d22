package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"barrow/wafer"
)

// Inspect says what is in a file, and in which format. Objects that were found before
// an error are returned with it. Settings.Read.Tree, if set, names the one that is
// wanted.
func Inspect(ctx context.Context, in Input, s wafer.InspectSettings) (format string, objects []wafer.Object, err error) {
	size, err := in.size()
	if err != nil {
		return "", nil, err
	}
	src, err := openSource(ctx, in, size)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, src.close()) }()
	if _, text := src.format.(wafer.Untyped); text && src.bytes != nil && s.Progress != nil { // of which how far it is read is known here
		src.bytes.after = func() { s.Progress(src.share(), src.Name) }
	}
	if i, ok := src.format.(wafer.Inspector); ok {
		objects, err = i.Inspect(ctx, &src.Source, s)
	} else {
		objects, err = src.read(ctx, s)
	}
	if s.Read.Tree != "" && len(objects) > 0 {
		var named error
		if objects, named = only(objects, s.Read.Tree); named != nil {
			err = errors.Join(err, fmt.Errorf("wafer/file: %s: %w", src.Name, named))
		}
	}
	return src.format.Name(), objects, err
}

// only are the objects of that name, with its folders or without.
func only(objects []wafer.Object, name string) ([]wafer.Object, error) {
	var found []wafer.Object
	var names []string
	name = strings.Trim(name, "/")
	for _, o := range objects {
		names = append(names, o.Name)
		if o.Name == name || strings.HasSuffix(o.Name, "/"+name) {
			found = append(found, o)
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no table %q; there are %s", name, strings.Join(names, ", "))
	}
	return found, nil
}

// read inspects a file whose format says no more than its images.
func (o *source) read(ctx context.Context, s wafer.InspectSettings) ([]wafer.Object, error) {
	r, err := o.format.Open(&o.Source, s.Read)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	object := wafer.Object{Name: "images", Kind: r.Info().Format, Images: "images of 48 charges, numbered " + r.Info().Order.String(),
		Columns: []wafer.Summary{{Name: "charges", Type: wafer.Number.String(), Stats: &wafer.Stats{}}}}
	var types wafer.Types
	var part wafer.Set
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := r.Read(&part, 1024)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if err == io.EOF {
			break
		}
		object.Entries += int64(n)
		for _, v := range part.Charge {
			object.Columns[0].Stats.Add(v)
		}
		types.Look(&part)
	}
	if !s.Stats {
		object.Columns[0].Stats = nil
	}
	for _, name := range r.Info().Columns {
		object.Columns = append(object.Columns, wafer.Summary{Name: name, Type: types.Kind(name).String()})
	}
	return []wafer.Object{object}, nil
}
