//go:build !race

package tiers

// simDefaultSeeds are played in about a minute.
const simDefaultSeeds = 200
