package client

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/identity"
)

// maxAuditLine bounds a line of an exported log, in bytes.
const maxAuditLine = 4 << 20

// auditLine is one line of an exported log: a checkpoint, an entry, or the end, which says how many of both there are. Checkpoints
// come first.
type auditLine struct {
	Checkpoint *auditCheckpoint `json:"checkpoint,omitempty"`
	Entry      *audit.Line      `json:"entry,omitempty"`
	End        *auditEnd        `json:"end,omitempty"`
}

type auditCheckpoint struct {
	Site      string `json:"site"`
	Node      string `json:"node"`
	Time      string `json:"time"`
	Sequence  uint32 `json:"sequence"`
	Witnessed bool   `json:"witnessed,omitempty"`
	Raw       []byte `json:"raw"`
}

type auditEnd struct {
	Entries     int `json:"entries"`
	Checkpoints int `json:"checkpoints"`
}

// auditFile is an export that is being written. It appears under its name when it is whole.
type auditFile struct {
	path                 string
	file                 *os.File // nil once it is finished
	out                  *bufio.Writer
	lines                *json.Encoder
	entries, checkpoints int
	err                  error // the first one
}

func newAuditFile(path string) (*auditFile, error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return nil, Usage("FILE %s cannot be written: %v", path, err)
	}
	out := bufio.NewWriter(file)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	return &auditFile{path: path, file: file, out: out, lines: lines}, nil
}

func (f *auditFile) entry(l audit.Line) {
	f.entries++
	f.write(auditLine{Entry: &l})
}

func (f *auditFile) checkpoint(c *apipb.AuditCheckpoint) {
	f.checkpoints++
	f.write(auditLine{Checkpoint: &auditCheckpoint{
		Site: c.GetSite(), Node: c.GetNode(), Time: c.GetTime().AsTime().Format(time.RFC3339), Sequence: c.GetSequence(),
		Witnessed: c.GetWitnessed(), Raw: c.GetRaw(),
	}})
}

func (f *auditFile) write(l auditLine) {
	if f.err == nil {
		f.err = f.lines.Encode(l)
	}
}

// finish writes the end and gives the file its name.
func (f *auditFile) finish() error {
	f.write(auditLine{End: &auditEnd{Entries: f.entries, Checkpoints: f.checkpoints}})
	err := errors.Join(f.err, f.out.Flush(), f.file.Sync(), f.file.Close())
	if err == nil {
		err = os.Rename(f.file.Name(), f.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", f.path, err), os.Remove(f.file.Name()))
	}
	f.file = nil
	return syncDirectory(filepath.Dir(f.path))
}

// discard deletes what was begun, unless it is finished.
func (f *auditFile) discard() {
	if f.file != nil {
		_ = f.file.Close() // nothing of it is kept
		_ = os.Remove(f.file.Name())
	}
}

// voucher holds signatures against the authority in a file; nil without one.
func voucher(file string) (audit.Voucher, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, Usage("--ca: %v", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, Usage("--ca %s holds no certificate: give a file in PEM form", file)
	}
	return func(certificates [][]byte, message, signature []byte, at time.Time) (string, string, error) {
		return identity.VerifySignature(roots, certificates, message, signature, at)
	}, nil
}

// verifyFiles walks through an exported log, with the checkpoints in it and those of another file, which the parent keeps. What a
// file says of itself counts for nothing that its own site could have written: only that other file is a witness.
func verifyFiles(path, witness string, vouch audit.Voucher) (audit.Report, error) {
	walk := &audit.Walk{Vouch: vouch}
	if witness != "" {
		err := readAuditFile(witness, func(c *deskpb.AuditCheckpoint) { walk.Hold([]audit.Held{{AuditCheckpoint: c, Witnessed: true}}) }, nil)
		if err != nil {
			return audit.Report{}, err
		}
	}
	var dishonest []string
	err := readAuditFile(path, func(c *deskpb.AuditCheckpoint) { walk.Hold([]audit.Held{{AuditCheckpoint: c}}) }, func(l audit.Line) {
		if !l.Honest() && len(dishonest) == 0 {
			dishonest = append(dishonest, fmt.Sprintf("entry %d does not fit: the line says something else than its bytes", l.Sequence))
		}
		walk.Next(l.Sequence, l.Raw)
	})
	if err != nil {
		return audit.Report{}, err
	}
	walk.End(0, nil)
	report := walk.Report()
	report.Problems = append(dishonest, report.Problems...)
	return report, nil
}

// readAuditFile visits the checkpoints and the entries of an exported log in their order. entry is nil where only checkpoints are
// wanted.
func readAuditFile(path string, checkpoint func(*deskpb.AuditCheckpoint), entry func(audit.Line)) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return Usage("FILE: %v", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	damaged := func(line int, why string) error {
		return &Failure{Code: ExitFailed, Line: fmt.Sprintf("%s, line %d: %s", path, line, why)}
	}
	in := bufio.NewScanner(file)
	in.Buffer(make([]byte, 0, 64<<10), maxAuditLine)
	var seen auditEnd
	for number := 1; in.Scan(); number++ {
		var l auditLine
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return damaged(number, "it is not a line of an exported audit log: "+err.Error())
		}
		switch {
		case l.Entry != nil:
			seen.Entries++
			if entry != nil {
				entry(*l.Entry)
			}
		case l.Checkpoint != nil:
			seen.Checkpoints++
			c := &deskpb.AuditCheckpoint{}
			if err := proto.Unmarshal(l.Checkpoint.Raw, c); err != nil {
				return damaged(number, "the checkpoint cannot be decoded")
			}
			checkpoint(c)
		case l.End != nil && *l.End == seen:
			if in.Scan() {
				return damaged(number+1, "there is more behind the end")
			}
			return in.Err()
		default:
			return damaged(number, fmt.Sprintf("the end names other numbers than the %d entries and %d checkpoints that are there", seen.Entries, seen.Checkpoints))
		}
	}
	if err := in.Err(); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return damaged(seen.Entries+seen.Checkpoints+1, "the file ends too early; export it again")
}
