package api

import (
	"errors"
	"fmt"
	"net/http"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/tierdesk/tierdesk/desk"
)

// errorDomain says whose reasons the ErrorInfo details carry.
const errorDomain = "tierdesk"

// reasonOutcomeUnknown marks a write that may or may not have happened.
const reasonOutcomeUnknown = "OUTCOME_UNKNOWN"

// codeRule says how a gRPC code shows in JSON over HTTP.
type codeRule struct {
	http   int
	reason string // ErrorInfo.reason when the error brings none of its own
	retry  bool   // worth trying again soon: the answer carries Retry-After
}

// ruleOf is the table of codes. FAILED_PRECONDITION is a conflict with the ticket's state, so it is 409 and not the 400
// of Google's mapping.
func ruleOf(code codes.Code) codeRule {
	switch code {
	case codes.OK:
		return codeRule{http: http.StatusOK}
	case codes.InvalidArgument, codes.OutOfRange:
		return codeRule{http: http.StatusBadRequest, reason: "INVALID_REQUEST"}
	case codes.Unauthenticated:
		return codeRule{http: http.StatusUnauthorized, reason: "UNAUTHENTICATED"}
	case codes.PermissionDenied:
		return codeRule{http: http.StatusForbidden, reason: "PERMISSION_DENIED"}
	case codes.NotFound:
		return codeRule{http: http.StatusNotFound, reason: "NOT_FOUND"}
	case codes.AlreadyExists:
		return codeRule{http: http.StatusConflict, reason: "ALREADY_EXISTS"}
	case codes.Aborted:
		return codeRule{http: http.StatusConflict, reason: "ABORTED"}
	case codes.FailedPrecondition:
		return codeRule{http: http.StatusConflict, reason: "FAILED_PRECONDITION"}
	case codes.ResourceExhausted:
		return codeRule{http: http.StatusTooManyRequests, reason: "OVERLOADED", retry: true}
	case codes.Unavailable:
		return codeRule{http: http.StatusServiceUnavailable, reason: "UNAVAILABLE", retry: true}
	case codes.DeadlineExceeded:
		return codeRule{http: http.StatusGatewayTimeout, reason: "DEADLINE_EXCEEDED"}
	case codes.Canceled:
		return codeRule{http: 499, reason: "CANCELED"}
	case codes.Unimplemented:
		return codeRule{http: http.StatusNotImplemented, reason: "UNIMPLEMENTED"}
	default:
		return codeRule{http: http.StatusInternalServerError, reason: "INTERNAL"}
	}
}

// panicError is a panic of a method, with the stack for the log.
type panicError struct {
	cause any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.cause) }

// statusOf makes the status that the caller of a method gets. Faults are logged here and told without their cause, so
// that nothing of the inside leaves the node.
func (s *Server) statusOf(method string, err error) *status.Status {
	var refusal *desk.Refusal
	if errors.As(err, &refusal) {
		return refusalStatus(refusal)
	}
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	switch st.Code() {
	case codes.Unknown, codes.Internal, codes.DataLoss:
		attributes := []any{"method", method, "error", err}
		var panicked *panicError
		if errors.As(err, &panicked) {
			attributes = append(attributes, "stack", string(panicked.stack))
		}
		s.log.Error("call broke down", attributes...)
		st = status.New(codes.Internal, "the node could not do this; its log has the cause")
	case codes.DeadlineExceeded:
		st = s.lateStatus(method)
	}
	return withReason(st)
}

// lateStatus says what is known of a call that ran out of time: a read changed nothing, the outcome of a write is
// unknown.
func (s *Server) lateStatus(method string) *status.Status {
	if !s.routes.writes(method) {
		return status.New(codes.DeadlineExceeded, "no answer in time; try again")
	}
	return detailed(codes.DeadlineExceeded,
		"no answer in time: the outcome is unknown; the same request with the same requestId can be sent again and takes effect once",
		errorInfo(reasonOutcomeUnknown))
}

// refusalStatus renders a refusal of the rules.
func refusalStatus(r *desk.Refusal) *status.Status {
	code := codes.Code(r.Code)
	reason := r.Reason
	if reason == "" {
		reason = ruleOf(code).reason
	}
	details := []protoadapt.MessageV1{errorInfo(reason)}
	if r.Field != "" {
		details = append(details, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: r.Field, Description: r.Message},
		}})
	}
	return detailed(code, r.Message, details...)
}

func errorInfo(reason string) *errdetails.ErrorInfo {
	return &errdetails.ErrorInfo{Reason: reason, Domain: errorDomain}
}

// withReason gives a status the reason of its code when it has none.
func withReason(st *status.Status) *status.Status {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() != "" {
			return st
		}
	}
	if with, err := st.WithDetails(errorInfo(ruleOf(st.Code()).reason)); err == nil {
		return with
	}
	return st
}

// detailed makes a status with details; without them should they not encode.
func detailed(code codes.Code, message string, details ...protoadapt.MessageV1) *status.Status {
	st := status.New(code, message)
	if with, err := st.WithDetails(details...); err == nil {
		return with
	}
	return st
}
