package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal opens a pseudo-terminal: what a person types into keyboard is read from screen.
func openTerminal(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	index, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", index), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		keyboard.Close()
		screen.Close()
	})
	return keyboard, screen
}

// echoes tells whether the terminal shows what is typed.
func echoes(t *testing.T, screen *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(screen.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// awaitEcho waits until the terminal's echo is as wanted.
func awaitEcho(t *testing.T, screen *os.File, want bool) {
	t.Helper()
	for deadline := time.Now().Add(generous); echoes(t, screen) != want; {
		if time.Now().After(deadline) {
			t.Fatalf("the terminal's echo is %t after %v, want %t", !want, generous, want)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestPromptReadsWithoutEcho(t *testing.T) {
	keyboard, screen := openTerminal(t)
	typed := make(chan error, 1)
	go func() {
		for echoing := true; echoing; time.Sleep(time.Millisecond) {
			state, err := unix.IoctlGetTermios(int(screen.Fd()), unix.TCGETS)
			if err != nil {
				typed <- err
				return
			}
			echoing = state.Lflag&unix.ECHO != 0
		}
		_, err := keyboard.WriteString("s3cret\n")
		typed <- err
	}()
	var question bytes.Buffer
	got, err := TerminalPrompt(screen, &question)(t.Context(), "Password: ")
	if err != nil || got != "s3cret" || question.String() != "Password: \n" {
		t.Errorf("got %q, %v, asked %q; want s3cret", got, err, question.String())
	}
	if err := <-typed; err != nil {
		t.Error(err)
	}
	if !echoes(t, screen) {
		t.Error("the terminal does not echo any more")
	}
}

func TestInterruptedPromptRestoresTheEcho(t *testing.T) {
	keyboard, screen := openTerminal(t)
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := TerminalPrompt(screen, new(bytes.Buffer))(ctx, "Password: ")
		ended <- err
	}()
	awaitEcho(t, screen, false)
	interrupt()
	if err := <-ended; !errors.Is(err, context.Canceled) || ExitCode(err) != ExitFailed {
		t.Errorf("the prompt ended with %v, exit %d; want an interrupt and exit %d", err, ExitCode(err), ExitFailed)
	}
	awaitEcho(t, screen, true)
	// The read that cannot be broken off ends with the line, so that no goroutine outlives the test.
	if _, err := keyboard.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
}

func TestAPipeIsNoTerminal(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	if TerminalPrompt(in, out) != nil {
		t.Error("a pipe has a prompt")
	}
}
