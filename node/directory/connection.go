package directory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// connection is one conversation with the directory, which ends with its context whatever the directory does.
type connection struct {
	ldap     *ldap.Conn
	deadline time.Time
	release  func() bool // of the watch on the context
}

// connect opens a connection that is encrypted as the options say.
func (d *Directory) connect(ctx context.Context) (*connection, error) {
	deadline, _ := ctx.Deadline()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", hostPort(d.address))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	// Whatever waits for the connection then ends; one that is closed already has nobody who waits.
	release := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	secure := &tls.Config{ServerName: d.address.Hostname(), RootCAs: d.options.Roots, MinVersion: tls.VersionTLS12}
	encrypted := d.address.Scheme == "ldaps"
	if encrypted {
		over := tls.Client(raw, secure)
		if err := over.HandshakeContext(ctx); err != nil {
			release()
			_ = raw.Close()
			return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		raw = over
	}
	conn := ldap.NewConn(raw, encrypted)
	conn.Start()
	c := &connection{ldap: conn, deadline: deadline, release: release}
	if d.options.StartTLS && !encrypted {
		if err := conn.StartTLS(secure); err != nil {
			c.close()
			return nil, fmt.Errorf("%w: encrypt the connection: %w", ErrUnreachable, err)
		}
	}
	return c, nil
}

func (c *connection) close() {
	c.release()
	_ = c.ldap.Close() // nothing was written that could be lost
}

// serve makes the connection the service account's.
func (c *connection) serve(o Options) error {
	var err error
	if o.BindDN == "" {
		err = c.ldap.UnauthenticatedBind("")
	} else {
		err = c.ldap.Bind(o.BindDN, o.BindPassword)
	}
	if err != nil {
		return fmt.Errorf("%w: the service account %q: %w", ErrUnreachable, o.BindDN, err)
	}
	return nil
}

// prove makes the connection the person's, which only the right password does.
func (c *connection) prove(dn, password string) error {
	err := c.ldap.Bind(dn, password)
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultConstraintViolation,
		ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultAuthMethodNotSupported, ldap.LDAPResultStrongAuthRequired) {
		return fmt.Errorf("%w: %w", ErrWrong, err)
	}
	if err != nil {
		return fmt.Errorf("%w: prove the password: %w", ErrUnreachable, err)
	}
	return nil
}

// search returns what is found, cut off at the request's limit. Referrals are left alone.
func (c *connection) search(request *ldap.SearchRequest) ([]*ldap.Entry, error) {
	request.EnforceSizeLimit = true
	result, err := c.ldap.Search(request)
	switch {
	case err == nil:
		return result.Entries, nil
	case result != nil && len(result.Entries) >= request.SizeLimit &&
		(errors.Is(err, ldap.ErrSizeLimitExceeded) || ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded)):
		return result.Entries, nil
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) && request.Scope == ldap.ScopeBaseObject:
		return nil, nil
	}
	return nil, fmt.Errorf("%w: search below %q: %w", ErrUnreachable, request.BaseDN, err)
}

// seconds is what is left of the time, as the protocol counts it.
func (c *connection) seconds() int { return max(1, int(time.Until(c.deadline).Seconds())) }
