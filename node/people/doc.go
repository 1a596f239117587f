// Package people knows who may use a site: it checks passwords, hands out bearer tokens and tells whose a token is, and
// keeps the users. Neither a password nor a token is ever stored or logged, only an argon2id hash of the one and a SHA-256
// of the other. Every change goes through the site's log. Only node uses it.
package people
