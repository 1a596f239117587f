package console

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	// firstShown is how many entries of a journal a page shows, the newest; each look further back shows as many more.
	firstShown = 50
	// together is how long after somebody's words a file belongs to them.
	together = 2 * time.Minute
	// longWords and longLines are how long a text is, in characters and in lines, that is folded to its beginning of beginningWords and
	// beginningLines; busy is how many things stand in a journal whose end is still in sight.
	longWords, longLines           = 1200, 24
	beginningWords, beginningLines = 400, 8
	busy                           = 12
)

// talk is the journal of a ticket as a conversation, oldest first.
type talk struct {
	First *item // how it began, in a journal that is long or of which entries are left out; nil in any other one
	Items []*item
	Older int  // how many entries are left out before the first of the items
	More  int  // how many to show to see some of them
	Long  bool // its end is out of sight
}

// item is one thing that was said or done.
type item struct {
	ID string
	// Look is "words" for the requester's, "reply" for the desk's, "note" for those that stay inside, "solution", or "step" for what was
	// done without words.
	Look       string
	Who, Where string
	By         string // who wrote somebody else's words down
	Step       string // what was done, in words
	Text       string
	Beginning  string // of a long text, which is folded; empty for any other one
	At         page.Moment
	Changes    []changeShown
	Files      []fileShown
	Superseded bool

	actor string
	time  time.Time
}

// fileShown is an attachment.
type fileShown struct {
	Name, Size, Path string
	Image            bool
	Internal         bool // requesters do not see it
}

// talk shows the newest entries of the journal, as many as are asked for, and how it began.
func (d *dossier) talk(most int) talk {
	most = min(max(most, firstShown), journalMost)
	shown := talk{More: most + firstShown}
	from := max(len(d.journal)-most, 0)
	if from > 1 {
		shown.First, shown.Older = d.item(d.journal[0]), from-1
	} else {
		from = 0
	}
	for _, entry := range d.journal[from:] {
		next := d.item(entry)
		if n := len(shown.Items); entry.GetType() == deskpb.Event_ATTACHED.String() && n > 0 && shown.Items[n-1].takesFile(next) {
			shown.Items[n-1].Files = append(shown.Items[n-1].Files, next.Files...)
			continue
		}
		shown.Items = append(shown.Items, next)
	}
	if shown.Long = len(shown.Items) > busy; shown.Long && shown.First == nil {
		shown.First, shown.Items = shown.Items[0], shown.Items[1:]
	}
	return shown
}

// beginning is what is seen of a long text while it is folded; empty for a text that is not long.
func beginning(text string) string {
	if utf8.RuneCountInString(text) <= longWords && strings.Count(text, "\n") < longLines {
		return ""
	}
	lines := strings.SplitN(text, "\n", beginningLines+1)
	short := []rune(strings.Join(lines[:min(len(lines), beginningLines)], "\n"))
	return strings.TrimSpace(string(short[:min(len(short), beginningWords)])) + "…"
}

// takesFile tells whether a file that was added belongs to what was said before.
func (i *item) takesFile(file *item) bool {
	return i.Look != "step" && i.actor == file.actor && file.time.Sub(i.time) < together
}

// item shows one entry.
func (d *dossier) item(entry *apipb.JournalEntry) *item {
	i := &item{
		ID: entry.GetId(), Look: "step", Who: d.doer(entry), At: d.Time(entry.GetTime()), Text: d.said(entry),
		Superseded: entry.GetSuperseded(), actor: entry.GetActor(), time: entry.GetTime().AsTime(),
	}
	if entry.GetSite() != d.SiteID && entry.GetActor() != "" {
		i.Where = d.SiteNamed(entry.GetSite())
	}
	switch entry.GetType() {
	case "OPENED":
		d.opened(i, entry)
	case "REPLIED":
		i.Look = "reply"
		if entry.GetFromRequester() || entry.GetRole() == deskpb.User_REQUESTER.String() {
			i.Look = "words"
			if entry.GetRole() != deskpb.User_REQUESTER.String() {
				i.Who, i.By = d.ticket.GetRequester().GetName(), i.Who
			}
		}
	case "NOTED":
		i.Look = "note"
	case "RESOLVED":
		i.Look = "solution"
		i.Step, _ = changeOf(entry, "resolution.code")
		i.Step = d.codeTitle(i.Step)
		i.Text, _ = changeOf(entry, "resolution.text")
		if cause, changed := changeOf(entry, "resolution.rootCause"); changed {
			i.Changes = []changeShown{d.change(&apipb.Change{Field: "resolution.rootCause", After: cause}, entry.GetSite())}
		}
	case "ATTACHED":
		i.Step, i.Files = d.Word("t.step.ATTACHED"), d.filesOf(entry)
	default:
		i.Step = d.step(entry)
		if entry.GetType() == "CLASSIFIED" {
			for _, one := range entry.GetChanges() {
				if !slices.Contains(unspoken, one.GetField()) {
					i.Changes = append(i.Changes, d.change(one, entry.GetSite()))
				}
			}
		}
	}
	if i.Look != "step" {
		i.Beginning = beginning(i.Text)
	}
	return i
}

// opened shows how a ticket began as the requester's words.
func (d *dossier) opened(i *item, entry *apipb.JournalEntry) {
	name, _ := changeOf(entry, "requester.name")
	unit, _ := changeOf(entry, "requester.unit")
	channel, _ := changeOf(entry, "channel")
	title, _ := changeOf(entry, "title")
	description, _ := changeOf(entry, "description")
	i.Look, i.Text = "words", cmp.Or(description, title)
	i.Step = d.Word("t.channel." + cmp.Or(channel, "CHANNEL_UNSPECIFIED"))
	if name != "" && entry.GetRole() != deskpb.User_REQUESTER.String() {
		i.Who, i.By = name, i.Who
	}
	if unit != "" {
		i.Where = unit
	}
}

// byItself tells whether a site did a step of its own accord. A requester without an account has no name to sign in with either; and
// that a problem goes to somebody as it is reported is the policy's doing.
func byItself(entry *apipb.JournalEntry) bool {
	if entry.GetRole() == deskpb.User_REQUESTER.String() {
		return entry.GetType() == deskpb.Event_ASSIGNED.String()
	}
	return entry.GetActor() == ""
}

// doer is who did a step, as people are called; the site for what it did by itself.
func (d *dossier) doer(entry *apipb.JournalEntry) string {
	switch {
	case byItself(entry):
		return d.Word("t.by-itself", d.SiteNamed(entry.GetSite()))
	case entry.GetActor() == "":
		return d.Word("t.guest", d.ticket.GetRequester().GetName())
	}
	return cmp.Or(entry.GetActorName(), d.person(entry.GetActor(), entry.GetSite()))
}

// structured are types whose text is for machines, or is told by the step's words.
var structured = []string{"LINKED", "ATTACHED", "RATED", "CALLED_BACK", "ALERTED", "CLOCK_PASSED", "REMINDED", "TASK_ADDED"}

// said is what a person wrote with a step. What a site writes by itself is told by the step's own words.
func (d *dossier) said(entry *apipb.JournalEntry) string {
	text := entry.GetText()
	switch {
	case slices.Contains([]string{"RATED", "CALLED_BACK"}, entry.GetType()):
		_, comment, _ := strings.Cut(text, " ")
		return comment
	case byItself(entry) || slices.Contains(structured, entry.GetType()):
		return ""
	}
	return text
}

// step tells in words what was done. A type that has no words yet is told by the API's.
func (d *dossier) step(entry *apipb.JournalEntry) string {
	key := "t.step." + entry.GetType()
	if byItself(entry) && d.Has("t.step.auto."+entry.GetType()) {
		key = "t.step.auto." + entry.GetType()
	}
	if !d.Has(key) {
		return strings.TrimSpace(entry.GetType() + " " + entry.GetText())
	}
	if about, spoken := d.about(entry); spoken {
		return d.Word(key, about)
	}
	return d.Word(key)
}

// about is what the words of a step are filled in with; spoken is false for words that say everything.
func (d *dossier) about(entry *apipb.JournalEntry) (about string, spoken bool) {
	after := func(field string) string { text, _ := changeOf(entry, field); return text }
	switch entry.GetType() {
	case "ASSIGNED":
		names := []string{}
		if group := after("group"); group != "" {
			names = append(names, d.groupTitle(group))
		}
		if who := after("assignee"); who != "" {
			names = append(names, d.person(who, entry.GetSite()))
		}
		return strings.Join(names, " · "), true
	case "HELD":
		return d.holdTitle(after("holdReason")), true
	case "ESCALATION_QUEUED", "RETURN_QUEUED", "RELOCATION_QUEUED":
		return d.SiteNamed(after("handover.toSite")), true
	case "DISPATCHED":
		return d.SiteNamed(after("custodianSite")), true
	case "ESCALATED", "RETURNED":
		return d.Word("line." + cmp.Or(after("line"), "LINE_UNSPECIFIED")), true
	case "RECLAIMED":
		return d.SiteNamed(entry.GetSite()), true
	case "MERGED":
		return after("mergedInto"), true
	case "CHECKED":
		return after("checklist"), true
	case "TASK_ADDED":
		return entry.GetText(), true
	}
	return d.aboutRemark(entry)
}

// aboutRemark is about for what is told by a remark's text.
func (d *dossier) aboutRemark(entry *apipb.JournalEntry) (about string, spoken bool) {
	first, rest, _ := strings.Cut(entry.GetText(), " ")
	switch entry.GetType() {
	case "LINKED":
		number, removed := strings.CutSuffix(rest, " removed")
		about = d.Word("t.link."+first) + " " + number
		if removed {
			about = d.Word("t.link-removed", about)
		}
		return about, true
	case "CALLED_BACK":
		return d.Word("t.outcome." + cmp.Or(first, "OUTCOME_UNSPECIFIED")), true
	case "RATED":
		return first, true
	case "CLOCK_PASSED":
		return d.mark(entry.GetText()), true
	}
	return "", false
}

// mark tells which clock passed how much of its time, from the API's words "…: METRIC of SITE, 75 % of 4h0m0s".
func (d *dossier) mark(text string) string {
	_, rest, _ := strings.Cut(text, ": ")
	clock, rest, _ := strings.Cut(rest, ", ")
	metric, _, _ := strings.Cut(clock, " ")
	percent, _, _ := strings.Cut(rest, " ")
	if !d.Has("t.metric." + metric) {
		return text
	}
	if percent == "100" {
		return d.Word("t.mark-late", d.Word("t.metric."+metric))
	}
	return d.Word("t.mark", d.Word("t.metric."+metric), percent+"%")
}

// filesOf are the files that an entry added.
func (d *dossier) filesOf(entry *apipb.JournalEntry) (files []fileShown) {
	for _, file := range d.ticket.GetAttachments() {
		if file.GetId() == entry.GetId() {
			files = append(files, d.file(file))
		}
	}
	if len(files) == 0 {
		files = append(files, fileShown{Name: entry.GetText()})
	}
	return files
}

func (d *dossier) file(file *deskpb.Attachment) fileShown {
	return fileShown{
		Name: file.GetName(), Size: size(file.GetSize()), Path: filePath(d.ticket.GetNumber(), file.GetId()),
		Internal: file.GetInternal(), Image: slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, file.GetMediaType()),
	}
}

func filePath(number, id string) string {
	return "/t/" + url.PathEscape(number) + "/files/" + url.PathEscape(id)
}

// size is a length in bytes for people.
func size(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%d KiB", (bytes+1<<9)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}
