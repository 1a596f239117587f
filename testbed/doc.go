// Package testbed builds the real program and runs its nodes as processes that a test can kill, and lays lines between
// sites that a test can cut. It is for tests only; nothing that ships imports it. Every process and line ends with the
// test that made it.
package testbed
