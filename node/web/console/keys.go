package console

import (
	"net/http"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// keysPage tells which keys there are; a script shows it over any page of the console.
type keysPage struct {
	page.Frame
	Parts []keyPart
}

// keyPart is a group of keys under a heading.
type keyPart struct {
	Word string
	Keys []keyShown
}

// keyShown is what a key, or two in turn, does.
type keyShown struct {
	Keys []string
	Word string
}

// keyParts are the keys that do something for the visitor. The scripts of the console know them.
func keyParts(v *page.Visit) []keyPart {
	var parts []keyPart
	for _, part := range []struct {
		word string
		keys []keyOf
	}{
		{"desk.keys.everywhere", []keyOf{
			{"new", "c", desk.TicketPreview}, {"search", "/", desk.TicketList}, {"mine", "g m", desk.TicketList},
			{"unassigned", "g u", desk.TicketList}, {"overdue", "g o", desk.TicketList}, {"help", "?", desk.TicketList},
		}},
		{"desk.keys.list", []keyOf{
			{"down", "j", desk.TicketList}, {"up", "k", desk.TicketList}, {"open", "o", desk.TicketRead}, {"pick", "x", desk.TicketClaim},
			{"take", "a", desk.TicketClaim}, {"filter", "f", desk.TicketList},
		}},
		{"desk.keys.ticket", []keyOf{
			{"take", "a", desk.TicketClaim}, {"escalate", "e", desk.TicketEscalate}, {"reply", "r", desk.TicketReply}, {"note", "n", desk.TicketNote},
			{"next", "j", desk.TicketRead}, {"before", "k", desk.TicketRead}, {"back", "u", desk.TicketRead},
		}},
	} {
		shown := keyPart{Word: v.Word(part.word)}
		for _, key := range part.keys {
			if v.May(key.verb) {
				shown.Keys = append(shown.Keys, keyShown{strings.Fields(key.keys), v.Word("desk.key." + key.word)})
			}
		}
		parts = append(parts, shown)
	}
	return parts
}

// keyOf is a key, or two in turn, for those who may do a verb.
type keyOf struct {
	word, keys string
	verb       desk.Verb
}

func serveKeys(v *page.Visit) error {
	shown := keysPage{Frame: consoleFrame(v, v.Word("desk.keys")), Parts: keyParts(v)}
	if v.Partial() {
		return v.Render(http.StatusOK, "desk-keys", shown)
	}
	return v.Render(http.StatusOK, "desk_keys.html", shown)
}
