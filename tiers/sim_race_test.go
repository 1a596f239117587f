//go:build race

package tiers

// simDefaultSeeds is small under the race detector, which slows every seed down tenfold.
const simDefaultSeeds = 10
