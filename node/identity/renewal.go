package identity

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// next ends the names of the files of a renewal until they take the place of those before.
const next = ".next"

// Renewed takes up this node's next certificate, in DER with those between it and the authority, and its key. It is
// checked as at a start, and must count now; then the files are replaced, the key's first, then every new handshake uses it; connections that
// are there go on. On an error nothing has changed, or the next start finishes what was begun.
func (i *Identity) Renewed(certificates [][]byte, key crypto.Signer) error {
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode the renewed key: %w", err)
	}
	var cert []byte
	for _, der := range certificates {
		cert = append(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	keyText := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
	own, err := parsePair(cert, keyText)
	if err != nil {
		return fmt.Errorf("the renewed certificate: %w", err)
	}
	if err := i.fits(own, time.Now()); err != nil {
		return fmt.Errorf("the renewed certificate: %w", err)
	}
	i.replace.Lock()
	defer i.replace.Unlock()
	if err := Replace(i.files.Cert, i.files.Key, cert, keyText); err != nil {
		return err
	}
	i.own.Store(own)
	return nil
}

// Replace puts a certificate and its key, both in PEM form, in the place of those in the files. When it is cut short, the
// next Load finds either the old pair or the new one.
func Replace(certFile, keyFile string, cert, key []byte) error {
	if err := errors.Join(writeSynced(keyFile+next, key, 0o600), writeSynced(certFile+next, cert, 0o644)); err != nil {
		return fmt.Errorf("write the renewed certificate: %w", err)
	}
	return finishRenewal(certFile, keyFile)
}

// Reload reads the certificate and key again, and takes them up when they are others than those in use. What was replaced
// by hand is used without a restart so. What has ended is not taken up. On an error the present ones stay.
func (i *Identity) Reload() (changed bool, err error) {
	i.replace.Lock()
	defer i.replace.Unlock()
	own, err := loadPair(i.files.Cert, i.files.Key)
	if err != nil {
		return false, err
	}
	if slices.EqualFunc(own.Certificate.Certificate, i.own.Load().Certificate.Certificate, slices.Equal) {
		return false, nil
	}
	if err := i.fits(own, time.Now()); err != nil {
		return false, err
	}
	i.own.Store(own)
	return true, nil
}

// loadPair reads the two files. When a renewal was cut short between them, it is finished first.
func loadPair(certFile, keyFile string) (*pair, error) {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("tls.cert: %w", err)
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("tls.key: %w", err)
	}
	own, err := parsePair(cert, key)
	if err == nil {
		return own, nil
	}
	if renewed, readErr := os.ReadFile(certFile + next); readErr == nil {
		if own, pairErr := parsePair(renewed, key); pairErr == nil {
			return own, finishRenewal(certFile, keyFile)
		}
	}
	return nil, fmt.Errorf("tls.cert %s with tls.key %s: %w", certFile, keyFile, err)
}

func parsePair(cert, key []byte) (*pair, error) {
	both, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	own := &pair{Certificate: both}
	for _, der := range both.Certificate {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		own.chain = append(own.chain, parsed)
	}
	return own, nil
}

// finishRenewal puts the new files in the place of the present ones, the key's first: a key without its certificate is
// what loadPair knows to be a renewal that was cut short.
func finishRenewal(certFile, keyFile string) error {
	for _, file := range []string{keyFile, certFile} {
		if err := os.Rename(file+next, file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("take up the renewed certificate: %w", err)
		}
		if err := syncDirectory(filepath.Dir(file)); err != nil {
			return fmt.Errorf("take up the renewed certificate: %w", err)
		}
	}
	return nil
}

// writeSynced replaces a file that nobody uses yet and returns when it is on the disk.
func writeSynced(path string, text []byte, mode fs.FileMode) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
