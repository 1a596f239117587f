package api

import (
	"bufio"
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

// filePath takes the path of a ticket's files apart; id is empty for all of them.
func filePath(path string) (number, id string, ok bool) {
	rest, ours := strings.CutPrefix(path, "/api/v1/tickets/")
	number, rest, _ = strings.Cut(rest, "/")
	collection, id, one := strings.Cut(rest, "/")
	ok = ours && number != "" && collection == "attachments" && (!one || id != "") && !strings.Contains(id, "/")
	return number, id, ok
}

// TakesFile tells whether the body of a request is a file, which is longer than other bodies and bounded by this package.
func TakesFile(r *http.Request) bool {
	_, id, ok := filePath(r.URL.Path)
	return ok && id == "" && r.Method == http.MethodPost
}

// serveFile answers a request whose body, or whose answer, is a file; false for any other.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) bool {
	number, id, ok := filePath(r.URL.Path)
	switch {
	case TakesFile(r):
		s.takeFile(w, r, number)
	case !ok || id == "":
		return false
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		s.sendFile(w, r, number, id)
	default:
		refuseMethod(w, r, []string{http.MethodGet})
	}
	return true
}

// takeFile adds the body to a ticket.
func (s *Server) takeFile(w http.ResponseWriter, r *http.Request, number string) {
	const method = apipb.Attachments_AddAttachment_FullMethodName
	begin := time.Now()
	q, problem := newAttachment(r, number)
	if problem != nil {
		writeError(w, problem.http, refusalStatus(problem.refusal))
		return
	}
	var ticket *deskpb.Ticket
	err := s.transfer(r, method, q, func(ctx context.Context) (err error) {
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
		if name != "name" && name != "requestId" && name != "sha256" {
			return nil, &badBody{http.StatusBadRequest, desk.RefuseField(name, "is no parameter of this call; it takes name, requestId, sha256")}
		}
	}
	return &apipb.NewAttachment{
		Number: number, RequestId: query.Get("requestId"), Name: query.Get("name"), Size: r.ContentLength, Sha256: query.Get("sha256"),
	}, nil
}

// sendFile answers with a file.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, number, id string) {
	const method = apipb.Attachments_GetAttachment_FullMethodName
	begin, answered := time.Now(), false
	err := s.transfer(r, method, &apipb.GetAttachmentRequest{Number: number, Id: id}, func(ctx context.Context) error {
		leave, err := s.files.enter()
		if err != nil {
			return err
		}
		defer leave()
		found, content, err := s.files.open(ctx, number, id)
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
// a token of somebody who may, and has a deadline.
func (s *Server) transfer(r *http.Request, method string, request any, do func(ctx context.Context) error) error {
	call, err := s.intake.admit()
	if err != nil {
		return err
	}
	defer call.end()
	ctx, cancel := context.WithTimeout(r.Context(), transferTime)
	defer cancel()
	ctx = metadata.NewIncomingContext(ctx, metadata.Pairs(
		"authorization", r.Header.Get("Authorization"), "if-match", r.Header.Get("If-Match")))
	return s.authorised(ctx, method, request, do)
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
