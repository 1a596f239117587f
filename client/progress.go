package client

import (
	"fmt"
	"io"
	"time"
)

// progressPause lies between two words on how far long work is.
const progressPause = 200 * time.Millisecond

// WithProgress is a reader that tells those who watch how much of the whole, in bytes, was read; it is the reader itself
// when nobody watches. A whole of 0 is not known. The line is wiped at the end.
func WithProgress(from io.Reader, whole int64, what string, watcher io.Writer) io.Reader {
	if watcher == nil {
		return from
	}
	return &progress{from: from, whole: whole, what: what, watcher: watcher}
}

type progress struct {
	from    io.Reader
	whole   int64
	what    string
	watcher io.Writer

	read int64
	told time.Time
}

func (p *progress) Read(into []byte) (int, error) {
	n, err := p.from.Read(into)
	p.read += int64(n)
	const mebibyte = 1 << 20
	switch {
	case err != nil:
		fmt.Fprint(p.watcher, clearLine)
	case time.Since(p.told) < progressPause:
	case p.whole > 0:
		p.told = time.Now()
		fmt.Fprintf(p.watcher, clearLine+"%s: %d / %d MiB, %d %%", p.what, p.read/mebibyte, p.whole/mebibyte, 100*p.read/p.whole)
	default:
		p.told = time.Now()
		fmt.Fprintf(p.watcher, clearLine+"%s: %d MiB", p.what, p.read/mebibyte)
	}
	return n, err
}
