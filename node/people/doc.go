// Package people knows who may use a site: it checks passwords, hands out bearer tokens and tells whose a token is, and keeps the
// users. Neither a password nor a token is ever stored or logged, only an argon2id hash of the one and a SHA-256 of the other. Every
// change goes through the site's log, so a session that ended has ended at every node that applied it. Only node uses it.
//
// What a person may do is decided by package desk; people brings the actor. A token costs a call no round trip and no command of the
// log: the node reads its own state, and uses are gathered and written down by Run.
//
// Wrong passwords and codes are counted by user, by address and by both, at each node in bounded memory. Whoever has too many of them waits,
// whether there is such a user or not; only the lock of a user that exists is logged, and so known to the other nodes.
package people
