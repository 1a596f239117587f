// Package load puts a running site, or anything that answers calls, under load: clients that call again as soon as they
// were answered, and what that took in rates and latencies. Its memory does not grow with the number of calls. It never
// starts a site, never connects to one and prints nothing. The client's command bench and the benchmarks of deploy/bench
// call it.
package load
