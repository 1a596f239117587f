package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// What a Check may come to besides a person.
var (
	// ErrWrong says that there is not exactly one person of the name, or that the password is not the person's.
	ErrWrong = errors.New("the directory knows nobody with this name and password")
	// ErrAmbiguous says that there is more than one person of the name, which is wrong as well.
	ErrAmbiguous = fmt.Errorf("%w: more than one entry has the name", ErrWrong)
	// ErrUnreachable says that the directory could not be asked: no connection, no trust in its certificate, no answer in time,
	// or a service account that it refuses. Nothing is known of the person.
	ErrUnreachable = errors.New("the directory cannot be asked")
)

const (
	// maxName bounds a name that is looked up, maxText a text that is taken over, in bytes.
	maxName = 256
	maxText = 512
	// maxGroups is one more than the groups that a person may have.
	maxGroups = 1000
)

// Person is what the directory says of somebody.
type Person struct {
	// Name as Attributes.User has it, or as it was typed.
	Name string
	// Subject is the distinguished name.
	Subject                         string
	DisplayName, Email, Phone, Unit string
	// Groups are distinguished names; SameGroup compares them.
	Groups []string
}

// Directory checks passwords. It is safe for concurrent use and starts nothing that outlives a Check.
type Directory struct {
	options Options
	address *url.URL
	turns   chan struct{} // holds one element for each Check that has a connection
}

// New makes a Directory. It does not connect.
func New(o Options) (*Directory, error) {
	address, err := o.validate()
	if err != nil {
		return nil, err
	}
	return &Directory{options: o, address: address, turns: make(chan struct{}, o.Connections)}, nil
}

// Check looks for exactly one person of the name, tries the password, and reads what the directory says of the person. The
// error wraps ErrWrong or ErrUnreachable. An empty password is wrong: to many directories it asks for no proof at all.
func (d *Directory) Check(ctx context.Context, user, password string) (*Person, error) {
	if user == "" || len(user) > maxName || !utf8.ValidString(user) || strings.ContainsRune(user, 0) {
		return nil, fmt.Errorf("%w: the name is empty, too long or no text", ErrWrong)
	}
	if password == "" {
		return nil, fmt.Errorf("%w: the password is empty", ErrWrong)
	}
	ctx, cancel := context.WithTimeout(ctx, d.options.Timeout)
	defer cancel()
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: too many people sign in at once", ErrUnreachable)
	}
	c, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer c.close()
	return d.check(c, user, password)
}

// nobody stands below the base in place of a person whom nobody knows.
const nobody = "cn=nobody of this name,"

// check asks as the service account who the person is, proves the password as the person, and reads the entry as the service
// account again: by the same filter, so that somebody who was shut out a moment ago is not let in.
func (d *Directory) check(c *connection, user, password string) (*Person, error) {
	if err := c.serve(d.options); err != nil {
		return nil, err
	}
	dn, err := d.find(c, user)
	if err != nil && !errors.Is(err, ErrWrong) {
		return nil, err
	}
	// Whom nobody knows costs the directory a bind as well, so that names are not told by the time that an answer takes.
	if proof := c.prove(cmp.Or(dn, nobody+d.options.Base), password); err == nil {
		err = proof
	}
	if err != nil {
		return nil, err
	}
	if err := c.serve(d.options); err != nil {
		return nil, err
	}
	return d.read(c, dn, user)
}

// find returns the distinguished name of the one person that the name stands for.
func (d *Directory) find(c *connection, user string) (dn string, err error) {
	found, err := c.search(ldap.NewSearchRequest(d.options.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, c.seconds(), false,
		d.filter(user), []string{"1.1"}, nil))
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", fmt.Errorf("%w: no entry has the name", ErrWrong)
	case len(found) > 1:
		return "", ErrAmbiguous
	case found[0].DN == "":
		return "", fmt.Errorf("%w: the entry has no distinguished name", ErrWrong)
	}
	return found[0].DN, nil
}

// filter is the user filter for a name. Whatever is typed stands for itself: no character of it has a meaning in the filter.
func (d *Directory) filter(user string) string {
	return strings.ReplaceAll(d.options.UserFilter, "%s", ldap.EscapeFilter(user))
}

func (d *Directory) read(c *connection, dn, user string) (*Person, error) {
	names := d.options.Attributes
	found, err := c.search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, c.seconds(), false,
		d.filter(user), names.names(), nil))
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%w: the entry does not fit the filter any more", ErrWrong)
	}
	entry := found[0]
	person := &Person{
		Name: first(entry, names.User), Subject: dn,
		DisplayName: first(entry, names.DisplayName), Email: first(entry, names.Email), Phone: first(entry, names.Phone), Unit: first(entry, names.Unit),
	}
	if names.User == "" {
		person.Name = user
	}
	if names.Groups != "" {
		person.Groups = entry.GetEqualFoldAttributeValues(names.Groups)
	}
	named, err := d.groups(c, dn, user)
	if err != nil {
		return nil, err
	}
	person.Groups = append(person.Groups, named...)
	if len(person.Groups) >= maxGroups {
		return nil, fmt.Errorf("%w: the person is in %d groups or more; make the filter %s narrower", ErrUnreachable, maxGroups, d.options.GroupFilter)
	}
	return person, nil
}

// groups finds the groups that name the person.
func (d *Directory) groups(c *connection, dn, user string) ([]string, error) {
	if d.options.GroupBase == "" {
		return nil, nil
	}
	// One pass: what is filled in is never searched for places.
	filter := strings.NewReplacer("%s", ldap.EscapeFilter(dn), "%u", ldap.EscapeFilter(user)).Replace(d.options.GroupFilter)
	found, err := c.search(ldap.NewSearchRequest(d.options.GroupBase, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, maxGroups, c.seconds(), false,
		filter, []string{"1.1"}, nil))
	if err != nil {
		return nil, err
	}
	var groups []string
	for _, entry := range found {
		groups = append(groups, entry.DN)
	}
	return groups, nil
}

// first is the first value of an attribute; empty when there is none or it is no text of a sensible length.
func first(entry *ldap.Entry, attribute string) string {
	if attribute == "" {
		return ""
	}
	value := strings.TrimSpace(entry.GetEqualFoldAttributeValue(attribute))
	if len(value) > maxText || !utf8.ValidString(value) {
		return ""
	}
	return value
}

// SameGroup tells whether two distinguished names are the same one, whatever their spaces and capitals.
func SameGroup(a, b string) bool {
	left, leftErr := ldap.ParseDN(a)
	right, rightErr := ldap.ParseDN(b)
	return leftErr == nil && rightErr == nil && left.EqualFold(right)
}
