package authority

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Entry is a certificate that was issued, as the ledger has it: one line when it is issued, and when it is revoked another
// one with the serial number and the time alone. Lines are only added.
type Entry struct {
	Serial    string    `json:"serial"` // 32 hexadecimal digits
	Site      string    `json:"site,omitempty"`
	Node      string    `json:"node,omitempty"`
	Hosts     []string  `json:"hosts,omitempty"`
	Issued    time.Time `json:"issued,omitzero"`
	Expires   time.Time `json:"expires,omitzero"`
	RevokedAt time.Time `json:"revoked,omitzero"` // zero: it counts
}

// Revoked tells whether nobody should trust the certificate any more.
func (e Entry) Revoked() bool { return !e.RevokedAt.IsZero() }

// Lifetime is for how long it was issued.
func (e Entry) Lifetime() time.Duration { return e.Expires.Sub(e.Issued) }

// List returns every certificate that was issued, in that order.
func (a *Authority) List() ([]Entry, error) {
	text, err := os.ReadFile(filepath.Join(a.dir, ledgerFile))
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	var entries []Entry
	at := make(map[string]int)
	for number := 1; len(text) > 0; number++ {
		one, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			break // the writer was cut off before anybody got the certificate
		}
		text = rest
		var entry Entry
		if err := json.Unmarshal(one, &entry); err != nil {
			return nil, fmt.Errorf("read the ledger: line %d of %s is damaged; put back the file as it was", number, ledgerFile)
		}
		known, seen := at[entry.Serial]
		switch {
		case entry.Revoked() && seen:
			entries[known].RevokedAt = entry.RevokedAt
		case entry.Revoked() || seen:
			return nil, fmt.Errorf("read the ledger: line %d of %s does not fit those before; put back the file as it was", number, ledgerFile)
		default:
			at[entry.Serial] = len(entries)
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// history returns the certificate that a node got last, an empty entry when it got none, and how many it got within a day.
func (a *Authority) history(entries []Entry, site, node string) (last Entry, today int) {
	yesterday := a.clock().AddDate(0, 0, -1)
	for _, entry := range entries {
		if entry.Site != site || entry.Node != node {
			continue
		}
		if last = entry; entry.Issued.After(yesterday) {
			today++
		}
	}
	return last, today
}

// append adds lines to the ledger, which is locked, and returns when they are on the disk. The rest of a line that was cut
// off is cut off first.
func (a *Authority) append(lines ...Entry) (err error) {
	file, err := os.OpenFile(filepath.Join(a.dir, ledgerFile), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	end := int64(bytes.LastIndexByte(text, '\n') + 1)
	var added []byte
	for _, line := range lines {
		encoded, err := json.Marshal(line)
		if err != nil {
			return fmt.Errorf("write the ledger: %w", err)
		}
		added = append(append(added, encoded...), '\n')
	}
	if err := file.Truncate(end); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	_, err = file.WriteAt(added, end)
	if err := errors.Join(err, file.Sync()); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}
