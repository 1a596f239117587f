// Package keys encodes tuples as byte strings whose bytewise order is the order of the tuples. It is pure: it knows
// neither what the tuples mean nor where they are stored. Only store uses it.
package keys
