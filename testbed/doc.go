// Package testbed builds the real program and runs its nodes as processes that a test can kill, and lays lines between
// sites that a test can cut. It is for tests, and lends addresses to the measurements of deploy/bench; nothing that ships imports
// it. Every process and line ends with the test that made it.
package testbed
