// Package page is what all pages of a node share: who looks at them and in which language, the frame around them, words, times and
// marks, the files that browsers load, and how errors are told. A room of pages, such as the console, brings templates, words and
// routes of its own.
package page
