package authority

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Which names certificates to revoke: the one of a serial number, or all of a node, or all of a site.
type Which struct{ Serial, Site, Node string }

// Check tells whether it names anything, and only in one way.
func (w Which) Check() error {
	if (w.Serial == "") == (w.Site == "") || w.Node != "" && w.Site == "" {
		return errors.New("say which: a serial number, or a site, or a site and a node")
	}
	return nil
}

func (w Which) names(e Entry) bool {
	if w.Serial != "" {
		return strings.EqualFold(strings.TrimLeft(e.Serial, "0"), strings.TrimLeft(w.Serial, "0"))
	}
	return e.Site == w.Site && (w.Node == "" || e.Node == w.Node)
}

// Revoke says that nobody should trust these certificates any more, and makes the list of all such anew. It returns those
// that have not ended by themselves; there must be some. What was revoked before is revoked once more without harm, so
// that one that was cut short can be repeated. Every node hears of it when it gets the list.
func (a *Authority) Revoke(w Which) ([]Entry, error) {
	if err := w.Check(); err != nil {
		return nil, fmt.Errorf("revoke certificates: %w", err)
	}
	unlock, err := a.lock()
	if err != nil {
		return nil, fmt.Errorf("revoke certificates: %w", err)
	}
	defer unlock()
	entries, err := a.List()
	if err != nil {
		return nil, fmt.Errorf("revoke certificates: %w", err)
	}
	now := a.clock().UTC().Truncate(time.Second)
	var revoked []Entry
	var lines []Entry
	for n, entry := range entries {
		if !w.names(entry) || now.After(entry.Expires) {
			continue
		}
		if !entry.Revoked() {
			entries[n].RevokedAt = now
			lines = append(lines, Entry{Serial: entry.Serial, RevokedAt: now})
		}
		revoked = append(revoked, entries[n])
	}
	if len(revoked) == 0 {
		return nil, fmt.Errorf("revoke certificates: none that still counts is of %s; see tierdesk ca list", w)
	}
	list, err := a.revocationList(entries)
	if err != nil {
		return nil, err
	}
	if err := a.append(lines...); err != nil {
		return nil, fmt.Errorf("revoke certificates: %w", err)
	}
	if err := WriteFile(filepath.Join(a.dir, RevokedFile), list, 0o644); err != nil {
		return nil, fmt.Errorf("revoke certificates: %w", err)
	}
	return revoked, nil
}

// String is for messages.
func (w Which) String() string {
	switch {
	case w.Serial != "":
		return fmt.Sprintf("the serial number %s", w.Serial)
	case w.Node != "":
		return fmt.Sprintf("node %s of site %s", w.Node, w.Site)
	default:
		return fmt.Sprintf("site %s", w.Site)
	}
}

// Revocations returns the list of revoked certificates, signed and in DER, as nodes take it up.
func (a *Authority) Revocations() ([]byte, error) {
	list, err := os.ReadFile(filepath.Join(a.dir, RevokedFile))
	if err != nil {
		return nil, fmt.Errorf("read the revocation list: %w", err)
	}
	return list, nil
}

// listedAfterEnd is for how long a revoked certificate stays on the list after its end, for nodes whose clocks are behind.
const listedAfterEnd = 30 * 24 * time.Hour

// revocationList signs the list of what is revoked among the entries and could count otherwise. Its number is how many were
// ever revoked, and one, so that of two lists the later one counts. It holds for as long as the authority does: an office
// without a line goes by the last one that it got.
func (a *Authority) revocationList(entries []Entry) ([]byte, error) {
	var revoked []x509.RevocationListEntry
	number, now := int64(1), a.clock()
	for _, entry := range entries {
		if !entry.Revoked() {
			continue
		}
		number++
		if now.After(entry.Expires.Add(listedAfterEnd)) {
			continue
		}
		serial, ok := new(big.Int).SetString(entry.Serial, 16)
		if !ok {
			return nil, fmt.Errorf("sign the revocation list: the ledger has the serial number %q", entry.Serial)
		}
		revoked = append(revoked, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: entry.RevokedAt})
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: now, NextUpdate: a.cert.NotAfter,
		RevokedCertificateEntries: revoked,
	}, a.cert, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign the revocation list: %w", err)
	}
	return list, nil
}
