package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// sheet is a form with files as a browser sends it.
type sheet struct {
	bytes.Buffer
	*multipart.Writer
}

func newSheet() *sheet {
	s := new(sheet)
	s.Writer = multipart.NewWriter(&s.Buffer)
	return s
}

func (s *sheet) file(t *testing.T, name string, size int) {
	t.Helper()
	into, err := s.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := into.Write(bytes.Repeat([]byte("x"), size)); err != nil {
		t.Fatal(err)
	}
}

// visit is one of somebody who sends the form.
func (s *sheet) visit(t *testing.T) *Visit {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/t/330106-20261121-0001/reply", &s.Buffer)
	r.Header.Set("Content-Type", s.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "tierdesk_330106", Value: "session-of-li"})
	return visitOf(t, r)
}

// visitOf is the visit that a request makes.
func visitOf(t *testing.T, r *http.Request) *Visit {
	t.Helper()
	return newKit(t).Visit(t.Context(), httptest.NewRecorder(), r)
}

func reasonOf(err error) string {
	var refusal *desk.Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	return fmt.Sprint(err)
}

func TestAFormWithFilesIsTakenWithWhatItSays(t *testing.T) {
	s := newSheet()
	_ = s.WriteField("text", "第一行\r\n第二行")
	_ = s.WriteField("request", "R1")
	s.file(t, `C:\Users\li\截图.png`, 3)
	s.file(t, "log.txt", 2<<20)
	v := s.visit(t)
	form, files, err := v.TakeForm()
	if err != nil {
		t.Fatal(err)
	}
	if got := form.Get("text"); got != "第一行\n第二行" {
		t.Errorf("the text came as %q", got)
	}
	if len(files) != 2 || files[0].Name != "截图.png" || files[0].Size != 3 || files[1].Name != "log.txt" || files[1].Size != 2<<20 {
		t.Errorf("the files came as %+v", files)
	}
	spooled, err := files[1].header.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer spooled.Close()
	onDisk, ok := spooled.(*os.File)
	if !ok {
		t.Fatal("a file of 2 MiB is kept in memory")
	}
	v.end()
	if _, err := os.Stat(onDisk.Name()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file lies on disk after the answer: %v", err)
	}
}

func TestAFormWithoutFilesIsTakenToo(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/desk/new", strings.NewReader("title=a%0D%0Ab"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	form, files, err := visitOf(t, r).TakeForm()
	if err != nil || len(files) != 0 || form.Get("title") != "a\nb" {
		t.Errorf("got %v, %d files, %v", form, len(files), err)
	}
}

func TestTheWordsBesideFilesAreBounded(t *testing.T) {
	s := newSheet()
	_ = s.WriteField("text", strings.Repeat("x", MaxForm+1))
	form, _, err := s.visit(t).TakeForm()
	if reasonOf(err) != "FORM_TOO_LARGE" {
		t.Errorf("a text of %d bytes: %v", MaxForm+1, err)
	}
	if form.Get("text") == "" {
		t.Error("what was typed is lost")
	}
}

func TestAFormThatIsCutOffIsRefused(t *testing.T) {
	s := newSheet()
	s.file(t, "a.txt", 100)
	v := s.visit(t)
	v.R.Body = io.NopCloser(io.MultiReader(io.LimitReader(v.R.Body, 150), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if _, _, err := v.TakeForm(); reasonOf(err) != "FORM_CUT_OFF" {
		t.Errorf("half a form: %v", err)
	}
}

// filesAPI is an API that takes files and remembers their requests.
type filesAPI struct {
	requests []*http.Request
	contents []string
	refusal  string
}

func (a *filesAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, _ := io.ReadAll(r.Body)
	a.requests, a.contents = append(a.requests, r), append(a.contents, string(content))
	if a.refusal != "" {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, a.refusal)
		return
	}
	_, _ = io.WriteString(w, "{}")
}

func TestFilesAreAttachedAsTheVisitor(t *testing.T) {
	s := newSheet()
	_ = s.WriteField("request", "R1")
	s.file(t, "a b.txt", 3)
	s.file(t, "empty.txt", 0)
	v := s.visit(t)
	api := new(filesAPI)
	v.Files = api
	_, files, err := v.TakeForm()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Attach("330106-20261121-0001", files[0]); err != nil {
		t.Fatal(err)
	}
	if err := v.Attach("330106-20261121-0001", files[1]); reasonOf(err) != "FILE_EMPTY" {
		t.Errorf("an empty file: %v", err)
	}
	if len(api.requests) != 1 {
		t.Fatalf("the API was asked %d times", len(api.requests))
	}
	r := api.requests[0]
	if r.Method != http.MethodPost || r.URL.Path != "/api/v1/tickets/330106-20261121-0001/attachments" ||
		r.URL.Query().Get("name") != "a b.txt" || r.URL.Query().Get("requestId") != "R1-1" || r.ContentLength != 3 {
		t.Errorf("the API was asked %s %s with %d bytes", r.Method, r.URL, r.ContentLength)
	}
	if got := r.Header.Get("Authorization"); got != "Bearer session-of-li" {
		t.Errorf("the API was asked as %q", got)
	}
	if api.contents[0] != "xxx" {
		t.Errorf("the API was sent %q", api.contents[0])
	}
}

func TestARefusedFileIsToldOnTheNextPage(t *testing.T) {
	s := newSheet()
	s.file(t, "a.txt", 3)
	v := s.visit(t)
	v.Files = &filesAPI{refusal: `{"code":7,"message":"not you","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"NOT_YOURS"}]}`}
	_, files, err := v.TakeForm()
	if err != nil {
		t.Fatal(err)
	}
	if problem := v.Problem(v.Attach("330106-20261121-0001", files[0])); problem.Status != http.StatusForbidden || problem.Reason != "NOT_YOURS" {
		t.Errorf("the refusal is told as %+v", problem)
	}
	v.AttachAll("330106-20261121-0001", files)

	next := httptest.NewRequest(http.MethodGet, "/t/330106-20261121-0001?done=x", nil)
	for _, cookie := range v.W.(*httptest.ResponseRecorder).Result().Cookies() {
		next.AddCookie(cookie)
	}
	then := visitOf(t, next)
	if told := then.Frame("").Refused; len(told) != 1 || !strings.Contains(told[0], "a.txt") {
		t.Errorf("the next page tells %q", told)
	}
	gone := false
	for _, cookie := range then.W.(*httptest.ResponseRecorder).Result().Cookies() {
		gone = gone || cookie.Name == toldCookie && cookie.MaxAge < 0
	}
	if !gone {
		t.Error("the messages are told again and again")
	}
}

func TestFilesBeyondTheBoundsAreRefusedByThemselves(t *testing.T) {
	s := newSheet()
	for i := range MaxFiles + 1 {
		s.file(t, fmt.Sprintf("%d.txt", i), 1)
	}
	v := s.visit(t)
	v.Files = new(filesAPI)
	_, files, err := v.TakeForm()
	if err != nil || len(files) != MaxFiles+1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for i, f := range files {
		want := ""
		if i == MaxFiles {
			want = "TOO_MANY_FILES"
		}
		if err := v.Attach("330106-20261121-0001", f); (err != nil || want != "") && reasonOf(err) != want {
			t.Errorf("file %d: %v, want %q", i, err, want)
		}
	}
	if err := v.Attach("330106-20261121-0001", &Upload{Size: desk.MaxFile + 1}); reasonOf(err) != "FILE_TOO_LARGE" {
		t.Errorf("a file that is too large: %v", err)
	}
}

func TestStrangersKeepNoPlaceOfThoseWhoAreSignedIn(t *testing.T) {
	large := func(ctx context.Context, k *Kit, actor *deskpb.Actor) error {
		s := newSheet()
		s.file(t, "a.bin", smallUpload+1)
		v := s.visit(t)
		v.Kit, v.Actor, v.ctx = k, actor, ctx
		_, _, err := v.TakeForm()
		v.end()
		return err
	}
	k := newKit(t)
	for range cap(k.strangersUploads) {
		k.strangersUploads <- struct{}{}
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := large(impatient, k, nil); reasonOf(err) != "UPLOADS_BUSY" {
		t.Errorf("a stranger more than there are places for: %v", err)
	}
	if err := large(t.Context(), k, &deskpb.Actor{User: "li"}); err != nil {
		t.Errorf("somebody who is signed in, beside so many strangers: %v", err)
	}
}

func TestABrowserLearnsWhichFormWasTaken(t *testing.T) {
	for name, c := range map[string]struct{ method, request, want string }{
		"a form":              {http.MethodPost, "R-1_a.b", "R-1_a.b"},
		"a form without id":   {http.MethodPost, "", ""},
		"an id of other kind": {http.MethodPost, "a;b", ""},
		"a page":              {http.MethodGet, "R1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "/desk/new", nil)
			r.PostForm = url.Values{"request": {c.request}}
			v := visitOf(t, r)
			if err := v.Redirect("/t/330106-20261121-0001?done=new"); err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, cookie := range v.W.(*httptest.ResponseRecorder).Result().Cookies() {
				if cookie.Name == sentCookie {
					got = cookie.Value
				}
			}
			if got != c.want {
				t.Errorf("the browser is told %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzToldTakesAnyCookie(f *testing.F) {
	f.Add("")
	f.Add("WyJhIl0")
	f.Add("!!")
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", toldCookie+"="+value)
		visitOf(t, r).told()
	})
}
