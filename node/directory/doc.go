// Package directory asks an LDAP directory, Active Directory among them, whether a password is a person's, and what it says of
// the person. It never writes to the directory, never follows a referral, and keeps neither passwords nor connections. Which
// role somebody has here is not its business. Only node uses it.
package directory
