package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/tierdesk/tierdesk/desk"
)

const (
	// MaxFiles bounds the files of one form.
	MaxFiles = 10
	// MaxUpload is the largest form with files that is read, in bytes.
	MaxUpload = MaxFiles*desk.MaxFile + 1<<20
	// smallUpload is how much of a form's files is kept in memory, in bytes; the rest lies on disk until the page is answered.
	smallUpload = 1 << 20
	// maxUploads bounds the larger forms that are read at one time of those who are signed in, maxStrangersUploads those of strangers.
	maxUploads          = 16
	maxStrangersUploads = 4
	// uploadPause bounds a silence within a form, uploadTime the whole of it and the time until its answer.
	uploadPause = 30 * time.Second
	uploadTime  = 15 * time.Minute
)

// Upload is a file that came with a form. It is there until the page is answered.
type Upload struct {
	Name string // as it is shown and stored
	Size int64  // bytes
	// Internal keeps it from requesters; it came with words that they do not see.
	Internal bool

	header  *multipart.FileHeader
	request string // draws the same attachment however often the form comes; empty for a form without an id
	surplus bool   // it came behind as many files as are taken
}

// TakeForm reads a form that may have files with it: its fields, with lines that end in \n alone, and the files in the order in which they
// stand there. A file that cannot be taken is refused when it is attached, so that the words beside it are not lost; so are those beyond
// MaxFiles. The error is one to return; what was read of the fields comes with it. Form reads one without files.
func (v *Visit) TakeForm() (url.Values, []*Upload, error) {
	if !strings.HasPrefix(v.R.Header.Get("Content-Type"), "multipart/form-data") {
		form, err := v.Form()
		return form, nil, err
	}
	if length := v.R.ContentLength; length < 0 || length > smallUpload {
		leave, err := v.enterUpload()
		if err != nil {
			return nil, nil, err
		}
		defer leave()
	}
	control := http.NewResponseController(v.W)
	v.R.Body = struct {
		io.Reader
		io.Closer
	}{&patientReader{http.MaxBytesReader(v.W, v.R.Body, MaxUpload), control, time.Now().Add(uploadTime)}, v.R.Body}
	err := v.R.ParseMultipartForm(smallUpload)
	// The deadline of the last bytes must not end the request while its files are attached.
	_ = control.SetReadDeadline(time.Now().Add(uploadTime))
	v.renew()
	tidy(v.R.PostForm)
	if err != nil {
		return v.R.PostForm, nil, uploadProblem(err)
	}
	if lengthOf(v.R.PostForm) > MaxForm {
		return v.R.PostForm, nil, formTooLarge()
	}
	files := uploadsOf(v.R.MultipartForm, v.R.PostForm.Get("request"))
	v.brought = len(files) > 0
	return v.R.PostForm, files, nil
}

// enterUpload waits until there is room for another large form; who gets no error calls leave.
func (v *Visit) enterUpload() (leave func(), err error) {
	places := v.uploads
	if v.Actor == nil {
		places = v.strangersUploads
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-v.ctx.Done():
		busy := desk.Refuse(desk.ResourceExhausted, "UPLOADS_BUSY", "%d forms with files are being read; send yours again in a moment", cap(places))
		busy.Wait = uploadPause
		return nil, busy
	}
}

// uploadProblem is why a form with files could not be read.
func uploadProblem(err error) error {
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return desk.Refuse(desk.InvalidArgument, "UPLOAD_TOO_LARGE", "the form and its files have more than %d bytes; send fewer files at once", MaxUpload)
	}
	return desk.Refuse(desk.InvalidArgument, "FORM_CUT_OFF", "the form could not be read to its end; send it again")
}

// uploadsOf finds the files of a form, field by field.
func uploadsOf(form *multipart.Form, request string) (found []*Upload) {
	for _, field := range slices.Sorted(maps.Keys(form.File)) {
		for _, header := range form.File[field] {
			f := &Upload{Name: desk.FileName(header.Filename), Size: header.Size, header: header, surplus: len(found) >= MaxFiles}
			if request != "" {
				f.request = request + "-" + strconv.Itoa(len(found)+1)
			}
			found = append(found, f)
		}
	}
	return found
}

// filesOf is where the API takes files of a ticket.
func filesOf(number string) string {
	return "/api/v1/tickets/" + url.PathEscape(number) + "/attachments"
}

// Attach adds a file to a ticket as the visitor. The error is one for Problem.
func (v *Visit) Attach(number string, f *Upload) error { return v.attachAt(filesOf(number), f) }

// attachAt sends a file to where the API takes those of a ticket.
func (v *Visit) attachAt(path string, f *Upload) error {
	switch {
	case f.surplus:
		return desk.Refuse(desk.InvalidArgument, "TOO_MANY_FILES", "a form takes %d files; attach the others afterwards", MaxFiles)
	case f.Size > desk.MaxFile:
		return desk.Refuse(desk.InvalidArgument, "FILE_TOO_LARGE", "the file has %d bytes; at most %d are taken", f.Size, desk.MaxFile)
	case f.Size == 0:
		return desk.Refuse(desk.InvalidArgument, "FILE_EMPTY", "the file is empty; choose another one")
	}
	content, err := f.header.Open()
	if err != nil {
		return fmt.Errorf("open an uploaded file: %w", err)
	}
	defer content.Close()
	defer v.renew()
	query := url.Values{"name": {f.Name}}
	if f.request != "" {
		query.Set("requestId", f.request)
	}
	if f.Internal {
		query.Set("internal", "true")
	}
	r, err := http.NewRequestWithContext(v.R.Context(), http.MethodPost, path+"?"+query.Encode(), content)
	if err != nil {
		return fmt.Errorf("attach a file: %w", err)
	}
	r.ContentLength, r.RemoteAddr = f.Size, v.R.RemoteAddr
	r.Header.Set("Authorization", "Bearer "+v.Token(v.R))
	r.Header.Set("User-Agent", v.R.UserAgent())
	answer := &answer{header: http.Header{}, code: http.StatusOK}
	v.Files.ServeHTTP(answer, r)
	return answer.problem()
}

// AttachAll adds the files of a form to a ticket that the form has changed already. Which of them were refused, and why, is told on the
// page that the visitor sees next.
func (v *Visit) AttachAll(number string, files []*Upload) { v.AttachAllAt(filesOf(number), files) }

// AttachAllAt is AttachAll for where the API takes the files of somebody without an account.
func (v *Visit) AttachAllAt(path string, files []*Upload) {
	var refused []string
	for _, f := range files {
		if err := v.attachAt(path, f); err != nil {
			refused = append(refused, v.Word("file.refused", f.Name, v.Problem(err).Text))
		}
	}
	v.Tell(refused...)
}

// answer is what the API answers inside the process.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header               { return a.header }
func (a *answer) WriteHeader(code int)              { a.code = code }
func (a *answer) Write(content []byte) (int, error) { return a.body.Write(content) }

// problem is the refusal that the answer says, nil where it is none.
func (a *answer) problem() error {
	if a.code == http.StatusOK {
		return nil
	}
	said := new(spb.Status)
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(a.body.Bytes(), said); err != nil || said.GetCode() == int32(codes.OK) {
		return fmt.Errorf("attach a file: the API answers %d", a.code)
	}
	return status.ErrorProto(said)
}

// patientReader reads a body for as long as its bytes come, and not for ever. A connection without deadlines is read as it is.
type patientReader struct {
	from    io.Reader
	control *http.ResponseController
	end     time.Time
}

func (p *patientReader) Read(into []byte) (int, error) {
	now := time.Now()
	if now.After(p.end) {
		return 0, context.DeadlineExceeded
	}
	_ = p.control.SetReadDeadline(now.Add(uploadPause))
	_ = p.control.SetWriteDeadline(now.Add(uploadTime))
	return p.from.Read(into)
}

// FilesAgain tells whether files came with a form that is shown again: they are to be chosen once more where no script has kept them, for
// no browser takes them from a page.
func (f Frame) FilesAgain() bool { return f.visit.brought }

// MaxFiles is how many files a form takes.
func (f Frame) MaxFiles() int { return MaxFiles }

// MaxFileSize is the largest file that is taken, in bytes.
func (f Frame) MaxFileSize() int { return desk.MaxFile }

// MaxFileMiB is the same as people say it.
func (f Frame) MaxFileMiB() int { return desk.MaxFile >> 20 }
