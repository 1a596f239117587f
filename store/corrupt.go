package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

const advice = "restore this node from a backup, or empty its data directory and let it join its site again"

// corruptError explains in one line which file is corrupt and what to do.
type corruptError struct {
	path  string // of the file when it is known, else of the database
	cause error
}

func (e *corruptError) Error() string {
	return fmt.Sprintf("%s is corrupt (%s): %s", e.path, firstLine(e.cause), advice)
}

func (e *corruptError) Unwrap() error { return e.cause }

// explain turns the database's reports of corruption into a corruptError and leaves other errors as they are. path is
// the database directory.
func explain(path string, err error) error {
	if !pebble.IsCorruptionError(err) {
		return err
	}
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		return &corruptError{path: info.Path, cause: info.Details}
	}
	return &corruptError{path: path, cause: err}
}

// explainOpen turns what keeps a database from being opened into a corruptError, unless it is the operating system that
// refuses, such as for want of a right or of space.
func explainOpen(path string, err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) && errno != syscall.ENOENT {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	if pebble.IsCorruptionError(err) {
		return explain(path, err)
	}
	return &corruptError{path: path, cause: err}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
