//go:build race

package tiers

// rebuiltTickets is small under the race detector, which slows the rebuilding down tenfold.
const rebuiltTickets = 2_000
