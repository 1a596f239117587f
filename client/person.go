package client

import (
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// called is a person as people and as commands say it, such as "李强 (liqiang)"; the user alone where the name is not known.
func called(name, user string) string {
	if name == "" || name == user || user == "" {
		return user
	}
	return fmt.Sprintf("%s (%s)", name, user)
}

// person is somebody of a site whom a ticket names.
func person(t *deskpb.Ticket, site, user string) string {
	return called(desk.NameOf(t, site, user), user)
}

// coordinator is who leads the work on a major incident, a person of the site that has the ticket or of the one that opened it.
func coordinator(t *deskpb.Ticket) string {
	user := t.GetCoordinator()
	if name := desk.NameOf(t, t.GetCustodianSite(), user); name != "" {
		return called(name, user)
	}
	return person(t, t.GetHomeSite(), user)
}

// collaborators are those whom the site named that opened the ticket.
func collaborators(t *deskpb.Ticket) []string {
	shown := make([]string, len(t.GetCollaborators()))
	for i, user := range t.GetCollaborators() {
		shown[i] = person(t, t.GetHomeSite(), user)
	}
	return shown
}
