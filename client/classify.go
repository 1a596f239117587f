package client

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// sortingFlags are the flags by which a ticket is sorted, beside its title, when it is opened and afterwards.
func sortingFlags(f *pflag.FlagSet, t *deskpb.Ticket) {
	f.StringVar(&t.Service, "service", "", "entry of the service catalogue that it asks for")
	f.StringToStringVar(&t.Fields, "field", nil, "a special field of its category, as name=value; may be given again")
	f.StringVar(&t.Coordinator, "coordinator", "", "who leads the work on a major incident, by user name")
	f.BoolVar(&t.Visit, "visit", false, "somebody has to go there")
	f.StringVar(&t.ApplicationVersion, "application-version", "", "version of the application")
	f.StringVar(&t.ConfigurationItem, "configuration-item", "", "the configuration item that it is about")
}

// classifyFlags are flags and the fields of a ticket that they change.
func classifyFlags() map[string]string {
	return map[string]string{
		"title": "title", "description": "description", "category": "category", "application": "application",
		"application-version": "applicationVersion", "configuration-item": "configurationItem", "service": "service", "tag": "tags",
		"impact": "impact", "urgency": "urgency", "severity": "severity", "major": "major", "coordinator": "coordinator",
		"visit": "visit", "field": "fields", "requester-id": "requester",
	}
}

// classify changes exactly the fields whose flags are given, an empty one to nothing.
func (c *console) classify() *cobra.Command {
	t := &deskpb.Ticket{}
	var requester string
	q := &apipb.ClassifyTicketRequest{Ticket: t}
	cmd := verb[*apipb.ClassifyTicketRequest]{
		name: "classify", short: "分类: change what the ticket says or how it is sorted; its clocks follow",
		request: q, number: &q.Number, etag: &q.Etag, requestID: &q.RequestId,
		call: apipb.TicketsClient.ClassifyTicket, reason: &q.Reason, text: &t.Description,
	}.command(c)
	f := cmd.Flags()
	f.StringVar(&t.Title, "title", "", "what it is about, in a line")
	f.StringVar(&t.Description, "description", "", "the whole story; - reads standard input")
	f.StringVar(&t.Category, "category", "", "kind of problem")
	f.StringVar(&t.Application, "application", "", "the application that it is about")
	f.StringArrayVar(&t.Tags, "tag", nil, "a tag; may be given again; all others go")
	f.Int32Var(&t.Impact, "impact", 0, "1 high, 2 medium, 3 low")
	f.Int32Var(&t.Urgency, "urgency", 0, "1 high, 2 medium, 3 low")
	f.Int32Var(&t.Severity, "severity", 0, "fault level: 1 interrupted, 2 degraded, 3 minor")
	f.BoolVar(&t.Major, "major", false, "a major incident; =false takes it back")
	f.StringVar(&requester, "requester-id", "", "the record of who reported it, at this site")
	sortingFlags(f, t)
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		q.Fields, t.Requester = nil, nil
		if requester != "" {
			t.Requester = &deskpb.Requester{Id: requester}
		}
		fields := classifyFlags()
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if field, changes := fields[f.Name]; changes {
				q.Fields = append(q.Fields, field)
			}
		})
		if len(q.Fields) == 0 {
			return Usage("nothing is to change: give a flag such as --category; see %s --help", cmd.CommandPath())
		}
		slices.Sort(q.Fields)
		t.Tags = slices.DeleteFunc(t.Tags, func(tag string) bool { return strings.TrimSpace(tag) == "" })
		return run(cmd, args)
	}
	return cmd
}
