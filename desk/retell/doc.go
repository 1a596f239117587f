// Package retell puts tickets and events into the short lines that stories of a service desk expect, with times as people in
// Hangzhou say them. The rules are played with it by themselves, and again on real sites, so that both are held to the same words.
// Only tests use it; it knows the schema and nothing else, and decides nothing.
package retell
