package directory

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Options make a Directory.
type Options struct {
	// URL is ldap://host[:port] or ldaps://host[:port]; StartTLS encrypts the former before anything is said. Roots sign the
	// directory's certificate; nil: those whom the machine trusts.
	URL      string
	StartTLS bool
	Roots    *x509.CertPool
	// The service account that looks people up; both empty: nobody in particular.
	BindDN, BindPassword string
	// People are found below Base by UserFilter, in which %s stands for the name that was typed.
	Base, UserFilter string
	Attributes       Attributes
	// Groups are found below GroupBase by GroupFilter, in which %s stands for the person's distinguished name and %u for the
	// name that was typed. An empty base: only Attributes.Groups tells groups.
	GroupBase, GroupFilter string
	// Timeout bounds one Check as a whole. At most Connections run at a time; others wait within their Timeout.
	Timeout     time.Duration
	Connections int
}

// Attributes name what is read of a person's entry. Those that are empty are not read.
type Attributes struct {
	User, DisplayName, Email, Phone, Unit, Groups string
}

func (a Attributes) names() []string {
	var names []string
	for _, name := range []string{a.User, a.DisplayName, a.Email, a.Phone, a.Unit, a.Groups} {
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return []string{"1.1"} // which stands for no attribute; none given would be all
	}
	return names
}

func (o *Options) validate() (*url.URL, error) {
	address, err := url.Parse(o.URL)
	switch {
	case err != nil || address.Scheme != "ldap" && address.Scheme != "ldaps" || address.Hostname() == "":
		return nil, fmt.Errorf("directory: the address %q is not ldap://host or ldaps://host", o.URL)
	case !strings.Contains(o.UserFilter, "%s"):
		return nil, fmt.Errorf("directory: the filter %q has no %%s for the name", o.UserFilter)
	case (o.BindDN == "") != (o.BindPassword == ""):
		// A bind with a name alone succeeds as nobody, and finds nobody.
		return nil, errors.New("directory: the service account has a name or a password, and not both")
	case o.Timeout <= 0 || o.Connections <= 0:
		return nil, errors.New("directory: the timeout and the connections must be more than 0")
	}
	if _, err := ldap.CompileFilter(strings.ReplaceAll(o.UserFilter, "%s", "x")); err != nil {
		return nil, fmt.Errorf("directory: read the filter %q: %w", o.UserFilter, err)
	}
	return address, nil
}

// hostPort is the address to dial, with the protocol's port where none is given.
func hostPort(address *url.URL) string {
	port := address.Port()
	switch {
	case port != "":
	case address.Scheme == "ldaps":
		port = "636"
	default:
		port = "389"
	}
	return net.JoinHostPort(address.Hostname(), port)
}
