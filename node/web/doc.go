// Package web serves the pages that people look at: signing in, and one page that tells how the site, its links and its
// latest tickets stand. Pages are rendered on the server and need no script. It never changes a ticket. Only node starts
// it.
package web
