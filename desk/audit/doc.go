// Package audit is the form of a site's audit log: the words for what was done, the bytes of an entry, the chain of hashes that
// joins the entries, the signed checkpoints on it, and the check of all of them. It is pure: it reads no clock, no disk and no
// network. The state machine writes entries by it; the API, the terminal and whoever keeps an exported log check them by it.
package audit
