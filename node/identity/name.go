package identity

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// scheme begins the one name of a node in its certificate: tierdesk://<site>/<node>, a URI among the alternative names.
const scheme = "tierdesk"

// Parse reads the site and the node that a certificate names. It verifies nothing. A certificate with no such name, with
// two, or with one that says more than site and node, is refused: what it means would be a guess.
func Parse(cert *x509.Certificate) (site, node string, err error) {
	for _, uri := range cert.URIs {
		if uri.Scheme != scheme {
			continue
		}
		if site != "" {
			return "", "", errors.New("the certificate names more than one node")
		}
		site, node = uri.Host, strings.TrimPrefix(uri.Path, "/")
		if !plain(site) || !plain(node) || uri.String() != scheme+"://"+site+"/"+node {
			return "", "", fmt.Errorf("the certificate's name %s is not of the form tierdesk://<site>/<node>", uri)
		}
	}
	if site == "" {
		return "", "", errors.New("the certificate names no node: a URI tierdesk://<site>/<node> is missing")
	}
	return site, node, nil
}

// plain tells whether an id has only characters that mean nothing in a URI.
func plain(id string) bool {
	return id != "" && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-'
	})
}
