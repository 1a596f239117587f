// Package replay plays real incidents of another desk over a running tree of a county, a city and a province, through
// the public API only. It reads the log of the BPI Challenge 2013 (incidents of Volvo IT): one row per status change.
// plan.go says how its words map onto ours. cmd/tierdesk and tests use it; it decides nothing about tickets itself.
package replay
