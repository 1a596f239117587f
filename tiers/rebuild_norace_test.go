//go:build !race

package tiers

// rebuiltTickets is as many as a county has in some years.
const rebuiltTickets = 20_000
