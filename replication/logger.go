package replication

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
)

// raftLogger lets Raft write to the logger, which is told of equal messages about the same node a few times a minute.
func raftLogger(logger *slog.Logger) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard})
	l.RegisterSink(sink{logger, newRepeats(time.Now)})
	return l
}

type sink struct {
	logger  *slog.Logger
	repeats *repeats
}

// Accept passes one message on. Keys that are no strings and lazily formatted values are made text.
func (s sink) Accept(_ string, level hclog.Level, message string, args ...any) {
	at := slog.LevelDebug
	switch level {
	case hclog.Info:
		at = slog.LevelInfo
	case hclog.Warn:
		at = slog.LevelWarn
	case hclog.Error:
		at = slog.LevelError
	}
	if message == "failed to accept connection" && slices.Contains(args, any(net.ErrClosed)) {
		at = slog.LevelDebug // Raft says so at every orderly stop
	}
	if !s.logger.Enabled(context.Background(), at) {
		return
	}
	attributes := make([]any, len(args))
	for i, arg := range args {
		attributes[i] = arg
		if f, ok := arg.(hclog.Format); ok && len(f) > 0 {
			attributes[i] = fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
		}
	}
	held, ok := s.repeats.tell(message + " " + whom(attributes))
	if !ok {
		return
	}
	if held > 0 {
		attributes = append(attributes, "held_back", held)
	}
	s.logger.Log(context.Background(), at, message, attributes...)
}

// whom is the node that a message is about, "" when it names none: what else stands in it may differ each time.
func whom(attributes []any) string {
	for i := 0; i+1 < len(attributes); i += 2 {
		switch attributes[i] {
		case "peer", "target", "server-id", "from", "remote-address":
			return fmt.Sprint(attributes[i+1])
		}
	}
	return ""
}
