package console

import (
	"slices"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// difference is what became of one field since a form was made, by however many steps.
type difference struct {
	Field         string // in the API's spelling
	Before, After string
	By            *apipb.JournalEntry // the last step that changed it
}

// unspoken are fields that follow from others: who reads a difference learns nothing from them.
var unspoken = []string{"custodyTerm", "reassignmentCount", "reopenCount", "respondTime", "sla.RESPONSE", "sla.RESOLUTION"}

// differenceSince tells what changed behind the entry that was the last one when a form was made, in the order in which fields changed
// first. A field that is again as it was is left out. When that entry is not in the journal, all of it is new.
func differenceSince(entries []*apipb.JournalEntry, seen string) (found []difference) {
	for _, entry := range newSince(entries, seen) {
		for _, change := range entry.GetChanges() {
			i := slices.IndexFunc(found, func(d difference) bool { return d.Field == change.GetField() })
			switch {
			case slices.Contains(unspoken, change.GetField()):
			case i < 0:
				found = append(found, difference{Field: change.GetField(), Before: change.GetBefore(), After: change.GetAfter(), By: entry})
			default:
				found[i].After, found[i].By = change.GetAfter(), entry
			}
		}
	}
	return slices.DeleteFunc(found, func(d difference) bool { return d.Before == d.After })
}

// newSince returns the entries behind one.
func newSince(entries []*apipb.JournalEntry, seen string) []*apipb.JournalEntry {
	at := slices.IndexFunc(entries, func(e *apipb.JournalEntry) bool { return e.GetId() == seen })
	return entries[at+1:]
}

// latestOf is the id of the last entry, which a form brings back; empty for none.
func latestOf(entries []*apipb.JournalEntry) string {
	if len(entries) == 0 {
		return ""
	}
	return entries[len(entries)-1].GetId()
}
