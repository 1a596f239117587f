package client

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// fakeFiles keeps the one file that it is sent, under whatever name and number.
type fakeFiles struct {
	apipb.UnimplementedAttachmentsServer

	mu      sync.Mutex // guards all below
	about   *apipb.NewAttachment
	content []byte
	refusal error // what every call is answered with
	spoilt  bool  // what is given out differs from what was taken in
	hangs   bool  // nothing is answered
}

func (f *fakeFiles) set(change func(*fakeFiles)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeFiles) AddAttachment(stream grpc.ClientStreamingServer[apipb.AddAttachmentRequest, deskpb.Ticket]) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refusal != nil {
		return f.refusal
	}
	if f.hangs {
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&deskpb.Ticket{Number: f.about.GetNumber()})
		}
		if err != nil {
			return err
		}
		if message.Attachment != nil {
			f.about, f.content = message.Attachment, nil
		}
		f.content = append(f.content, message.Data...)
	}
}

func (f *fakeFiles) GetAttachment(_ *apipb.GetAttachmentRequest, stream grpc.ServerStreamingServer[apipb.GetAttachmentResponse]) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refusal != nil {
		return f.refusal
	}
	sum := sha256.Sum256(f.content)
	err := stream.Send(&apipb.GetAttachmentResponse{Attachment: &deskpb.Attachment{
		Name: f.about.GetName(), Size: int64(len(f.content)), Sha256: hex.EncodeToString(sum[:]),
	}})
	content := bytes.Clone(f.content)
	if f.spoilt {
		content[len(content)/2] ^= 1
	}
	for len(content) > 0 && err == nil {
		n := min(1000, len(content))
		err = stream.Send(&apipb.GetAttachmentResponse{Data: content[:n]})
		content = content[n:]
	}
	return err
}

func TestAFileIsSentAndComesBack(t *testing.T) {
	node := newFakeNode(t, nil)
	s := at(t, node)
	content := bytes.Repeat([]byte("日志\n"), 50_000)
	path := filepath.Join(t.TempDir(), "应用日志.txt")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if words := s.done(t, "attachment", "add", "330106-20261121-0001", path); !strings.Contains(words, "330106-20261121-0001") {
		t.Errorf("it says %q", words)
	}
	node.files.set(func(f *fakeFiles) {
		if f.about.Name != "应用日志.txt" || f.about.Size != int64(len(content)) || f.about.RequestId == "" || !bytes.Equal(f.content, content) {
			t.Errorf("the node got %v and %d bytes", f.about, len(f.content))
		}
	})
	back := filepath.Join(t.TempDir(), "zurück.txt")
	s.done(t, "attachment", "get", "330106-20261121-0001", "id", "-o", back)
	if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes are written, %v", len(got), err)
	}
	if got := s.done(t, "attachment", "get", "330106-20261121-0001", "id", "-o", "-"); got != string(content) {
		t.Errorf("standard output has %d bytes", len(got))
	}
	got := s.run("attachment", "get", "330106-20261121-0001", "id", "-o", back)
	got.oneErrorLine(t, ExitUsage)
	if !strings.Contains(got.stderr, "--output") {
		t.Errorf("over a file that is there it says %q", got.stderr)
	}
}

func TestAFileThatDoesNotComeWholeLeavesNothing(t *testing.T) {
	node := newFakeNode(t, nil)
	node.files.set(func(f *fakeFiles) {
		f.about, f.content, f.spoilt = &apipb.NewAttachment{Name: "a.txt"}, bytes.Repeat([]byte("x"), 5000), true
	})
	path := filepath.Join(t.TempDir(), "a.txt")
	got := at(t, node).run("attachment", "get", "330106-20261121-0001", "id", "-o", path)
	got.oneErrorLine(t, ExitFailed)
	if _, err := os.Stat(path); !strings.Contains(got.stderr, "is not what was attached") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it says %q, and the file is there: %v", got.stderr, err)
	}
}

func TestFilesThatCannotBeSent(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, size int64) string {
		path := filepath.Join(folder, name)
		file, err := os.Create(path)
		if err = errors.Join(err, file.Truncate(size), file.Close()); err != nil {
			t.Fatal(err)
		}
		return path
	}
	small := write("small", 10)
	for _, c := range []struct {
		what, path string
		files      func(*fakeFiles)
		exit       int
		words      string
		wait       time.Duration
	}{
		{"not there", filepath.Join(folder, "nothing"), nil, ExitUsage, "cannot be read", generous},
		{"a folder", folder, nil, ExitUsage, "no plain file", generous},
		{"empty", write("empty", 0), nil, ExitUsage, "0 bytes", generous},
		{"too large", write("large", desk.MaxFile+1), nil, ExitUsage, "it must have 1 to", generous},
		{"infected", small, func(f *fakeFiles) {
			f.refusal = refusal(t, codes.InvalidArgument, "the virus scanner does not let the file pass", "INFECTED", "")
		}, ExitRefused, "virus scanner", generous},
		{"the node hangs", small, func(f *fakeFiles) { f.hangs = true }, ExitUnreachable, "nothing moved for 300ms", 300 * time.Millisecond},
	} {
		t.Run(c.what, func(t *testing.T) {
			node := newFakeNode(t, nil)
			if c.files != nil {
				node.files.set(c.files)
			}
			got := at(t, node).run("attachment", "add", "330106-20261121-0001", c.path, "--timeout", c.wait.String())
			got.oneErrorLine(t, c.exit)
			if !strings.Contains(got.stderr, c.words) {
				t.Errorf("it says %q, want %q", got.stderr, c.words)
			}
		})
	}
}
