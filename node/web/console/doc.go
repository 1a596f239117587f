// Package console has the pages of those who work on tickets: queues, the ticket, and opening a call.
package console
