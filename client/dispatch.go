package client

import (
	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// handing are the verbs by which a ticket finds the person who works on it.
func (c *console) handing() []*cobra.Command {
	claim := &apipb.ClaimTicketRequest{}
	decline := &apipb.DeclineTicketRequest{}
	transfer := &apipb.TransferTicketRequest{}
	moved := verb[*apipb.TransferTicketRequest]{
		name: "transfer", short: "转单: give a ticket that somebody has to another person or group, and say why",
		request: transfer, number: &transfer.Number, etag: &transfer.Etag, requestID: &transfer.RequestId,
		call: apipb.TicketsClient.TransferTicket, reason: &transfer.Reason,
	}.command(c)
	moved.Flags().StringVar(&transfer.Assignee, "assignee", "", "the person, by user name")
	moved.Flags().StringVar(&transfer.Group, "group", "", "the group")
	return []*cobra.Command{
		verb[*apipb.ClaimTicketRequest]{
			name: "claim", short: "认领: take the ticket up, from its group or as the one that it was given to",
			request: claim, number: &claim.Number, etag: &claim.Etag, requestID: &claim.RequestId,
			call: apipb.TicketsClient.ClaimTicket,
		}.command(c),
		verb[*apipb.DeclineTicketRequest]{
			name: "decline", short: "拒单: give a ticket that was given to you back to its group, and say why",
			request: decline, number: &decline.Number, etag: &decline.Etag, requestID: &decline.RequestId,
			call: apipb.TicketsClient.DeclineTicket, reason: &decline.Reason,
		}.command(c),
		moved,
	}
}
