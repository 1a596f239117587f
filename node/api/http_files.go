package api

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

const (
	// transferTime bounds one file over HTTP, transferPause a silence within it.
	transferTime  = 10 * time.Minute
	transferPause = 30 * time.Second
)

// Where the files of tickets are, and those of the problems that guests have links to.
const (
	ticketFiles  = "/api/v1/tickets/"
	problemFiles = "/api/v1/portal/problems/"
)

// fileCall is a call about a ticket's files.
type fileCall struct {
	number string // of the ticket; of a guest's call the link says it
	token  string // the secret of a guest's link; empty for a caller who is signed in
	id     string // of one file; empty for all of them
}

// filePath takes the path of such a call apart.
func filePath(path string) (call fileCall, ok bool) {
	rest, ofGuest := strings.CutPrefix(path, problemFiles)
	ours := ofGuest
	if !ofGuest {
		rest, ours = strings.CutPrefix(path, ticketFiles)
	}
	whose, rest, _ := strings.Cut(rest, "/")
	collection, id, one := strings.Cut(rest, "/")
	if !ours || whose == "" || collection != "attachments" || one && id == "" || strings.Contains(id, "/") {
		return fileCall{}, false
	}
	if ofGuest {
		return fileCall{token: whose, id: id}, true
	}
	return fileCall{number: whose, id: id}, true
}

// TakesFile tells whether the body of a request is a file, which is longer than other bodies and bounded by this package.
func TakesFile(r *http.Request) bool {
	call, ok := filePath(r.URL.Path)
	return ok && call.id == "" && r.Method == http.MethodPost
}

// serveFile answers a request whose body, or whose answer, is a file; false for any other.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) bool {
	call, ok := filePath(r.URL.Path)
	switch {
	case TakesFile(r):
		s.takeFile(w, r, call)
	case !ok || call.id == "":
		return false
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		s.sendFile(w, r, call)
	default:
		refuseMethod(w, r, []string{http.MethodGet})
	}
	return true
}

// takeFile adds the body to a ticket.
func (s *Server) takeFile(w http.ResponseWriter, r *http.Request, call fileCall) {
	const method = apipb.Attachments_AddAttachment_FullMethodName
	begin := time.Now()
	q, problem := newAttachment(r, call.number)
	if problem != nil {
		writeError(w, problem.http, refusalStatus(problem.refusal))
		return
	}
	var ticket *deskpb.Ticket
	err := s.transfer(r, call, method, q, func(ctx context.Context) (err error) {
		if call.token != "" {
			if err := s.portal.takesFile(ctx, q); err != nil {
				return err
			}
		}
		body := &patientReader{from: http.MaxBytesReader(w, r.Body, q.Size), control: http.NewResponseController(w)}
		ticket, err = s.files.add(ctx, q, body)
		return err
	})
	if err != nil {
		st := s.statusOf(r.Context(), method, q, err)
		s.metrics.observe(method, st.Code(), time.Since(begin))
		writeError(w, ruleOf(st.Code()).http, st)
		return
	}
	s.metrics.observe(method, codes.OK, time.Since(begin))
	_ = setETag(r.Context(), w, ticket)
	w.Header().Set("Content-Type", "application/json")
	encoded, err := jsonMarshaler().Marshal(ticket)
	if err != nil {
		encoded = []byte("{}") // it was attached all the same
	}
	_, _ = w.Write(encoded) // the caller is gone when it fails
}

// newAttachment reads what is added from the request line and its headers.
func newAttachment(r *http.Request, number string) (*apipb.NewAttachment, *badBody) {
	switch {
	case r.ContentLength < 0:
		return nil, &badBody{http.StatusLengthRequired, desk.Refuse(desk.InvalidArgument, "LENGTH_REQUIRED",
			"the length of the file is not said; send it with a Content-Length")}
	case r.ContentLength > desk.MaxFile:
		return nil, &badBody{http.StatusRequestEntityTooLarge, desk.Refuse(desk.InvalidArgument, "BODY_TOO_LARGE",
			"the file has %d bytes; at most %d are taken", r.ContentLength, desk.MaxFile)}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &badBody{http.StatusBadRequest, desk.Refuse(desk.InvalidArgument, "INVALID_QUERY",
			"the query string is malformed; percent-encode its values")}
	}
	for name := range query {
		if name != "name" && name != "requestId" && name != "sha256" && name != "internal" {
			return nil, &badBody{http.StatusBadRequest, desk.RefuseField(name, "is no parameter of this call; it takes name, requestId, sha256, internal")}
		}
	}
	internal, err := strconv.ParseBool(cmp.Or(query.Get("internal"), "false"))
	if err != nil {
		return nil, &badBody{http.StatusBadRequest, desk.RefuseField("internal", "%.40q is neither true nor false", query.Get("internal"))}
	}
	return &apipb.NewAttachment{
		Number: number, RequestId: query.Get("requestId"), Name: query.Get("name"), Size: r.ContentLength, Sha256: query.Get("sha256"),
		Internal: internal,
	}, nil
}

// sendFile answers with a file.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, call fileCall) {
	const method = apipb.Attachments_GetAttachment_FullMethodName
	begin, answered := time.Now(), false
	q := &apipb.GetAttachmentRequest{Number: call.number, Id: call.id}
	err := s.transfer(r, call, method, q, func(ctx context.Context) error {
		leave, err := s.files.enter()
		if err != nil {
			return err
		}
		defer leave()
		if call.token != "" {
			q.Number = callerOf(ctx).actor.GetTicket()
		}
		found, content, err := s.files.open(ctx, q.GetNumber(), q.GetId())
		if err != nil {
			return err
		}
		buffered := bufio.NewReaderSize(content, transferBytes)
		head, err := buffered.Peek(sniffBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		setFileHeaders(w.Header(), found.GetName(), head)
		w.Header().Set("Content-Length", strconv.FormatInt(found.GetSize(), 10))
		answered = true
		if r.Method == http.MethodHead {
			return nil
		}
		_, err = io.CopyBuffer(patientWriter{w, http.NewResponseController(w)}, struct{ io.Reader }{buffered}, make([]byte, transferBytes))
		return err
	})
	if err == nil {
		s.metrics.observe(method, codes.OK, time.Since(begin))
		return
	}
	st := s.statusOf(r.Context(), method, nil, err)
	s.metrics.observe(method, st.Code(), time.Since(begin))
	if answered {
		return // the answer is shorter than it said, which the caller sees
	}
	writeError(w, ruleOf(st.Code()).http, st)
}

// transfer does with a file over HTTP what the interceptors do with a call: it is counted among those under way, must carry
// a token of somebody who may, or the secret of a guest's link, and has a deadline.
func (s *Server) transfer(r *http.Request, by fileCall, method string, request any, do func(ctx context.Context) error) error {
	call, err := s.intake.admit()
	if err != nil {
		return err
	}
	defer call.end()
	ctx, cancel := context.WithTimeout(r.Context(), transferTime)
	defer cancel()
	ctx = metadata.NewIncomingContext(ctx, metadata.Pairs(
		"authorization", r.Header.Get("Authorization"), "if-match", r.Header.Get("If-Match")))
	if by.token == "" {
		return s.authorised(ctx, method, request, do)
	}
	ctx, _, err = s.portal.admit(ctx, by.token)
	if err != nil {
		return err
	}
	return do(ctx)
}

// patientReader reads a body for as long as its bytes come. A connection without deadlines is read as it is.
type patientReader struct {
	from    io.Reader
	control *http.ResponseController
}

func (p *patientReader) Read(into []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(transferPause))
	_ = p.control.SetWriteDeadline(time.Now().Add(transferTime))
	n, err := p.from.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		err = desk.Refuse(desk.InvalidArgument, "BODY_CUT_OFF", "the file could not be read to its end; send it again")
	}
	return n, err
}

// patientWriter writes an answer for as long as the other end takes it.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p patientWriter) Write(content []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(transferPause))
	return p.ResponseWriter.Write(content)
}
