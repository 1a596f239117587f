// Package demo stands up a small province in one process, each site with real nodes on loopback addresses, gives it a policy
// at each tier, sample people, customers and tickets, and plays the main job on it: a ticket's way up and home, a line cut
// and healed, and what a desk does beside that. It uses nodes through their public API only, except for the switch that
// cuts a line. Only cmd/tierdesk and tests use it.
package demo
