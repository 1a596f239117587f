package api

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// What agents alone may see is not told whatever its type, nor what counts for nothing any more.
func TestWhatIsTold(t *testing.T) {
	reply := func(visibility deskpb.Event_Visibility, superseded bool) desk.JournalEntry {
		return desk.JournalEntry{Superseded: superseded, Event: desk.Sealed{Event: &deskpb.Event{
			Type: deskpb.Event_REPLIED, Visibility: visibility, Body: &deskpb.Body{Text: "好"}, Id: &deskpb.EventID{Site: "330100"},
		}}}
	}
	for name, c := range map[string]struct {
		entry desk.JournalEntry
		told  int
	}{
		"for everybody":         {reply(deskpb.Event_EVERYONE, false), 1},
		"for agents":            {reply(deskpb.Event_AGENTS, false), 0},
		"for nobody in words":   {reply(deskpb.Event_VISIBILITY_UNSPECIFIED, false), 0},
		"what counts no longer": {reply(deskpb.Event_EVERYONE, true), 0},
	} {
		p := &apipb.Problem{}
		if err := (&telling{names: map[string]string{}}).tell(p, []desk.JournalEntry{c.entry}); err != nil || len(p.Messages) != c.told {
			t.Errorf("%s: %d messages are told, %v, want %d", name, len(p.Messages), err, c.told)
		}
	}
}
