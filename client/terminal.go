package client

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"
)

// Environment is what the commands take from the machine besides their streams.
type Environment struct {
	Getenv func(string) string
	// Environ is the whole environment as "NAME=value", which a node's configuration is read with.
	Environ []string
	// Prompt asks a person for a secret without echo. Nil where nobody can be asked.
	Prompt func(ctx context.Context, question string) (string, error)
	// Location is the zone in which times are shown.
	Location *time.Location
	// Progress takes how far long work is. Nil where nobody watches.
	Progress io.Writer
}

// TerminalProgress is the file when it is a terminal, and nil when it is none.
func TerminalProgress(out *os.File) io.Writer {
	if !term.IsTerminal(int(out.Fd())) {
		return nil
	}
	return out
}

// TerminalPrompt asks on a terminal, and is nil when the file is none. The question goes to out.
func TerminalPrompt(in *os.File, out io.Writer) func(context.Context, string) (string, error) {
	fd := int(in.Fd())
	if !term.IsTerminal(fd) {
		return nil
	}
	return func(ctx context.Context, question string) (string, error) {
		echoing, err := term.GetState(fd)
		if err != nil {
			return "", fmt.Errorf("read the terminal's state: %w", err)
		}
		fmt.Fprint(out, question)
		defer fmt.Fprintln(out)
		type answer struct {
			secret []byte
			err    error
		}
		answered := make(chan answer, 1)
		// A read from a terminal cannot be broken off: after an interrupt this goroutine ends with the process.
		go func() {
			secret, err := term.ReadPassword(fd)
			answered <- answer{secret, err}
		}()
		select {
		case a := <-answered:
			if a.err != nil {
				return "", fmt.Errorf("read from the terminal: %w", a.err)
			}
			return string(a.secret), nil
		case <-ctx.Done():
			if err := term.Restore(fd, echoing); err != nil {
				return "", fmt.Errorf("restore the terminal: %w", err)
			}
			return "", &Failure{Code: ExitFailed, Line: "interrupted", Cause: ctx.Err()}
		}
	}
}

// printable makes text safe for a terminal: what would move the cursor, change its state or turn the direction of
// reading shows as a replacement character. Line breaks stay.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return unicode.ReplacementChar
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// oneLine is printable text without line breaks.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(printable(s), func(r rune) bool { return r == '\n' }), " ")
}
