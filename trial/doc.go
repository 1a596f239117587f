// Package trial holds the tests that put a site on trial: real processes under load that are killed, frozen and made to
// change their leader while callers write down what they were told, which is then held against what the site knows. It
// has nothing but tests, reaches nodes through their public API only, and nobody imports it.
//
// The defaults suit every run of go test. The long runs are
//
//	go test ./trial -run Linearizability -rounds 50 -timeout 30m
//	go test ./trial -run CrashLoop -rounds 200 -timeout 60m
package trial
