package authority

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files that a node gets.
const (
	NodeCertFile = "node.crt" // for tls.cert
	NodeKeyFile  = "node.key" // for tls.key, readable by its owner only
)

// HandOut issues a certificate and writes all that the node needs of its tree into a directory, which is made: the
// authority's certificate, the node's own with its key, and the key of gossip. Files that are there are not replaced.
func (a *Authority) HandOut(n Node, dir string) (Entry, error) {
	gossip, err := os.ReadFile(filepath.Join(a.dir, GossipFile))
	if err != nil {
		return Entry{}, fmt.Errorf("read the gossip key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Entry{}, fmt.Errorf("make the directory of the node's files: %w", err)
	}
	for _, name := range []string{CertFile, NodeCertFile, NodeKeyFile, GossipFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return Entry{}, fmt.Errorf("%s is there already; choose another directory, or renew with tierdesk ca renew", filepath.Join(dir, name))
		}
	}
	issued, err := a.Issue(n)
	if err != nil {
		return Entry{}, err
	}
	var written []string
	for _, file := range []struct {
		name string
		text []byte
		mode fs.FileMode
	}{
		{NodeKeyFile, issued.Key, 0o600},
		{GossipFile, gossip, 0o600},
		{CertFile, EncodeCertificates([][]byte{a.cert.Raw}), 0o644},
		{NodeCertFile, issued.Cert, 0o644},
	} {
		path := filepath.Join(dir, file.name)
		if err := WriteFile(path, file.text, file.mode); err != nil {
			return Entry{}, errors.Join(fmt.Errorf("write the node's files: %w", err), removeAll(written))
		}
		written = append(written, path)
	}
	return issued.Entry, nil
}

func removeAll(paths []string) error {
	var err error
	for _, path := range paths {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
