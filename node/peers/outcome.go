package peers

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/replication"
)

// domain marks the reasons that the nodes of a site give each other.
const domain = "tierdesk.peers"

// outcome is one error of replication and how it crosses the wire. The reason is what the other end goes by; the code
// is for people who look at the wire.
type outcome struct {
	err    error
	code   codes.Code
	reason string
}

// outcomes lists the errors that keep their meaning across the wire.
func outcomes() []outcome {
	return []outcome{
		{replication.ErrNotLeader, codes.FailedPrecondition, "NOT_LEADER"},
		{replication.ErrNoQuorum, codes.Unavailable, "NO_QUORUM"},
		{replication.ErrOverloaded, codes.ResourceExhausted, "OVERLOADED"},
		{replication.ErrNoRoom, codes.ResourceExhausted, "NO_ROOM"},
		{replication.ErrUnknownOutcome, codes.DeadlineExceeded, "UNKNOWN_OUTCOME"},
		{replication.ErrRefused, codes.PermissionDenied, "REFUSED"},
	}
}

// reasonOf is the reason that stands for an error; UNKNOWN_OUTCOME for one that is in no table.
func reasonOf(err error) string {
	for _, o := range outcomes() {
		if errors.Is(err, o.err) {
			return o.reason
		}
	}
	return "UNKNOWN_OUTCOME"
}

// meaningOf is the error that a reason stands for, nil when it is in no table.
func meaningOf(reason string) error {
	for _, o := range outcomes() {
		if o.reason == reason {
			return o.err
		}
	}
	return nil
}

// toStatus is how a replica's error leaves the server. What is in no table leaves as Unknown with its text.
func toStatus(err error) error {
	if err == nil {
		return nil
	}
	for _, o := range outcomes() {
		if errors.Is(err, o.err) {
			return withReason(o.code, o.reason, err.Error())
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, err.Error())
	}
	return status.Error(codes.Unknown, err.Error())
}

func withReason(code codes.Code, reason, message string) error {
	st := status.New(code, message)
	detailed, err := st.WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: domain})
	if err != nil {
		return st.Err()
	}
	return detailed.Err()
}

// fromStatus is what an error of a call means to the caller. An answer with a reason means what the other node said. A
// call that never left this node did nothing. Everything else may or may not have been done.
func fromStatus(address string, sent bool, err error) error {
	if err == nil {
		return nil
	}
	st := status.Convert(err)
	for _, detail := range st.Details() {
		info, ok := detail.(*errdetails.ErrorInfo)
		if !ok || info.Domain != domain {
			continue
		}
		if meaning := meaningOf(info.Reason); meaning != nil {
			return &answer{address: address, message: st.Message(), meaning: meaning}
		}
	}
	meaning := replication.ErrUnknownOutcome
	if !sent {
		meaning = replication.ErrUnreachable
	}
	return &answer{address: address, message: st.Message(), meaning: meaning, cause: err}
}

// answer is the error of a call to another node. It wraps what it means for the caller and, when there is one, the
// transport's own error.
type answer struct {
	address string
	message string
	meaning error
	cause   error
}

func (a *answer) Error() string {
	if a.cause == nil {
		return fmt.Sprintf("node at %s: %s", a.address, a.message)
	}
	return fmt.Sprintf("node at %s: %s: %v", a.address, a.meaning, a.message)
}

func (a *answer) Unwrap() []error {
	if a.cause == nil {
		return []error{a.meaning}
	}
	return []error{a.meaning, a.cause}
}
