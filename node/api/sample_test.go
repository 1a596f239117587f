package api

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// sample is a ticket with something in most fields.
func sample() *deskpb.Ticket {
	return &deskpb.Ticket{
		Number: "330106-20261121-0042", Kind: deskpb.Ticket_INCIDENT, State: deskpb.Ticket_IN_PROGRESS, Line: deskpb.Ticket_SECOND,
		Title: `VPN "断开" 了`, Category: "网络", Channel: deskpb.Ticket_EMAIL, Priority: 2, Severity: 1, Major: true,
		Requester: &deskpb.Requester{Name: "张 三", User: "zhang.san"}, Assignee: "li", Group: "网络组",
		HomeSite: "330106", CustodianSite: "330100", Handover: &deskpb.Handover{State: deskpb.Handover_QUEUED, ToSite: "330000"},
		UpdateTime: timestamppb.New(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)),
	}
}
