package replication

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"

	"github.com/hashicorp/go-hclog"
)

// raftLogger lets Raft write to the logger.
func raftLogger(logger *slog.Logger) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard})
	l.RegisterSink(sink{logger})
	return l
}

type sink struct{ logger *slog.Logger }

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
	s.logger.Log(context.Background(), at, message, attributes...)
}
