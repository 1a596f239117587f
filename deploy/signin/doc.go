// Package signin holds the tests in which people sign in to a whole site through real servers that vouch for them: OpenLDAP's
// slapd, and an OpenID Connect provider. It is a module of its own, so that the program does not depend on a provider.
package signin
