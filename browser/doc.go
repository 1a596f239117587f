// Package browser tries the pages in a real browser: people in browsers of their own at the offices of a running tree, on desks and on
// telephones, with the line cut in between. It holds nothing but tests. They need Chromium; where it is not installed they are left
// out, which `go test` shows as "no tests to run", and in CI they fail.
package browser
