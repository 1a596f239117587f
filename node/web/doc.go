// Package web serves the pages that people look at: it signs them in and puts the rooms together: the console for those who work on
// tickets, the support site for those who report problems, the wall, the leader's page, and what administrators look after. Pages are
// rendered on the server, see and do what a program with the same session would, and work without a script. Only node starts it.
package web
