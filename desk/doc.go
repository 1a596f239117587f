// Package desk is the vocabulary and the rules of a service desk that spans sites: tickets, their states and verbs, who
// may do what where, custody and hand-over. It is pure: same input, same output, on every node and at every site. It
// never reads a clock, draws a random number, does I/O, logs or starts a goroutine; whatever it needs to know is an
// argument. Every package may use it; it uses only its own rooms: deskpb, calendar and policy.
package desk
