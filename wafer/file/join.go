package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"barrow/internal/outfile"
)

// JoinLines makes a compressed file of text of others that are compressed as it is, by its ending,
// one behind the other, without the first header lines of all but the first. It has the bytes that
// it would have if it had been written in one go, and appears complete or not at all.
func JoinLines(ctx context.Context, path string, header int, parts ...string) error {
	_, packer := unpackedName(path)
	if packer == nil {
		return fmt.Errorf("wafer/file: %s: is no name of a compressed file", path)
	}
	return outfile.Write(path, false, func(out io.Writer) error {
		w, err := packer.pack(out)
		if err != nil {
			return err
		}
		for k, part := range parts {
			skip := header
			if k == 0 {
				skip = 0
			}
			if err := errors.Join(ctx.Err(), packer.appendLines(w, part, skip)); err != nil {
				return err
			}
		}
		return w.Close()
	})
}

// appendLines unpacks a file without its first lines.
func (p *packer) appendLines(w io.Writer, path string, skip int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := p.unpack(bufio.NewReader(f))
	if err != nil {
		return fmt.Errorf("wafer/file: %s: unpacking by %s: %w", path, p.name, err)
	}
	defer r.Close()
	in := bufio.NewReaderSize(&said{r, p.name}, 1<<18)
	for ; skip > 0; skip-- {
		_, err := in.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("wafer/file: %s: %w", path, err)
		}
	}
	// zstd would end a block with each piece if it read them itself.
	if _, err := in.WriteTo(struct{ io.Writer }{w}); err != nil {
		return fmt.Errorf("wafer/file: %s: %w", path, err)
	}
	return nil
}
