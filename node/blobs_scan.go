package node

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"time"

	"github.com/tierdesk/tierdesk/desk"
)

const (
	// scanPatience bounds one run of the scanner.
	scanPatience = time.Minute
	// scanFarewell is how long a scanner that was killed may keep its output open.
	scanFarewell = time.Second
	// infected is the exit code by which a scanner says that it found something.
	infected = 1
)

// scanner is the external command that looks at every file before it is stored: at one that somebody adds here, and at one
// that comes from another site. It reads the file from its standard input and exits with 0 for a clean one, 1 for an
// infected one; anything else means that it could not look.
type scanner struct {
	command  []string // name and arguments; empty: nothing is scanned
	patience time.Duration
	log      *slog.Logger
}

// check returns a refusal unless the file is clean. It reads the file from its beginning.
func (s scanner) check(ctx context.Context, file io.ReadSeeker) error {
	if len(s.command) == 0 {
		return nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	command := exec.CommandContext(ctx, s.command[0], s.command[1:]...)
	command.Stdin, command.WaitDelay = file, scanFarewell
	err := command.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && errors.As(err, &ended) && ended.ExitCode() == infected:
		return refuseInfected()
	}
	s.log.Error("the virus scanner does not work, so no attachment is taken", "command", s.command[0], "error", err)
	return desk.Refuse(desk.Unavailable, "NOT_SCANNED", "the file could not be checked for viruses; try again, and tell the operator when it stays so")
}

func refuseInfected() error {
	return desk.Refuse(desk.InvalidArgument, "INFECTED", "the virus scanner of this site does not let the file pass; clean it, or leave it out")
}

// isInfected tells whether the scanner refused a file.
func isInfected(err error) bool {
	var refusal *desk.Refusal
	return errors.As(err, &refusal) && refusal.Reason == "INFECTED"
}
