// Package account has the pages about the visitor's own account: profile, sessions, access tokens, second factor.
package account
